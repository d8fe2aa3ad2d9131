"""The answer of the family `emission`: PASS or FAIL by a rule, and what the hours tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.families.baseline import against_last_value, against_training_mean
from lumipipe.families.emission_hours import (
    FAILED,
    NO_READING,
    OUTSIDE,
    STATES,
    Hours,
    stretch_clusters,
)
from lumipipe.families.emission_metrics import RULED, Monitor, monitor_metrics
from lumipipe.families.emission_sections import average_name, monitor_sections, sensor_rows
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.limit_events import limit_decisions
from lumipipe.families.regression_scores import METRICS as REGRESSION_METRICS
from lumipipe.families.regression_scores import (
    RegressionScores,
    course_section,
    error_metrics,
    interval_coverage,
    regression_split,
    regression_table,
    share_metrics,
)
from lumipipe.families.verdicts import allowed, conclude, undecided_sentence
from lumipipe.language import RULE, many, message, say, term, translated
from lumipipe.reporting.numbers import limit_of, rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity

METRICS = {
    **REGRESSION_METRICS,
    "median_ra": "<=",
    "biased": "<=",
    "valid": ">=",
    "averages_coverage": ">=",
}
"""Metrics that a request may ask something of, and the side on which they are good."""
OUTSIDE_INTERVAL = term("outside its interval")
_WORDS = {
    "supported": message("PASS"),
    "not_supported": message("FAIL"),
    "inconclusive": message("NOT DECIDED"),
}
NO_CERTIFICATION = message("NOT A CERTIFICATION")
"""What is said instead of a verdict by the rule where rows were dealt at random."""


def judge(job: Job, model: Model, leaves: Leaves, found: Regression) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Its arrays.
    leaves : dict of (unit,) to State
        Scored rows.
    found : Regression
        What was fitted.

    Returns
    -------
    Outcome
        The verdict is that of the rule's conditions and those of ``evaluation.metrics``; never
        supported where rows were dealt at random.
    """
    scores = RegressionScores(found, model, leaves)
    monitor = Monitor(Hours(scores))
    _, unit = scores.channel
    thirds = monitor.hours.thirds_of_load()
    third = np.full(len(scores.known["number"]), -1, dtype=np.int64)
    for number, rows in enumerate(thirds.values()):
        third[rows] = number
    coverage = interval_coverage(scores, third, list(thirds))
    ruled = monitor_metrics(monitor)
    metrics = [
        *ruled,
        *share_metrics(job.request, scores, coverage),
        *error_metrics(job.request, scores, unit),
    ]
    verdict = allowed(conclude(metrics), scores.leakage)
    word = rule_word(job, metrics)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(monitor, metrics, word),
        verdict=verdict,
        would_change=_would_change(metrics, word),
        metrics=metrics,
        units=_units(monitor),
        coverage=coverage,
        split=regression_split(job.request, found.folds, term("row")),
        leakage=scores.leakage,
        rules=monitor.limits.citations(monitor.audits),
        counts=_counts(monitor),
        left_out=_left_out(monitor),
        not_answered=_not_answered(monitor, word),
        sections=[*monitor_sections(monitor), course_section(scores, unit, say("tested row"))],
        run=Run(),
    )
    tables = {"rows": _row_table(monitor), "averages": _average_table(monitor)}
    valid = monitor.hours.valid
    return Outcome(
        result,
        tables,
        monitor,
        compared=(
            *against_training_mean(scores, job.seed),
            *against_last_value(scores, job.seed),
        ),
        decisions=limit_decisions([scores], valid, stretch_clusters(len(valid["row"]))),
    )


def rule_word(job: Job, metrics: list[Metric]) -> str:
    """PASS, FAIL or NOT DECIDED by the rule alone; `NO_CERTIFICATION` on a random split."""
    if isinstance(job.request.evaluation.split, RandomSplit):
        return NO_CERTIFICATION
    return _WORDS[conclude([metric for metric in metrics if metric.name in RULED])]


def _answer(monitor: Monitor, metrics: list[Metric], word: str) -> str:
    """The answer in one sentence, with the rule that it rests on."""
    job, limits, audits = monitor.hours.scores.job, monitor.limits, monitor.audits
    named = {metric.name: metric for metric in metrics}
    r, within, median = (named[name] for name in ("r", "audits_within", "median_ra"))
    rule = limits.correlation
    edition = f" ({translated(rule.edition, RULE)})" if rule.edition else ""
    unverified = limits.words(audits)
    return say(
        "{word} by {standard}{edition}{unverified}: {pollutant} predicted from process "
        "data has r {number} where {least_correlation:g} or more is asked, and a median "
        "relative accuracy of {number_2} %; {percent} of {first} audits of {runs} rows "
        "kept their limit where {least_share:.0%} must.{sensor_words}",
        word=say(word),
        standard=translated(rule.standard, RULE),
        edition=edition,
        unverified=unverified,
        pollutant=job.asset.pollutant,
        number=_number(r),
        least_correlation=limits.least_correlation(),
        number_2=_number(median),
        percent=_percent(within),
        first=len(audits.first),
        runs=audits.runs,
        least_share=job.score.least_share,
        sensor_words=_sensor_words(monitor),
    )


def _number(metric: Metric) -> str:
    """A metric with its interval, as the table of key figures prints it."""
    if metric.value is None:
        return say("not known")
    told, lower, upper = rounded_interval(
        metric.value,
        metric.lower,
        metric.upper,
        against=limit_of(metric.condition),
        is_decided=metric.met is not None,
    )
    if metric.lower is None or metric.upper is None:
        return told
    return say("{told} ({lower} to {upper})", told=told, lower=lower, upper=upper)


def _percent(metric: Metric) -> str:
    """A share in percent."""
    return (
        say("an unknown share") if metric.value is None else say("{value:.0%}", value=metric.value)
    )


def _sensor_words(monitor: Monitor) -> str:
    """Sensors that failed, for the answer."""
    failed = sorted(
        (row for row in sensor_rows(monitor) if row.has_failed), key=lambda row: -row.flagged
    )
    if not failed:
        return ""
    named = ", ".join(row.words for row in failed)
    return say(" Failed sensor: {named}; those rows are in no average.", named=named)


def _would_change(metrics: list[Metric], word: str) -> str:
    """What would change the answer."""
    if word == NO_CERTIFICATION:
        return say("A split by period: later hours that the model and its penalty have never seen.")
    if word == "FAIL":
        return say(
            "Hours from the later period among the training rows, or inputs that tell "
            "what changed between the periods; then a test on a period later still."
        )
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    return say(
        "A parallel measurement by a laboratory, on days that nobody has chosen by the result."
    )


def _counts(monitor: Monitor) -> dict[str, int]:
    """What went in."""
    state = monitor.hours.test["state"]
    return {
        many("rows"): len(monitor.hours.all_rows["row"]),
        many("rows tested"): len(state),
        **{name: int((state == number).sum()) for number, name in enumerate(STATES)},
        many("audits"): len(monitor.audits.first),
        many("averages given"): int(monitor.given.sum()),
        many("averages not given"): int((~monitor.given).sum()),
    }


def _left_out(monitor: Monitor) -> list[LeftOut]:
    """Hours that are in no average."""
    state = monitor.hours.test["state"]
    why = {
        FAILED: say(
            "one sensor reads other than the others say; the hours are marked with its name"
        ),
        OUTSIDE: say("the inputs are unlike those that the model has learnt from"),
        NO_READING: say("an input has no reading"),
    }
    found = []
    for number, reason in why.items():
        count = int((state == number).sum())
        if count:
            share = count / len(state)
            found.append(
                LeftOut(
                    what=say("{count} tested rows ({share:.1%})", count=count, share=share),
                    reason=reason,
                )
            )
    return found


def _not_answered(monitor: Monitor, word: str) -> list[NotAnswered]:
    """What the data cannot carry."""
    job = monitor.hours.scores.job
    target, found = job.asset.pollutant, list[NotAnswered]()
    if word == "FAIL":
        found.append(
            NotAnswered(
                question=say(
                    "How much {target} is emitted while the analyser is away?", target=target
                ),
                reason=say(
                    "The model does not pass its audits in the tested period, so its "
                    "averages there are shown as a test, not as a measurement."
                ),
            )
        )
    if word == NO_CERTIFICATION:
        found.append(
            NotAnswered(
                question=say("Would the monitor pass its audits?"),
                reason=say(
                    "Neighbours of the tested rows have taught the model; later hours have not."
                ),
            )
        )
    kept_out = int(np.isin(monitor.hours.test["state"], (FAILED, OUTSIDE, NO_READING)).sum())
    if kept_out:
        found.append(
            NotAnswered(
                question=say(
                    "What was emitted in the {kept_out} hours that do not count?",
                    kept_out=kept_out,
                ),
                reason=say(
                    "The model is not asked there; no substitute value was put in their place."
                ),
            )
        )
    unsure = [row.name for row in sensor_rows(monitor) if not row.is_validated]
    if unsure:
        found.append(
            NotAnswered(
                question=say("Do the sensors {unsure} read right?", unsure=", ".join(unsure)),
                reason=say(
                    "The other inputs tell too little of them to find a fault, or too few "
                    "rows were left out to set a limit."
                ),
            )
        )
    arrays = monitor.hours.scores.model.arrays
    if not np.isfinite([arrays["envelope_t2"], arrays["envelope_spe"]]).all():
        found.append(
            NotAnswered(
                question=say("Which hours lie outside the operating envelope?"),
                reason=say("Too few rows were left out to set its limits; none is called outside."),
            )
        )
    if monitor.reference_u is None:
        found.append(
            NotAnswered(
                question=say("How far may the true emission be from the averages?"),
                reason=say(
                    "The uncertainty that all readings of the reference method share is "
                    "not stated, and no average shrinks it: intervals are for what the "
                    "analyser says."
                ),
            )
        )
    found.append(
        NotAnswered(
            question=say("Is the monitor certified?"),
            reason=say(
                "Audits were drawn from the plant's own records; a certificate needs "
                "parallel measurements and a body that gives it."
            ),
        )
    )
    return found


def _halves(monitor: Monitor) -> NDArray[np.float64]:
    """Half-width of each average's interval, the reference's part included; NaN where none."""
    averages, parts = monitor.averages, monitor.parts
    if parts is None:
        return np.full(len(averages.rows), np.nan)
    half = parts.factor * parts.u(averages.valid, reference=True)
    return np.where(monitor.given & np.isfinite(half), half, np.nan)


def _units(monitor: Monitor) -> list[Unit]:
    """One entry for each average: the one that is furthest off first, those not given last."""
    error = np.nan_to_num(np.abs(monitor.averages.error))
    order = np.argsort(np.where(monitor.given, -error, np.inf), kind="stable")
    halves = _halves(monitor)
    return [_unit(monitor, int(n), float(halves[n])) for n in order]


def _unit(monitor: Monitor, n: int, half: float) -> Unit:
    """The entry of one average; `half` is the half-width of its interval, NaN where none."""
    averages, (_, unit) = monitor.averages, monitor.hours.scores.channel
    verdict, values = term("too few valid rows"), dict[str, Any]()
    if monitor.given[n]:
        value, is_bounded = float(averages.predicted[n]), bool(np.isfinite(half))
        values[term("predicted, {unit}", unit=unit)] = Interval(
            value=value,
            lower=value - half if is_bounded else None,
            upper=value + half if is_bounded else None,
        )
        verdict = term("not compared")
        if averages.paired[n]:
            values[term("measured, {unit}", unit=unit)] = float(averages.measured[n])
            if is_bounded:
                is_inside = abs(averages.error[n]) <= half
                verdict = term("inside its interval") if is_inside else OUTSIDE_INTERVAL
    values[term("valid rows")] = int(averages.valid[n])
    severity: Severity = "bad" if verdict == OUTSIDE_INTERVAL else "neither"
    return Unit(id=average_name(monitor, n), verdict=verdict, severity=severity, values=values)


def _row_table(monitor: Monitor) -> dict[str, NDArray[Any]]:
    """One row a scored row, with its state and the sensor that is suspected."""
    hours = monitor.hours
    inputs = np.array([*hours.scores.regression.inputs, ""], dtype=object)
    suspect = np.where(hours.all_states == FAILED, hours.all_rows["suspect"], len(inputs) - 1)
    return {
        **regression_table(hours.scores),
        "state": np.array(STATES, dtype=object)[hours.all_states],
        "failed_sensor": inputs[suspect],
    }


def _average_table(monitor: Monitor) -> dict[str, NDArray[Any]]:
    """One row an average."""
    averages, half = monitor.averages, _halves(monitor)
    names = np.array([row.id for row in monitor.hours.scores.job.dataset.recordings], dtype=object)
    predicted = np.where(monitor.given, averages.predicted, np.nan)
    return {
        "recording": names[averages.recording],
        "first_row": averages.first_row,
        many("rows"): averages.rows,
        "valid": averages.valid,
        "predicted": predicted,
        "lower": predicted - half,
        "upper": predicted + half,
        "measured": averages.measured,
    }
