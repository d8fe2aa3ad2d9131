"""The answer of the family `soft_sensor`: errors, intervals, settings; sections are elsewhere.

Figures and tables of the report are made in `lumipipe.families.soft_sensor_sections`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.baseline import against_last_value, against_training_mean
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.limit_events import limit_decisions
from lumipipe.families.regression_scores import (
    METRICS,
    WITH_UNIT,
    RegressionScores,
    error_metrics,
    interval_coverage,
    pooled_coverage,
    regression_split,
    regression_table,
    share_metrics,
)
from lumipipe.families.soft_sensor_sections import sections
from lumipipe.families.soft_sensor_settings import Found, find_settings, reproduced
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, say, term
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Metric, NotAnswered, Result, Run, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Coverage

NO_SETTINGS = term("no supported settings")
"""What is said of a target that no settings near the data are predicted to reach."""
_OF_ONE_TARGET = ("rmse", "mae", "r2")
_OF_SEVERAL = ("rmse", "r2")


def known_metrics(
    targets: Sequence[str], *, inverted: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Metrics by name with the side on which they are good, and the names of those with a unit.

    With several targets, errors are called by metric and target, such as ``rmse_Conv``.
    """
    names = {name: [_named(name, target, targets) for target in targets] for name in _OF_ONE_TARGET}
    known = {own: METRICS[name] for name, made in names.items() for own in made}
    known |= {name: side for name, side in METRICS.items() if name not in _OF_ONE_TARGET}
    if inverted:
        known["reproduced"] = ">="
    return known, tuple(own for name in WITH_UNIT for own in names[name])


def _named(metric: str, target: str, targets: Sequence[str]) -> str:
    """Name of a metric of one target."""
    return metric if len(targets) == 1 else f"{metric}_{target}"


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
        The verdict is that of the conditions in ``evaluation.metrics``; each wanted target has one
        of its own.
    """
    scores = [RegressionScores(found, model, leaves, n) for n in range(len(found.targets))]
    coverage = interval_coverage(scores[0]) if len(scores) == 1 else pooled_coverage(scores)
    metrics = [*_errors(job, scores), *_shares(job, scores, coverage)]
    if job.score.inversion:
        metrics.append(judged(reproduced(scores), job.request.evaluation.metrics))
    settings = find_settings(found, model)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(scores, metrics, coverage, settings),
        verdict=allowed(conclude(metrics), scores[0].leakage),
        would_change=_would_change(job, metrics, scores[0]),
        metrics=metrics,
        units=[*_wanted_units(found, settings), *_row_units(scores)],
        coverage=coverage,
        split=regression_split(job.request, found.folds, term("group")),
        leakage=scores[0].leakage,
        counts=_counts(scores),
        not_answered=_not_answered(scores, settings),
        not_answered_reason=say("Every tested row lay inside the operating envelope."),
        sections=sections(scores, settings),
        run=Run(),
    )
    tables = {"rows": _row_table(scores), **_settings_table(found, settings)}
    return Outcome(
        result,
        tables,
        scores,
        compared=tuple(
            comparison
            for one in scores
            for against in (against_training_mean, against_last_value)
            for comparison in against(one, job.seed)
        ),
        decisions=limit_decisions(scores),
    )


def _errors(job: Job, scores: Sequence[RegressionScores]) -> list[Metric]:
    """Errors of each target."""
    targets = scores[0].regression.targets
    metrics = []
    for part in scores:
        target, unit = part.channel
        for metric in error_metrics(job.request, part, unit):
            name = _named(metric.name, target, targets)
            conditions = job.request.evaluation.metrics
            if len(targets) > 1 and metric.name not in _OF_SEVERAL and name not in conditions:
                continue  # the section on errors has it
            label = metric.label if len(targets) == 1 else f"{target}: {metric.label}"
            own = metric.model_copy(update={"name": name, "label": label, "met": None})
            metrics.append(judged(own, conditions))
    return metrics


def _shares(job: Job, scores: Sequence[RegressionScores], coverage: Coverage) -> list[Metric]:
    """Coverage, whose cases are values where there are several targets, and rows outside."""
    metrics = share_metrics(job.request, scores[0], coverage)
    if len(scores) == 1:
        return metrics
    return [
        metric.model_copy(update={"of": many("values")}) if metric.name == "coverage" else metric
        for metric in metrics
    ]


def _answer(
    scores: Sequence[RegressionScores],
    metrics: Sequence[Metric],
    coverage: Coverage,
    settings: Sequence[Found],
) -> str:
    """The answer in one sentence or two."""
    targets = scores[0].regression.targets
    by_name = {metric.name: metric for metric in metrics}
    parts = []
    for score in scores:
        target, unit = score.channel
        rmse = by_name[_named("rmse", target, targets)]
        if rmse.value is not None:
            size = rounded(rmse.value, rmse.lower, rmse.upper)
            words = {"1": "", "unknown": say(" (unit unknown)")}
            parts.append(f"{target} {size}{words.get(unit, f' {unit}')}")
    outside = by_name["outside"].value or 0.0
    sentence = (
        say(
            "The root-mean-square error on unseen rows: {parts}. Intervals that "
            "promise {nominal:.0%} held {achieved:.0%} of the measured values, and "
            "{outside:.0%} of the rows lie outside what the model knows.",
            parts=", ".join(parts),
            nominal=coverage.nominal,
            achieved=coverage.achieved,
            outside=outside,
        )
        if parts and coverage.achieved is not None
        else say("No tested row has a measured value to compare with.")
    )
    if not settings:
        return sentence
    good = [item.wanted.id for item in settings if not item.reason]
    said = {"sentence": sentence, "good": len(good), "wanted": len(settings)}
    if not good:
        return say(
            "{sentence} Settings are proposed for {good} of {wanted} wanted targets.", **said
        )
    return say(
        "{sentence} Settings are proposed for {good} of {wanted} wanted targets: {names}.",
        **said,
        names=", ".join(good),
    )


def _would_change(job: Job, metrics: Sequence[Metric], score: RegressionScores) -> str:
    """What would change the answer."""
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    if not job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    rows = score.test
    if len(rows["inside"]) and not rows["inside"].mean() > 0.5:  # noqa: PLR2004
        return say(
            "Training rows like the tested ones: most of the latter lie outside what the "
            "model knows, so that neither its errors nor its intervals were learnt there."
        )
    return say("Rows of another time, product or state of the instrument than the tested ones.")


def _counts(scores: Sequence[RegressionScores]) -> dict[str, int]:
    """What went in, and which values were missing."""
    rows, first = scores[0].all_rows, scores[0]
    truth = np.stack([part.all_rows["truth"] for part in scores], axis=1)
    used = rows["role"] >= 0
    return {
        many("rows"): len(rows["number"]),
        many("rows that train"): int((rows["fold"] < first.regression.folds).sum()),
        many("rows tested"): len(first.test["number"]),
        many("tested rows with a measured target"): len(first.known["number"]),
        many("latent variables"): int(first.model.arrays["final_choice"]),
        many("missing values in these rows, set to their mean"): int(rows["missing"][used].sum()),
        many("rows with a missing input"): int((rows["missing"][used] > 0).sum()),
        many("rows without a measured target"): int((~np.isfinite(truth).any(axis=1)).sum()),
    }


def _wanted_units(found: Regression, settings: Sequence[Found]) -> list[Unit]:
    """One entry for each wanted target."""
    units = []
    for item in settings:
        if item.reason:
            units.append(
                Unit(id=item.wanted.id, verdict=NO_SETTINGS, severity="bad", sentence=item.reason)
            )
            continue
        values = {
            label: _interval(item.predicted[n], item.half_width[n])
            for n, label in enumerate(_predicted_labels(found))
        }
        units.append(
            Unit(
                id=item.wanted.id,
                verdict=term("settings found"),
                severity="good",
                sentence=say(
                    "T² {t2:.1f} of at most {limit:.1f}, SPE at {spe:.0%} of its limit; "
                    "{directions} free directions of equal settings",
                    t2=item.proposal.t2,
                    limit=item.proposal.limit,
                    spe=item.spe,
                    directions=len(item.proposal.directions),
                ),
                values=values,
            )
        )
    return units


def _predicted_labels(found: Regression) -> list[str]:
    """Names of the predicted targets with their units."""
    return [
        term("{target} predicted, {unit}", target=target, unit=_unit_of(found, target))
        for target in found.targets
    ]


def _measured_labels(found: Regression) -> list[str]:
    """Names of the measured targets with their units."""
    return [
        term("{target} measured, {unit}", target=target, unit=_unit_of(found, target))
        for target in found.targets
    ]


def _unit_of(found: Regression, target: str) -> str:
    """Unit of a target."""
    if target in found.columns:
        return found.stream.channels[found.columns[target]].unit
    return found.units.get(target, "1")


def _interval(value: float, half: float) -> Interval | float | None:
    """A number with its interval, if it has one with ends."""
    if not np.isfinite(value):
        return None
    if not np.isfinite(half):
        return float(value)
    return Interval(value=float(value), lower=float(value - half), upper=float(value + half))


def _row_units(scores: Sequence[RegressionScores]) -> list[Unit]:
    """One entry for each tested row."""
    first = scores[0]
    names = [row.id for row in first.job.dataset.recordings]
    labels = _predicted_labels(first.regression)
    known = _measured_labels(first.regression)
    tests = [part.test for part in scores]
    units = []
    for n in range(len(tests[0]["number"])):
        values: dict[str, Any] = {}
        inside = bool(tests[0]["inside"][n])
        for label, measured, test in zip(labels, known, tests, strict=True):
            # Outside the known data, no interval is promised.
            half = test["half_width"][n] if inside else np.inf
            values[label] = _interval(test["prediction"][n], half)
            truth = test["truth"][n]
            values[measured] = float(truth) if np.isfinite(truth) else None
        units.append(
            Unit(
                id=say(
                    "{recording} row {row}",
                    recording=names[tests[0]["recording"][n]],
                    row=tests[0]["row"][n],
                ),
                verdict=term("inside") if inside else term("outside the known data"),
                severity="good" if inside else "bad",
                values=values,
            )
        )
    return units


def _not_answered(
    scores: Sequence[RegressionScores], settings: Sequence[Found]
) -> list[NotAnswered]:
    """What the data cannot carry."""
    found = [
        NotAnswered(
            question=say("Which settings give {id}?", id=item.wanted.id), reason=item.reason
        )
        for item in settings
        if item.reason
    ]
    if any(not item.reason for item in settings):
        found.append(
            NotAnswered(
                question=say("Will the process do what the settings promise?"),
                reason=say(
                    "The model knows how inputs went together in the data, not what "
                    "happens when some of them are turned alone, and inputs that only "
                    "respond cannot be set. Make a trial run."
                ),
            )
        )
    rows = scores[0].test
    outside = int((~rows["inside"]).sum())
    if outside:
        names = ", ".join(scores[0].regression.targets)
        found.append(
            NotAnswered(
                question=say("What is {names} of the rows outside the known data?", names=names),
                reason=say(
                    "{outside} of {inside} tested rows lie outside the T² or SPE limit of "
                    "the training rows. Predictions are shown there, but nothing was "
                    "learnt that they could rest on, and no interval is promised.",
                    outside=outside,
                    inside=len(rows["inside"]),
                ),
            )
        )
    return found


def _row_table(scores: Sequence[RegressionScores]) -> dict[str, NDArray[Any]]:
    """One row a scored row, with columns for each target."""
    own = ("measured", "predicted", "lower", "upper")
    table: dict[str, NDArray[Any]] = {}
    for part in scores:
        for name, column in regression_table(part).items():
            target = part.channel[0]
            several = name in own and len(scores) > 1
            table[f"{name}_{target}" if several else name] = column
    table["missing"] = scores[0].all_rows["missing"].astype(np.int64)
    return table


def _settings_table(
    found: Regression, settings: Sequence[Found]
) -> dict[str, dict[str, NDArray[Any]]]:
    """One row an input of each supported proposal."""
    good = [item for item in settings if not item.reason]
    if not good:
        return {}
    units = [found.stream.channels[found.columns[name]].unit for name in found.inputs]
    return {
        "settings": {
            "wanted": np.repeat([item.wanted.id for item in good], len(units)).astype(object),
            "input": np.tile(np.array(found.inputs, dtype=object), len(good)),
            "unit": np.tile(np.array(units, dtype=object), len(good)),
            "setting": np.concatenate([item.proposal.inputs for item in good]),
        }
    }
