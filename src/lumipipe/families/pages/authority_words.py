"""What tellers of several families say to an authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.language import say
from lumipipe.reporting.numbers import rounded_interval

if TYPE_CHECKING:
    from lumipipe.reporting.result import Metric


def nothing_filled() -> str:
    """That no value was put in the place of a missing one."""
    return say("Substitute data: none; no gap was filled in.")


def metric_words(metric: Metric) -> str:
    """A metric with its interval and its number of cases."""
    value, lower, upper = rounded_interval(metric.value, metric.lower, metric.upper)
    text = f"{metric.label}: {value}"
    if metric.lower is not None and metric.upper is not None:
        text += say(" ({lower} to {upper})", lower=lower, upper=upper)
    if metric.count is not None:
        text += say(", n = {count}", count=metric.count)
    return text
