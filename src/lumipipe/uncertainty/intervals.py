"""Intervals of predictions from thresholds of residuals, and how often they held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.uncertainty.proportions import clopper_pearson, share_between_units

if TYPE_CHECKING:
    from numpy.typing import NDArray


def intervals(
    prediction: NDArray[np.float64],
    threshold_low: NDArray[np.float64] | float,
    threshold_high: NDArray[np.float64] | float,
    least: float = -np.inf,
    greatest: float = np.inf,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the interval of each prediction.

    Parameters
    ----------
    prediction : ndarray of float64, shape (row,)
        Predictions.
    threshold_low, threshold_high : float or ndarray of float64, shape (row,)
        How far the truth may lie below and above the prediction, 0 or more; infinity where
        nothing is promised.
    least, greatest : float
        Values that the truth cannot pass, such as 0 for a concentration.

    Returns
    -------
    tuple of ndarray of float64, shape (row,)
        Cut off at `least` and `greatest`, which takes no possible truth away.

    Examples
    --------
    >>> intervals(np.array([1.0, 5.0]), 2.0, np.inf, least=0.0)
    (array([0., 3.]), array([inf, inf]))
    """
    lower = np.clip(prediction - threshold_low, least, greatest)
    return lower, np.clip(prediction + threshold_high, least, greatest)


@dataclass(frozen=True)
class Held:
    """How often intervals held, and how wide they are.

    Parameters
    ----------
    count : int
        Rows whose truth is known.
    units : int or None
        Units that the rows belong to; None where rows count for themselves.
    achieved : float or None
        Share of the rows whose interval holds the truth; None without rows.
    lower, upper : float or None
        Interval of `achieved`; None where all rows are of one unit, whose rows hang together.
    mean_width, median_width : float or None
        Of the intervals, in the unit of the truth; None where that is infinite or not known.
    unbounded : int
        Rows whose interval has no bound on a side.
    """

    count: int
    units: int | None
    achieved: float | None
    lower: float | None
    upper: float | None
    mean_width: float | None
    median_width: float | None
    unbounded: int


def held(
    truth: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    units: NDArray[np.int64] | None = None,
    confidence: float = 0.95,
) -> Held:
    """How often intervals hold the truth, with an interval of that share.

    Parameters
    ----------
    truth : ndarray of float64, shape (row,)
        NaN where it is not known; such rows are left out.
    lower, upper : ndarray of float64, shape (row,)
        Ends of the intervals; they belong to them.
    units : ndarray of int64, shape (row,), optional
        Unit of each row, where rows of a unit hang together: a machine, a person, a week of one
        machine.
    confidence : float
        Two-sided confidence of the interval of the share.

    Returns
    -------
    Held
        The share's interval is Clopper & Pearson's, or with units that of Korn & Graubard, as in
        `lumipipe.uncertainty.proportions`.

    Examples
    --------
    >>> found = held(np.arange(10.0), np.arange(10.0) - 1, np.full(10, 8.0))
    >>> found.achieved, round(found.lower, 3), found.median_width
    (0.9, 0.555, 4.5)
    """
    known = ~np.isnan(truth)
    truth, lower, upper = truth[known], lower[known], upper[known]
    inside = (lower <= truth) & (truth <= upper)
    groups = None if units is None else np.unique(units[known], return_inverse=True)[1]
    low, high = _share_interval(inside, groups, confidence)
    width = upper - lower
    return Held(
        count=len(truth),
        units=None if groups is None else int(groups.max(initial=-1)) + 1,
        achieved=float(inside.mean()) if len(truth) else None,
        lower=low,
        upper=high,
        mean_width=_finite(width.mean()) if len(truth) else None,
        median_width=_finite(np.median(width)) if len(truth) else None,
        unbounded=int(np.isinf(width).sum()),
    )


def _share_interval(
    inside: NDArray[np.bool_], groups: NDArray[np.int64] | None, confidence: float
) -> tuple[float | None, float | None]:
    """Interval of the share inside; None twice where it is not known."""
    if groups is None:
        return clopper_pearson(int(inside.sum()), len(inside), confidence)
    totals = np.bincount(groups)
    if len(totals) < 2:  # noqa: PLR2004  # a spread between units needs two
        return None, None
    hits = np.bincount(groups[inside], minlength=len(totals))
    if inside.all() or not inside.any():
        # No spread between units shows how much their rows know: each unit counts once.
        return clopper_pearson(len(totals) if inside.all() else 0, len(totals), confidence)
    return share_between_units(hits, totals, confidence)[:2]


def _finite(width: np.floating[Any]) -> float | None:
    """The width, or None where it is infinite."""
    return float(width) if np.isfinite(width) else None
