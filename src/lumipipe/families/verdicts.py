"""From metrics with intervals and conditions to a verdict; the same rule for all families."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.language import MANY, say, translated
from lumipipe.reporting.shown import shown_condition

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lumipipe.reporting.result import LeakageTest, Metric, Verdict


def judged(metric: Metric, conditions: Mapping[str, str]) -> Metric:
    """The metric with its condition from the request, and whether it is met.

    A condition is met when the whole interval satisfies it, not met when no value of the
    interval does, and open (None) in between.
    """
    condition = conditions.get(metric.name)
    if condition is None or metric.value is None:
        return metric.model_copy(update={"condition": condition})
    operator, bound = parse_condition(condition)
    lower = metric.value if metric.lower is None else metric.lower
    upper = metric.value if metric.upper is None else metric.upper
    if operator == ">=":
        met = True if lower >= bound else False if upper < bound else None
    else:
        met = True if upper <= bound else False if lower > bound else None
    return metric.model_copy(update={"condition": condition.strip(), "met": met})


def parse_condition(condition: str) -> tuple[str, float]:
    """Operator and bound of a condition such as ``>= 0.8``."""
    match = re.fullmatch(r"\s*(>=|<=)\s*(-?\d+(?:\.\d+)?)\s*", condition)
    if match is None:
        raise ValueError(f"no condition: {condition}")
    return match[1], float(match[2])


def conclude(metrics: Sequence[Metric]) -> Verdict:
    """The verdict that the conditions lead to.

    Returns
    -------
    str
        ``supported`` when all conditions are met, ``not_supported`` when one is not met,
        ``inconclusive`` when one is open or there is none.
    """
    results = [metric.met for metric in metrics if metric.condition is not None]
    if any(result is False for result in results):
        return "not_supported"
    if results and all(results):
        return "supported"
    return "inconclusive"


def allowed(verdict: Verdict, leakage: Sequence[LeakageTest]) -> Verdict:
    """The verdict, but nothing is supported by figures that a leak may flatter."""
    leaks = any(test.status == "found" for test in leakage)
    return "inconclusive" if leaks and verdict == "supported" else verdict


def undecided_sentence(metrics: Sequence[Metric]) -> str:
    """What it takes to decide the first open condition; empty where none is open."""
    for metric in metrics:
        if metric.condition is not None and metric.met is None and metric.lower is not None:
            return say(
                "More data: {label} rests on {count} {of} and may lie anywhere between "
                "{lower:.2f} and {upper:.2f}, so {condition} is neither met nor missed.",
                label=metric.label,
                count=metric.count,
                of=translated(metric.of or "", MANY),
                lower=metric.lower,
                upper=metric.upper,
                condition=shown_condition(metric.condition),
            )
    return ""


def check_conditions(
    conditions: Mapping[str, str],
    known: Mapping[str, str],
    place: str,
    with_unit: Collection[str] = (),
) -> None:
    """Refuse conditions on unknown metrics, in the wrong direction, or, of shares, past 0 and 1.

    Parameters
    ----------
    conditions : mapping of str to str
        From ``evaluation.metrics``.
    known : mapping of str to str
        Metrics by name, and the side on which they are good.
    place : str
        Where the request stands.
    with_unit : collection of str
        Metrics that are no shares.
    """
    for name, condition in conditions.items():
        if name not in known:
            raise InputError(
                f"{place}", f"evaluation.metrics: no metric {name}", f"use {', '.join(known)}"
            )
        operator, bound = parse_condition(condition)
        if operator != known[name]:
            raise InputError(
                f"{place}",
                f"evaluation.metrics.{name}: {condition.strip()} asks for the bad side",
                f'write it like "{known[name]} {bound:g}"',
            )
        if name not in with_unit and not 0 <= bound <= 1:
            raise InputError(
                f"{place}",
                f"evaluation.metrics.{name}: {condition.strip()} is no condition on a share",
                f'write it like "{known[name]} 0.8", with a bound from 0 to 1',
            )
