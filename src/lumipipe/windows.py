"""Which rows form a window and which windows form a chunk. Integers only, no data.

A window is a slice of one recording that crosses no gap. A chunk is a fixed number of
windows of one unit, so the chunks of a unit, and with them every rounding error, do not
change when another unit joins or leaves the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.partition import Span, Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class WindowPlan:
    """All windows of a stream, in the order in which they are computed.

    Parameters
    ----------
    length : int
        Rows of a window.
    start : ndarray of int64, shape (window,)
        First row of each window in the stream.
    recording : ndarray of int64, shape (window,)
        Number of the recording of each window.
    chunks : tuple of Span
        Windows of each chunk.
    trees : tuple of Tree
        Chunks of each unit.
    """

    length: int
    start: NDArray[np.int64]
    recording: NDArray[np.int64]
    chunks: tuple[Span, ...]
    trees: tuple[Tree, ...]

    def rows(self, chunk: int) -> Span:
        """Rows of the stream that the windows of a chunk touch."""
        starts = self.start[self.chunks[chunk].first : self.chunks[chunk].stop]
        return Span(int(starts[0]), int(starts[-1]) + self.length)


def window_starts(segments: Sequence[Span], length: int, hop: int) -> NDArray[np.int64]:
    """First rows of the windows that fit whole into the segments.

    Parameters
    ----------
    segments : sequence of Span
        Rows without a gap, in rising order.
    length : int
        Rows of a window, at least 1.
    hop : int
        Rows from one window to the next, at least 1.

    Returns
    -------
    ndarray of int64, shape (window,)
        Rising; each segment starts anew, so no window crosses a gap.

    Examples
    --------
    >>> window_starts([Span(0, 5), Span(7, 10)], 3, 2)
    array([0, 2, 7])
    """
    starts = [
        np.arange(segment.first, segment.stop - length + 1, hop, dtype=np.int64)
        for segment in segments
    ]
    return np.concatenate([*starts, np.empty(0, np.int64)])


def plan_windows(
    units: Sequence[str],
    segments: Sequence[Sequence[Span]],
    length: int,
    hop: int,
    windows_per_chunk: int,
) -> WindowPlan:
    """The windows, chunks and merge trees of a stream.

    Parameters
    ----------
    units : sequence of str, length recording
        Unit of each recording; recordings of one unit stand together.
    segments : sequence of sequence of Span, length recording
        Rows without a gap of each recording.
    length, hop : int
        Rows of a window, and from one window to the next.
    windows_per_chunk : int
        Windows that are computed together; it fixes the merge tree.

    Returns
    -------
    WindowPlan
        Units that have no window have no tree.
    """
    starts = [window_starts(pieces, length, hop) for pieces in segments]
    recording = np.repeat(np.arange(len(starts)), [len(part) for part in starts])
    chunks: list[Span] = []
    trees: list[Tree] = []
    window = 0
    for first, stop in _runs(units):
        end = window + sum(len(part) for part in starts[first:stop])
        cuts = range(window, end, windows_per_chunk)
        if window < end:
            trees.append(Tree(units[first], Span(len(chunks), len(chunks) + len(cuts))))
        chunks += [Span(cut, min(cut + windows_per_chunk, end)) for cut in cuts]
        window = end
    start = np.concatenate([*starts, np.empty(0, np.int64)])
    return WindowPlan(length, start, recording.astype(np.int64), tuple(chunks), tuple(trees))


def _runs(units: Sequence[str]) -> list[Span]:
    """Spans of equal neighbours; a unit that stands in two places is refused."""
    edges = [i for i in range(len(units)) if i == 0 or units[i] != units[i - 1]]
    runs = [Span(a, b) for a, b in zip(edges, [*edges[1:], len(units)], strict=True)]
    names = [units[run.first] for run in runs]
    if len(set(names)) != len(names):
        raise ValueError("recordings of one unit must stand together")
    return runs
