"""Which rows form a window and which windows form a chunk. Integers only, no data.

A window is a slice of one recording that crosses no gap. A chunk is a fixed number of
windows of one unit, so the chunks of a unit, and with them every rounding error, do not
change when another unit joins or leaves the dataset.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
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
        Rows of a window; 0 where windows are whole recordings.
    start : ndarray of int64, shape (window,)
        First row of each window in the stream.
    recording : ndarray of int64, shape (window,)
        Number of the recording of each window.
    chunks : tuple of Span
        Windows of each chunk.
    trees : tuple of Tree
        Chunks of each unit.
    rows_each : ndarray of int64, shape (window,), or None
        Rows of each window where they differ.
    """

    length: int
    start: NDArray[np.int64]
    recording: NDArray[np.int64]
    chunks: tuple[Span, ...]
    trees: tuple[Tree, ...]
    rows_each: NDArray[np.int64] | None = None

    def rows(self, chunk: int) -> Span:
        """Rows of the stream that the windows of a chunk touch."""
        first, stop = self.chunks[chunk]
        last = self.length if self.rows_each is None else int(self.rows_each[stop - 1])
        return Span(int(self.start[first]), int(self.start[stop - 1]) + last)

    def own_numbers(self, windows: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number of each window that stays when another unit joins or leaves the dataset.

        Parameters
        ----------
        windows : ndarray of int64, shape (window,)
            Numbers in the whole dataset.

        Returns
        -------
        ndarray of int64, shape (window,)
            Its number within its unit, on top of 62 bits of a digest of the unit's name: what is
            drawn by it, such as a sample, depends on the unit alone.
        """
        tree = np.searchsorted(self._first_windows, windows, side="right") - 1
        return self._bases[tree] + windows - self._first_windows[tree]

    @cached_property
    def _first_windows(self) -> NDArray[np.int64]:
        """The first window of each tree."""
        firsts = [self.chunks[tree.chunks.first].first for tree in self.trees]
        return np.asarray(firsts, dtype=np.int64)

    @cached_property
    def _bases(self) -> NDArray[np.int64]:
        """What the numbers of each tree begin at."""
        digests = [hashlib.sha256(tree.key.encode()).digest()[:8] for tree in self.trees]
        return np.asarray([int.from_bytes(d, "big") >> 2 for d in digests], dtype=np.int64)


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
    chunks, trees = _chunks(units, [len(part) for part in starts], windows_per_chunk)
    start = np.concatenate([*starts, np.empty(0, np.int64)])
    return WindowPlan(length, start, recording.astype(np.int64), chunks, trees)


def plan_recordings(units: Sequence[str], rows: Sequence[Span], per_chunk: int) -> WindowPlan:
    """Whole recordings as windows, their chunks and merge trees.

    Parameters
    ----------
    units : sequence of str, length recording
        Unit of each recording; recordings of one unit stand together.
    rows : sequence of Span, length recording
        Rows of each recording, gaps included; where it has none there is no window.
    per_chunk : int
        Recordings that are computed together; it fixes the merge tree.

    Returns
    -------
    WindowPlan
        Its length is 0: what a recording's gaps cut is the family's matter.

    Examples
    --------
    >>> plan = plan_recordings(["a", "a", "b"], [Span(0, 5), Span(5, 9), Span(9, 11)], 2)
    >>> [plan.rows(chunk) for chunk in range(len(plan.chunks))]
    [Span(first=0, stop=9), Span(first=9, stop=11)]
    """
    there = np.array([number for number, span in enumerate(rows) if span.size], dtype=np.int64)
    spans = np.array([rows[number] for number in there], dtype=np.int64).reshape(-1, 2)
    chunks, trees = _chunks(units, [int(span.size > 0) for span in rows], per_chunk)
    return WindowPlan(0, spans[:, 0], there, chunks, trees, spans[:, 1] - spans[:, 0])


def _chunks(
    units: Sequence[str], counts: Sequence[int], windows_per_chunk: int
) -> tuple[tuple[Span, ...], tuple[Tree, ...]]:
    """Windows of each chunk and chunks of each unit, from the windows of each recording."""
    chunks: list[Span] = []
    trees: list[Tree] = []
    window = 0
    for first, stop in _runs(units):
        end = window + sum(counts[first:stop])
        cuts = range(window, end, windows_per_chunk)
        if window < end:
            trees.append(Tree(units[first], Span(len(chunks), len(chunks) + len(cuts))))
        chunks += [Span(cut, min(cut + windows_per_chunk, end)) for cut in cuts]
        window = end
    return tuple(chunks), tuple(trees)


def _runs(units: Sequence[str]) -> list[Span]:
    """Spans of equal neighbours; a unit that stands in two places is refused."""
    edges = [i for i in range(len(units)) if i == 0 or units[i] != units[i - 1]]
    runs = [Span(a, b) for a, b in zip(edges, [*edges[1:], len(units)], strict=True)]
    names = [units[run.first] for run in runs]
    if len(set(names)) != len(names):
        raise ValueError("recordings of one unit must stand together")
    return runs
