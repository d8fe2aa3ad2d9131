"""First pass of a preparation: items are read into pieces, once.

What was read well is kept until a dataset without left-out recordings is published, and is
used again by every run that would read the same: after a kill, after a refusal, and after a
bad file was mended. What could not be read is never kept, so it is tried again. What an item
is and how it is read is the caller's matter; the second pass is in
`lumipipe.store.second_pass`.
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.store.batches import deal, pack
from lumipipe.store.files import remove_empty, remove_tree
from lumipipe.store.pieces import piece_from_json, read_piece, write_piece
from lumipipe.store.sharing import achieved, agreed, gathered, in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Prepare
    from lumipipe.store.batches import Item
    from lumipipe.store.entries import RecordingEntry, RecordingLike
    from lumipipe.store.pieces import Piece

    Log = Callable[[str], None]
    Entries = list[RecordingEntry]


_PART = " in part"  # after an item's key: what was read in part is not found, so it is read again


@dataclass(frozen=True)
class Failure:
    """An item or recording that cannot be used, or (fatal) a request that cannot be met."""

    id: str | None
    source: str
    file: str
    sha256: str | None
    place: str
    problem: str
    remedy: str
    fatal: bool


@dataclass(frozen=True)
class Reading:
    """How items are read; each function is given an item's number, and called from threads.

    Parameters
    ----------
    kind, what : str
        What the items are: in one word, with which names of pieces begin, and for the log.
    items : sequence of Item
        What to read.
    read : callable of int
        The recordings of an item, with a failure in the place of each that cannot be used;
        raises InputError or OSError where the item cannot be used.
    digest : callable of int
        SHA-256 that the recordings of an item carry if it was not changed since it was read.
    failure : callable of int and Exception
        What is said of an item that could not be read.
    """

    kind: str
    what: str
    items: Sequence[Item]
    read: Callable[[int], Sequence[RecordingLike | Failure]]
    digest: Callable[[int], str]
    failure: Callable[[int, InputError | OSError], Failure]


@dataclass(frozen=True)
class Pieces:
    """What all items gave, the same on all ranks.

    Parameters
    ----------
    recordings : list of list of RecordingEntry
        Those of each item, in the order of items; none where it failed.
    failures : list of Failure
        In the order of items.
    parallelism : dict of str to float
        What `lumipipe.store.sharing.achieved` found.
    """

    recordings: list[Entries]
    failures: list[Failure]
    parallelism: dict[str, float]

    @property
    def entries(self) -> Entries:
        """All recordings in the order of items."""
        return [entry for found in self.recordings for entry in found]


def make_pieces(comm: Comm, reading: Reading, pool: Path, settings: Prepare, log: Log) -> Pieces:
    """Pieces of all items; those that an earlier run read, and that are unchanged, stay.

    Parameters
    ----------
    comm : Comm
        Ranks that share the work; a collective call.
    reading : Reading
        What to read, and how.
    pool : Path
        Folder of the pieces. Pieces of this kind of which nothing is used are removed.
    settings : Prepare
        Sizes of batches, and workers of each rank.
    log : callable of str
        Is told about progress.

    Returns
    -------
    Pieces
        What they hold.

    Notes
    -----
    *Cost*: each item that is not kept is read once, each that may be kept is digested once. A
    rank holds at most as many batches in memory as it has workers.
    """
    found = _kept(comm, reading, pool, settings.workers)
    missing = [number for number in range(len(reading.items)) if number not in found]
    packed = pack([reading.items[number] for number in missing], comm.size, settings)
    batches = [[missing[place] for place in batch] for batch in packed]
    log(
        f"{reading.what}: {len(found)} of {len(reading.items)} from an earlier reading, "
        f"{len(missing)} to read in {len(batches)} batches"
    )
    pieces, failures, parallelism = _read(comm, reading, batches, pool, settings.workers, log)
    numbers = {reading.items[number].key: number for number in missing}
    for piece in pieces:
        found |= {numbers[key.removesuffix(_PART)]: entries for key, entries in piece.items.items()}
    recordings = [found.get(number, []) for number in range(len(reading.items))]
    return Pieces(recordings, failures, parallelism)


def _kept(comm: Comm, reading: Reading, pool: Path, workers: int) -> dict[int, Entries]:
    """Items that lie in a piece and are unchanged, with their recordings."""
    names = agreed(comm, lambda: sorted(path.name for path in pool.glob(f"{reading.kind}-*")))
    own = [read_piece(pool / names[place]) for place in range(comm.rank, len(names), comm.size)]
    contents = gathered(comm, [piece.as_json() for piece in own if piece is not None])
    pieces = [piece_from_json(content) for content in contents]
    known: dict[str, dict[str, Entries]] = {}
    for piece in pieces:
        for key, entries in piece.items.items():
            known.setdefault(key, {})[entries[0].sha256] = entries
    candidates = [number for number, item in enumerate(reading.items) if item.key in known]

    def digest(number: int) -> tuple[int, str]:
        try:
            return number, reading.digest(number)
        except OSError:  # reading it will fail and say why
            return number, ""

    costs = [reading.items[number].bytes for number in candidates]
    own_candidates = [candidates[place] for place in deal(costs, comm.size)[comm.rank]]
    digests, _ = in_parallel(workers, digest, own_candidates)
    found = {}
    for number, sha256 in gathered(comm, digests):
        same = known[reading.items[number].key]
        if sha256 in same:
            found[number] = same[sha256]
    if comm.rank == 0:
        _clear(pool, reading.kind, found)
    comm.barrier()
    return found


def _clear(pool: Path, kind: str, kept: dict[int, Entries]) -> None:
    """Remove pieces of which nothing is kept, and what a killed run left half-written."""
    used = {
        stream.piece
        for entries in kept.values()
        for entry in entries
        for stream in entry.streams.values()
    }
    for path in [*pool.glob(f"{kind}-*"), *pool.glob(f".{kind}-*")]:
        if path.name not in used:
            remove_tree(path)
    remove_empty([pool])


class _Batch:
    """Items that share a piece, while they are read."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers
        self._left = len(numbers)
        self._held: dict[int, tuple[str, Sequence[RecordingLike]]] = {}
        self._lock = threading.Lock()

    def put(
        self, number: int, key: str, recordings: Sequence[RecordingLike]
    ) -> dict[str, Sequence[RecordingLike]]:
        """All that is held by key, in order, for the caller that brings the last item."""
        with self._lock:
            if recordings:
                self._held[number] = (key, recordings)
            self._left -= 1
            if self._left:
                return {}
            held, self._held = self._held, {}
        return dict(held[place] for place in sorted(held))


def _read(
    comm: Comm, reading: Reading, batches: list[list[int]], pool: Path, workers: int, log: Log
) -> tuple[list[Piece], list[Failure], dict[str, float]]:
    """Read batches into a piece each, the longest first."""
    costs = [sum(reading.items[number].seconds for number in batch) for batch in batches]
    own = [_Batch(batches[number]) for number in deal(costs, comm.size)[comm.rank]]
    # Workers share the items of a batch: one whose cost was misjudged still keeps all of them busy.
    queue = [(batch, number) for batch in own for number in batch.numbers]
    pieces: list[dict[str, Any]] = []
    failures: list[tuple[int, dict[str, Any]]] = []

    def work(place: int) -> None:
        batch, number = queue[place]
        found: Sequence[RecordingLike | Failure] = ()
        try:
            found = reading.read(number)
        except (InputError, OSError) as error:
            found = [reading.failure(number, error)]
        bad = [item for item in found if isinstance(item, Failure)]
        failures.extend((number, asdict(failure)) for failure in bad)
        good = [item for item in found if not isinstance(item, Failure)]
        key = reading.items[number].key + (_PART if bad else "")
        if held := batch.put(number, key, good):
            piece = write_piece(pool, reading.kind, held)
            pieces.append(piece.as_json())
            log(f"piece {len(pieces)} of {len(own)}: {piece.name}")

    _, effort = in_parallel(workers, work, range(len(queue)))
    told = sorted(gathered(comm, failures), key=lambda pair: pair[0])
    return (
        [piece_from_json(content) for content in gathered(comm, pieces)],
        [Failure(**content) for _, content in told],
        achieved(comm, effort),
    )
