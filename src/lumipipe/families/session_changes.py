"""Changes from session to session, each beside the smallest change that is more than noise."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.session_persons import measure_name, unit_of
from lumipipe.families.session_uncertainty import UNKNOWN, change
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.session_persons import Done, Persons


_DIGITS = 4  # of a value; its change is shown to the same decimal


def changes_section(persons: Persons, name: str, items: list[Done]) -> list[Section]:
    """A table of changes of the best means that are followed; nothing with one session.

    Each session is compared with the one before that has the duration.
    """
    rows: list[list[Any]] = []
    efforts = persons.work.efforts
    for duration in persons.job.score.compare_s if efforts else []:
        place = persons.work.durations.index(duration)
        there = [item for item in items if np.isfinite(item.curve[0, place])]
        for before, after in pairwise(there):
            rows.append([f"{duration} s", *_row(persons, before, after, place)])
    if not rows:
        return []
    effort = efforts[0]
    unit = unit_of(effort)
    table = Table(
        kind="table",
        title=say(
            "Best mean {effort} of {name}, from session to session",
            effort=measure_name(effort),
            name=name,
        ),
        caption=say(
            "Smallest detectable change at {confidence:.0%}: what the sensor alone would make "
            "of two equal efforts. How hard somebody tried is not in it.",
            confidence=persons.job.score.confidence,
        ),
        alt=say("One row a session and duration."),
        columns=[
            Column(label=say("duration")),
            Column(label=say("day")),
            Column(label=say("best mean"), unit=unit),
            Column(label=say("change"), unit=unit),
            Column(label=say("smallest detectable"), unit=unit),
            Column(label=say("the change is")),
        ],
        rows=rows,
    )
    return [Section(title=say("Changes of {name}", name=name), figures=[table])]


def _row(persons: Persons, before: Done, after: Done, place: int) -> list[Any]:
    """One change."""
    effort = persons.work.efforts[0]
    values = [
        (float(item.curve[0, place]), persons.sensor(item, effort)) for item in (before, after)
    ]
    found = change(values[0], values[1], persons.job.score.confidence)
    least = say(UNKNOWN) if found.detectable is None else float(f"{found.detectable:.2g}")
    value = values[1][0]
    moved = round(found.value, _DIGITS - 1 - math.floor(math.log10(value))) if value > 0 else None
    return [str(after.day or say("not known")), value, moved, least, found.words]
