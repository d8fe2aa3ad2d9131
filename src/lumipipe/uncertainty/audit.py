"""Relative accuracy audits: how far a monitor may be from the reference method beside it.

All functions are pure and take audits on leading axes: one or ten thousand are the same call.
F test, correlation and what a rule asks are in `lumipipe.uncertainty.audit_criteria`, what the
rounding of filed figures allows in `lumipipe.uncertainty.audit_ranges`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

T_CONFIDENCE = 0.975
"""One-sided confidence of the t value in a confidence coefficient."""
_MOST_RUNS = 1000  # t of more runs has the same three decimals as that of its neighbours


class Means(NamedTuple):
    """What an audit keeps of its runs, each of shape (...,).

    Parameters
    ----------
    runs : int
        Number of runs.
    mean_difference, deviation : ndarray of float64
        Mean and standard deviation of reference minus monitor, in the unit of both.
    reference_mean, monitor_mean : ndarray of float64
        Means of both, in the same unit.
    """

    runs: int
    mean_difference: NDArray[np.float64]
    deviation: NDArray[np.float64]
    reference_mean: NDArray[np.float64]
    monitor_mean: NDArray[np.float64]


def means_of_runs(reference: ArrayLike, monitor: ArrayLike) -> Means:
    """Means of paired runs, and the standard deviation of their differences.

    Parameters
    ----------
    reference, monitor : array_like of float64, shape (..., run)
        What both said in the same runs, one or more, in one unit.

    Returns
    -------
    Means
        The difference is reference minus monitor: positive where the monitor reads low. The
        deviation has n - 1 below its sum, and is NaN for a single run.

    References
    ----------
    .. [1] 40 CFR part 75, Appendix A, eq. A-8 (standard deviation of the differences).

    Examples
    --------
    >>> means = means_of_runs([10.0, 12.0, 11.0], [9.0, 10.0, 11.0])
    >>> float(means.mean_difference), float(means.deviation)
    (1.0, 1.0)
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (reference, monitor))
    d = x - y
    averages = (np.asarray(np.mean(values, axis=-1)) for values in (d, x, y))
    difference, reference_mean, monitor_mean = averages
    return Means(x.shape[-1], difference, spread(d), reference_mean, monitor_mean)


def t_value(runs: ArrayLike, confidence: float = T_CONFIDENCE) -> NDArray[np.float64]:
    """Student's t of the mean of some runs, one-sided.

    Parameters
    ----------
    runs : array_like of int64, shape (...,)
        Number of runs.
    confidence : float, default 0.975
        One-sided confidence.

    Returns
    -------
    ndarray of float64, shape (...,)
        For n - 1 degrees of freedom; NaN below two runs.

    Examples
    --------
    >>> t_value([9, 10, 11, 12]).round(3)
    array([2.306, 2.262, 2.228, 2.201])
    """
    freedom = np.asarray(runs, dtype=np.float64) - 1
    return np.asarray(special.stdtrit(np.where(freedom < 1, np.nan, freedom), confidence))


def runs_of_t(t: ArrayLike, half_width: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least and the greatest number of runs whose t value can have been written so.

    Parameters
    ----------
    t : array_like of float64, shape (...,)
        One-sided t values at 0.975 as they were written.
    half_width : array_like of float64, shape (...,)
        Half a unit of the last digit of each.

    Returns
    -------
    tuple of ndarray of int64, shape (...,)
        Equal where the number is known; the greatest is below the least where no number of runs
        up to 1000 has this t value.

    Examples
    --------
    >>> [[int(n) for n in bound] for bound in runs_of_t([2.306, 2.1, 2.4], [5e-4, 0.05, 5e-4])]
    [[9, 15, 8], [9, 28, 7]]
    """
    table = t_value(np.arange(_MOST_RUNS, 1, -1))  # rises, as searchsorted needs
    middle, half = np.asarray(t, dtype=np.float64), np.asarray(half_width)
    above = np.searchsorted(table, middle - half, side="left")
    below = np.searchsorted(table, middle + half, side="right")
    return _MOST_RUNS - below + 1, _MOST_RUNS - above


def confidence_coefficient(
    deviation: ArrayLike, runs: ArrayLike, confidence: float = T_CONFIDENCE
) -> NDArray[np.float64]:
    """Half-width of the interval of the mean difference: t s / √n.

    Parameters
    ----------
    deviation : array_like of float64, shape (...,)
        Standard deviation of the differences.
    runs : array_like of int64, shape (...,)
        Number of runs.
    confidence : float, default 0.975
        One-sided confidence of t.

    Returns
    -------
    ndarray of float64, shape (...,)
        In the unit of the deviation; NaN below two runs.

    References
    ----------
    .. [1] 40 CFR part 75, Appendix A, eq. A-9.

    Examples
    --------
    >>> round(float(confidence_coefficient(0.83, 9)), 3)
    0.638
    """
    roots = np.sqrt(np.asarray(runs, dtype=np.float64))
    return np.asarray(t_value(runs, confidence) * np.asarray(deviation) / roots)


def relative_accuracy(
    mean_difference: ArrayLike, coefficient: ArrayLike, reference_mean: ArrayLike
) -> NDArray[np.float64]:
    """Relative accuracy in percent: (abs d + abs cc) / mean of the reference.

    Parameters
    ----------
    mean_difference, coefficient, reference_mean : array_like of float64, shape (...,)
        All in one unit.

    Returns
    -------
    ndarray of float64, shape (...,), percent
        Small is good. NaN where the reference mean is not above 0.

    References
    ----------
    .. [1] 40 CFR part 75, Appendix A, section 7 (relative accuracy).

    Examples
    --------
    >>> round(float(relative_accuracy(0.867, 0.077, 67.467)), 2)
    1.4
    """
    error = np.abs(np.asarray(mean_difference)) + np.abs(np.asarray(coefficient))
    return ratio_above_zero(100.0 * error, reference_mean)


def is_biased(mean_difference: ArrayLike, coefficient: ArrayLike) -> NDArray[np.bool_]:
    """Whether the monitor reads low by more than chance explains: d above abs cc.

    Parameters
    ----------
    mean_difference : array_like of float64, shape (...,)
        Mean of reference minus monitor.
    coefficient : array_like of float64, shape (...,)
        Confidence coefficient.

    Returns
    -------
    ndarray of bool, shape (...,)
        A monitor that reads high is never biased in the sense of this test.

    References
    ----------
    .. [1] 40 CFR part 75, Appendix A, section 7.6.4 (bias test).

    Examples
    --------
    >>> is_biased([0.9, -0.9, 0.5], [0.6, 0.6, 0.6])
    array([ True, False, False])
    """
    return np.asarray(np.asarray(mean_difference) > np.abs(np.asarray(coefficient)))


def bias_factor(
    mean_difference: ArrayLike, coefficient: ArrayLike, monitor_mean: ArrayLike
) -> NDArray[np.float64]:
    """What readings of a biased monitor are multiplied by: 1 + abs d / mean of the monitor.

    Parameters
    ----------
    mean_difference, coefficient, monitor_mean : array_like of float64, shape (...,)
        All in one unit; the difference is reference minus monitor.

    Returns
    -------
    ndarray of float64, shape (...,)
        1 where `is_biased` says no; NaN where an input is, or the monitor's mean is not above 0.

    References
    ----------
    .. [1] 40 CFR part 75, Appendix A, section 7.6 (bias test and adjustment factor).

    Examples
    --------
    >>> bias_factor([0.867, -0.522], [0.077, 0.075], [66.6, 67.744]).round(3)
    array([1.013, 1.   ])
    """
    factor = 1.0 + ratio_above_zero(np.abs(np.asarray(mean_difference)), monitor_mean)
    unknown = np.isnan(factor) | np.isnan(np.asarray(coefficient, dtype=np.float64))
    chosen = np.where(is_biased(mean_difference, coefficient), factor, 1.0)
    return np.where(unknown, np.nan, chosen)


def centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The runs less their mean; exactly 0 where they are equal, whatever the mean's rounding."""
    first = values[..., :1]
    centre = first + np.mean(values - first, axis=-1, keepdims=True)
    return np.asarray(values - centre)


def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of the runs; NaN below two."""
    freedom = values.shape[-1] - 1
    squares = np.sum(centred(values) ** 2, axis=-1)
    return np.asarray(np.sqrt(squares / (freedom if freedom > 0 else np.nan)))


def ratio_above_zero(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """A quotient that is NaN where what is below is not above 0."""
    divisor = np.asarray(below, dtype=np.float64)
    return np.asarray(np.asarray(above) / np.where(divisor > 0, divisor, np.nan))
