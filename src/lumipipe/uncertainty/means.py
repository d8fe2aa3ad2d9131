"""Intervals of a mean over few units, and of the differences of two ways of measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LIMITS = 1.96  # of a normal distribution, as in the method's source


class Mean(NamedTuple):
    """A mean with its interval, and how many units it is of."""

    value: float
    lower: float
    upper: float
    units: int


def mean_over_units(values: NDArray[np.float64], confidence: float = 0.95) -> Mean:
    """The mean of one number a unit, with Student's interval.

    Parameters
    ----------
    values : ndarray of float64, shape (unit,)
        NaN for a unit that has none.
    confidence : float
        Two-sided confidence.

    Returns
    -------
    Mean
        All NaN without a unit; bounds NaN with one, which says nothing of others.

    Examples
    --------
    >>> [round(float(number), 2) for number in mean_over_units(np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.48, 4.48, 3.0]
    """
    known = values[np.isfinite(values)]
    count = len(known)
    if count == 0:
        return Mean(np.nan, np.nan, np.nan, 0)
    centre = float(known.mean())
    if count == 1:
        return Mean(centre, np.nan, np.nan, 1)
    spread = float(known.std(ddof=1)) / np.sqrt(count)
    half = float(special.stdtrit(count - 1, (1 + confidence) / 2)) * spread
    return Mean(centre, centre - half, centre + half, count)


class Agreement(NamedTuple):
    """Mean of differences, and the limits between which about 95 % of them lie."""

    bias: float
    lower: float
    upper: float
    pairs: int


def limits_of_agreement(differences: NDArray[np.float64]) -> Agreement:
    """Bias and limits of agreement of two ways of measuring the same things.

    Parameters
    ----------
    differences : ndarray of float64, shape (pair,)
        One way less the other; NaN where one of them has no reading.

    Returns
    -------
    Agreement
        NaN where there are too few pairs: one for the bias, two for the limits.

    Notes
    -----
    *Method*: the mean, and 1.96 standard deviations to both sides of it.

    References
    ----------
    .. [1] J. M. Bland and D. G. Altman, "Statistical methods for assessing agreement between two
       methods of clinical measurement", Lancet 327 (1986) 307-310.

    Examples
    --------
    >>> [round(float(number), 2) for number in limits_of_agreement(np.array([-1.0, 1.0, np.nan]))]
    [0.0, -2.77, 2.77, 2.0]
    """
    known = differences[np.isfinite(differences)]
    bias = float(known.mean()) if len(known) else np.nan
    half = _LIMITS * float(known.std(ddof=1)) if len(known) > 1 else np.nan
    return Agreement(bias, bias - half, bias + half, len(known))
