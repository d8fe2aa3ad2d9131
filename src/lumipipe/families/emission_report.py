"""The answer of the family `emission`: PASS or FAIL by a rule, and what the hours tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.families.emission_hours import FAILED, NO_READING, OUTSIDE, STATES, Hours
from lumipipe.families.emission_metrics import RULED, Monitor, monitor_metrics
from lumipipe.families.emission_sections import average_name, monitor_sections, sensor_rows
from lumipipe.families.interface import Outcome, asked
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
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves

METRICS = {
    **REGRESSION_METRICS,
    "median_ra": "<=",
    "biased": "<=",
    "valid": ">=",
    "averages_coverage": ">=",
}
"""Metrics that a request may ask something of, and the side on which they are good."""
_WORDS = {"supported": "PASS", "not_supported": "FAIL", "inconclusive": "NOT DECIDED"}
NO_CERTIFICATION = "NOT A CERTIFICATION"
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
        split=regression_split(job.request, found.folds, "row"),
        leakage=scores.leakage,
        rules=monitor.limits.citations(monitor.audits),
        counts=_counts(monitor),
        left_out=_left_out(monitor),
        not_answered=_not_answered(monitor, word),
        sections=[*monitor_sections(monitor), course_section(scores, unit, "tested row")],
        run=Run(),
    )
    return Outcome(result, {"rows": _row_table(monitor), "averages": _average_table(monitor)})


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
    edition = f" ({rule.edition})" if rule.edition else ""
    unverified = limits.words(audits)
    return (
        f"{word} by {rule.standard}{edition}{unverified}: {job.asset.pollutant} predicted from "
        f"process data has r {_number(r, 3)} where {limits.least_correlation():g} or more is "
        f"asked, and a median relative accuracy of {_number(median, 1)} %; {_percent(within)} of "
        f"{len(audits.first)} audits of {audits.runs} rows kept their limit where "
        f"{job.score.least_share:.0%} must.{_sensor_words(monitor)}"
    )


def _number(metric: Metric, digits: int) -> str:
    """A metric with its interval."""
    if metric.value is None:
        return "not known"
    told = f"{metric.value:.{digits}f}"
    if metric.lower is None or metric.upper is None:
        return told
    return f"{told} ({metric.lower:.{digits}f} to {metric.upper:.{digits}f})"


def _percent(metric: Metric) -> str:
    """A share in percent."""
    return "an unknown share" if metric.value is None else f"{metric.value:.0%}"


def _sensor_words(monitor: Monitor) -> str:
    """Sensors that failed, for the answer."""
    failed = sorted(
        (row for row in sensor_rows(monitor) if row.has_failed), key=lambda row: -row.flagged
    )
    if not failed:
        return ""
    named = ", ".join(row.words for row in failed)
    return f" Failed sensor: {named}; those rows are in no average."


def _would_change(metrics: list[Metric], word: str) -> str:
    """What would change the answer."""
    if word == NO_CERTIFICATION:
        return "A split by period: later hours that the model and its penalty have never seen."
    if word == "FAIL":
        return (
            "Hours from the later period among the training rows, or inputs that tell what changed "
            "between the periods; then a test on a period later still."
        )
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    return "A parallel measurement by a laboratory, on days that nobody has chosen by the result."


def _counts(monitor: Monitor) -> dict[str, int]:
    """What went in."""
    state = monitor.hours.test["state"]
    return {
        "rows": len(monitor.hours.all_rows["row"]),
        "rows tested": len(state),
        **{name: int((state == number).sum()) for number, name in enumerate(STATES)},
        "audits": len(monitor.audits.first),
        "averages given": int(monitor.given.sum()),
        "averages not given": int((~monitor.given).sum()),
    }


def _left_out(monitor: Monitor) -> list[LeftOut]:
    """Hours that are in no average."""
    state = monitor.hours.test["state"]
    why = {
        FAILED: "one sensor reads other than the others say; the hours are marked with its name",
        OUTSIDE: "the inputs are unlike those that the model has learnt from",
        NO_READING: "an input has no reading",
    }
    found = []
    for number, reason in why.items():
        count = int((state == number).sum())
        if count:
            share = count / len(state)
            found.append(LeftOut(what=f"{count} tested rows ({share:.1%})", reason=reason))
    return found


def _not_answered(monitor: Monitor, word: str) -> list[NotAnswered]:
    """What the data cannot carry."""
    job = monitor.hours.scores.job
    target, found = job.asset.pollutant, list[NotAnswered]()
    if word == "FAIL":
        found.append(
            NotAnswered(
                question=f"How much {target} is emitted while the analyser is away?",
                reason=(
                    "The model does not pass its audits in the tested period, so its averages "
                    "there are shown as a test, not as a measurement."
                ),
            )
        )
    if word == NO_CERTIFICATION:
        found.append(
            NotAnswered(
                question="Would the monitor pass its audits?",
                reason="Neighbours of the tested rows have taught the model; later hours have not.",
            )
        )
    kept_out = int(np.isin(monitor.hours.test["state"], (FAILED, OUTSIDE, NO_READING)).sum())
    if kept_out:
        found.append(
            NotAnswered(
                question=f"What was emitted in the {kept_out} hours that do not count?",
                reason="The model is not asked there; no substitute value was put in their place.",
            )
        )
    unsure = [row.name for row in sensor_rows(monitor) if not row.is_validated]
    if unsure:
        found.append(
            NotAnswered(
                question=f"Do the sensors {', '.join(unsure)} read right?",
                reason=(
                    "The other inputs tell too little of them to find a fault, or too few rows "
                    "were left out to set a limit."
                ),
            )
        )
    arrays = monitor.hours.scores.model.arrays
    if not np.isfinite([arrays["envelope_t2"], arrays["envelope_spe"]]).all():
        found.append(
            NotAnswered(
                question="Which hours lie outside the operating envelope?",
                reason="Too few rows were left out to set its limits; none is called outside.",
            )
        )
    if job.asset.reference.u is None:
        found.append(
            NotAnswered(
                question="How far may the true emission be from the averages?",
                reason=(
                    "The uncertainty that all readings of the reference method share is not "
                    "stated, and no average shrinks it: intervals are for what the analyser says."
                ),
            )
        )
    found.append(
        NotAnswered(
            question="Is the monitor certified?",
            reason=(
                "Audits were drawn from the plant's own records; a certificate needs parallel "
                "measurements and a body that gives it."
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
    verdict, values = "too few valid rows", dict[str, Any]()
    if monitor.given[n]:
        value, is_bounded = float(averages.predicted[n]), bool(np.isfinite(half))
        values[f"predicted, {unit}"] = Interval(
            value=value,
            lower=value - half if is_bounded else None,
            upper=value + half if is_bounded else None,
        )
        verdict = "not compared"
        if averages.paired[n]:
            values[f"measured, {unit}"] = float(averages.measured[n])
            if is_bounded:
                is_inside = abs(averages.error[n]) <= half
                verdict = "inside its interval" if is_inside else "outside its interval"
    values["valid rows"] = int(averages.valid[n])
    return Unit(id=average_name(monitor, n), verdict=verdict, values=values)


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
        "rows": averages.rows,
        "valid": averages.valid,
        "predicted": predicted,
        "lower": predicted - half,
        "upper": predicted + half,
        "measured": averages.measured,
    }
