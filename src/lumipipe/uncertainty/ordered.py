"""How sure quantiles are: the ranks between which the true one lies."""

from __future__ import annotations

import numpy as np
from scipy import special

_ALMOST = 1e-12  # of a probability: what is added up to it is rounded


def quantile_ranks(count: int, share: float, confidence: float = 0.95) -> tuple[int, int]:
    """Ranks of the values between which a quantile lies.

    Parameters
    ----------
    count : int
        Number of values that do not depend on each other.
    share : float
        Share of all that lies at or below the quantile, such as 0.5 for the median.
    confidence : float
        Two-sided confidence.

    Returns
    -------
    tuple of int
        From 1 to `count`; 0 and `count` + 1 where no value bounds the quantile.

    Notes
    -----
    *Method*: the number of values at or below the quantile is binomial, so each tail of the
    interval holds at most half of 1 - confidence, whatever the distribution [1]_.

    References
    ----------
    .. [1] H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed. (2003), section 7.1.

    Examples
    --------
    >>> quantile_ranks(20, 0.5), quantile_ranks(5, 0.5)
    ((6, 15), (0, 6))
    """
    tail = (1.0 - confidence) / 2.0 + _ALMOST
    below = special.bdtr(np.arange(count + 1), count, share)  # chance of so many or fewer
    lower = int(np.searchsorted(below, tail, side="right"))
    upper = int(np.searchsorted(below, 1.0 - tail)) + 1
    return min(lower, count), min(upper, count + 1)
