"""Rows of a grid that no sample stands behind, and how many of them are too many.

Any row between two samples is interpolated; one in a bridge over missing samples is filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.readers.resampling import times_of

if TYPE_CHECKING:
    from lumipipe.readers.recording import Stream

_MISSING = 1.5
"""Usual steps from a sample to the next, from which on one is missing between them."""


def filled_rows(stream: Stream, wanted: np.ndarray) -> np.ndarray:
    """Rows of a grid that lie in a bridge over missing samples of any channel.

    Parameters
    ----------
    stream : Stream
        Its rate tells the usual step; where a channel has no reading its sample is missing.
    wanted : np.ndarray, shape (node,), int64, ns
        Times of the grid, rising.

    Returns
    -------
    np.ndarray, shape (node,), bool
        True between two samples with more than `_MISSING` usual steps between them, also where
        that is too long to be bridged; a row on a sample is not filled in.
    """
    times = times_of(stream)
    result = np.zeros(len(wanted), dtype=bool)
    for channel in range(stream.values.shape[1]):
        stamps = np.unique(times[~np.isnan(stream.values[:, channel])])
        wide = np.flatnonzero(np.diff(stamps) > _MISSING * NANOSECONDS / stream.rate_hz)
        first = np.searchsorted(wanted, stamps[wide], side="right")
        stop = np.searchsorted(wanted, stamps[wide + 1], side="left")
        edges = np.zeros(len(wanted) + 1, dtype=np.int64)
        np.add.at(edges, first, 1)
        np.add.at(edges, stop, -1)
        result |= np.cumsum(edges[:-1]) > 0
    return result


def too_much_filled(
    filled: np.ndarray, segments: np.ndarray, rows: int, most_share: float
) -> np.ndarray:
    """Filled rows that must stay gaps, so that no stretch without a gap has too many.

    Parameters
    ----------
    filled : np.ndarray, shape (node,), bool
        Rows that are filled in.
    segments : np.ndarray, shape (segment, 2), int64
        First row and number of rows between gaps.
    rows : int
        Length of a stretch; shorter segments are one by themselves.
    most_share : float
        Largest share of a stretch that may be filled in.

    Returns
    -------
    np.ndarray, shape (node,), bool
        All filled rows of each stretch with a larger share. Without them each stretch that is left
        is one that had few enough.

    Notes
    -----
    *Cost*: linear in the rows.

    Examples
    --------
    >>> filled = np.array([0, 0, 1, 0, 0, 0, 0, 1, 1, 0], dtype=bool)
    >>> np.flatnonzero(too_much_filled(filled, np.array([[0, 10]]), 4, 0.25)).tolist()
    [7, 8]
    """
    result = np.zeros(len(filled), dtype=bool)
    for first, count in segments:
        length = min(rows, int(count))
        part = filled[first : first + count]
        bad = _sums(part, length) > most_share * length
        # A row is in a bad stretch where one begins there or in the rows before it.
        ends = np.zeros(length - 1, dtype=bool)
        touched = _sums(np.concatenate([ends, bad, ends]), length) > 0
        result[first : first + count] = part & touched
    return result


def _sums(values: np.ndarray, length: int) -> np.ndarray:
    """Sum of each `length` neighbours."""
    total = np.concatenate([[0], np.cumsum(values)])
    sums: np.ndarray = total[length:] - total[:-length]
    return sums
