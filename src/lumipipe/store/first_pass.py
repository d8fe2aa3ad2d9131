"""First pass of a preparation: batches of work become pieces, in parallel, resumed if killed.

What a batch holds and how it is read is the caller's matter; the second pass is in
`lumipipe.store.second_pass`.
"""

from __future__ import annotations

import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any

from lumipipe.store.files import digest_of
from lumipipe.store.layout import pack_by_bytes
from lumipipe.store.pieces import piece_from_json, read_piece, write_piece
from lumipipe.store.sharing import gathered, in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Prepare
    from lumipipe.store.pieces import Failure, Piece, RecordingLike

    Log = Callable[[str], None]
    Made = tuple[Sequence[RecordingLike], Sequence[Failure]]

_SMALLEST_BATCH_BYTES = 2**20
_BATCHES = 64  # enough for all workers of a node, few enough for a file system
_FILES_A_PIECE = 8


def pack_batches(sizes: Sequence[int], settings: Prepare) -> list[range]:
    """Items packed into batches that a worker can hold, never one batch a tiny item.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of each item.
    settings : Prepare
        Bytes of a shard, which a batch should not exceed, and the number of files allowed,
        which bounds the number of pieces.

    Returns
    -------
    list of range
        The same for any number of ranks and workers.
    """
    total = sum(sizes)
    batch_bytes = min(settings.shard_bytes, max(total // _BATCHES, _SMALLEST_BATCH_BYTES))
    return pack_by_bytes(sizes, max(batch_bytes, _FILES_A_PIECE * total // settings.most_files))


def piece_name(kind: str, number: int, content: Any) -> str:
    """Name of a piece: the same only where the same batch is read in the same way."""
    return f"{kind}-{number:06d}-{digest_of(content)[:16]}"


def make_pieces(
    comm: Comm,
    workers: int,
    names: Sequence[Path],
    make: Callable[[int], Made],
    log: Log,
) -> list[Piece]:
    """Pieces of all batches, on all ranks.

    Parameters
    ----------
    comm : Comm
        Ranks that share the batches; a collective call.
    workers : int
        Batches at a time on each rank.
    names : sequence of Path
        Folder of each piece; one that is whole already is used as it is.
    make : callable of int
        Recordings and failures of a batch, given its number; called from threads.
    log : callable of str
        Is told about progress.

    Returns
    -------
    list of Piece
        In the order of `names`.
    """
    started, lock = perf_counter(), threading.Lock()
    busy_s: list[float] = []
    kept: list[str] = []

    def work(number: int) -> dict[str, Any]:
        began = perf_counter()
        piece = read_piece(names[number])
        if piece is None:
            piece = write_piece(names[number], *make(number))
        else:
            kept.append(piece.name)
        with lock:
            busy_s.append(perf_counter() - began)
            log(f"piece {len(busy_s)}: {piece.name}")
        return piece.as_json()

    own = in_parallel(comm, workers, work, len(names))
    share = sum(busy_s) / max(perf_counter() - started, 1e-9) / workers
    resumed = f", {len(kept)} left by a killed run and resumed" if kept else ""
    log(f"{len(busy_s)} of {len(names)} pieces{resumed}; {share:.0%} of {workers} workers busy")
    return [piece_from_json(content) for content in gathered(comm, own)]
