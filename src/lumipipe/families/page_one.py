"""What page 1 says beside the answer: better than today or not, and what it means in money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import InputError
from lumipipe.families.baseline import against_stated
from lumipipe.families.money import money_view
from lumipipe.families.money_period import decisions_per_year
from lumipipe.language import say, say_count
from lumipipe.reporting.numbers import rounded
from lumipipe.store.dataset import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.config import Request
    from lumipipe.families.interface import Family, Job, Outcome
    from lumipipe.reporting.result import Result
    from lumipipe.store.dataset import Dataset

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86_400.0


def check_page_one(request: Request, family: Family, train: Any, score: Any) -> None:
    """Refuse a figure of today that nothing is compared with, and events that are not the family's.

    Parameters
    ----------
    request : Request
        The form.
    family : Family
        The analysis that it names.
    train, score : Settings
        The family's own sections.

    Raises
    ------
    InputError
        With the metrics, or the kind of event, that there are.
    """
    name, today, event = family.name, request.evaluation.baseline, request.question.event
    known = family.metrics(train, score)
    if today is not None and today.metric is not None and today.metric not in known:
        raise InputError(
            "evaluation.baseline", f"no metric {today.metric}", f"use {', '.join(known)}"
        )
    if today is not None and today.alarm is not None and name != "monitoring":
        raise InputError(
            "evaluation.baseline",
            f"an alarm of today is not tried by {name}",
            "state a metric and its value of today, or words alone",
        )
    if event is None:
        return
    if family.events not in {"classes", "limits"}:
        own = "score.event tells the fault" if family.events == "rows" else "leave it out"
        raise InputError("question.event", f"{name} takes no event here", own)
    if bool(event.classes) != (family.events == "classes"):
        wanted = "classes" if family.events == "classes" else "above or below"
        raise InputError("question.event", f"is not of the kind that {name} has", f"give {wanted}")


def with_page_one(job: Job, outcome: Outcome) -> Outcome:
    """The outcome with its comparisons and its money view.

    Parameters
    ----------
    job : Job
        The request and its data.
    outcome : Outcome
        What the family found.
    """
    money, sections = money_view(
        job.request.question, outcome.decisions, job.seed, decisions_per_year(job)
    )
    result = outcome.result
    found = {
        "comparisons": list(outcome.compared),
        "not_compared": outcome.not_compared or None,
        "money": money,
        "extent": extent(job),
        "sections": [*sections, *result.sections],
    }
    return replace(outcome, result=result.model_copy(update=found))


def extent(job: Job) -> str:
    """How many machines or persons, recordings and days the data are of, in a sentence."""
    recordings = job.dataset.recordings
    units = len({row.unit for row in recordings})
    persons = job.request.rights.personal_data != "none"
    who = (
        say_count("{n} person", "{n} persons", n=units)
        if persons
        else say_count("{n} machine or other unit", "{n} machines or other units", n=units)
    )
    count = say_count("{n} recording", "{n} recordings", n=len(recordings))
    seconds = sum(_seconds(job.dataset, number) for number in range(len(recordings)))
    if not np.isfinite(seconds):
        return say("{who}, {count}, of which no time is known.", who=who, count=count)
    return say("{who}, {count}, {days}.", who=who, count=count, days=_long(seconds))


def _long(seconds: float) -> str:
    """How much data there are, in the unit that people would say it in."""
    if seconds < 2 * _HOUR_S:
        return say("{minutes} min of data", minutes=rounded(seconds / _MINUTE_S))
    if seconds < 2 * _DAY_S:
        return say("{hours} h of data", hours=rounded(seconds / _HOUR_S))
    return say("{days} days of data", days=rounded(seconds / _DAY_S))


def _seconds(dataset: Dataset, number: int) -> float:
    """How long a recording lasts, by its longest stream; NaN where rows have an order only."""
    found = []
    for table in dataset.streams.values():
        first, rows, rate = (a[number] for a in (table.first_row, table.rows, table.rate_hz))
        if rows and np.isfinite(rate):
            found.append(float(rows / rate))
        elif rows and table.has_time:
            ends = [
                int(table.read_time(at, at + 1)[0]) for at in (int(first), int(first + rows) - 1)
            ]
            if NO_TIME not in ends:
                found.append((ends[1] - ends[0]) / NANOSECONDS)
    return max(found, default=float("nan"))


def compared_with_today(
    request: Request, result: Result, sides: Mapping[str, str]
) -> dict[str, Any]:
    """Fields of a result: what it is held against, with the figure that the request states.

    Parameters
    ----------
    request : Request
        The form.
    result : Result
        As it was scored.
    sides : mapping of str to str
        On which side each metric is good.
    """
    today = request.evaluation.baseline
    stated = [] if today is None else against_stated(today, result.metrics, sides)
    found = [*stated, *result.comparisons]
    own, reason = result.not_compared, None
    if not found:
        reason = (
            say("The figure stated for today cannot be compared: this run has none of that name.")
            if today is not None and today.metric is not None
            else say(
                "Not compared: no figure of today is stated ({key}), and this analysis computes "
                "none on the same data.",
                key="evaluation.baseline",
            )
        )
    told = " ".join(filter(None, (reason, own)))
    return {"comparisons": found, "not_compared": told or None}
