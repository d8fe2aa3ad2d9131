"""A person's days on one axis: a dot a day with a recording, nothing on a day without."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.families.pages.streams import stream_of
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Chart, Panel, Span
from lumipipe.store.dataset import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.families.pages.interface import Subject

_NS_PER_S = 1_000_000_000
_LONGEST_DAYS = 4000  # more dots cannot be told apart
_NARROW = 0.4  # days to both sides of a mark


class Seen(NamedTuple):
    """A recording of a person."""

    day: dt.date
    minutes: float
    sensor: str
    """What recorded it, as far as the request says."""
    id: str


def seen_by_person(subject: Subject) -> dict[str, list[Seen]]:
    """Recordings with a day, by person and time."""
    sensors = {
        source.id: ", ".join(sorted({channel.sensor for channel in source.channels}))
        for source in subject.job.request.data
    }
    found: dict[str, list[tuple[int, Seen]]] = {}
    for number, row in enumerate(subject.job.dataset.recordings):
        table = stream_of(subject, number)
        start = int(table.start_ns[number])
        if start == NO_TIME or not int(table.rows[number]):
            continue
        rate, rows = float(table.rate_hz[number]), int(table.rows[number])
        minutes = rows / rate / 60.0 if np.isfinite(rate) and rate > 0 else float("nan")
        day = dt.datetime.fromtimestamp(start // _NS_PER_S, dt.UTC).date()
        seen = Seen(day, minutes, sensors.get(row.source, ""), row.id)
        found.setdefault(row.unit, []).append((start, seen))
    return {
        person: [seen for _, seen in sorted(items, key=lambda item: (item[0], item[1].id))]
        for person, items in sorted(found.items())
    }


def day_chart(
    person: str,
    seen: list[Seen],
    values: Mapping[str, float],
    label: str,
    highest: float,
) -> Chart | None:
    """One value a day; empty on days without a recording.

    Parameters
    ----------
    person : str
        Pseudonym.
    seen : list of Seen
        Recordings of the person.
    values : mapping of str to float
        Value of each recording; of several on one day the last counts.
    label : str
        Name of the values.
    highest : float
        Greatest value of all persons, so that all have one scale.

    Returns
    -------
    Chart or None
        None where fewer than two days have a value.
    """
    dated = [item for item in seen if np.isfinite(values.get(item.id, np.nan))]
    if len({item.day for item in dated}) < 2:  # noqa: PLR2004 - a history has two days
        return None
    first, last = dated[0].day, dated[-1].day
    length = (last - first).days + 1
    if length > _LONGEST_DAYS:
        return None
    room = length // 50 + 1
    dots: list[float | None] = [None] * (length + 2 * room)
    for item in dated:
        dots[(item.day - first).days + room] = float(values[item.id])
    without = length - len({item.day for item in dated})
    return Chart(
        kind="chart",
        title=say("{person} from {first} to {last}", person=person, first=first, last=last),
        caption=say(
            "A dot is a day with a recording. {without} of {length} days have none: they are "
            "empty, not zero. {marks}",
            without=without,
            length=length,
            marks=_marks_words(dated),
        ),
        alt=say("{label} by day.", label=label),
        x=[float(day) for day in range(-room, length + room)],
        x_label=say("days since {first}", first=first),
        panels=[
            Panel(y=[None] * len(dots), dots=dots, y_label=label, shows=(0.0, highest)),
        ],
        spans=_marks(dated, first),
    )


def _marks(dated: list[Seen], first: dt.date) -> list[Span]:
    """Days on which another sensor took over."""
    found, before = [], dated[0].sensor
    for item in dated[1:]:
        if item.sensor != before:
            at = float((item.day - first).days)
            found.append(Span(start=at - _NARROW, stop=at + _NARROW, label=say("other sensor")))
        before = item.sensor
    return found


def _marks_words(dated: list[Seen]) -> str:
    """What is marked, in a sentence."""
    if {item.sensor for item in dated} <= {"", "not characterised"}:
        return say("No sensor is named in the request, so no change of one can be marked.")
    return say("On a marked day another sensor took over.")
