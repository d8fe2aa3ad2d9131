"""What a coach reads: each person's own history, curve, zones, and changes beside their noise."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.families.session_changes import changes_section
from lumipipe.families.session_persons import measure_name, shown, unit_of
from lumipipe.families.session_uncertainty import UNKNOWN, mean_u
from lumipipe.language import message, say, translated
from lumipipe.reporting.figures.declared import (
    Bars,
    Chart,
    Column,
    IntervalRow,
    Intervals,
    Panel,
    Reference,
    Span,
    Table,
)
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.budget import coverage_factor

if TYPE_CHECKING:
    import datetime as dt

    from lumipipe.families.session_persons import Done, Persons

_NS_PER_MIN = 60e9
WHOLE = 0.95
"""Share of a session with readings of power below which no balance over it is shown."""
_NARROW = 0.4  # days to both sides of a mark on the axis


def coach_sections(persons: Persons) -> list[Section]:
    """All of them, person by person, in the order of pseudonyms."""
    found = [_about(persons)]
    for name, items in persons.by_person.items():
        found += _history(persons, name, items)
        found += _curves(persons, name, items)
        found += changes_section(persons, name, items)
        found += _zones(persons, name, items)
        found += _capacity(persons, name)
        found += _decoupling(persons, name, items)
    return found


def _about(persons: Persons) -> Section:
    """Who may see the page, the sport, and thresholds with their tests."""
    asset = persons.job.asset
    rows: list[list[Any]] = [
        [
            *(item.person, _words(item.kind), item.value, _unit(item.kind)),
            *(str(item.date), item.test),
        ]
        for item in sorted(asset.thresholds, key=lambda item: (item.person, item.kind, item.date))
    ]
    columns = [
        Column(label=label)
        for label in (say("person"), say("threshold"), say("value"), say("unit"))
    ]
    columns += [Column(label=label) for label in (say("date of the test"), say("test"))]
    table = Table(
        kind="table",
        title=say("Thresholds that tests found"),
        caption=say("Each holds from its day on. Nothing is estimated where none is given."),
        alt=say("One row a threshold."),
        columns=columns,
        rows=rows,
    )
    text = say(
        "Sport: {sport}. This page is for: {page_for}. It shows persons by pseudonyms, "
        "each against their own past, on one scale; nobody is ranked, no mean over "
        "persons is given, and no course or single trace is drawn. It says what was "
        "measured and is no statement about health.",
        sport=asset.sport,
        page_for=asset.page_for,
    )
    return Section(title=say("About this page"), paragraphs=[text], figures=[table] if rows else [])


_THRESHOLDS = {
    "threshold_power": message("threshold power"),
    "threshold_speed": message("threshold speed"),
    "max_heart_rate": message("max heart rate"),
    "resting_heart_rate": message("resting heart rate"),
    "critical_power": message("critical power"),
    "w_prime": message("work above critical power (W')"),
}


def _words(kind: str) -> str:
    """Name of a threshold."""
    return say(_THRESHOLDS[kind])


def _unit(kind: str) -> str:
    """Unit of a threshold."""
    power = {"threshold_power": "W", "critical_power": "W", "w_prime": "J"}
    return power.get(kind, "m/s" if kind == "threshold_speed" else "1/min")


class _Axis(NamedTuple):
    """Days of a person's history, with some room to both sides."""

    first: dt.date
    room: int
    days: int

    def place(self, day: dt.date) -> int:
        """Position of a day."""
        return (day - self.first).days + self.room


def _history(persons: Persons, name: str, items: list[Done]) -> list[Section]:
    """What was done day by day; days without a session are empty."""
    dated = [item for item in items if item.day is not None]
    if len(dated) < 2:  # noqa: PLR2004
        return []
    days = [item.day for item in dated if item.day is not None]
    length = (days[-1] - days[0]).days + 1
    room = length // 50 + 1
    axis = _Axis(days[0], room, length + 2 * room)
    panels = [
        panel
        for panel in (
            _per_day(
                persons, axis, dated, say("min by the timer"), lambda i: i.timer_s / 60.0, add=True
            ),
            *_best_panels(persons, axis, dated),
            _load_panel(persons, axis, items),
        )
        if panel is not None
    ]
    chart = Chart(
        kind="chart",
        title=say("{name} from {days} to {days_2}", name=name, days=days[0], days_2=days[-1]),
        caption=say("Dots are days with a session; a day without one is empty, not zero. ")
        + _marks_sentence(persons, dated),
        alt=say("Time, best means and load against the day, where they are known."),
        x=[float(day) for day in range(-axis.room, axis.days - axis.room)],
        x_label=say("days since {days}", days=days[0]),
        panels=panels,
        spans=_marks(persons, axis, dated),
    )
    return [
        Section(
            title=say("History of {name}", name=name),
            paragraphs=_load_words(persons),
            figures=[chart],
        )
    ]


def _per_day(
    persons: Persons,
    axis: _Axis,
    items: list[Done],
    label: str,
    figure: Any,
    *,
    add: bool = False,
) -> Panel | None:
    """One value a day, the sum or the greatest of its sessions; null on days without one."""
    y: list[float | None] = [None] * axis.days
    for item in items:
        value = figure(item)
        if item.day is None or not np.isfinite(value):
            continue
        at, value = axis.place(item.day), float(value)
        old = y[at]
        y[at] = value if old is None else old + value if add else max(old, value)
    every = [figure(item) for item in persons.sessions]
    highest = float(np.nanmax([0.0, *every]))
    if all(value is None for value in y):
        return None
    none: list[float | None] = [None] * axis.days
    return Panel(y=none, dots=y, y_label=label, shows=(0.0, highest))


def _best_panels(persons: Persons, axis: _Axis, items: list[Done]) -> list[Panel | None]:
    """Best means of the durations that are followed."""
    if not persons.work.efforts:
        return []
    effort, durations = persons.work.efforts[0], persons.work.durations
    panels = []
    for duration in persons.job.score.compare_s:
        place = durations.index(duration)
        label = say("best {duration} s, {unit_of}", duration=duration, unit_of=unit_of(effort))
        panels.append(_per_day(persons, axis, items, label, lambda item, p=place: item.curve[0, p]))
    return panels


def _load_panel(persons: Persons, axis: _Axis, items: list[Done]) -> Panel | None:
    """The slow average of the load as a line and the fast one as dots; gaps where not known."""
    settings = persons.job.score.load
    stretches = persons.days(items)
    if settings is None or not any(np.isfinite(days.fatigue).any() for days in stretches):
        return None
    slow: list[float | None] = [None] * axis.days
    fast: list[float | None] = [None] * axis.days
    for days in stretches:
        for at in range(len(days.load)):
            slow[axis.place(days.first) + at] = shown(days.fitness[at])
            fast[axis.place(days.first) + at] = shown(days.fatigue[at])
    return Panel(
        y=slow,
        dots=fast,
        y_label=say("load a day"),
        line_label=say("average, {fitness_days:g} days", fitness_days=settings.fitness_days),
        dots_label=say("average, {fatigue_days:g} days", fatigue_days=settings.fatigue_days),
        shows=(0.0, 0.0),
    )


def _load_words(persons: Persons) -> list[str]:
    """What load means, in plain words."""
    settings = persons.job.score.load
    if settings is None:
        return [say("No load is shown, since the request asks for none (score.load).")]
    kind = {
        "work": say("Load is the mechanical work in kJ."),
        "relative_power": say(
            "Load is the time in hours times the square of weighted power over the tested "
            "threshold power, times 100: an hour at the threshold is 100."
        ),
        "heart_rate": say(
            "Load is the training impulse: minutes times the share of the heart rate reserve, "
            "times {factor} exp({exponent} share).",
            factor=settings.factor,
            exponent=settings.exponent,
        ),
    }[settings.kind]
    text = say(
        "{kind} Source: {source}. It counts what was done, not how it felt. The averages "
        "forget with time constants of {fitness_days:g} and {fatigue_days:g} days "
        "({days_source}). Up to {longest_rest_days} days without a session count as rest; "
        "more are missing days, after which an average is shown again once it has seen as "
        "many days as its time constant.",
        kind=kind,
        source=settings.source,
        fitness_days=settings.fitness_days,
        fatigue_days=settings.fatigue_days,
        days_source=translated(settings.days_source),
        longest_rest_days=settings.longest_rest_days,
    )
    return [text]


def _marks(persons: Persons, axis: _Axis, items: list[Done]) -> list[Span]:
    """Days on which another sensor or firmware took over."""
    spans = []
    for measure in persons.work.measures:
        before = None
        for item in items:
            sensor = persons.sensor(item, measure)
            mark = None if sensor is None else (sensor.id, sensor.model, sensor.firmware)
            if mark is not None and before is not None and mark != before and item.day is not None:
                at = (item.day - axis.first).days
                label = say("other {measure} sensor", measure=measure_name(measure))
                spans.append(Span(start=at - _NARROW, stop=at + _NARROW, label=label))
            before = mark or before
    return spans


def _marks_sentence(persons: Persons, items: list[Done]) -> str:
    """What is marked on the axis."""
    sensors = {persons.sensor(item, m) is None for m in persons.work.measures for item in items}
    if sensors == {True}:
        return say("No sensor is named in the request, so no change of one can be marked.")
    return say("On a marked day another sensor or firmware took over.")


def _curves(persons: Persons, name: str, items: list[Done]) -> list[Section]:
    """Best means by duration, with what the sensor leaves open."""
    found = []
    for number, effort in enumerate(persons.work.efforts):
        best = persons.best(items)[number]
        there = np.flatnonzero(np.isfinite(best))
        if not len(there):
            continue
        unit, words = unit_of(effort), measure_name(effort)
        durations = [persons.work.durations[place] for place in there]
        rows = [
            [duration, *_best_row(persons, items, number, int(place))]
            for duration, place in zip(durations, there, strict=True)
        ]
        chart = Chart(
            kind="chart",
            title=say("Best mean {words} of {name} by duration", words=words, name=name),
            caption=say(
                "The best of all sessions together. What somebody could do at most may lie "
                "above it: only efforts with nothing kept back show that."
            ),
            alt=say("Best mean against the duration."),
            x=[float(duration) for duration in durations],
            x_label=say("duration, s"),
            log_x=True,
            panels=[
                Panel(
                    y=[float(best[place]) for place in there],
                    y_label=f"{words}, {unit}",
                    shows=(0.0, _highest(persons, number)),
                )
            ],
        )
        table = Table(
            kind="table",
            title=say("Best mean {words} of {name}", words=words, name=name),
            caption=say(
                "Windows lie in one run without a pause or gap. U is what the sensor's "
                "calibration and its step leave open; it does not shrink with duration."
            ),
            alt=say("One row a duration."),
            columns=[
                Column(label=say("duration"), unit="s"),
                Column(label=say("best mean"), unit=unit),
                Column(label="U", unit=unit),
                Column(label=say("day")),
            ],
            rows=rows,
        )
        found.append(
            Section(
                title=say("{measure} curve of {name}", measure=words.capitalize(), name=name),
                figures=[chart, table],
            )
        )
    return found


def _highest(persons: Persons, number: int) -> float:
    """Greatest value of any person's curve, so that all are drawn on one scale."""
    best = persons.best(persons.sessions)[number]
    return float(np.nanmax(best))


def _best_row(persons: Persons, items: list[Done], number: int, place: int) -> list[Any]:
    """Best mean of a duration with its uncertainty and day."""
    values = [item.curve[number, place] for item in items]
    item = items[int(np.nanargmax(values))]
    value, effort = float(np.nanmax(values)), persons.work.efforts[number]
    seconds = persons.work.durations[place]
    sensor, step = persons.sensor(item, effort), persons.resolution(effort)
    u = mean_u(value, seconds, sensor, step, persons.certified(effort))
    if u is None:
        return [value, say(UNKNOWN), str(item.day or say("not known"))]
    half = coverage_factor(persons.job.score.confidence) * u
    cell = Interval(value=value, lower=value - half, upper=value + half)
    return [cell, float(f"{half:.2g}"), str(item.day or say("not known"))]


def _zones(persons: Persons, name: str, items: list[Done]) -> list[Section]:
    """Time in zones over all sessions."""
    figures = []
    for measure, zones in persons.job.score.zones.items():
        known = [i for i in items if persons.known.zone_edges(measure, i.number) is not None]
        if not known:
            continue
        time, unit = persons.zones(known, measure), unit_of(measure)
        if zones.of is None:
            ends, sign = [say("{edge:g}", edge=edge) for edge in zones.edges], unit
        else:
            ends, sign = [say("{edge:g}", edge=100 * edge) for edge in zones.edges], "%"
        labels = [say("below {end} {sign}", end=ends[0], sign=sign)]
        labels += [
            say("{low} to {high} {sign}", low=low, high=high, sign=sign)
            for low, high in pairwise(ends)
        ]
        labels.append(say("from {end} {sign}", end=ends[-1], sign=sign))
        figures.append(
            Bars(
                kind="bars",
                title=say("Time in zones of {measure}", measure=measure_name(measure))
                if zones.of is None
                else say(
                    "Time in zones of {measure}, in % of {of} on the day",
                    measure=measure_name(measure),
                    of=_words(zones.of),
                ),
                caption=say(
                    "{known} of {items} sessions; edges: {source}.",
                    known=len(known),
                    items=len(items),
                    source=zones.source,
                ),
                alt=say("One bar a zone."),
                labels=labels,
                values=[float(value) / _NS_PER_MIN for value in time],
                x_label=say("time, min"),
            )
        )
    return [Section(title=say("Zones of {name}", name=name), figures=[*figures])] if figures else []


def _capacity(persons: Persons, name: str) -> list[Section]:
    """Critical power from declared efforts, and the least of the work above it that was left."""
    found = persons.model.card["critical_power"].get(name, {})
    items = [
        item
        for item in persons.by_person[name]
        if np.isfinite(item.facts["balance_least"]) and item.coverage("power") >= WHOLE
    ]
    paragraphs, figures = [], []
    if "power" in found:
        power, work = found["power"], [value / 1000.0 for value in found["work"]]
        confidence = say("{confidence:.0%}", confidence=persons.job.score.confidence)
        paragraphs.append(
            say(
                "From {efforts} efforts that the request declares to have been maximal: "
                "critical power {power} W ({confidence} interval {power_2} to {power_3} W), "
                "work above it {work} kJ ({work_2} to {work_3} kJ), by the line of work over "
                "time. The interval is from the spread about the line; the calibration error "
                "that all efforts share, and efforts with something kept back, are not in it.",
                efforts=found["efforts"],
                power=rounded(power[0], power[2], power[3]),
                confidence=confidence,
                power_2=rounded(power[2]),
                power_3=rounded(power[3]),
                work=rounded(work[0], work[2], work[3]),
                work_2=rounded(work[2]),
                work_3=rounded(work[3]),
            )
        )
    if items:
        rows: list[list[Any]] = []
        for item in items:
            capacity = persons.known.capacity(item.number)
            least = item.facts["balance_least"]
            share = None if capacity is None else 100.0 * least / capacity.work
            rows.append(
                [
                    str(item.day or say("not known")),
                    least / 1000.0,
                    share,
                    "" if capacity is None else capacity.source,
                ]
            )
        figures.append(
            Table(
                kind="table",
                title=say("Least of the work above critical power that was left"),
                caption=say(
                    "Differential form: below critical power what was spent decays with the "
                    "rate (CP - P)/W', above it grows by P - CP. Less than 0 says that CP or "
                    "W' is too low; what is uncertain in them is not in it. Sessions with "
                    "less than {whole:.0%} of their time read are not shown.",
                    whole=WHOLE,
                ),
                alt=say("One row a session."),
                columns=[
                    Column(label=say("day")),
                    Column(label=say("least left"), unit="kJ"),
                    Column(label=say("of all"), unit="%"),
                    Column(label=say("CP and W' from")),
                ],
                rows=rows,
            )
        )
    if not paragraphs and not figures:
        return []
    return [
        Section(
            title=say("Critical power of {name}", name=name),
            paragraphs=paragraphs,
            figures=[*figures],
        )
    ]


def _decoupling(persons: Persons, name: str, items: list[Done]) -> list[Section]:
    """Change of effort over heart rate within sessions."""
    settings = persons.job.score.decoupling
    known = [item for item in items if np.isfinite(item.facts["drift"])]
    if settings is None or not known:
        return []
    rows = [
        IntervalRow(
            label=say(
                "{day} ({steady_s:.0f} min)",
                day=item.day or say("no date"),
                steady_s=item.facts["steady_s"] / 60.0,
            ),
            value=item.facts["drift"],
            lower=shown(item.facts["drift_lower"]),
            upper=shown(item.facts["drift_upper"]),
        )
        for item in known
    ]
    figure = Intervals(
        kind="intervals",
        title=say("Decoupling of {name}", name=name),
        caption=say(
            "Effort over heart rate fell by so much from the first to the second half, after "
            "{skip_s:g} min. Bars: {confidence:.0%}, from minutes left out one at a time; "
            "what lasts longer than a minute makes them too short. A calibration error of a "
            "sensor cancels.",
            skip_s=settings.skip_s / 60.0,
            confidence=persons.job.score.confidence,
        ),
        alt=say("One interval a session."),
        rows=rows,
        reference=Reference(value=0.0, label=say("no change")),
        x_label=say("decrease of effort over heart rate, %"),
    )
    text = say(
        "Shown for {known} of {items} sessions: {least_s:g} min with both readings, and a "
        "weighted effort of at most {most_variation:g} times its mean. Heat, hills and "
        "drink move it, too.",
        known=len(known),
        items=len(items),
        least_s=settings.least_s / 60.0,
        most_variation=settings.most_variation,
    )
    return [
        Section(title=say("Decoupling of {name}", name=name), paragraphs=[text], figures=[figure])
    ]
