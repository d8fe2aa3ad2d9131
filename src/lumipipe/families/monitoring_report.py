"""The answer of the family `monitoring`: false alarms beside detection, contributions, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import SourceSplit, TimeSplit
from lumipipe.config.moments import end_in_words
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.families.monitoring_decisions import against_today, monitoring_decisions
from lumipipe.families.monitoring_scores import (
    CHANGED,
    NOT_DETECTABLE,
    Scored,
    judged_recordings,
    monitoring_metrics,
    row_table,
    unit_of,
)
from lumipipe.families.pages.interface import read_by
from lumipipe.families.roles import CALIBRATE, TEST, TRAIN
from lumipipe.families.row_axis import row_axis
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, message, say, say_count, translated
from lumipipe.reporting.figures.declared import Bars, Chart, Column, Limit, Panel, Span, Table
from lumipipe.reporting.numbers import limit_of, percentage
from lumipipe.reporting.result import (
    LeakageTest,
    Metric,
    NotAnswered,
    Result,
    Run,
    Section,
    Split,
    Unit,
)

if TYPE_CHECKING:
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.row_axis import RowAxis
    from lumipipe.fold import Leaves

_MOST_BARS = 12


_RATES = {
    "false_alarm_rate": message(
        "{value} % of the normal rows raise a false alarm ({lower} % to {upper} %)"
    ),
    "missed_detection_rate": message(
        "{value} % of the rows of known faults are missed ({lower} % to {upper} %)"
    ),
    "alarm_rate": message(
        "{value} % of the rows of which nothing is known are in alarm ({lower} % to {upper} %)"
    ),
}
"""What the answer says of a metric, where it was measured."""


def judge(job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Models and limits of all streams.
    leaves : dict of str to dict of (unit,) to State
        Scores of each stream.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    scored = [
        part
        for stream, found in leaves.items()
        for leaf, state in sorted(found.items())
        for part in judged_recordings(job, stream, leaf[0], state)
    ]
    metrics = [
        judged(metric, job.request.evaluation.metrics) for metric in monitoring_metrics(scored)
    ]
    leakage = _leakage(job, scored)
    tested = [part for part in scored if part.tested.any()]
    units = [unit_of(job, part, scored) for part in tested]
    faults = [unit for unit, part in zip(units, tested, strict=True) if part.event.any()]
    # A monitor that sees none of the known faults supports nothing, however quiet it is.
    is_blind = bool(faults) and all(unit.verdict == NOT_DETECTABLE for unit in faults)
    verdict = "not_supported" if is_blind else conclude(metrics)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(job, units, metrics),
        verdict=allowed(verdict, leakage),
        would_change=_would_change(job, tested, metrics),
        metrics=metrics,
        units=units,
        split=Split(kind=job.request.evaluation.split.kind, sentence=_split_sentence(job)),
        leakage=leakage,
        counts={
            many("recordings"): len(scored),
            many("recordings tested"): len(tested),
            many("rows tested"): int(sum(part.tested.sum() for part in scored)),
            many("values missing"): int(sum(part.rows["missing"].sum() for part in scored)),
        },
        not_answered=_not_answered(scored, units, tested),
        not_answered_reason=say("Every known fault stood out from the false alarms."),
        sections=_sections(job, model, tested),
        run=Run(),
    )
    return Outcome(
        result,
        {"rows": row_table(scored)},
        compared=tuple(against_today(job, scored)),
        decisions=monitoring_decisions(job, model, scored),
    )


def _leakage(job: Job, scored: list[Scored]) -> list[LeakageTest]:
    """Whether a row that is judged has set a model or a limit; streams stand one after another."""
    first_rows, rows = {}, 0
    for name in sorted({part.stream for part in scored}):
        first_rows[name], rows = rows, rows + job.dataset.streams[name].row_count
    units = [row.unit for row in job.dataset.recordings]
    number_of = {name: number for number, name in enumerate(sorted(set(units)))}
    columns: dict[str, list[np.ndarray]] = {}
    for part in scored:
        table = job.dataset.streams[part.stream]
        phase, row = part.rows["phase"], part.rows["row"]
        found = {
            "taught_in": np.where((phase == TRAIN) | (phase == CALIBRATE), 0, -1),
            "judged_by": np.where(phase == TEST, 1, -1),
            "unit": np.full(len(row), number_of[units[part.recording]]),
            "recording": np.full(len(row), part.recording),
            "first_row": first_rows[part.stream] + table.first_row[part.recording] + row,
        }
        for name, column in found.items():
            columns.setdefault(name, []).append(column)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return leakage_tests(Sides(split=job.request.evaluation.split, length=1, **joined))


def _answer(job: Job, units: list[Unit], metrics: list[Metric]) -> str:
    """The answer in one sentence."""
    found = {metric.name: metric for metric in metrics}
    parts = []
    changed = [unit.id for unit in units if unit.verdict == CHANGED]
    if changed:
        names = ", ".join(changed)
        parts.append(
            say("{names} no longer runs as before", names=names)
            if len(changed) == 1
            else say("{names} no longer run as before", names=names)
        )
    parts += [
        say(words, **_in_percent(found[name])) for name, words in _RATES.items() if name in found
    ]
    blind = [unit.id for unit in units if unit.verdict == NOT_DETECTABLE]
    if blind:
        parts.append(
            say_count(
                "one known fault cannot be detected: {names}",
                "{n} known faults cannot be detected: {names}",
                n=len(blind),
                names=", ".join(blind),
            )
        )
    limits = say(
        "{limits} limits at {alpha:.0%} for each statistic",
        limits=translated(job.score.limits),
        alpha=job.train.alpha,
    )
    return say("{parts} (95% intervals; {limits}).", parts="; ".join(parts), limits=limits)


def _in_percent(metric: Metric) -> dict[str, str]:
    """A share and its interval as the table of key figures prints them, in per cent."""
    told = percentage(
        metric.value,
        metric.lower,
        metric.upper,
        against=limit_of(metric.condition),
        is_decided=metric.met is not None,
    )
    return dict(zip(("value", "lower", "upper"), told, strict=True))


def _would_change(job: Job, tested: list[Scored], metrics: list[Metric]) -> str:
    """What would change the answer."""
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    if not any(part.event.any() for part in tested):
        return say("A period with a known fault: without one, nothing is said about detection.")
    if not job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    return say(
        "Normal rows from another operating regime: limits hold for the regime they were set in."
    )


def _split_sentence(job: Job) -> str:
    """The split in words."""
    split = job.request.evaluation.split
    if isinstance(split, TimeSplit):
        if split.dates:
            return _dates_sentence(split)
        if split.train_first_rows is not None:
            return say(
                "The first {count} rows of each recording are normal operation; the rest tests.",
                count=split.train_first_rows,
            )
        return say(
            "The first {seconds:g} s of each recording are normal operation; the rest tests.",
            seconds=split.train_first_s,
        )
    if not isinstance(split, SourceSplit):
        raise TypeError(f"a split by {split.kind} was let through")
    said = {"train": ", ".join(split.train), "calibrate": ", ".join(split.calibrate or ())}
    if split.calibrate:
        return say(
            "Sources {train} are normal operation, {calibrate} set the limits; the other sources "
            "test.",
            **said,
        )
    return say("Sources {train} are normal operation; the other sources test.", **said)


def _dates_sentence(split: TimeSplit) -> str:
    """A split by dates in words."""
    first, *later = [end_in_words(date) for date in split.dates]
    if later:
        return say(
            "Rows up to {first} are normal operation, later ones up to {second} set the limits; "
            "the rest tests.",
            first=first,
            second=later[0],
        )
    return say("Rows up to {first} are normal operation; the rest tests.", first=first)


def _not_answered(
    scored: list[Scored], units: list[Unit], tested: list[Scored]
) -> list[NotAnswered]:
    """Faults that do not stand out, and what was not asked of the data."""
    found = [
        NotAnswered(
            question=say("Would the fault of {id} be seen?", id=unit.id)
            if "detected" in unit.values
            else say("Does {id} still run as before?", id=unit.id),
            reason=unit.sentence,
        )
        for unit in units
        if unit.verdict in {NOT_DETECTABLE, "unclear"}
    ]
    if not any(part.event.any() for part in tested):
        found.append(
            NotAnswered(
                question=say("How many faults would be missed?"),
                reason=say("no fault is known in these data"),
            )
        )
    if not any(part.normal.any() for part in scored):
        found.append(
            NotAnswered(
                question=say("How often is there a false alarm?"),
                reason=say("no tested row is known to be normal"),
            )
        )
    return found


def _sections(job: Job, model: Model, tested: list[Scored]) -> list[Section]:
    """Limits, then a chart and contributions for each recording."""
    shown = sorted(tested, key=lambda part: (part.event.any(), part.name))
    charts = [_chart_section(job, model, part) for part in shown[: job.request.report.most_units]]
    return read_by("engineer", [_limits_section(job, model), *charts])


def _limits_section(job: Job, model: Model) -> Section:
    """Limits of theory, of training rows and of left-out rows, side by side."""
    rows: list[list[Any]] = []
    for stream, facts in model.card["streams"].items():
        for key, one in facts["models"].items():
            for statistic, name in (("t2", "T²"), ("spe", "SPE")):
                limits = one["limits"][statistic]
                rows.append(
                    [
                        stream if key in {stream, "all"} else f"{stream} {key}",
                        name,
                        limits["theoretical"],
                        limits["training"],
                        limits["empirical"],
                        limits["left_out_rows"],
                        100 * limits["above_theoretical"],
                        100 * limits["above_training"],
                    ]
                )
    return Section(
        title=say("Limits"),
        paragraphs=[
            say(
                "Each limit should let {alpha:.0%} of normal rows through. Limits from "
                "the rows that fitted the model are too tight for new rows; the last "
                "columns say what share of left-out normal rows lies above the "
                "theoretical and the training limit. Alarms here use the {limits} limits.",
                alpha=job.train.alpha,
                limits=translated(job.score.limits),
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Control limits by model"),
                caption=say("n/a: too few left-out rows for a limit at this share."),
                alt=say("Theoretical, training and empirical limits of T² and SPE."),
                columns=[
                    Column(label=say("model")),
                    Column(label=say("statistic")),
                    Column(label=say("theoretical")),
                    Column(label=say("training")),
                    Column(label=say("empirical (left-out rows)")),
                    Column(label=say("left-out rows, number")),
                    Column(label=say("above theoretical"), unit="%"),
                    Column(label=say("above training"), unit="%"),
                ],
                rows=rows,
            )
        ],
    )


def _chart_section(job: Job, model: Model, part: Scored) -> Section:
    """T² and SPE over the rows of a recording, and what contributed to its alarms."""
    facts = model.card["streams"][part.stream]["models"][part.key]
    axis = row_axis(job.dataset.streams[part.stream], part.recording)
    panels = []
    for statistic, name in (("t2", "T²"), ("spe", "SPE")):
        limits = [
            Limit(
                value=facts["limits"][statistic][kind],
                label=say("limit"),
                style="theoretical" if kind == "theoretical" else "empirical",
            )
            for kind in ("theoretical", "empirical")
            if facts["limits"][statistic][kind] is not None
        ]
        panels.append(
            Panel(
                y=axis.drawn(part.rows[statistic]),
                y_label=name,
                log_y=True,
                limits=limits,
                alarms=axis.points(np.flatnonzero(part.rows[f"{statistic}_alarm"] & part.tested)),
            )
        )
    chart = Chart(
        kind="chart",
        title=say("T² and SPE of {name}", name=part.name),
        caption=say(
            "Alarms use the {limits} limits; the others are drawn beside them.",
            limits=translated(job.score.limits),
        ),
        alt=_alternative(part, axis),
        x=axis.drawn_x(),
        x_label=axis.label,
        spans=_spans(part, axis),
        panels=panels,
    )
    figures: list[Any] = [chart]
    if int(part.sums["rows"]) and (part.alarm & part.tested).any():
        figures.append(_contributions(model, part))
    return Section(title=part.name, figures=figures)


def _alternative(part: Scored, axis: RowAxis) -> str:
    """The chart in words."""
    alarm = int((part.alarm & part.tested).sum())
    if not axis.extent:
        return say("T² and SPE against the row, {alarm} rows in alarm.", alarm=alarm)
    return say(
        "T² and SPE against time ({extent}); rows in alarm: {alarm}, gaps in time: {gaps}.",
        extent=axis.extent,
        alarm=alarm,
        gaps=len(axis.gaps),
    )


def _spans(part: Scored, axis: RowAxis) -> list[Span]:
    """Stretches of training, calibration and known fault."""
    spans = []
    for label, mask in (
        (say("normal, fits the model"), part.rows["phase"] == 0),
        (say("normal, sets the limits"), part.rows["phase"] == 1),
        (say("known fault"), part.rows["event"]),
    ):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
        for start, stop in edges.reshape(-1, 2):
            first, last = float(axis.x[start]), float(axis.x[stop - 1])
            spans.append(Span(start=first, stop=last, label=label))
    return spans


def _contributions(model: Model, part: Scored) -> Bars:
    """What the channels add to SPE in alarm, with the univariate check beside it."""
    names = model.card["streams"][part.stream]["channels"]
    alarms = max(1, int((part.alarm & part.tested).sum()))
    spe, z2 = part.sums["spe_contribution"] / alarms, part.sums["z2"] / alarms
    top = np.argsort(-spe, kind="stable")[:_MOST_BARS]
    return Bars(
        kind="bars",
        title=say("Channels behind the alarms of {name}", name=part.name),
        caption=say(
            "Left: mean contribution to SPE. Right: root mean square of the channel's own "
            "standardised value; a long left bar with a short right one may be smeared "
            "over from another channel."
        ),
        alt=say("Largest contribution: {names}.", names=names[top[0]]),
        labels=[names[i] for i in top],
        values=[float(spe[i]) for i in top],
        second=[float(np.sqrt(z2[i])) for i in top],
        x_label=say("mean contribution to SPE"),
        second_label=say("own value (rms of z)"),
    )
