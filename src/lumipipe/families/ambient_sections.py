"""What the report of the family `ambient` shows: periods, course, what is missing, class.

The budget is in `lumipipe.families.ambient_budget`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.ambient_budget import slopes_section
from lumipipe.families.ambient_class import objectives
from lumipipe.families.ambient_periods import interval
from lumipipe.families.ambient_watch import words
from lumipipe.families.pages.interface import read_by
from lumipipe.language import message, say
from lumipipe.reporting.figures.declared import (
    Band,
    Chart,
    Column,
    IntervalRow,
    Intervals,
    Limit,
    Panel,
    Span,
    Table,
)
from lumipipe.reporting.result import Section
from lumipipe.rules.tables import citation

if TYPE_CHECKING:
    from lumipipe.families.ambient_periods import Period
    from lumipipe.families.ambient_watch import Watch
    from lumipipe.reporting.parts import Cell

_MOST_POINTS = 400  # of a chart
_ENDS = "\u00a0[{low},\u00a0{high}]"
_HOUR_S, _DAY_S = 3600.0, 86_400.0


def all_sections(watch: Watch) -> list[Section]:
    """The sections of the report, in their order."""
    return [
        *read_by("authority", [_periods_section(watch)]),
        _course_section(watch),
        *read_by("authority", [_missing_section(watch)]),
        *read_by("metrologist", [slopes_section(watch)]),
        *read_by("authority", [_class_section(watch)]),
        *read_by("metrologist", [_equation_section(watch)]),
    ]


def _periods_section(watch: Watch) -> Section:
    """Bias by period with the band, and all numbers of the periods."""
    job = watch.job
    rule = say(
        "A calibration has expired when the whole interval of a period is outside what is "
        "accepted, or when the value has been outside in two periods running."
    )
    how = say(
        "Intervals (95%) leave out blocks of {block_s:.3g} days in turn, since "
        "neighbouring rows hang together: the bias is known no better than from the "
        "number of independent pairs that is told. The calibration stands first, each "
        "block of it judged by the fit without it.",
        block_s=job.score.block_s / _DAY_S,
    )
    paragraphs = [rule, how]
    if watch.expiry is not None:
        places = [p for p in watch.tested if p.number > watch.expiry.found.number]
        back = [
            watch.name(p)
            for p in places
            if abs(watch.expiry.band.of(p).value) <= watch.expiry.band.edge
        ]
        if back:
            paragraphs.append(
                say(
                    "After the expiry the value lies within again in {back} of {places} "
                    "periods ({back_2}). That does not renew the calibration: nobody knows "
                    "beforehand for how long.",
                    back=len(back),
                    places=len(places),
                    back_2=", ".join(back[:4]),
                )
            )
    return Section(
        title=say("Bias and spread by period"),
        paragraphs=paragraphs,
        figures=[_bias_figure(watch), _errors_table(watch), _capture_table(watch)],
    )


def _bias_figure(watch: Watch) -> Intervals:
    """The first band's statistic by period."""
    band = watch.bands[0]
    lowest = -band.edge if band.name == "largest_bias" else 0.0
    rows = []
    for period in watch.tested:
        found = band.of(period)
        value = float(found.value) if np.isfinite(found.value) else None
        ends = (found.lower, found.upper) if found.is_known else (None, None)
        rows.append(
            IntervalRow(
                label=watch.name(period),
                value=value,
                lower=ends[0],
                upper=ends[1],
                count=period.pairs,
            )
        )
    return Intervals(
        kind="intervals",
        title=say("{upper}{noun} by period", upper=band.noun[0].upper(), noun=band.noun[1:]),
        caption=say("Calibrated less reference, with 95% intervals; n is the number of pairs.")
        if band.name == "largest_bias"
        else say("With 95% intervals; n is the number of pairs."),
        alt=say(
            "{rows} periods with intervals against the accepted {edge:g}.",
            rows=len(rows),
            edge=band.edge,
        ),
        rows=rows,
        band=Band(lower=lowest, upper=band.edge, label=say("accepted")),
        x_label=band.label,
    )


def _errors_table(watch: Watch) -> Table:
    """Errors of the periods, the calibration first."""
    covered = {group.name: group.achieved for group in watch.coverage.groups}
    level = watch.job.score.level
    return Table(
        kind="table",
        title=say("Errors by period"),
        caption=say(
            "A row without a reading of the reference or of the sensor is in none of them."
        ),
        alt=say("Bias, spread and coverage of each period."),
        columns=[
            Column(label=say("period from")),
            Column(label=say("pairs")),
            Column(label=say("bias"), unit=watch.unit),
            Column(label=say("spread"), unit=watch.unit),
            *(
                [
                    Column(
                        label=say("U (k = 2) at {level:g} {unit}", level=level, unit=watch.unit),
                        unit="%",
                    )
                ]
                if level
                else []
            ),
            Column(
                label=say("in the {nominal:.0%} interval", nominal=watch.coverage.nominal), unit="%"
            ),
        ],
        rows=[_errors_row(watch, period, covered) for period in watch.periods],
    )


def _errors_row(watch: Watch, period: Period, covered: dict[str, float | None]) -> list[Cell]:
    """One row of the table of errors."""
    share = covered.get(watch.name(period)) if period.number else None
    return [
        _called(watch, period),
        period.pairs,
        words(period.bias, between=_ENDS),
        words(period.spread, between=_ENDS),
        *([interval(period.relative, 100.0)] if watch.job.score.level else []),
        None if share is None else round(100 * share, 1),
    ]


def _capture_table(watch: Watch) -> Table:
    """What was there in each period, and under which conditions."""
    return Table(
        kind="table",
        title=say("Data capture by period"),
        caption=say(
            "Shares of the rows that the rate lets expect; nothing was filled in. "
            "Outside: share of the pairs whose inputs are unlike those of the calibration "
            "(T² or SPE)."
        ),
        alt=say("Data capture of reference and sensor in each period."),
        columns=[
            Column(label=say("period from")),
            Column(label=say("reference"), unit="%"),
            Column(label=say("sensor"), unit="%"),
            Column(label=say("outside"), unit="%"),
            Column(label=say("bias inside"), unit=watch.unit),
            Column(label=say("independent pairs")),
        ],
        rows=[
            [
                _called(watch, period),
                _percent(period.reference, period.expected),
                _percent(period.sensor, period.expected),
                _known(round(100 * period.outside, 1)),
                _known(round(period.bias_inside, 3)),
                int(period.effective) if np.isfinite(period.effective) else None,
            ]
            for period in watch.periods
        ],
    )


def _called(watch: Watch, period: Period) -> str:
    """The name of a period, and which is the calibration."""
    return watch.name(period) + (say(" (calibration)") if period.number == 0 else "")


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _percent(got: int, expected: int) -> float | None:
    return round(min(100.0, 100 * got / expected), 1) if expected else None


def _course_section(watch: Watch) -> Section:
    """The error along the record, in means of equal spans of time."""
    clock, rows = watch.clock, watch.scores.all_rows
    length = clock.stop_s - clock.start_s
    width = clock.step_s * max(1, np.ceil(length / clock.step_s / _MOST_POINTS))
    known = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
    number = np.floor((rows["time"][known] - clock.start_s) / width).astype(np.int64)
    bins = int(np.ceil(length / width))
    count = np.bincount(number, minlength=bins)
    error = (rows["prediction"] - rows["truth"])[known]
    total = np.bincount(number, error, minlength=bins)
    y = [float(t / n) if n else None for t, n in zip(total, count, strict=True)]
    score, limits = watch.job.score, []
    if score.largest_bias is not None:
        limits = [
            Limit(
                value=sign * score.largest_bias, label=say("accepted of a period"), style="declared"
            )
            for sign in (1.0, -1.0)
        ]
    spans = [_span(watch, clock.start_s, clock.calibrated_s, say("calibration"))]
    if watch.expiry is not None:
        spans.append(_span(watch, watch.expiry.since.start_s, clock.stop_s, say("expired")))
    span_words = (
        say("{width:.3g} h", width=width / _HOUR_S)
        if width >= _HOUR_S
        else say("{width:.3g} s", width=width)
    )
    return Section(
        title=say("Sensor against reference"),
        figures=[
            Chart(
                kind="chart",
                title=say("Calibrated less reference along the record"),
                caption=say(
                    "Means of {span_words}; a gap where no pair was measured. In the "
                    "calibration, each block is judged by the fit without it.",
                    span_words=span_words,
                ),
                alt=say(
                    "Error of the calibrated sensor from the calibration to the end of the record."
                ),
                x=((np.arange(bins) + 0.5) * width / _DAY_S).tolist(),
                x_label=say("days since {moment}", moment=clock.moment(clock.start_s))
                if clock.is_dated
                else say("days since the start"),
                spans=spans,
                panels=[Panel(y=y, y_label=say("error, {unit}", unit=watch.unit), limits=limits)],
            )
        ],
    )


def _span(watch: Watch, start_s: float, stop_s: float, label: str) -> Span:
    """A stretch of the record, in days."""
    first = watch.clock.start_s
    return Span(start=(start_s - first) / _DAY_S, stop=(stop_s - first) / _DAY_S, label=label)


def _missing_section(watch: Watch) -> Section:
    """Counts and shares of what is missing."""
    return Section(
        title=say("What is missing"),
        paragraphs=[
            say(
                "Counted in the rows of the file; a row counts as missing where the file "
                "has no number or one that the request declares to mean no reading."
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Readings that are missing"),
                caption=say("None was filled in."),
                alt=say("Missing readings of each channel."),
                columns=[
                    Column(label=say("channel")),
                    Column(label=say("what it is")),
                    Column(label=say("missing")),
                    Column(label=say("rows")),
                    Column(label=say("share"), unit="%"),
                ],
                rows=[
                    [gap.channel, gap.part, gap.missing, gap.rows, round(100 * gap.share, 1)]
                    for gap in watch.gaps
                ],
            )
        ],
    )


def _class_section(watch: Watch) -> Section:
    """The objectives of a class, as far as their numbers are entered."""
    level = watch.job.score.level
    rows: list[list[Any]] = []
    for one in objectives(watch):
        unit = "" if one.rule.unit == "1" else one.rule.unit
        found = words(one.found, unit) if one.found is not None else say("not told")
        rows.append([citation(one.rule), found, one.statement])
    return Section(
        title=say("Class of the sensor"),
        paragraphs=[
            say(
                "What was found is that of the worst period after the calibration, at {level:g} "
                "{unit}. One field record is not a test for a class, which asks for more than "
                "these data.",
                level=level,
                unit=watch.unit,
            )
            if level
            else say(
                "What was found is that of the worst period after the calibration; no level was "
                "stated (score.level). One field record is not a test for a class, which asks for "
                "more than these data."
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Objectives of a class"),
                caption=say("A limit without a number in the table is not recalled from memory."),
                alt=say("Rules with what was found."),
                columns=[
                    Column(label=say("rule")),
                    Column(label=say("found")),
                    Column(label=say("statement")),
                ],
                rows=rows,
            )
        ],
    )


def _equation_section(watch: Watch) -> Section:
    """The calibration as an equation."""
    model, regression = watch.scores.model, watch.scores.regression
    coef = model.arrays["final_coef"][:, 0]
    constant = float(model.arrays["final_mean_y"][0] - coef @ model.arrays["final_mean_x"])
    channels = {channel.name: channel.unit for channel in regression.stream.channels}
    logs = watch.job.train.log
    forms = {
        True: message("{name}: (log reading \u2212 {centre:g}) / {scale:g}"),
        False: message("{name}: (reading \u2212 {centre:g}) / {scale:g}"),
    }
    scales = "; ".join(
        say(forms[name in logs], name=name, centre=centre, scale=scale)
        + (f" {channels[name]}" if channels[name] != "1" and name not in logs else "")
        for name, (centre, scale) in regression.scales.items()
    )
    terms = [["1", constant], *zip(model.card["features"], coef.tolist(), strict=True)]
    return Section(
        title=say("The calibration"),
        paragraphs=[
            say(
                "{targets} in {unit} is the sum of the terms. Scaled readings are "
                "{scales}. Ridge penalty {final_choice:g}, chosen on blocks of the "
                "calibration that were left out.",
                targets=regression.targets[0],
                unit=watch.unit,
                scales=scales,
                final_choice=float(model.arrays["final_choice"]),
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Terms"),
                caption=say("Coefficients of scaled readings."),
                alt=say("Terms of the calibration with their coefficients."),
                columns=[
                    Column(label=say("term")),
                    Column(label=say("coefficient"), unit=watch.unit),
                ],
                rows=[list(term) for term in terms],
            )
        ],
    )
