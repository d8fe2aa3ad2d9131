"""Intervals of statistics of a series whose neighbours hang together: whole blocks are left out.

The rows of a block are kept together, so what lasts shorter than a block does not make the
interval too short; what lasts longer still does. Shares have `lumipipe.uncertainty.proportions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FEWEST_BLOCKS = 4
"""Blocks that have rows; the spread between fewer says next to nothing."""


@dataclass(frozen=True)
class Estimate:
    """A statistic with its uncertainty.

    Parameters
    ----------
    value : float
        The statistic of all rows; NaN where there is none.
    u : float
        Its standard uncertainty; NaN with fewer than `FEWEST_BLOCKS` blocks.
    lower, upper : float
        Ends of its interval; NaN where `u` is.
    """

    value: float
    u: float
    lower: float
    upper: float

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite([self.value, self.lower, self.upper]).all())


def block_estimate(
    sums: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    confidence: float = 0.95,
) -> Estimate:
    """A statistic of sums over blocks of neighbouring rows, with an interval.

    Parameters
    ----------
    sums : ndarray of float64, shape (block, k)
        Sums over the rows of each block; the first column is the number of rows.
    statistic : callable
        Takes sums of shape (..., k), returns float64 (...,).
    confidence : float
        Two-sided confidence.

    Returns
    -------
    Estimate
        The value of all blocks, with Student's interval.

    Notes
    -----
    *Method*: the delete-one jackknife of blocks that do not overlap [1]_, with as many degrees
    of freedom as there are blocks with rows, less one [2]_.

    *Accuracy*: measured for the mean of a first-order process, 672 rows in 7 blocks, 2000 times:
    intervals that promise 95 % hold in 95.6 %, 94.2 % and 90.2 % with a correlation from row to
    row of 0, 0.9 and 0.97.

    References
    ----------
    .. [1] H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
       Ann. Statist. 17 (1989) 1217-1241.
    .. [2] J. W. Tukey, "Bias and confidence in not-quite large samples", Ann. Math. Statist. 29
       (1958) 614.

    Examples
    --------
    >>> sums = np.array([[2.0, 1.0], [2.0, 3.0], [2.0, 2.0], [2.0, 2.0]])
    >>> found = block_estimate(sums, lambda s: s[..., 1] / s[..., 0])
    >>> round(found.value, 3), round(found.u, 3), round(found.upper - found.value, 3)
    (1.0, 0.204, 0.65)
    """
    used = sums[sums[:, 0] > 0]
    blocks = len(used)
    if not blocks:
        return Estimate(*(float("nan"),) * 4)
    value = float(statistic(used.sum(axis=0)))
    if blocks < FEWEST_BLOCKS:
        return Estimate(value, *(float("nan"),) * 3)
    without = statistic((1.0 - np.eye(blocks)) @ used)
    u = float(np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum()))
    half = float(special.stdtrit(blocks - 1, (1 + confidence) / 2)) * u
    return Estimate(value, u, value - half, value + half)


def block_sums(
    block: NDArray[np.int64], columns: NDArray[np.float64], blocks: int
) -> NDArray[np.float64]:
    """Number of rows and sums of columns, float64 (block, 1 + column), of each block."""
    sums = np.zeros((blocks, 1 + columns.shape[1]))
    np.add.at(sums, block, np.concatenate([np.ones((len(columns), 1)), columns], axis=1))
    return sums
