"""One score for each machine or person, so that calibration counts units and not their rows.

Rows of one unit hang together: a threshold over all rows knows less than their number says. A
unit's score is that of one row drawn at random, which speaks for one random instant of a new unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.kernels.philox import uniform_at

if TYPE_CHECKING:
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
