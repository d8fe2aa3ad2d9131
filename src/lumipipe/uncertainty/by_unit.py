"""One score for each machine or person, so that calibration counts units and not their rows.

Rows of one unit hang together: a threshold over all rows knows less than their number says. A
unit's score is that of one row drawn at random, which speaks for one random instant of a new
unit, or a high one of its rows, which speaks for most of its rows at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.kernels.philox import uniform_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_INSTANT = 0x1257  # purpose of the draws


def drawn_scores(
    scores: NDArray[np.float64],
    units: NDArray[np.int64],
    number: int,
    rows: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """The score of one random row of each unit.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Score of each row; NaN where it is not known.
    units : ndarray of int64, shape (row,)
        Unit of each row, 0 … `number` - 1.
    number : int
        Number of units.
    rows : ndarray of int64, shape (row,)
        Number of each row in the whole dataset; it decides the draw, wherever the row stands.
    seed : int
        Key of the draws.

    Returns
    -------
    ndarray of float64, shape (unit,)
        NaN for a unit without a known score.

    Examples
    --------
    >>> drawn_scores(np.array([3.0, np.nan, 5.0]), np.array([0, 0, 2]), 3, np.arange(3), 1)
    array([ 3., nan,  5.])
    """
    known = np.flatnonzero(~np.isnan(scores))
    priority = uniform_at(rows[known], (seed, _INSTANT))
    order = known[np.lexsort((rows[known], priority, units[known]))]
    found, first = np.unique(units[order], return_index=True)
    result = np.full(number, np.nan)
    result[found] = scores[order[first]]
    return result


def highest_scores(
    scores: NDArray[np.float64], units: NDArray[np.int64], number: int, share: float = 1.0
) -> NDArray[np.float64]:
    """The score below or at which a share of each unit's rows lies.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Score of each row; NaN where it is not known.
    units : ndarray of int64, shape (row,)
        Unit of each row, 0 … `number` - 1.
    number : int
        Number of units.
    share : float
        Above 0 and at most 1; 1 gives the largest.

    Returns
    -------
    ndarray of float64, shape (unit,)
        NaN for a unit without a known score.

    Examples
    --------
    >>> highest_scores(np.array([3.0, 7.0, 5.0]), np.array([0, 0, 1]), 2)
    array([7., 5.])
    """
    known = ~np.isnan(scores)
    order = np.lexsort((scores[known], units[known]))
    counts = np.bincount(units[known], minlength=number)
    last = np.cumsum(counts) - counts + _rank(counts, share) - 1
    result = np.full(number, np.nan)
    result[counts > 0] = scores[known][order][last[counts > 0]]
    return result


def binned_drawn_scores(
    counts: NDArray[np.int64], edges: Sequence[float], numbers: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """The score of one random row of each unit, from the counts of its rows.

    Parameters
    ----------
    counts : ndarray of int64, shape (unit, bin)
        Number of each unit's scores in each bin.
    edges : sequence of float
        Upper edge of each bin, rising.
    numbers : ndarray of int64, shape (unit,)
        Number of each unit in the whole dataset; it decides the draw.
    seed : int
        Key of the draws.

    Returns
    -------
    ndarray of float64, shape (unit,)
        Upper edges of bins, so no smaller than the score itself; NaN for a unit without rows.
    """
    total = counts.sum(axis=1)
    # A draw below one can still round up to the number of rows when it is multiplied with it.
    drawn = np.floor(uniform_at(numbers, (seed, _INSTANT)) * total).astype(np.int64)
    return _at_rank(counts, edges, np.minimum(drawn + 1, total))


def binned_highest_scores(
    counts: NDArray[np.int64], edges: Sequence[float], share: float = 1.0
) -> NDArray[np.float64]:
    """The score below or at which a share of each unit's rows lies, from their counts.

    Parameters
    ----------
    counts : ndarray of int64, shape (unit, bin)
        Number of each unit's scores in each bin.
    edges : sequence of float
        Upper edge of each bin, rising.
    share : float
        Above 0 and at most 1; 1 gives the largest.

    Returns
    -------
    ndarray of float64, shape (unit,)
        Upper edges of bins, so no smaller than the score itself; NaN for a unit without rows.

    Examples
    --------
    >>> binned_highest_scores(np.array([[3, 1, 0], [0, 0, 0]]), [1.0, 2.0, np.inf], 0.75)
    array([ 1., nan])
    """
    return _at_rank(counts, edges, _rank(counts.sum(axis=1), share))


def _rank(counts: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """The rank below or at which `share` of so many scores lies, from 1; 0 of none."""
    # As in conformal.finite_rank: a product may round up past the whole number that is meant.
    rank = np.ceil(counts * share - 1e-9).astype(np.int64)
    return np.asarray(np.maximum(rank, counts > 0), dtype=np.int64)


def _at_rank(
    counts: NDArray[np.int64], edges: Sequence[float], rank: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The upper edge of the bin that holds the score of each unit's rank; NaN at rank 0."""
    place = (counts.cumsum(axis=1) < rank[:, None]).sum(axis=1)
    return np.where(rank > 0, np.asarray(edges, dtype=np.float64)[place], np.nan)
