"""Scored rows of a regression: errors, coverage by group, and what a report shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.families.roles import TEST
from lumipipe.families.verdicts import judged
from lumipipe.reporting.figures.declared import Chart, Limit, Panel
from lumipipe.reporting.result import Coverage, CoverageGroup, Metric, Section, Split
from lumipipe.uncertainty.proportions import bootstrap_units, share_between_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Request
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves

METRICS = {"rmse": "<=", "mae": "<=", "r2": ">=", "coverage": ">=", "outside": "<="}
"""Metrics by name, and the side on which they are good."""
WITH_UNIT = ("rmse", "mae", "r2")
"""Metrics that are no shares."""
_MOST_POINTS = 2000  # of a figure
_STRETCHES = 20  # of neighbouring rows, drawn again together where no groups are held out


@dataclass(frozen=True)
class RegressionScores:
    """The rows of one target of a regression, judged.

    Parameters
    ----------
    regression : Regression
        What was fitted.
    model : Model
        Its arrays.
    leaves : dict of (unit,) to State
        Scored rows.
    target : int
        Number of the target.
    """

    regression: Regression
    model: Model
    leaves: Leaves
    target: int = 0

    @property
    def job(self) -> Job:
        """The request and its data."""
        return self.regression.job

    @cached_property
    def all_rows(self) -> dict[str, NDArray[Any]]:
        """All scored rows, by number; ``truth`` and ``prediction`` are of this target."""
        states = [self.leaves[leaf] for leaf in sorted(self.leaves)]
        joined = {name: np.concatenate([s[name] for s in states]) for name in states[0]}
        order = np.argsort(joined["number"], kind="stable")
        rows = {name: array[order] for name, array in joined.items()}
        for name in ("truth", "prediction"):
            rows[name] = rows[name][:, self.target]
        rows["half_width"] = self.half_widths[rows["fold"]]
        rows["inside"] = (rows["t2"] <= self.model.arrays["envelope_t2"]) & (
            rows["spe"] <= self.model.arrays["envelope_spe"]
        )
        return rows

    @cached_property
    def half_widths(self) -> NDArray[np.float64]:
        """Half-width of the interval of each fold's model, and of the last one, of all rows."""
        arrays = self.model.arrays
        stacked = np.concatenate([arrays["fold_threshold"], arrays["final_threshold"][None]])
        return np.asarray(stacked[:, self.target], dtype=np.float64)

    @cached_property
    def test(self) -> dict[str, NDArray[Any]]:
        """The rows that test."""
        tests = self.all_rows["role"] == TEST
        return {name: array[tests] for name, array in self.all_rows.items()}

    @cached_property
    def known(self) -> dict[str, NDArray[Any]]:
        """The rows that test, with a prediction and a truth."""
        rows = self.test
        usable = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
        return {name: array[usable] for name, array in rows.items()}

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """What hangs together among the known rows: a held-out group, or neighbours."""
        rows, split = self.known, self.regression.split
        if self.regression.key is not None or len(np.unique(rows["key"])) >= _STRETCHES:
            return np.unique(rows["key"], return_inverse=True)[1]
        if isinstance(split, GroupSplit):
            return np.unique(rows["fold"], return_inverse=True)[1]
        place = np.arange(len(rows["number"]))
        stretch = place * _STRETCHES // max(1, len(place))
        return np.asarray(np.unique(stretch, return_inverse=True)[1], dtype=np.int64)

    def covered(self, rows: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Whether the interval of each row holds its truth."""
        return np.asarray(np.abs(rows["truth"] - rows["prediction"]) <= rows["half_width"])

    def units_of(self, channels: Sequence[str]) -> list[str]:
        """Units of channels."""
        columns, stream = self.regression.columns, self.regression.stream
        return [stream.channels[columns[name]].unit for name in channels]

    @property
    def channel(self) -> tuple[str, str]:
        """Name and unit of the target."""
        name = self.regression.targets[self.target]
        columns = self.regression.columns
        if name in columns:
            return name, self.regression.stream.channels[columns[name]].unit
        return name, self.regression.units.get(name, "1")


def error_metrics(request: Request, scores: RegressionScores, unit: str) -> list[Metric]:
    """Root-mean-square and mean absolute error, R² and bias, with intervals over clusters.

    Parameters
    ----------
    request : Request
        Its conditions are judged.
    scores : RegressionScores
        The rows.
    unit : str
        Unit of the target.

    Returns
    -------
    list of Metric
        ``rmse``, ``mae``, ``r2``, ``bias``.
    """
    rows, clusters = scores.known, scores.clusters
    error = rows["prediction"] - rows["truth"]
    about = rows["truth"] - rows["truth"].mean() if len(error) else rows["truth"]
    parts = np.stack([np.ones_like(error), error**2, np.abs(error), error, about, about**2], axis=1)
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, parts.shape[1]))
    np.add.at(sums, clusters, parts)
    kinds = (
        ("rmse", f"Root-mean-square error, {unit}", _rmse),
        ("mae", f"Mean absolute error, {unit}", lambda s: s[..., 2] / s[..., 0]),
        ("r2", "R², share of the variance that is explained", _r2),
        ("bias", f"Bias (predicted less measured), {unit}", lambda s: s[..., 3] / s[..., 0]),
    )
    metrics = []
    for name, label, statistic in kinds:
        # Weights are whole numbers, so sums of whole clusters are drawn, not rows.
        lower, upper = bootstrap_units(sums, statistic, request.evaluation.seed)  # type: ignore[arg-type]
        is_known = bool(np.isfinite([lower, upper]).all())
        metric = Metric(
            name=name,
            label=label,
            value=float(statistic(sums.sum(axis=0))) if len(error) else None,
            lower=lower if is_known else None,
            upper=upper if is_known else None,
            confidence=0.95 if is_known else None,
            count=len(error),
            of="rows",
            note=f"interval: {len(sums)} groups of rows drawn again, 2000 times",
        )
        metrics.append(judged(metric, request.evaluation.metrics))
    return metrics


def _rmse(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(sums[..., 1] / sums[..., 0]))


def _r2(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - SSE / SST about the mean of the rows that are drawn."""
    total = sums[..., 5] - sums[..., 4] ** 2 / sums[..., 0]
    return np.asarray(1 - sums[..., 1] / np.where(total > 0, total, np.nan))


def share_metrics(request: Request, scores: RegressionScores, coverage: Coverage) -> list[Metric]:
    """Achieved coverage, and the share of rows outside the operating envelope."""
    rows = scores.test
    outside = ~rows["inside"]
    clusters = np.arange(len(outside)) * _STRETCHES // max(1, len(outside))
    lower, upper, _ = share_between_units(np.bincount(clusters, outside), np.bincount(clusters))
    metrics = [
        Metric(
            name="coverage",
            label=f"Coverage of the {coverage.nominal:.0%} intervals",
            value=coverage.achieved,
            lower=coverage.lower,
            upper=coverage.upper,
            confidence=0.95,
            count=coverage.count,
            of="rows",
        ),
        Metric(
            name="outside",
            label="Rows outside the operating envelope (share)",
            value=float(outside.mean()) if len(outside) else None,
            lower=lower,
            upper=upper,
            confidence=0.95,
            count=len(outside),
            of="rows",
            note=f"{scores.regression.settings.guard_alpha:.0%} of each statistic by design",
        ),
    ]
    return [judged(metric, request.evaluation.metrics) for metric in metrics]


def interval_coverage(
    scores: RegressionScores, groups: Mapping[str, NDArray[np.bool_]] | None = None
) -> Coverage:
    """Nominal and achieved coverage of the known rows, in all and by group.

    Parameters
    ----------
    scores : RegressionScores
        The rows.
    groups : mapping of str to ndarray of bool, shape (known row,), optional
        Which rows belong to each group; inside and outside the operating envelope where absent.

    Returns
    -------
    Coverage
        Widths are whole intervals, in the unit of the target.
    """
    rows, clusters = scores.known, scores.clusters
    covered = scores.covered(rows)
    if groups is None:
        groups = {
            "inside the envelope": rows["inside"],
            "outside the envelope": ~rows["inside"],
        }
    found = [
        CoverageGroup(
            name=name,
            **_share(covered[mine], clusters[mine]),
            width=_width(rows["half_width"][mine]),
        )
        for name, mine in groups.items()
        if mine.any()
    ]
    return Coverage(nominal=scores.regression.coverage, **_share(covered, clusters), groups=found)


def pooled_coverage(scores: Sequence[RegressionScores]) -> Coverage:
    """Nominal and achieved coverage of all targets together, by target and by envelope.

    Parameters
    ----------
    scores : sequence of RegressionScores
        One a target.

    Returns
    -------
    Coverage
        One case a measured value; the values of a row hang together. Groups by target have the
        width of whole intervals, in the unit of the target.
    """
    covered = np.concatenate([score.covered(score.known) for score in scores])
    clusters = np.concatenate([score.clusters for score in scores])
    inside = np.concatenate([score.known["inside"] for score in scores])
    groups = [
        CoverageGroup(
            name=score.channel[0],
            **_share(score.covered(score.known), score.clusters),
            width=_width(score.known["half_width"]) if len(score.clusters) else None,
        )
        for score in scores
    ]
    groups += [
        CoverageGroup(name=name, **_share(covered[mine], clusters[mine]))
        for name, mine in (("inside the envelope", inside), ("outside the envelope", ~inside))
        if mine.any()
    ]
    nominal = scores[0].regression.coverage
    return Coverage(nominal=nominal, **_share(covered, clusters), groups=groups)


def errors_left_out(score: RegressionScores) -> NDArray[np.float64]:
    """Errors of rows that were left out of the model of their fold: training or dealt rows."""
    rows = score.all_rows
    judged_apart = rows["fold"] < score.regression.folds
    error = (rows["prediction"] - rows["truth"])[judged_apart]
    return np.asarray(error[np.isfinite(error)])


def _share(covered: NDArray[np.bool_], clusters: NDArray[np.int64]) -> dict[str, Any]:
    """Achieved share with its interval and count."""
    if not len(covered):
        return {"achieved": None, "count": 0}
    number = np.unique(clusters, return_inverse=True)[1]
    hits = np.bincount(number, covered).astype(np.int64)
    lower, upper, _ = share_between_units(hits, np.bincount(number))
    return {
        "achieved": float(covered.mean()),
        "lower": lower,
        "upper": upper,
        "count": len(covered),
    }


def _width(half: NDArray[np.float64]) -> float | None:
    """Mean width of intervals; None where one has no end."""
    return float(2 * half.mean()) if np.isfinite(half).all() else None


def regression_split(request: Request, folds: int, what: str) -> Split:
    """The split in words; `what` is held out where groups are."""
    split = request.evaluation.split
    if isinstance(split, RandomSplit):
        return Split(
            kind=split.kind,
            because=split.because,
            sentence=(
                f"Rows were dealt at random to {folds} folds: neighbours stand on both sides, so "
                "the figures flatter. This is not a certification."
            ),
        )
    if isinstance(split, GroupSplit):
        sentence = (
            f"Each {what} was held out: every figure is for a {what} that the model had never "
            f"seen ({folds} folds)."
        )
    else:
        sentence = "Trained on earlier rows, tested on later ones, which the model had never seen."
        if split.kind == "source":
            sentence = (
                f"Trained on {', '.join(split.train)}"
                + (f", intervals set on {', '.join(split.calibrate)}" if split.calibrate else "")
                + f", tested on {', '.join(split.test) if split.test else 'all other sources'}."
            )
    return Split(kind=split.kind, sentence=sentence)


def course_section(scores: RegressionScores, unit: str, x_label: str) -> Section:
    """Predicted less measured along the tested rows, with the promised half-width."""
    rows = scores.known
    step = max(1, -(-len(rows["number"]) // _MOST_POINTS))
    error = (rows["prediction"] - rows["truth"])[::step]
    half = float(np.median(rows["half_width"])) if len(error) else float("inf")
    limits = (
        [
            Limit(value=sign * half, label="promised half-width", style="empirical")
            for sign in (1.0, -1.0)
        ]
        if np.isfinite(half)
        else []
    )
    name = scores.channel[0]
    return Section(
        title=f"Errors of {name}",
        figures=[
            Chart(
                kind="chart",
                title=f"Predicted less measured {name}",
                caption=(
                    f"Each {step}th tested row, in order; most should lie between the lines."
                    if step > 1
                    else "Tested rows, in order; most should lie between the lines."
                ),
                alt=f"Errors of {name} along the tested rows, with the half-width of intervals.",
                x=np.arange(0, len(rows["number"]), step).tolist(),
                x_label=x_label,
                panels=[Panel(y=error.tolist(), y_label=f"error, {unit}", limits=limits)],
            )
        ],
    )


def regression_table(scores: RegressionScores) -> dict[str, NDArray[Any]]:
    """One row a scored row."""
    rows = scores.all_rows
    names = np.array([row.id for row in scores.job.dataset.recordings], dtype=object)
    words = np.array(["none", "train", "calibrate", "test"], dtype=object)
    return {
        "recording": names[rows["recording"]],
        "row": rows["row"],
        "phase": words[rows["role"] + 1],
        "measured": rows["truth"],
        "predicted": rows["prediction"],
        "lower": rows["prediction"] - rows["half_width"],
        "upper": rows["prediction"] + rows["half_width"],
        "t2": rows["t2"],
        "spe": rows["spe"],
        "inside_envelope": rows["inside"],
    }
