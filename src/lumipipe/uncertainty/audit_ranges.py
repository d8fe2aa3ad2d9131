"""What a filed figure of an audit can have been, given how coarsely its inputs were written.

Each range is that of the worst corners: the figures rise or fall with each input alone, so the
ends lie at ends of the inputs. The formulas themselves are in `lumipipe.uncertainty.audit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.uncertainty.audit import t_value

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SLACK = 1e-9  # of half a unit: decimal ends are no binary numbers


class Range(NamedTuple):
    """Ends of the values that a figure can have, each of shape (...,) and float64.

    Parameters
    ----------
    lower, upper : ndarray of float64
        Closed ends; NaN where nothing is known.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def written_range(values: ArrayLike, decimals: ArrayLike) -> Range:
    """All numbers that are written as `values` when rounded to so many decimals.

    Parameters
    ----------
    values : array_like of float64, shape (...,)
        Numbers as written.
    decimals : array_like of int64, shape (...,)
        Digits after the point; negative for whole tens.

    Returns
    -------
    Range
        Half a unit of the last digit to both sides.

    Examples
    --------
    >>> [round(float(end), 4) for end in written_range(0.3, 1)]
    [0.25, 0.35]
    """
    half = half_width(decimals)
    middle = np.asarray(values, dtype=np.float64)
    return Range(np.asarray(middle - half), np.asarray(middle + half))


def half_width(decimals: ArrayLike) -> NDArray[np.float64]:
    """Half a unit of the last of so many decimals, and a billionth of it for the binary ends."""
    return np.asarray(0.5 * 10.0 ** -np.asarray(decimals, dtype=np.float64) * (1 + _SLACK))


def common(first: Range, second: Range) -> Range:
    """What lies in both ranges; `first` where they have nothing in common or `second` is unknown.

    Examples
    --------
    >>> zero, one = np.array([0.0, 0.0]), np.array([1.0, 1.0])
    >>> common(Range(zero, one), Range(np.array([0.5, 2.0]), np.array([3.0, 3.0]))).lower
    array([0.5, 0. ])
    """
    lower, upper = np.maximum(first.lower, second.lower), np.minimum(first.upper, second.upper)
    shared = lower <= upper
    return Range(
        np.where(shared, lower, first.lower),
        np.where(shared, upper, first.upper),
    )


def magnitude(figure: Range) -> Range:
    """The range of the absolute value.

    Examples
    --------
    >>> [float(end) for end in magnitude(Range(np.array(-0.2), np.array(0.1)))]
    [0.0, 0.2]
    """
    larger = np.maximum(np.abs(figure.lower), np.abs(figure.upper))
    smaller = np.minimum(np.abs(figure.lower), np.abs(figure.upper))
    holds_zero = (figure.lower <= 0) & (figure.upper >= 0)
    return Range(np.where(holds_zero, 0.0, smaller), larger)


def plus(first: Range, second: Range) -> Range:
    """Range of a sum of two figures that know nothing of each other."""
    return Range(np.asarray(first.lower + second.lower), np.asarray(first.upper + second.upper))


def minus(first: Range, second: Range) -> Range:
    """Range of a difference of two figures that know nothing of each other."""
    return Range(np.asarray(first.lower - second.upper), np.asarray(first.upper - second.lower))


def agreed_means(difference: Range, reference: Range, monitor: Range) -> tuple[Range, Range, Range]:
    """The three means, narrowed by difference = reference - monitor.

    Parameters
    ----------
    difference, reference, monitor : Range
        As written; NaN where one was not given.

    Returns
    -------
    tuple of Range
        In the same order. An 11 beside 10.4 and 0.6 is then 10.9 to 11.1, not 10.5 to 11.5. Means
        that contradict each other stay as they are.
    """
    return (
        common(difference, minus(reference, monitor)),
        common(reference, plus(difference, monitor)),
        common(monitor, minus(reference, difference)),
    )


def coefficient_range(deviation: Range, runs: ArrayLike, t: ArrayLike) -> Range:
    """Range of the confidence coefficient t s / √n.

    Parameters
    ----------
    deviation : Range
        Of the standard deviation; below 0 it is cut off.
    runs : array_like of int64, shape (...,)
        Number of runs, known exactly.
    t : array_like of float64, shape (...,)
        The t value as filed, NaN where it was not: the filer had this one or the exact one.

    Returns
    -------
    Range
        In the unit of the deviation.

    Examples
    --------
    >>> found = coefficient_range(Range(np.array(0.05), np.array(0.15)), 9, 2.306)
    >>> [round(float(end), 3) for end in found]
    [0.038, 0.115]
    """
    exact = t_value(runs)
    filed = np.where(np.isnan(t), exact, t)
    roots = np.sqrt(np.asarray(runs, dtype=np.float64))
    return Range(
        np.asarray(np.minimum(exact, filed) * np.maximum(deviation.lower, 0.0) / roots),
        np.asarray(np.maximum(exact, filed) * np.maximum(deviation.upper, 0.0) / roots),
    )


def relative_accuracy_range(difference: Range, coefficient: Range, reference: Range) -> Range:
    """Range of the relative accuracy in percent.

    Parameters
    ----------
    difference, coefficient, reference : Range
        Of the mean difference, the confidence coefficient and the mean of the reference.

    Returns
    -------
    Range
        In percent; without an upper end where the reference mean may be 0.

    Examples
    --------
    >>> inputs = ((0.0005, 0.0015), (0.0005, 0.0015), (0.0225, 0.0235))
    >>> found = relative_accuracy_range(*(Range(*map(np.array, ends)) for ends in inputs))
    >>> [round(float(end), 1) for end in found]
    [4.3, 13.3]
    """
    d, cc = magnitude(difference), magnitude(coefficient)
    return Range(
        100.0 * _over(d.lower + cc.lower, reference.upper),
        100.0 * _over(d.upper + cc.upper, reference.lower),
    )


class FactorRange(NamedTuple):
    """What a bias adjustment factor can have been: 1, a range above 1, or one of both.

    Parameters
    ----------
    may_be_one : ndarray of bool, shape (...,)
        Whether the bias test can have been passed.
    above : Range
        The factors of a failed test; NaN where it cannot have failed.
    """

    may_be_one: NDArray[np.bool_]
    above: Range

    def hull(self) -> Range:
        """The least and the greatest of them."""
        none = np.isnan(self.above.lower)
        return Range(
            np.where(self.may_be_one, 1.0, self.above.lower),
            np.where(none & self.may_be_one, 1.0, self.above.upper),
        )


def bias_factor_range(difference: Range, coefficient: Range, monitor: Range) -> FactorRange:
    """What the bias adjustment factor can have been.

    Parameters
    ----------
    difference, coefficient, monitor : Range
        Of the mean difference, the confidence coefficient and the mean of the monitor.

    Returns
    -------
    FactorRange
        The factor jumps from 1 where the difference passes the coefficient: a number in the gap
        is not allowed by any rounding.
    """
    cc = magnitude(coefficient)
    least = np.maximum(difference.lower, cc.lower)
    may_fail = difference.upper > cc.lower
    return FactorRange(
        np.asarray(difference.lower <= cc.upper),
        Range(
            np.where(may_fail, 1.0 + _over(least, monitor.upper), np.nan),
            np.where(may_fail, 1.0 + _over(difference.upper, monitor.lower), np.nan),
        ),
    )


def meets(figure: Range, filed: Range) -> NDArray[np.bool_]:
    """Whether two ranges have a number in common; not where one is unknown."""
    return np.asarray((figure.lower <= filed.upper) & (filed.lower <= figure.upper))


def _over(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quotient of numbers that are not negative; infinite where what is below may be 0."""
    known = above / np.where(below > 0, below, np.nan)
    return np.where(below <= 0, np.inf, known)
