"""The engineer's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.pages.cases import cases_of
from lumipipe.families.pages.contributions import contribution_section, leading_indicators
from lumipipe.families.pages.interface import Teller, Told, not_here
from lumipipe.families.pages.push_sections import pushes_told
from lumipipe.families.pages.rates import rates_told
from lumipipe.families.pages.regimes import regimes_told
from lumipipe.families.pages.streams import stream_of
from lumipipe.families.pages.traces import example_sections
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section
from lumipipe.reporting.shown import shown_condition

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject


_MOST_LEADING, _PERCENT = 3, 100.0


def _examples(subject: Subject) -> Told:
    """Raw readings around a hit, a miss and a false alarm."""
    cases = cases_of(subject)
    if cases is None:
        return not_here(
            say(
                "no event is known to it, so nothing can be hit or missed; what was read is in the "
                "tables."
            )
        )
    sections, sentences = example_sections(subject, cases)
    return Told(" ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences), sections)


def _contributions(subject: Subject) -> Told:
    """Channels behind alarms."""
    family = subject.job.request.question.family
    if family == "monitoring":
        return Told(
            say(
                "Contributions to SPE stand beside the channel's own value with the chart of each "
                "recording; examples show the leading channel first."
            )
        )
    if family == "bearing":
        return _of_bearing(subject)
    if family == "remaining_life":
        return _of_indicators(subject)
    if family in {"soft_sensor", "recipe"}:
        return _of_rows(subject)
    if "windows" in subject.outcome.tables:
        return pushes_told(subject)
    return not_here(say("it gives no alarm."))


def _of_indicators(subject: Subject) -> Told:
    """Indicators of wear that rank highest."""
    names = leading_indicators(subject)[:_MOST_LEADING]
    if not names:
        return not_here(say("no indicator of wear is ranked, and it gives no alarm."))
    return Told(
        say(
            "The indicators of wear are ranked one by one; first of them: {names}.",
            names=", ".join(names),
        )
    )


def _of_bearing(subject: Subject) -> Told:
    """The channel that is looked at, and the channels of the classifier where there is one."""
    text = say(
        "One channel is looked at: {channel}. What speaks for a fault are its lines; the "
        "scores of all lines stand side by side.",
        channel=subject.job.train.channel,
    )
    if "windows" not in subject.outcome.tables:
        return Told(text)
    told = pushes_told(subject)
    if not told.is_answered:
        return Told(text)
    classifier = say("Of the classifier: {pushes}", pushes=told.sentence)
    return Told(f"{text} {classifier}", told.sections)


def _of_rows(subject: Subject) -> Told:
    """Channels behind rows outside the operating envelope."""
    rows = subject.outcome.tables["rows"]
    names = [row.id for row in subject.job.dataset.recordings]
    out = (rows["phase"] == "test") & ~rows["inside_envelope"].astype(bool)
    if not out.any():
        return Told(say("No tested row lies outside the operating envelope, so no channel leads."))
    recording = np.array([names.index(str(name)) for name in rows["recording"][out]])
    table = stream_of(subject, int(recording[0]))
    section = contribution_section(subject, table, recording, np.asarray(rows["row"][out]))
    if section is None:
        return not_here(
            say(
                "rows outside are told by the envelope of the latent variables, which lays no "
                "share to one channel."
            )
        )
    return Told(
        say(
            "{count} tested rows lie outside; the channels behind them are drawn.", count=out.sum()
        ),
        [section],
    )


def _frequencies(subject: Subject) -> Told:
    """Expected and found frequencies of bearing faults, with the tolerance."""
    if subject.job.request.question.family != "bearing":
        return not_here(say("it expects no fault frequencies."))
    rows, score = subject.outcome.tables["diagnoses"], subject.job.score
    lines = [n.removeprefix("expected_hz_") for n in rows if n.startswith("expected_hz_")]
    found: list[list[Any]] = []
    for n, name in enumerate(rows["recording"]):
        best = max(lines, key=lambda line: np.nan_to_num(float(rows[f"score_{line}"][n]), nan=-1.0))
        expected = float(rows[f"expected_hz_{best}"][n])
        got = float(rows[f"found_hz_{best}"][n])
        if not np.isfinite([expected, got]).all():
            continue
        half = score.tolerance * expected + 1.0 / subject.job.train.segment_s
        # a line lies somewhere between those beside it
        step = _PERCENT * 0.5 / subject.job.train.segment_s / expected
        off = _PERCENT * (got / expected - 1.0)
        found.append(
            [
                name,
                best,
                Interval(value=expected, lower=expected - half, upper=expected + half),
                got,
                Interval(value=off, lower=off - step, upper=off + step),
            ]
        )
    table = Table(
        kind="table",
        title=say("Frequencies of the line that stands out most"),
        caption=say(
            "Brackets: where a line may be found, for slip and speed ({tolerance:.1%} of the "
            "frequency) and one line of the spectrum beside; behind the difference, what the "
            "distance of two lines leaves open. The line that stands out most is no verdict.",
            tolerance=score.tolerance,
        ),
        alt=say("One row a recording."),
        columns=[
            Column(label=say("recording")),
            Column(label=say("line")),
            Column(label=say("expected"), unit="Hz"),
            Column(label=say("found"), unit="Hz"),
            Column(label=say("off"), unit="%"),
        ],
        rows=found,
    )
    return Told(
        say(
            "Lines are looked for within {tolerance:.1%} of the frequency that the geometry gives.",
            tolerance=score.tolerance,
        ),
        [Section(title=say("Expected and found fault frequencies"), figures=[table])],
    )


def _limits(subject: Subject) -> Told:
    """Rules that were applied, or that the limits are from these data."""
    if subject.result.rules:
        return Told(" ".join(f"{rule}." for rule in subject.result.rules))
    family = subject.job.request.question.family
    if family == "monitoring":
        return Told(
            say(
                "No limit of a standard is used. Limits are {limits} ones, set from these data so "
                "that {alpha:.2%} of normal rows lie beyond each; nobody else has checked them.",
                limits=say(subject.job.score.limits),
                alpha=subject.job.train.alpha,
            )
        )
    if family == "bearing":
        return Told(
            say(
                "No limit of a standard is used. The request sets that a fault may be named from a "
                "score of {fault:g} on and that none is stated above {quiet:g}; nobody else has "
                "checked them.",
                fault=subject.job.score.fault_above,
                quiet=subject.job.score.quiet_below,
            )
        )
    conditions = ", ".join(
        f"{name} {shown_condition(condition)}"
        for name, condition in subject.job.request.evaluation.metrics.items()
    )
    return Told(
        say(
            "No limit of a standard is used. The request's own conditions are: {conditions}; "
            "nobody else has checked them.",
            conditions=conditions or say("none"),
        )
    )


def _handback(subject: Subject) -> Told:
    """Tables with their columns."""
    rows: list[list[Any]] = []
    for name, columns in subject.outcome.tables.items():
        count = len(next(iter(columns.values()))) if columns else 0
        rows.append([f"tables/{name}.parquet", count, "; ".join(columns)])
    table = Table(
        kind="table",
        title=say("Tables to hand back"),
        caption=say("Parquet files beside this report; the key is recording and row, or unit."),
        alt=say("One row a table."),
        columns=[
            Column(label=say("file")),
            Column(label=say("rows")),
            Column(label=say("columns")),
        ],
        rows=rows,
    )
    names = ", ".join(str(row[0]) for row in rows)
    return Told(
        say("{names}, beside this report.", names=names),
        [Section(title=say("Tables to hand back"), figures=[table])],
    )


def _rerun(subject: Subject) -> Told:
    """Command lines; `lumipipe.tasks.again` says those of a crate, which is made later."""
    del subject
    return Told(
        say(
            "With the data where the request names them: lumipipe run request.yaml --out FOLDER. "
            "Whether all files here are whole: lumipipe info FOLDER. Equal data, request and "
            "versions give equal bytes; versions and digests stand in the run record below."
        )
    )


ENGINEER: dict[str, Teller] = {
    "examples": _examples,
    "rates": rates_told,
    "contributions": _contributions,
    "frequencies": _frequencies,
    "regimes": regimes_told,
    "limits": _limits,
    "handback": _handback,
    "rerun": _rerun,
}
"""What tells each item of the page."""
