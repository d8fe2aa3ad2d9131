"""One pass of a family over a dataset: read ahead, measure, fold, checkpoint.

The loop itself is `lumipipe.fold`; this wires it to the store and to the backend, and sees from
outside what the time goes to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.interface import Block
from lumipipe.fold import fold
from lumipipe.store.readahead import read_ahead
from lumipipe.timing import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lumipipe.backend import Backend, State
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Pass
    from lumipipe.fold import Batch, Leaf, Leaves, Reducer
    from lumipipe.store.checkpoint import FolderCheckpoint
    from lumipipe.timing import Timer


@dataclass
class _Timed:
    """A reducer whose updates and merges are timed."""

    reducer: Reducer
    timer: Timer

    def empty(self) -> State:
        """That of the reducer."""
        return self.reducer.empty()

    def update(self, state: State, batch: Batch) -> State:
        """That of the reducer, as a part of computing."""
        with self.timer.part("compute"):
            return self.reducer.update(state, batch)

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
        Bytes of samples that may be in memory at a time.
    timer : Timer
        Takes what is read and decoded in the background, and what this thread does: wait for
        samples, transfer them to the device, compute, merge.
    log : callable of str
        Progress, of rank 0.

    Returns
    -------
    dict of tuple of str to State
        As `lumipipe.fold.fold` returns them.
    """

    def stream(chunks: Sequence[int]) -> Iterator[tuple[int, Mapping[Leaf, Batch]]]:
        depth = _depth(data, chunks, batch_bytes)
        ready = iter(read_ahead(chunks, lambda chunk: _read(data, chunk), depth))
        progress, seen = Progress("chunks", len(chunks), log), 0
        for done in range(1, len(chunks) + 1):
            with timer.part("wait"):
                chunk, (rows, labels) = next(ready)
            with timer.part("transfer", nbytes=rows.nbytes, rows=len(rows)):
                block = _block(data, chunk, rows, labels, backend)
            with timer.part("compute", nbytes=rows.nbytes, rows=len(rows)):
                batches = data.measure(block)
            yield chunk, batches
            seen += len(rows)
            if comm.rank == 0:
                progress.at(done, seen)

    data.stream.time_with(timer)
    timed = _Timed(data.reducer, timer)
    return fold(timed, data.plan.trees, stream, comm, backend, checkpoint)


def _depth(data: Pass, chunks: Sequence[int], batch_bytes: int) -> int:
    """Chunks to read ahead within the budget of bytes; one at least."""
    width = len(data.stream.channels) * np.dtype(data.stream.dtype).itemsize
    largest = max((data.plan.rows(chunk).size * width for chunk in chunks), default=1)
    return max(1, min(16, batch_bytes // max(1, largest)))


def _read(data: Pass, chunk: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Samples and labels of the rows of a chunk."""
    rows = data.plan.rows(chunk)
    labels = {name: data.stream.read_labels(name, rows.first, rows.stop) for name in data.labels}
    return data.stream.read_rows(rows.first, rows.stop), labels


def _block(
    data: Pass, chunk: int, rows: np.ndarray, labels: dict[str, np.ndarray], backend: Backend
) -> Block:
    """The block that a family measures."""
    first, stop = data.plan.chunks[chunk]
    start = data.plan.start[first:stop]
    return Block(
        rows=backend.asarray(rows),
        starts=start - start[0],
        length=data.plan.length,
        number=np.arange(first, stop, dtype=np.int64),
        recording=data.plan.recording[first:stop],
        first_row=int(start[0]),
        labels=labels,
    )
