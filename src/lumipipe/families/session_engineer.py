"""What an engineer reads: rules, durations, coverage, sensors, and the figures of each session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.session_measures import BLOCK_S, WEIGHTED_S
from lumipipe.families.session_persons import measure_name, shown, unit_of
from lumipipe.families.session_uncertainty import UNKNOWN
from lumipipe.language import message, say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.session_persons import Done, Persons

_SAID = {
    "elapsed_s": message("elapsed"),
    "timer_s": message("timer"),
    "moving_s": message("moving"),
}


def engineer_sections(persons: Persons) -> list[Section]:
    """All of them."""
    return [_durations(persons), _figures(persons), _sensors(persons)]


def _durations(persons: Persons) -> Section:
    """Rules of time, the three durations, and what was read."""
    hold = persons.work.train.longest_hold_s
    paragraphs = [
        say(
            "A reading stands until the next one of its channel, for {hold:g} s at most; "
            "the last one before a pause or gap stands for no time. Nothing is filled in. "
            "Pauses are those that the instrument wrote (timer events, new segments of a "
            "track); they are never counted, and no window reaches over one. A step in "
            "time without such an event is a gap of unknown cause: it lowers the coverage.",
            hold=hold,
        ),
        say(
            "Elapsed is from first to last, timer without pauses, moving with a speed "
            "above 0; each as the file gives it, or from its rows. Coverage is the time "
            "with a reading over that by the timer. 0 is a reading of power and speed, "
            "and none of a heart rate."
        ),
    ]
    columns = [Column(label=say("session")), Column(label=say("day"))]
    columns += [Column(label=say(label), unit="s") for label in _SAID.values()]
    columns.append(Column(label=say("pauses")))
    measures = list(persons.work.measures)
    columns += [
        Column(label=say("{name} read", name=measure_name(name)), unit="%") for name in measures
    ]
    rows: list[list[Any]] = []
    for item in persons.sessions:
        said = item.row.attributes
        times = [_number(said.get(name)) for name in _SAID]
        if times[0] is None:
            times[0] = item.facts["span_s"]
        if times[1] is None:
            times[1] = item.facts["span_s"]
        cells = [
            item.row.id,
            str(item.day or say("not known")),
            *times,
            _number(said.get("pauses")),
        ]
        cells += [round(100.0 * item.coverage(name), 2) for name in measures]
        rows.append(cells)
    table = Table(
        kind="table",
        title=say("Durations and coverage of each session"),
        caption=say("Empty where neither the file nor its rows tell."),
        alt=say("One row a session."),
        columns=columns,
        rows=rows,
    )
    return Section(title=say("Time that counts"), paragraphs=paragraphs, figures=[table])


def _figures(persons: Persons) -> Section:
    """Means of each session and how they are made."""
    efforts = persons.work.efforts
    columns = [Column(label=say("session"))]
    for name in persons.work.measures:
        columns.append(
            Column(label=say("mean {name}", name=measure_name(name)), unit=unit_of(name))
        )
        columns.append(Column(label=say("of readings"), unit=unit_of(name)))
        if name in efforts:
            columns.append(
                Column(label=say("weighted {name}", name=measure_name(name)), unit=unit_of(name))
            )
    if persons.job.score.load is not None:
        columns.append(Column(label=say("load")))
    rows = [[item.row.id, *_cells(persons, item)] for item in persons.sessions]
    text = say(
        "Means are over time. Beside each stands the plain mean of the readings, as if "
        "each stood for as long as the others: where the two differ, readings were "
        "written unevenly. Weighted: fourth root of the mean fourth power of all means "
        "over {weighted_s} s that lie within one run. Windows are whole seconds from the "
        "start of each run. Decoupling leaves out blocks of {block_s} s.",
        weighted_s=WEIGHTED_S,
        block_s=BLOCK_S,
    )
    table = Table(
        kind="table",
        title=say("Figures of each session"),
        caption=say("The table sessions.parquet holds all of them."),
        alt=say("One row a session."),
        columns=columns,
        rows=rows,
    )
    return Section(title=say("Figures and formulas"), paragraphs=[text], figures=[table])


def _cells(persons: Persons, item: Done) -> list[Any]:
    """Means of one session."""
    cells: list[Any] = []
    for name in persons.work.measures:
        cells += [shown(item.facts[f"{name}_{what}"]) for what in ("mean", "plain")]
        if name in persons.work.efforts:
            cells.append(shown(item.facts[f"{name}_weighted"]))
    return cells if persons.job.score.load is None else [*cells, item.load]


def _sensors(persons: Persons) -> Section:
    """What measured, with what is known of its errors."""
    rows: list[list[Any]] = []
    for item in persons.job.asset.sensors:
        accuracy, repeat = item.accuracy, item.repeatability
        since = "" if item.since is None else say(", from {since}", since=item.since)
        rows.append(
            [
                item.id,
                measure_name(item.measure),
                say(
                    "{model}, firmware {firmware}{since}",
                    model=item.model,
                    firmware=item.firmware,
                    since=since,
                ),
                say(UNKNOWN)
                if accuracy is None
                else say(
                    "U = {expanded:g} % (k = {k:g}; {source})",
                    expanded=100 * accuracy.expanded,
                    k=accuracy.k,
                    source=accuracy.source,
                ),
                say(UNKNOWN)
                if repeat is None
                else say(
                    "s = {share:g} % ({source})",
                    share=100 * repeat.share,
                    source=repeat.source,
                ),
            ]
        )
    named = {item.measure for item in persons.job.asset.sensors}
    rows += [
        [say(UNKNOWN), measure_name(name), *[say(UNKNOWN)] * 3]
        for name in persons.work.measures
        if name not in named
    ]
    table = Table(
        kind="table",
        title=say("Sensors as the request states them"),
        caption=say(
            "A calibration error is the same in all readings, so that it does not shrink as "
            "more are averaged; between two sessions with one sensor and firmware it cancels."
        ),
        alt=say("One row a sensor."),
        columns=[
            Column(label=label)
            for label in (
                say("sensor"),
                say("measures"),
                say("model"),
                say("calibration"),
                say("spread between sessions"),
            )
        ],
        rows=rows,
    )
    return Section(title=say("Sensors"), figures=[table])


def _number(text: str | None) -> float | None:
    """A duration from an attribute."""
    return None if text is None else float(text)
