"""Words and cells that several parts of a report of the family `hrv` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import message, say, term
from lumipipe.reporting.parts import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.hrv_change import Change
    from lumipipe.families.hrv_figures import Figure

LABELS = {"rmssd": "RMSSD", "sdnn": "SDNN", "mean_nn": term(message("mean NN"))}
"""Names of the figures of `COMPARED` for people."""
_WHOLE_PERCENT = 9.95


def number(value: float | None) -> float | None:
    """A number, or None where there is none."""
    return None if value is None or not np.isfinite(value) else float(value)


def cell(figure: Figure) -> Interval:
    """A figure with its interval."""
    return Interval(
        value=number(figure.value), lower=number(figure.lower), upper=number(figure.upper)
    )


def percent(log_ratio: float) -> str:
    """A ratio as a change in per cent with its sign.

    >>> percent(0.0953), percent(0.00995)
    ('+10', '+1.0')
    """
    value = 100.0 * float(np.expm1(log_ratio))
    digits = 0 if abs(value) >= _WHOLE_PERCENT else 1
    return say("{value:+.{digits}f}", value=value, digits=digits).replace("-", "\N{MINUS SIGN}")


def change_words(change: Change) -> str:
    """A change with the one that noise makes, in words."""
    limit = np.copysign(change.detectable, change.log_ratio)
    return say(
        "{labels} of {person} by {percent} % from {before} to {after}, where noise makes "
        "up to {percent_2} %",
        labels=say(LABELS[change.figure]),
        person=change.person,
        percent=percent(change.log_ratio),
        before=change.before,
        after=change.after,
        percent_2=percent(limit),
    )


def listed(words: Sequence[str], most: int = 5) -> str:
    """The first few words, and how many more there are."""
    more = say(" and {words} more", words=len(words) - most) if len(words) > most else ""
    return ", ".join(words[:most]) + more
