"""Figures of remaining lives over units: errors, their table, and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families import regression_intervals
from lumipipe.families.life_intervals import regime_names, regime_of
from lumipipe.families.life_scores import known_of, life_by_age
from lumipipe.families.verdicts import judged
from lumipipe.language import many, message, say
from lumipipe.metrics.life_errors import LIFE_ERRORS, life_errors, life_figures
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Coverage, CoverageGroup, Metric
from lumipipe.uncertainty.proportions import bootstrap_units, clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Request
    from lumipipe.families.life_scores import LifeScores
    from lumipipe.reporting.parts import Cell

METRICS = {
    "rmse": "<=",
    "rmse_unclipped": "<=",
    "phm08": "<=",
    "early": "<=",
    "late": "<=",
    "coverage": ">=",
    "outside": "<=",
}
"""Metrics by name, and the side on which they are good."""
WITH_UNIT = ("rmse", "rmse_unclipped", "phm08", "early", "late")
"""Metrics that are no shares."""
_FIGURES = (
    (message("root-mean-square error"), "rmse", True),
    (message("PHM08 score, sum"), "score", False),
    (message("PHM08 score, mean of a unit"), "mean_score", False),
    (message("mean early error"), "early", True),
    (message("share early"), "early_share", False),
    (message("mean late error"), "late", True),
    (message("share late"), "late_share", False),
)


def life_metrics(
    request: Request, scores: LifeScores, coverage: Coverage, unit: str
) -> list[Metric]:
    """Errors at one instant of each tested unit, achieved coverage, and what lies outside.

    Parameters
    ----------
    request : Request
        Its conditions are judged.
    scores : LifeScores
        The rows.
    coverage : Coverage
        From `life_coverage`.
    unit : str
        Unit of the lives.

    Returns
    -------
    list of Metric
        One for each of `METRICS`; intervals are over units drawn again.
    """
    rows = known_of(scores.instants)
    clipped = _sums(rows["prediction"], rows["truth"])
    whole = _sums(rows["prediction"], rows["life"])
    kinds = (
        (
            "rmse",
            say(
                "Root-mean-square error in {unit}, lives clipped at {cap:g}",
                unit=unit,
                cap=scores.cap,
            ),
            clipped,
            "rmse",
        ),
        (
            "rmse_unclipped",
            say("Root-mean-square error in {unit}, lives as they are", unit=unit),
            whole,
            "rmse",
        ),
        (
            "phm08",
            say("PHM08 score, sum, lives clipped at {cap:g}", cap=scores.cap),
            clipped,
            "score",
        ),
        (
            "early",
            say("Mean error of early predictions in {unit}, clipped", unit=unit),
            clipped,
            "early",
        ),
        (
            "late",
            say("Mean error of late predictions in {unit}, clipped", unit=unit),
            clipped,
            "late",
        ),
    )
    found = [
        _metric(name, label, sums, _statistic(figure), request.evaluation.seed)
        for name, label, sums, figure in kinds
    ]
    found += [_coverage_metric(coverage), _outside_metric(scores)]
    return [judged(metric, request.evaluation.metrics) for metric in found]


def _sums(predicted: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each unit adds to the figures: float64 (unit, column), its count last."""
    errors = life_errors(predicted, true)
    columns = [np.asarray(errors[name]) for name in LIFE_ERRORS]
    return np.stack([*columns, np.ones(len(predicted))], axis=1)


def _statistic(figure: str) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """A figure of sums (..., column)."""

    def of(sums: NDArray[Any]) -> NDArray[np.float64]:
        named = {name: sums[..., place] for place, name in enumerate(LIFE_ERRORS)}
        return np.asarray(life_figures(named, sums[..., -1])[figure])

    return of


def _metric(
    name: str,
    label: str,
    sums: NDArray[np.float64],
    statistic: Callable[[NDArray[Any]], NDArray[np.float64]],
    seed: int,
) -> Metric:
    """A figure with its interval over units; without value where it has none."""
    if not len(sums) or not np.isfinite(statistic(sums.sum(axis=0))):
        return Metric(name=name, label=label, value=None, count=len(sums), of=many("units"))
    lower, upper = bootstrap_units(sums, statistic, seed)  # type: ignore[arg-type]
    is_known = bool(np.isfinite([lower, upper]).all())
    return Metric(
        name=name,
        label=label,
        value=float(statistic(sums.sum(axis=0))),
        lower=lower if is_known else None,
        upper=upper if is_known else None,
        confidence=0.95 if is_known else None,
        count=len(sums),
        of=many("units"),
    )


def _coverage_metric(coverage: Coverage) -> Metric:
    """Achieved coverage at the judged instants."""
    return Metric(
        name="coverage",
        label=say("Coverage of the {nominal:.0%} intervals", nominal=coverage.nominal),
        value=coverage.achieved,
        lower=coverage.lower,
        upper=coverage.upper,
        confidence=0.95,
        count=coverage.count,
        of=many("units"),
    )


def _outside_metric(scores: LifeScores) -> Metric:
    """Share of the tested units that get no number, for they lie outside what was learnt."""
    outside = ~scores.instants["inside"]
    lower, upper = clopper_pearson(int(outside.sum()), len(outside))
    alpha = scores.windows[0].regression.settings.guard_alpha
    return Metric(
        name="outside",
        label=say("Units outside the trained range (share)"),
        value=float(outside.mean()) if len(outside) else None,
        lower=lower,
        upper=upper,
        confidence=0.95,
        count=len(outside),
        of=many("units"),
        note=say("{alpha:.0%} of each statistic by design", alpha=alpha),
    )


def life_coverage(
    scores: LifeScores, nominal: float, edges: Sequence[float], unit: str
) -> Coverage:
    """Coverage at one instant of each tested unit, by predicted and true life, and over all rows.

    Parameters
    ----------
    scores : LifeScores
        The rows.
    nominal : float
        What was promised.
    edges : sequence of float
        Lives between which groups lie.
    unit : str
        Unit of the lives.

    Returns
    -------
    Coverage
        An interval that ends at the cap holds all longer lives, so clipped lives are compared;
        its width counts up to the cap.
    """
    rows, every = known_of(scores.instants), known_of(scores.tested)
    names, inside = regime_names(edges), len(edges) + 1
    predicted = np.where(rows["inside"], regime_of(rows["prediction"], edges), inside)
    whole = _held(
        nominal,
        rows,
        predicted,
        [*(say("predicted {name}", name=name) for name in names), say("outside")],
        unit,
    )
    by_truth = _held(
        nominal,
        rows,
        regime_of(rows["truth"], edges),
        [say("truly {name}", name=name) for name in names],
        unit,
    )
    nowhere = np.zeros(len(every["unit"]), dtype=np.int64)
    of_rows = _held(nominal, every, nowhere, [say("all rows")], unit)
    return whole.model_copy(update={"groups": [*whole.groups, *by_truth.groups, *of_rows.groups]})


def _held(
    nominal: float,
    rows: Mapping[str, NDArray[Any]],
    regimes: NDArray[np.int64],
    names: Sequence[str],
    unit: str,
) -> Coverage:
    """Coverage of rows by regime."""
    found = regression_intervals.interval_coverage(
        nominal,
        rows["truth"],
        (rows["lower"], rows["upper"]),
        regimes,
        names,
        units=np.unique(rows["unit"], return_inverse=True)[1].astype(np.int64),
        width_unit=unit,
    )
    groups: list[CoverageGroup] = [group for group in found.groups if group.count]
    return found.model_copy(update={"groups": groups})


def error_table(scores: LifeScores, unit: str) -> Table:
    """Errors beside those of units that teach, held out, and of the age alone."""
    rows, cap = known_of(scores.instants), scores.cap
    lives = scores.clock.lives[scores.clock.trains]
    by_age = life_by_age(lives, rows["age"], cap)
    sides = {
        say("clipped at {cap:g}", cap=cap): _sums(rows["prediction"], rows["truth"]),
        say("as they are"): _sums(rows["prediction"], rows["life"]),
        say("by the age alone, clipped"): _sums(by_age, rows["truth"]),
    }
    if not scores.is_dealt:
        taught = scores.held_out_instants
        sides[say("held-out units that teach, clipped")] = _sums(
            taught["prediction"], taught["truth"]
        )
    columns = [Column(label=say("figure")), *(Column(label=name) for name in sides)]
    return Table(
        kind="table",
        title=say("Errors of the remaining life"),
        caption=say(
            "Errors in {unit}. Early: less was predicted than came; late: more. PHM08: "
            "exp(d/13) - 1 early and exp(d/10) - 1 late for an error of d, so late costs "
            "more.",
            unit=unit,
        ),
        alt=say("Squared, early and late errors and the PHM08 score."),
        columns=columns,
        rows=[
            [
                f"{say(label)}, {unit}" if has_unit else say(label),
                *(_figure(sums, name) for sums in sides.values()),
            ]
            for label, name, has_unit in _FIGURES
        ],
    )


def _figure(sums: NDArray[np.float64], name: str) -> Cell:
    """A figure of units as a cell."""
    if not len(sums):
        return None
    value = float(_statistic(name)(sums.sum(axis=0)))
    return float(f"{value:.3g}") if np.isfinite(value) else None
