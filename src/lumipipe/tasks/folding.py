"""One pass of a family over a dataset: read ahead, measure, fold, checkpoint.

The loop itself is `lumipipe.fold`; this wires it to the store and to the backend, and sees from
outside what the time goes to.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.interface import Block
from lumipipe.fold import fold
from lumipipe.store.dataset import NO_TIME
from lumipipe.store.readahead import read_ahead
from lumipipe.timing import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lumipipe.backend import Backend, State
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Pass
    from lumipipe.fold import Batch, Leaf, Leaves, Reducer
    from lumipipe.partition import Span
    from lumipipe.store.checkpoint import FolderCheckpoint
    from lumipipe.timing import Timer

_MOST_AHEAD = 16  # chunks
_TILE = 48  # windows that are always measured together
_TIMES = 16  # what is measured at first may take this many times the samples; then it is tried


@dataclass
class _Timed:
    """A reducer whose updates and merges are timed, and that says so where memory ends."""

    reducer: Reducer
    timer: Timer
    backend: Backend

    def empty(self) -> State:
        """That of the reducer."""
        return self.reducer.empty()

    def update(self, state: State, batch: Batch) -> State:
        """That of the reducer, as a part of computing."""
        with self.timer.part("compute"):
            with suppress(MemoryError):
                return self.reducer.update(state, batch)
            self.backend.free()
            try:
                return self.reducer.update(state, batch)
            except MemoryError as error:
                rows = max((array.shape[0] for array in batch.values()), default=0)
                raise InputError(
                    "train",
                    f"adding a chunk of {rows} rows to what is known needs more memory than there "
                    f"is ({self.backend.device})",
                    "ask for more memory, fewer features or smaller chunks",
                ) from error

    def merge(self, first: State, second: State) -> State:
        """That of the reducer."""
        with self.timer.part("merge"):
            return self.reducer.merge(first, second)


def run_pass(  # the place where all seams meet
    data: Pass,
    backend: Backend,
    comm: Comm,
    checkpoint: FolderCheckpoint | None,
    batch_bytes: int,
    timer: Timer,
    log: Callable[[str], None],
) -> Leaves:
    """The folded leaves of a pass, on rank 0.

    Parameters
    ----------
    data : Pass
        What is read, measured and folded.
    backend : Backend
        Where it is computed.
    comm : Comm
        The ranks.
    checkpoint : FolderCheckpoint or None
        Where finished sub-trees are kept.
    batch_bytes : int
        Bytes of samples that may be in memory at a time; four chunks at least.
    timer : Timer
        Takes what is read, decoded and transferred in the background, and what this thread does:
        wait for samples, compute, merge.
    log : callable of str
        Progress, of rank 0.

    Returns
    -------
    dict of tuple of str to State
        As `lumipipe.fold.fold` returns them.
    """
    source = _Source(data, backend, timer, log)

    def stream(chunks: Sequence[int]) -> Iterator[tuple[int, Mapping[Leaf, Batch]]]:
        progress, seen = Progress("chunks", len(chunks), log), 0
        blocks = iter(source.blocks(chunks, batch_bytes))
        for done in range(1, len(chunks) + 1):
            with timer.part("wait"):
                chunk, block = next(blocks)
            with timer.part("compute", nbytes=source.bytes_of(chunk), rows=block.rows.shape[0]):
                batches = source.measured(block)
            seen += block.rows.shape[0]
            del block
            yield chunk, batches
            if comm.rank == 0:
                progress.at(done, seen)

    data.stream.time_with(timer)
    timed = _Timed(data.reducer, timer, backend)
    return fold(timed, data.plan.trees, stream, comm, backend, checkpoint)


class _Rows(NamedTuple):
    """What is read of a chunk."""

    samples: np.ndarray
    labels: dict[str, np.ndarray]
    times: np.ndarray | None


@dataclass
class _Source:
    """The blocks of a pass: read and transferred ahead, measured in as many parts as it takes.

    Parameters
    ----------
    data : Pass
        What is read and measured.
    backend : Backend
        Where.
    timer : Timer
        Takes the transfer.
    log : callable of str
        Is told when memory is short.
    """

    data: Pass
    backend: Backend
    timer: Timer
    log: Callable[[str], None]
    _parts: int = 1

    def blocks(self, chunks: Sequence[int], batch_bytes: int) -> Iterator[tuple[int, Block]]:
        """Chunks with their blocks; no more of them in memory than the budget, or four."""
        largest = max(map(self.bytes_of, chunks), default=1)
        room = self.backend.room()
        while room is not None and self._parts < largest and _TIMES * largest > room * self._parts:
            self._parts *= 2
        # Beside those read ahead one is decoded, one is transferred and one is measured.
        depth = max(1, min(_MOST_AHEAD, batch_bytes // max(1, largest) - 3))
        read = read_ahead(chunks, self._read, depth)
        return ((chunk, block) for (chunk, _), block in read_ahead(read, self._block, 1))

    def bytes_of(self, chunk: int) -> int:
        """Bytes of the samples of a chunk."""
        stream = self.data.stream
        width = len(stream.channels) * np.dtype(stream.dtype).itemsize
        return self.data.plan.rows(chunk).size * width

    def measured(self, block: Block) -> Mapping[Leaf, Batch]:
        """What the family measures of a block, in parts of half the size where memory is short."""
        while True:
            with suppress(MemoryError):
                return self._in_parts(block)
            self.backend.free()
            if self._part_windows(block) < 2 * _TILE:
                raise InputError(
                    f"chunk that begins with window {block.number[0]}",
                    f"what is computed from {_TILE} windows of {block.length} rows needs more "
                    f"memory than there is ({self.backend.device})",
                    "ask for more memory, fewer features or shorter windows",
                )
            self._parts *= 2
            self.log(
                f"memory is short: {self._part_windows(block)} windows are measured at a time "
                "from here on"
            )

    def _part_windows(self, block: Block) -> int:
        """Windows of a block that are measured at a time: whole tiles."""
        tiles = max(1, len(block.starts) // _TILE)
        return max(1, tiles // self._parts) * _TILE

    def _in_parts(self, block: Block) -> Mapping[Leaf, Batch]:
        """What the family measures, put together from parts of the windows.

        Parts are whole tiles and the last one has what remains. So all windows meet the loops
        that they meet in the whole block: libraries of matrix products take rows in eights,
        sixteens or twenty-fours, those that are left over in another way, and add up one column
        in another order than several.
        """
        windows, size = np.arange(len(block.starts)), self._part_windows(block)
        cuts = list(range(size, len(windows) - _TILE + 1, size))
        if self._parts == 1 or not cuts:
            return self.data.measure(block)
        parts: dict[Leaf, list[Batch]] = {}
        for chosen in np.split(windows, cuts):
            for leaf, batch in self.data.measure(block.of(chosen)).items():
                parts.setdefault(leaf, []).append(batch)
        concat = self.backend.xp.concat
        return {
            leaf: {name: concat([part[name] for part in batches]) for name in batches[0]}
            for leaf, batches in parts.items()
        }

    def _read(self, chunk: int) -> _Rows:
        """Samples, labels and times of the rows of a chunk."""
        stream, rows = self.data.stream, self.data.plan.rows(chunk)
        labels = {
            name: stream.read_labels(name, rows.first, rows.stop) for name in self.data.labels
        }
        times = self._times(rows) if self.data.times else None
        return _Rows(stream.read_rows(rows.first, rows.stop), labels, times)

    def _times(self, rows: Span) -> np.ndarray:
        """Times of the row before and of these rows."""
        found = self.data.stream.read_time(max(0, rows.first - 1), rows.stop)
        missing = rows.size + 1 - len(found)
        return np.concatenate([np.full(missing, NO_TIME, dtype=np.int64), found])

    def _block(self, found: tuple[int, _Rows]) -> Block:
        """The block that a family measures, on the device."""
        chunk, (rows, labels, times) = found
        plan = self.data.plan
        first, stop = plan.chunks[chunk]
        start = plan.start[first:stop]
        with self.timer.part("transfer", nbytes=rows.nbytes, rows=len(rows)):
            there = self.backend.load(rows)
        return Block(
            rows=there,
            starts=start - start[0],
            length=plan.length,
            number=np.arange(first, stop, dtype=np.int64),
            recording=plan.recording[first:stop],
            first_row=int(start[0]),
            labels=labels,
            time_ns=times,
        )
