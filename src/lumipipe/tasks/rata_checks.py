"""Filed figures of audits beside recomputed ones, and what the difference means.

Where the inputs come from is in `lumipipe.tasks.rata_inputs`, the formulas are in
`lumipipe.uncertainty.audit`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.tasks.rata_inputs import Figure
from lumipipe.uncertainty.audit import bias_factor, confidence_coefficient, relative_accuracy
from lumipipe.uncertainty.audit_ranges import (
    Range,
    agreed_means,
    bias_factor_range,
    coefficient_range,
    common,
    meets,
    minus,
    relative_accuracy_range,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.tasks.rata_inputs import Inputs

STATUSES = ("agrees", "resolution-limited", "mismatch", "not computable", "not filed")
TOLERANCES = {
    # One unit of the last decimal with which the figures are filed.
    "relative_accuracy": 0.01,
    "confidence_coefficient": 0.001,
    "bias_factor": 0.001,
}
# In the EPA's records from 2010 to 2022 the factor of each audit of these is 1, whatever the bias.
_NEVER_ADJUSTED = {"CO2", "O2"}
_SLACK = 1e-9  # a difference of decimal numbers of one tolerance is no binary number


@dataclass(frozen=True)
class Check:
    """One filed figure of each audit beside the recomputed one, all of shape (audit,).

    Parameters
    ----------
    filed, computed : ndarray of float64
        NaN where there is none.
    lower, upper : ndarray of float64
        What the rounding of the inputs allows.
    status : ndarray of object
        One of `STATUSES`.
    reason : ndarray of object
        Why there is no recomputed figure; empty where there is one.
    """

    filed: NDArray[np.float64]
    computed: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    status: NDArray[np.object_]
    reason: NDArray[np.object_]

    def lacking(self) -> dict[str, int]:
        """How many filed figures are not computable, by reason, the most frequent first."""
        reasons = self.reason[self.status == "not computable"].tolist()
        return dict(Counter(reasons).most_common())

    def distance(self) -> NDArray[np.float64]:
        """How far the filed figure is from the recomputed one; NaN where one is missing."""
        return np.asarray(np.abs(self.computed - self.filed))


class _Recomputed(NamedTuple):
    """A recomputed figure, whether rounding allows the filed one, and why there may be none."""

    value: NDArray[np.float64]
    allowed: Range
    is_allowed: NDArray[np.bool_]
    reasons: Sequence[tuple[NDArray[np.bool_], str]]


def checks_of(inputs: Inputs, tolerances: Mapping[str, float]) -> dict[str, Check]:
    """Each filed figure checked.

    Parameters
    ----------
    inputs : Inputs
        The audits.
    tolerances : mapping of str to float
        How far a figure that agrees may be, for each of `TOLERANCES`.

    Returns
    -------
    dict of str to Check
        By the names of `TOLERANCES`.

    Notes
    -----
    *Method*: the confidence coefficient is recomputed from deviation and number of runs, the other
    two from the mean difference, the filed coefficient (the recomputed one where none was filed)
    and the means. A figure outside its tolerance is resolution-limited if some inputs that round
    to the filed ones give a figure that rounds to the filed one.
    """
    coefficient = _coefficient(inputs)
    used = _used_coefficient(inputs, coefficient)
    found = {
        "relative_accuracy": _relative_accuracy(inputs, used),
        "confidence_coefficient": coefficient,
        "bias_factor": _bias_factor(inputs, used),
    }
    return {
        name: _check(inputs.filed[name].value, figure, tolerances[name])
        for name, figure in found.items()
    }


def _coefficient(inputs: Inputs) -> _Recomputed:
    """The confidence coefficient from deviation and number of runs."""
    deviation = inputs.means["deviation"]
    is_known = (inputs.runs == inputs.most_runs) & (inputs.runs > 1)
    runs = np.where(is_known, inputs.runs, 0)
    spread = np.where(deviation.value < 0, np.nan, deviation.value)
    allowed = coefficient_range(deviation.range, runs, inputs.t_value)
    return _Recomputed(
        confidence_coefficient(spread, runs),
        allowed,
        meets(allowed, inputs.filed["confidence_coefficient"].range),
        [
            (inputs.runs > inputs.most_runs, "no number of runs has this t value"),
            (inputs.runs < inputs.most_runs, "several numbers of runs have this t value"),
            (inputs.runs < 1, "no number of runs"),
            (~is_known, "fewer than two runs"),
            (np.isnan(deviation.value), "no standard deviation"),
            (deviation.value < 0, "a standard deviation below 0"),
        ],
    )


def _used_coefficient(inputs: Inputs, recomputed: _Recomputed) -> Figure:
    """The coefficient that the other figures are made with: filed, else recomputed."""
    filed = inputs.filed["confidence_coefficient"]
    is_filed = ~np.isnan(filed.value)
    narrowed = common(filed.range, recomputed.allowed)
    return Figure(
        np.where(is_filed, filed.value, recomputed.value),
        Range(
            np.where(is_filed, narrowed.lower, recomputed.allowed.lower),
            np.where(is_filed, narrowed.upper, recomputed.allowed.upper),
        ),
    )


def _means(inputs: Inputs) -> tuple[Figure, Figure, Figure]:
    """Difference, reference and monitor, their ranges narrowed by each other."""
    names = ("mean_difference", "reference_mean", "monitor_mean")
    difference, reference, monitor = (inputs.means[name] for name in names)
    is_filed = ~np.isnan(difference.value)
    value = np.where(is_filed, difference.value, reference.value - monitor.value)
    free = minus(reference.range, monitor.range)
    lower = np.where(is_filed, difference.range.lower, free.lower)
    upper = np.where(is_filed, difference.range.upper, free.upper)
    ranges = agreed_means(Range(lower, upper), reference.range, monitor.range)
    return (
        Figure(value, ranges[0]),
        Figure(reference.value, ranges[1]),
        Figure(monitor.value, ranges[2]),
    )


def _relative_accuracy(inputs: Inputs, coefficient: Figure) -> _Recomputed:
    """The relative accuracy from difference, coefficient and reference."""
    difference, reference, _ = _means(inputs)
    allowed = relative_accuracy_range(difference.range, coefficient.range, reference.range)
    return _Recomputed(
        relative_accuracy(difference.value, coefficient.value, reference.value),
        allowed,
        meets(allowed, inputs.filed["relative_accuracy"].range),
        _lacking(difference, coefficient, reference, "reference"),
    )


def _bias_factor(inputs: Inputs, coefficient: Figure) -> _Recomputed:
    """The bias adjustment factor from difference, coefficient and monitor."""
    difference, _, monitor = _means(inputs)
    factors = bias_factor_range(difference.range, coefficient.range, monitor.range)
    filed = inputs.filed["bias_factor"].range
    is_one = (filed.lower <= 1) & (filed.upper >= 1)
    return _Recomputed(
        bias_factor(difference.value, coefficient.value, monitor.value),
        factors.hull(),
        (factors.may_be_one & is_one) | meets(factors.above, filed),
        [
            (_is_never_adjusted(inputs), "no factor is applied to monitors of CO2 and O2"),
            *_lacking(difference, coefficient, monitor, "monitor"),
        ],
    )


def _lacking(
    difference: Figure, coefficient: Figure, mean: Figure, name: str
) -> list[tuple[NDArray[np.bool_], str]]:
    """What may keep a figure from being computed."""
    return [
        (np.isnan(difference.value), "no mean difference"),
        (np.isnan(coefficient.value), "no confidence coefficient"),
        (np.isnan(mean.value), f"no mean of the {name}"),
        (mean.value <= 0, f"a mean of the {name} that is not above 0"),
    ]


def _is_never_adjusted(inputs: Inputs) -> NDArray[np.bool_]:
    """Whether the rule gives monitors of this kind no factor."""
    if "parameter" not in inputs.texts:
        return np.zeros(len(inputs.lines), dtype=bool)
    return np.isin(inputs.texts["parameter"].astype(str), sorted(_NEVER_ADJUSTED))


def _check(filed: NDArray[np.float64], found: _Recomputed, tolerance: float) -> Check:
    """A filed figure beside the recomputed one."""
    reason = np.full(len(filed), "", dtype=object)
    for holds, text in reversed(found.reasons):
        reason[holds] = text
    is_blank = np.isnan(filed)
    is_lacking = reason != ""
    computed = np.where(is_lacking, np.nan, found.value)
    is_near = np.abs(computed - filed) <= tolerance * (1 + _SLACK)
    status = np.full(len(filed), "mismatch", dtype=object)
    status[found.is_allowed] = "resolution-limited"
    status[is_near] = "agrees"
    status[is_lacking] = "not computable"
    status[is_blank] = "not filed"
    lower, upper = (np.where(is_lacking, np.nan, end) for end in found.allowed)
    return Check(filed, computed, lower, upper, status, reason)
