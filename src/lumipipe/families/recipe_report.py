"""The answer of the family `recipe`: errors on unseen mixes, duplicates, mixes that will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.baseline import against_training_mean
from lumipipe.families.interface import NOT_STATED, Outcome, asked
from lumipipe.families.limit_events import limit_decisions
from lumipipe.families.recipe_search import AMOUNT, Proposals, meets, propose, safe_side
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
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, message, say, term, translated
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Metric, NotAnswered, Result, Run, Section, Unit
from lumipipe.uncertainty.proportions import share_between_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves

METRICS = {**REGRESSION_METRICS, "kept": ">="}
"""Metrics by name, and the side on which they are good."""


_AT_LEAST = message(
    "at least {bound:.1f} {unit} with {probability:.0%} probability; T² at {t2:.0%} and SPE at "
    "{spe:.0%} of their limits"
)
_AT_MOST = message(
    "at most {bound:.1f} {unit} with {probability:.0%} probability; T² at {t2:.0%} and SPE at "
    "{spe:.0%} of their limits"
)


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
        The verdict is that of the conditions in ``evaluation.metrics``; not supported where no
        mix meets the specification.
    """
    scores, materials = RegressionScores(found, model, leaves), list(job.asset.materials)
    _, unit = scores.channel
    coverage = interval_coverage(scores, *_kinds_of_mixes(job, scores, materials))
    metrics = [
        *error_metrics(job.request, scores, unit),
        *share_metrics(job.request, scores, coverage),
        judged(_kept(scores), job.request.evaluation.metrics),
    ]
    amounts = np.stack([scores.all_rows[AMOUNT + name] for name in materials], axis=1)
    mixes = np.unique(amounts[np.isfinite(amounts).all(axis=1)], axis=0)
    proposals = propose(found, model, mixes, materials)
    verdict = conclude(metrics) if len(proposals.primary) else "not_supported"
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(job, metrics, proposals, (unit, scores.units_of(materials)[0])),
        verdict=allowed(verdict, scores.leakage),
        would_change=_would_change(job, metrics, proposals),
        metrics=metrics,
        units=_units(scores, proposals, materials, unit),
        coverage=coverage,
        split=regression_split(job.request, found.folds, term("mix")),
        leakage=scores.leakage,
        counts=_counts(scores, len(mixes)),
        not_answered=_not_answered(job, proposals),
        sections=[
            _proposed_section(job, scores, proposals, materials),
            _materials_section(job),
            course_section(scores, unit, say("tested row")),
        ],
        run=Run(),
    )
    table = regression_table(scores)
    table |= {name: scores.all_rows[AMOUNT + name] for name in materials}
    table["mix"] = scores.all_rows["key"]
    return Outcome(
        result,
        {"rows": table},
        [scores],
        compared=tuple(against_training_mean(scores, job.seed)),
        decisions=limit_decisions([scores]),
    )


def _kinds_of_mixes(
    job: Job, scores: RegressionScores, materials: list[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Known rows with and without side streams, and those outside the envelope."""
    rows = scores.known
    has = np.zeros(len(rows["number"]), dtype=bool)
    for name in materials:
        if job.asset.materials[name].kind == "side_stream":
            has |= rows[AMOUNT + name] > 0
    kind = np.where(rows["inside"], np.where(has, 0, 1), 2)
    return kind, [
        say("with side streams"),
        say("without side streams"),
        say("outside the envelope"),
    ]


def _kept(scores: RegressionScores) -> Metric:
    """Share of unseen rows with the property, of those to which it was promised."""
    rows, specification = scores.known, scores.job.score.specification
    arrays = scores.model.arrays
    margins = np.concatenate([arrays["fold_threshold"], arrays["final_threshold"][None]])[:, 1]
    promised = safe_side(specification, rows["prediction"], margins[rows["fold"]])
    promised &= rows["inside"]
    kept = meets(specification, rows["truth"])[promised]
    clusters = np.unique(rows["key"][promised], return_inverse=True)[1]
    hits = np.bincount(clusters, kept).astype(np.int64)
    lower, upper, _ = share_between_units(hits, np.bincount(clusters))
    return Metric(
        name="kept",
        label=say("Promises kept (share of unseen rows that meet the specification when told so)"),
        value=float(kept.mean()) if len(kept) else None,
        lower=lower,
        upper=upper,
        confidence=0.95,
        count=len(kept),
        of=many("rows"),
        note=say("at least {probability:.0%} was asked for", probability=specification.probability),
    )


def _answer(job: Job, metrics: list[Metric], proposals: Proposals, units: tuple[str, str]) -> str:
    """The answer in one sentence, with the units of the property and of the materials."""
    unit, of_material = units
    rmse = next(metric for metric in metrics if metric.name == "rmse")
    value, lower, upper = rounded_interval(rmse.value, rmse.lower, rmse.upper)
    error = say("{value} {unit}", value=value, unit=unit)
    if rmse.lower is not None:
        error += say(" ({lower} to {upper})", lower=lower, upper=upper)
    if not len(proposals.primary):
        return say(
            "No supported mix: none of {tried} candidates meets the specification with "
            "{probability:.0%} probability inside what the data cover; the "
            "root-mean-square error on unseen mixes is {error}.",
            tried=proposals.tried,
            probability=job.score.specification.probability,
            error=error,
        )
    return say(
        "The specification is met with {probability:.0%} probability from {primary:.0f} "
        "{of_material} of primary material on; the root-mean-square error on unseen mixes "
        "is {error}.",
        probability=job.score.specification.probability,
        primary=proposals.primary[0],
        of_material=of_material,
        error=error,
    )


def _would_change(job: Job, metrics: list[Metric], proposals: Proposals) -> str:
    """What would change the answer."""
    undecided = undecided_sentence(metrics)
    if undecided:
        return undecided
    if not len(proposals.primary):
        return say(
            "Trial batches nearer to the specification: the data hold none that is sure enough."
        )
    if not job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    return say(
        "Trial batches of the proposed mixes: a model chooses where it errs in their favour."
    )


def _counts(scores: RegressionScores, mixes: int) -> dict[str, int]:
    """What went in, and what stands in the data more than once."""
    rows = scores.all_rows
    total = len(rows["number"])
    return {
        many("rows"): total,
        many("mixes"): mixes,
        many("duplicate rows"): total - len(np.unique(rows["row_key"])),
        many("rows that repeat a mix under equal conditions"): total
        - len(np.unique(rows["tried"])),
        many("rows with a missing value"): int((~np.isfinite(rows["prediction"])).sum()),
    }


def _units(
    scores: RegressionScores, proposals: Proposals, materials: list[str], unit: str
) -> list[Unit]:
    """One entry for each proposed mix."""
    half, margin = scores.model.arrays["final_threshold"]
    job = scores.job
    sign = -1.0 if job.score.specification.at_least is not None else 1.0
    units = []
    for number, prediction in enumerate(proposals.prediction):
        amounts = dict(zip(materials, np.round(proposals.amounts[number], 1).tolist(), strict=True))
        bound = prediction + sign * margin
        values: dict[str, Any] = {
            term("predicted, {unit}", unit=unit): Interval(
                value=float(prediction),
                lower=float(prediction - half),
                upper=float(prediction + half),
            )
            if np.isfinite(half)
            else float(prediction),
            **amounts,
        }
        units.append(
            Unit(
                id=say("mix {number}", number=number + 1),
                verdict=term("known mix")
                if proposals.is_known[number]
                else term("blend of known mixes"),
                sentence=say(
                    _AT_LEAST if sign < 0 else _AT_MOST,
                    bound=bound,
                    unit=unit,
                    probability=job.score.specification.probability,
                    t2=proposals.t2[number],
                    spe=proposals.spe[number],
                ),
                values=values,
                users_names=list(amounts),
            )
        )
    return units


def _not_answered(job: Job, proposals: Proposals) -> list[NotAnswered]:
    """What the data cannot carry."""
    found = [
        NotAnswered(
            question=say("Does the best of the proposed mixes keep its promise?"),
            reason=say(
                "The probability holds for mixes like the known ones; the best of many "
                "candidates is chosen where the model errs in its favour. Make a trial "
                "batch."
            ),
        )
    ]
    silent = [
        name
        for name, material in job.asset.materials.items()
        if material.kind == "side_stream" and material.composition == "not stated"
    ]
    if silent:
        found.append(
            NotAnswered(
                question=say(
                    "What if the next delivery of {silent} is another one?",
                    silent=", ".join(silent),
                ),
                reason=say(
                    "Nothing is known of its composition or of how it varies between batches."
                ),
            )
        )
    if proposals.outside:
        found.append(
            NotAnswered(
                question=say("What do mixes outside the data do?"),
                reason=say(
                    "{outside} of {tried} candidates lie outside the T² or SPE limit of "
                    "the data and were not considered.",
                    outside=proposals.outside,
                    tried=proposals.tried,
                ),
            )
        )
    return found


def _proposed_section(
    job: Job, scores: RegressionScores, proposals: Proposals, materials: list[str]
) -> Section:
    """The proposed mixes beside the specification."""
    specification, (name, unit) = job.score.specification, scores.channel
    columns = scores.units_of(materials)
    wanted = (
        say("at least {at_least:g}", at_least=specification.at_least)
        if specification.at_least is not None
        else say("at most {at_most:g}", at_most=specification.at_most)
    )
    where = ", ".join(
        say("{key} {value:g}", key=key, value=value) for key, value in specification.at.items()
    )
    rows = [
        [
            say("mix {number}", number=n + 1),
            float(round(proposals.primary[n], 1)),
            float(round(proposals.prediction[n], 1)),
            *(float(round(amount, 1)) for amount in proposals.amounts[n]),
        ]
        for n in range(len(proposals.primary))
    ]
    return Section(
        title=say("Mixes that meet the specification"),
        paragraphs=[
            (
                f"{name} {wanted} {unit}"
                + (say(" at {where}", where=where) if where else "")
                + say(
                    " was asked for, with {probability:.0%} probability. {tried} candidates "
                    "were tried: {outside} lie outside the data, {short} do not meet it "
                    "surely enough. The others are ranked by primary material, and mixes that "
                    "hardly differ are shown once.",
                    probability=specification.probability,
                    tried=proposals.tried,
                    outside=proposals.outside,
                    short=proposals.short,
                )
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Proposed mixes"),
                caption=say("The least primary material first."),
                alt=say("Amounts of materials of the proposed mixes."),
                columns=[
                    Column(label=say("mix")),
                    Column(label=say("primary material"), unit=columns[0]),
                    Column(label=say("predicted {name}", name=name), unit=unit),
                    *(
                        Column(label=material, unit=column)
                        for material, column in zip(materials, columns, strict=True)
                    ),
                ],
                rows=rows,
            )
        ]
        if rows
        else [],
    )


def _materials_section(job: Job) -> Section:
    """Where each material comes from."""
    words = {
        "primary": say("primary"),
        "side_stream": say("side stream"),
        "other": say("other"),
    }
    return Section(
        title=say("Where the materials come from"),
        figures=[
            Table(
                kind="table",
                title=say("Lineage of the materials"),
                caption=say("As the request states it."),
                alt=say("Kind, origin, batch and composition of each material."),
                columns=[
                    Column(label=say("material")),
                    Column(label=say("kind")),
                    Column(label=say("origin")),
                    Column(label=say("batch")),
                    Column(label=say("composition")),
                ],
                rows=[
                    [
                        name,
                        words[m.kind],
                        m.origin,
                        translated(m.batch, among=(NOT_STATED,)),
                        translated(m.composition, among=(NOT_STATED,)),
                    ]
                    for name, m in job.asset.materials.items()
                ],
            )
        ],
    )
