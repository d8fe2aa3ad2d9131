"""Whether a monitor varies as the reference does: F test, correlation, and what a rule asks.

Relative accuracy and bias are in `lumipipe.uncertainty.audit`. A limit that is not in a public
rule that was read is no constant here: it is a row of a rule table, given by whoever judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from lumipipe.language import message, say
from lumipipe.uncertainty.audit import (
    centred,
    confidence_coefficient,
    means_of_runs,
    ratio_above_zero,
    relative_accuracy,
    spread,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def variance_ratio(reference: ArrayLike, monitor: ArrayLike) -> NDArray[np.float64]:
    """F of the two spreads: variance of the monitor over variance of the reference.

    Parameters
    ----------
    reference, monitor : array_like of float64, shape (..., run)
        Paired runs in one unit.

    Returns
    -------
    ndarray of float64, shape (...,)
        Compare with `critical_ratio`; NaN where the reference does not vary.

    Examples
    --------
    >>> float(variance_ratio([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]))
    4.0
    """
    y, x = (spread(np.asarray(values, dtype=np.float64)) ** 2 for values in (monitor, reference))
    return ratio_above_zero(y, x)


def critical_ratio(runs: ArrayLike, confidence: float = 0.95) -> NDArray[np.float64]:
    """The F that two equal variances of `runs` runs each exceed with chance 1 - confidence.

    Parameters
    ----------
    runs : array_like of int64, shape (...,)
        Number of runs.
    confidence : float, default 0.95
        One-sided; a rule states its own.

    Returns
    -------
    ndarray of float64, shape (...,)
        NaN below two runs.

    Examples
    --------
    >>> critical_ratio([9, 27]).round(2)
    array([3.44, 1.93])
    """
    freedom = np.asarray(runs, dtype=np.float64) - 1
    known = np.where(freedom < 1, np.nan, freedom)
    return np.asarray(special.fdtri(known, known, confidence))


def correlation(reference: ArrayLike, monitor: ArrayLike) -> NDArray[np.float64]:
    """Pearson's r of paired runs.

    Parameters
    ----------
    reference, monitor : array_like of float64, shape (..., run)
        Paired runs; the units may differ.

    Returns
    -------
    ndarray of float64, shape (...,)
        Between -1 and 1; NaN where one of them does not vary.

    Examples
    --------
    >>> round(float(correlation([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])), 3)
    -1.0
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (reference, monitor))
    a, b = centred(x), centred(y)
    scale = np.sqrt(np.sum(a * a, axis=-1)) * np.sqrt(np.sum(b * b, axis=-1))
    return np.clip(ratio_above_zero(np.sum(a * b, axis=-1), scale), -1.0, 1.0)


class Criterion(NamedTuple):
    """One line of a verdict.

    Parameters
    ----------
    name : str
        What is asked.
    value, limit : float
        What was found and what it is compared with.
    is_met : bool
        A value that is not known does not meet it.
    """

    name: str
    value: float
    limit: float
    is_met: bool


@dataclass(frozen=True)
class Criteria:
    """What a rule asks of a predictive monitor.

    Parameters
    ----------
    rule : str
        Citation.
    least_correlation : float
        Least r.
    f_confidence : float, default 0.95
        One-sided confidence of the F test; the default is a convention, the rule's own goes before.
    greatest_relative_accuracy : float or None
        In percent; not asked where None, since it depends on the level of the emission: the row
        of a rule table that was checked gives it.
    """

    rule: str
    least_correlation: float
    f_confidence: float = 0.95
    greatest_relative_accuracy: float | None = None

    def judged(self, reference: ArrayLike, monitor: ArrayLike) -> list[Criterion]:
        """The criteria of one audit with what was found.

        Parameters
        ----------
        reference, monitor : array_like of float64, shape (run,)
            Paired runs of one audit in one unit.

        Returns
        -------
        list of Criterion
            Relative accuracy first, where the rule gives a limit.
        """
        means = means_of_runs(reference, monitor)
        limit = float(critical_ratio(means.runs, self.f_confidence))
        ratio = float(variance_ratio(reference, monitor))
        r = float(correlation(reference, monitor))
        found = [
            Criterion(say("F of the variances"), ratio, limit, ratio <= limit),
            Criterion(say("correlation r"), r, self.least_correlation, r >= self.least_correlation),
        ]
        if self.greatest_relative_accuracy is None:
            return found
        coefficient = confidence_coefficient(means.deviation, means.runs)
        value = float(relative_accuracy(means.mean_difference, coefficient, means.reference_mean))
        most = self.greatest_relative_accuracy
        return [Criterion(say("relative accuracy, %"), value, most, value <= most), *found]


# That F must not exceed its critical value and r must reach 0.8 is documented; the limit of the
# relative accuracy and the level of F were not read there, so the first is left to a rule table.
PS_16 = Criteria(
    message("US EPA Performance Specification 16 (74 FR 12575, 2009, corrected in 74 FR 18474)"),
    least_correlation=0.8,
)
