"""What an authority is told of a predictive emission monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.families.emission_averages import average, learn_parts
from lumipipe.families.emission_hours import STATES
from lumipipe.families.emission_sections import sensor_rows
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.pages.authority_words import metric_words, nothing_filled
from lumipipe.families.pages.interface import Teller, Told, not_stated
from lumipipe.language import say, translated
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.result import Section
from lumipipe.rules.tables import NOT_VERIFIED, citation

if TYPE_CHECKING:
    from lumipipe.families.emission_metrics import Monitor
    from lumipipe.families.pages.interface import Subject
    from lumipipe.rules.tables import Rule

INTERVAL = "95 % interval as a share of the daily limit"
"""Quantity of the rows that say how wide a 95 % interval may be."""
_COVERAGE, _STRETCHES = 0.95, 4
_NOT_STATED = "not stated"


def _installation(subject: Subject) -> Told:
    """What emits, and where it is measured."""
    asset = subject.job.asset
    if asset.emission_point == _NOT_STATED:
        told = not_stated(say("Emission point"), "asset.emission_point")
        return Told(f"{asset.installation}. {told.sentence}")
    return Told(
        say(
            "{installation}; emission point {point}.",
            installation=asset.installation,
            point=asset.emission_point,
        )
    )


def _parameter(subject: Subject) -> Told:
    """Pollutant, reference conditions, averaging."""
    asset, averages = subject.job.asset, subject.job.score.averages
    over = (
        say("{rows} rows", rows=averages.rows)
        if averages.rows is not None
        else say("{hours:g} h", hours=averages.hours)
    )
    text = say(
        "{pollutant}, averaged over {over} where {least:.0%} of the rows are valid.",
        pollutant=asset.pollutant,
        over=over,
        least=averages.least_capture,
    )
    if asset.reference_conditions.startswith(_NOT_STATED):
        told = not_stated(say("Reference conditions"), "asset.reference_conditions")
        return Told(f"{text} {told.sentence}")
    more = say("Reference conditions: {conditions}.", conditions=asset.reference_conditions)
    return Told(f"{text} {more}")


def _shares(monitor: Monitor) -> dict[str, float]:
    """Share of the tested rows in each state."""
    state = monitor.hours.test["state"]
    return {name: float(np.mean(state == n)) for n, name in enumerate(STATES)}


def _envelope(subject: Subject) -> Told:
    """Shares of the tested rows."""
    shares = _shares(subject.facts)
    told = ", ".join(
        say("{name} {share:.1%}", name=translated(name), share=share)
        for name, share in shares.items()
    )
    return Told(
        say(
            "Of the tested rows: {told}. Averages, audits, r and intervals are of valid rows "
            "alone; what lies outside the envelope is in none of them.",
            told=told,
        )
    )


def _validation(subject: Subject) -> Told:
    """Sensors that failed, and those that nobody can validate."""
    rows = sensor_rows(subject.facts)
    failed = [row.words for row in rows if row.has_failed]
    unsure = [row.name for row in rows if not row.is_validated]
    text = (
        say("Failed: {names}.", names=", ".join(failed))
        if failed
        else say("No sensor failed by the others' word.")
    )
    if unsure:
        text += " " + say(
            "Not validated, since the others tell too little of them: {names}.",
            names=", ".join(unsure),
        )
    return Told(text)


def _parallel(subject: Subject) -> Told:
    """What stands in their place here."""
    reference = subject.job.asset.reference
    return Told(
        say(
            "Compared here is with {method} (laboratory {laboratory}), in the plant's own records.",
            method=reference.method,
            laboratory=translated(reference.laboratory, among=(NOT_STATED,)),
        )
    )


def _statistics(subject: Subject) -> Told:
    """Figures of the audits, with the rule that they rest on."""
    named = {metric.name: metric for metric in subject.result.metrics}
    wanted = ("median_ra", "biased", "bias_factor", "f_within", "r")
    words = [metric_words(named[name]) for name in wanted if name in named]
    text = "; ".join(words) + "."
    if isinstance(subject.job.request.evaluation.split, RandomSplit):
        text += " " + say(
            "Rows were dealt at random, so that neighbours of the tested rows have taught the "
            "model: these figures are none of an audit, and certify nothing."
        )
    return Told(text)


def _capture(subject: Subject) -> Told:
    """Valid rows, averages that were not given, and that nothing was filled in."""
    monitor = subject.facts
    given = int(monitor.given.sum())
    return Told(
        say(
            "{valid:.1%} of the tested rows are valid; {given} averages are given and {not_given} "
            "are not, for want of valid rows.",
            valid=_shares(monitor)[STATES[0]],
            given=given,
            not_given=len(monitor.given) - given,
        )
        + " "
        + nothing_filled()
    )


def half_width_95(monitor: Monitor) -> float | None:
    """Half-width of the 95 % interval of an average; None where too few averages were left out."""
    job, rows = monitor.hours.scores.job, monitor.hours.left_out
    if monitor.parts is None:
        return None
    parts = learn_parts(
        average(rows, monitor.average_rows),
        rows,
        _COVERAGE,
        monitor.reference_u,
        job.score.averages.least_capture,
    )
    if parts is None:
        return None
    half = float(parts.factor * parts.u(monitor.average_rows, reference=True)[0])
    return half if np.isfinite(half) else None


def allowed_rule(subject: Subject) -> Rule | None:
    """The row of the table that says how wide the interval of the pollutant may be."""
    limit, table = subject.job.asset.limit, subject.job.rules
    if limit is None or limit.pollutant is None or table is None:
        return None
    found = [row for row in table.rows if row.quantity == INTERVAL and row.group == limit.pollutant]
    return found[0] if found else None


def _interval(subject: Subject) -> Told:
    """Half-width at 95 % beside the share of the limit that a rule allows."""
    monitor, limit = subject.facts, subject.job.asset.limit
    unit = monitor.hours.scores.channel[1]
    half = half_width_95(monitor)
    text = (
        say("Too few averages were left out to tell their 95 % interval.")
        if half is None
        else say(
            "95 % interval of an average: ± {half:.2g} {unit}{without}.",
            half=half,
            unit=unit,
            without=""
            if monitor.reference_u is not None
            else say(", without what the reference's readings share, which is not stated"),
        )
    )
    if limit is None:
        told = not_stated(say("The limit that it would be a share of"), "asset.limit")
        return Told(f"{text} {told.sentence}")
    if half is not None:
        text += " " + say("That is {share:.1%} of the limit.", share=half / limit.value)
    rule = allowed_rule(subject)
    if rule is None:
        more = say(
            "The table of rules has no row for this pollutant, so nothing is said of what is "
            "allowed ({words}).",
            words=say(NOT_VERIFIED),
        )
        return Told(f"{text} {more}")
    return Told(f"{text} " + say("Allowed: {citation}.", citation=citation(rule)))


def _drift(subject: Subject) -> Told:
    """Errors of the valid rows along the tested period."""
    rows, (name, unit) = subject.facts.hours.valid, subject.facts.hours.scores.channel
    error = rows["truth"] - rows["prediction"]
    known = np.isfinite(error)
    if known.sum() < _STRETCHES:
        return Told(say("Too few valid rows to see a drift."), is_answered=False)
    parts = np.array_split(np.flatnonzero(known), _STRETCHES)
    ids = [row.id for row in subject.job.dataset.recordings]
    found: list[list[Any]] = [
        [
            say(
                "{recording} row {row}",
                recording=ids[int(rows["recording"][part[0]])],
                row=int(rows["row"][part[0]]),
            ),
            len(part),
            float(f"{error[part].mean():.2g}"),
            float(f"{error[part].std():.2g}"),
        ]
        for part in parts
    ]
    table = Table(
        kind="table",
        title=say("Measured less predicted {name} along the tested rows", name=name),
        caption=say(
            "Quarters of the valid rows. Neighbouring rows hang together, so that the spread over "
            "the root of their number is not the uncertainty of a mean."
        ),
        alt=say("One row a quarter."),
        columns=[
            Column(label=say("from")),
            Column(label=say("valid rows")),
            Column(label=say("mean"), unit=unit),
            Column(label=say("spread"), unit=unit),
        ],
        rows=found,
    )
    return Told(
        say(
            "Measured less predicted goes from {first} {unit} in the first quarter of the valid "
            "rows to {last} {unit} in the last.",
            first=rounded(found[0][2]),
            last=rounded(found[-1][2]),
            unit=unit,
        ),
        [Section(title=say("Drift along the tested rows"), figures=[table])],
    )


TOLD: dict[str, Teller] = {
    "installation": _installation,
    "parameter": _parameter,
    "envelope": _envelope,
    "validation": _validation,
    "parallel": _parallel,
    "statistics": _statistics,
    "capture": _capture,
    "interval": _interval,
    "drift": _drift,
}
"""What the family itself tells."""
