"""What decisions cost in a year, where the request says how often somebody decides.

A request has no rate of its decisions, but ``unit_of_decision`` may be a time, such as one hour.
Then there are so many decisions in a year as there are such times. That holds only if each tested
case is one of them: its rows must have stamps of the calendar and follow each other by that time.
Elsewhere (one bearing, one window, one row a minute where a day is decided on) nothing in the
request or the data says how many decisions a year has, and money stays that of one decision.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.store.rows import NO_TIME

if TYPE_CHECKING:
    from lumipipe.families.interface import Job

YEAR_S = 365.25 * 86_400.0
MONTHS = 12
_NEAR = 0.01  # a measured rate is never quite the nominal one
# Units of time in requests, English and Finnish.
_SECONDS = {
    r"s|seconds?|sekunti|sekuntia": 1.0,
    r"min|minutes?|minuutti|minuuttia": 60.0,
    r"h|hours?|tunti|tuntia": 3600.0,
    r"d|days?|vuorokausi|vuorokautta|päivä|päivää": 86_400.0,
    r"weeks?|viikko|viikkoa": 604_800.0,
}
_ONE = r"(?:one|an?|each|yksi|(\d+(?:[.,]\d+)?))\s+"
_ROWS_DECIDE = ("ambient", "emission", "monitoring", "soft_sensor")


def seconds_told(unit_of_decision: str) -> float | None:
    """Seconds of a unit of decision that is a time; None where it is none, or two of them.

    Examples
    --------
    >>> seconds_told("one hour"), seconds_told("one pump, one day"), seconds_told("15 min")
    (3600.0, 86400.0, 900.0)
    >>> seconds_told("one bearing"), seconds_told("one window of 3 s")
    (None, None)
    """
    found = []
    for part in unit_of_decision.lower().split(", "):
        for words, seconds in _SECONDS.items():
            if match := re.match(rf"\s*{_ONE}(?:{words})\b", part):
                found.append(float((match[1] or "1").replace(",", ".")) * seconds)
    return found[0] if len(found) == 1 and found[0] > 0 else None


def decisions_per_year(job: Job) -> float | None:
    """Decisions of one machine in a year of 365.25 days; None where nothing tells.

    Parameters
    ----------
    job : Job
        The request and its data.

    Returns
    -------
    float or None
        One each time that the request decides on, if a case of the family is a row or a window
        of them, all rows have stamps, and cases follow each other by that time in each recording.
    """
    question = job.request.question
    wanted, step = seconds_told(question.unit_of_decision), _seconds_of_case(job)
    if wanted is None or step is None or not abs(step - wanted) <= _NEAR * wanted:
        return None
    return YEAR_S / wanted


def _seconds_of_case(job: Job) -> float | None:
    """Time from a case to the next; None where cases are no rows, or have no stamps or no rate."""
    if job.request.question.family not in _ROWS_DECIDE:
        return None
    models = getattr(job.train, "models", None)
    names = [job.train.stream] if models is None else list(models)
    steps = []
    for name in names:
        stream = job.dataset.streams[name]
        used = stream.rows > 0
        if (stream.start_ns[used] == NO_TIME).any() or not (stream.rate_hz[used] > 0).all():
            return None
        steps.append(getattr(job.train, "hop_rows", 1) / stream.rate_hz[used])
    every = np.concatenate(steps)
    alike = len(every) and every.max() <= (1 + _NEAR) * every.min()
    return float(np.median(every)) if alike else None
