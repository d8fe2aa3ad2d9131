"""Scored rows of a regression: errors, coverage by group, and what a report shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit, TimeSplit
from lumipipe.config.moments import end_in_words
from lumipipe.families import regression_intervals
from lumipipe.families.guard import is_inside
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.families.regression_intervals import Thresholds, thresholds
from lumipipe.families.roles import TEST, TRAIN
from lumipipe.families.verdicts import judged
from lumipipe.language import many, say, translated
from lumipipe.reporting.figures.declared import Chart, Limit, Panel
from lumipipe.reporting.result import Coverage, LeakageTest, Metric, Section, Split
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
        joined = {
            name.removeprefix("rows."): np.concatenate([state[name] for state in states])
            for name in states[0]
            if name.startswith("rows.")
        }
        order = np.argsort(joined["number"], kind="stable")
        rows = {name: array[order] for name, array in joined.items()}
        is_known = np.isfinite(rows["truth"])
        # Ridge learns from rows with all targets, a learner of its own from those with one.
        whole = is_known.all(axis=1) if self.regression.learner is None else is_known.any(axis=1)
        rows["is_known"] = whole
        for name in ("truth", "prediction"):
            rows[name] = rows[name][:, self.target]
        rows["half_width"] = self._half_widths(rows)
        rows["inside"] = is_inside(self.model.arrays, rows)
        return rows

    def _half_widths(self, rows: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Half-width of the interval of each row: of its fold's model, or of its regime."""
        own = np.asarray(self._stacked[rows["fold"]], dtype=np.float64)
        if not self._is_counted:
            return own
        return np.where(rows["role"] == TRAIN, own, self.by_regime.below.at(rows["regime"]))

    @property
    def _is_counted(self) -> bool:
        """Whether counted residuals set the interval of the final model."""
        return not self.regression.is_dealt and self.regression.thresholds is None

    @cached_property
    def _stacked(self) -> NDArray[np.float64]:
        """Half-widths that training found: of the model of each fold, and of that of all."""
        arrays = self.model.arrays
        stacked = np.concatenate([arrays["fold_threshold"], arrays["final_threshold"][None]])
        return np.asarray(stacked[:, self.target], dtype=np.float64)

    @cached_property
    def half_widths(self) -> NDArray[np.float64]:
        """Half-width of the interval of each fold's model, and of the final one's first regime."""
        widths = self._stacked.copy()
        if self._is_counted:
            widths[-1] = self.by_regime.below.values[0]
        return widths

    @property
    def final_half_widths(self) -> NDArray[np.float64]:
        """Half-width of the interval of the final model in each regime: float64 (regime,)."""
        if self._is_counted:
            return self.by_regime.below.values
        return np.full(len(self.regression.regime_names), self._stacked[-1])

    @cached_property
    def by_regime(self) -> Thresholds:
        """Half-widths by regime, from the counted residuals of all units."""
        name = f"bins{self.target}.counts"
        counts = sum(self.leaves[leaf][name] for leaf in sorted(self.leaves))
        bins = self.regression.residual_bins(self.model, self.target)
        return thresholds(np.asarray(counts), bins.edges, self.regression.coverage)

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

    @cached_property
    def leakage(self) -> list[LeakageTest]:
        """Whether any row that tests has taught."""
        rows, found, arrays = self.all_rows, self.regression, self.model.arrays
        usable = rows["is_known"] & np.isfinite(rows["prediction"])
        is_test = rows["role"] == TEST
        teaches = usable & (is_test if found.is_dealt else rows["role"] == TRAIN)
        units = [row.unit for row in self.job.dataset.recordings]
        unit = np.unique(units, return_inverse=True)[1].astype(np.int64)
        length = found.settings.window_rows
        is_table = length == 1 and found.truth is None
        return leakage_tests(
            Sides(
                split=found.split,
                taught_in=np.where(teaches, rows["fold"], -1),
                judged_by=np.where(is_test, rows["fold"], -1),
                unit=unit[rows["recording"]],
                recording=rows["recording"],
                first_row=rows["number"] - (length - 1),
                length=length,
                keys={} if found.key is None else {found.key_name: rows["key"]},
                content=rows["content"] if is_table else None,
                scaler_rows=np.append(arrays["fold_rows"], arrays["final_rows"]),
            )
        )

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
        ("rmse", say("Root-mean-square error, {unit}", unit=unit), _rmse),
        ("mae", say("Mean absolute error, {unit}", unit=unit), lambda s: s[..., 2] / s[..., 0]),
        ("r2", say("R², share of the variance that is explained"), _r2),
        (
            "bias",
            say("Bias (predicted less measured), {unit}", unit=unit),
            lambda s: s[..., 3] / s[..., 0],
        ),
    )
    metrics = []
    for name, label, statistic in kinds:
        # Weights are whole numbers, so sums of whole clusters are drawn, not rows.
        lower, upper = bootstrap_units(sums, statistic, request.evaluation.seed)  # type: ignore[arg-type]
        is_known = bool(np.isfinite([lower, upper]).all())
        # One row alone has no variance to explain.
        value = float(statistic(sums.sum(axis=0))) if len(error) else np.nan
        metric = Metric(
            name=name,
            label=label,
            value=value if np.isfinite(value) else None,
            lower=lower if is_known else None,
            upper=upper if is_known else None,
            confidence=0.95 if is_known else None,
            count=len(error),
            of=many("rows"),
            note=say("interval: {sums} groups of rows drawn again, 2000 times", sums=len(sums)),
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
            label=say("Coverage of the {nominal:.0%} intervals", nominal=coverage.nominal),
            value=coverage.achieved,
            lower=coverage.lower,
            upper=coverage.upper,
            confidence=0.95,
            count=coverage.count,
            of=many("rows"),
        ),
        Metric(
            name="outside",
            label=say("Rows outside the operating envelope (share)"),
            value=float(outside.mean()) if len(outside) else None,
            lower=lower,
            upper=upper,
            confidence=0.95,
            count=len(outside),
            of=many("rows"),
            note=say(
                "{guard_alpha:.0%} of each statistic by design",
                guard_alpha=scores.regression.settings.guard_alpha,
            ),
        ),
    ]
    return [judged(metric, request.evaluation.metrics) for metric in metrics]


def interval_coverage(
    scores: RegressionScores,
    regimes: NDArray[np.int64] | None = None,
    names: Sequence[str] | None = None,
    clusters: NDArray[np.int64] | None = None,
) -> Coverage:
    """Nominal and achieved coverage of the known rows, in all and by regime.

    Parameters
    ----------
    scores : RegressionScores
        The rows.
    regimes : ndarray of int64, shape (known row,), optional
        Regime of each known row; those of the request where absent, or else inside and outside
        the operating envelope.
    names : sequence of str, optional
        Names of the regimes.
    clusters : ndarray of int64, shape (known row,), optional
        What hangs together; `RegressionScores.clusters` where absent.

    Returns
    -------
    Coverage
        Widths are whole intervals, in the unit of the target.
    """
    rows, notes = scores.known, None
    if regimes is None or names is None:
        names = [say("inside the envelope"), say("outside the envelope")]
        regimes = np.where(rows["inside"], 0, 1)
        if scores.regression.settings.regimes is not None:
            names, regimes = scores.regression.regime_names, rows["regime"]
            if not scores.regression.is_dealt:
                notes = scores.by_regime.below.notes()
    ends = (rows["prediction"] - rows["half_width"], rows["prediction"] + rows["half_width"])
    return regression_intervals.interval_coverage(
        scores.regression.coverage,
        rows["truth"],
        ends,
        regimes,
        names,
        units=scores.clusters if clusters is None else clusters,
        notes=notes,
        width_unit=scores.channel[1],
    )


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
    rows = [score.known for score in scores]
    truth = np.concatenate([part["truth"] for part in rows])
    half = np.concatenate([part["half_width"] for part in rows])
    prediction = np.concatenate([part["prediction"] for part in rows])
    outside = np.concatenate([~part["inside"] for part in rows]).astype(np.int64)
    target = np.repeat(np.arange(len(rows)), [len(part["truth"]) for part in rows])
    clusters = np.concatenate([score.clusters for score in scores])
    by_target, by_envelope = (
        regression_intervals.interval_coverage(
            scores[0].regression.coverage,
            truth,
            (prediction - half, prediction + half),
            regimes,
            names,
            units=clusters,
        )
        for regimes, names in (
            (target, [score.channel[0] for score in scores]),
            (outside, [say("inside the envelope"), say("outside the envelope")]),
        )
    )
    # Targets have units of their own, so widths over all of them mean nothing.
    no_width = {"width": None, "median_width": None}
    apart = [group.model_copy(update=no_width) for group in by_envelope.groups]
    return by_target.model_copy(update={**no_width, "groups": [*by_target.groups, *apart]})


def errors_left_out(score: RegressionScores) -> NDArray[np.float64]:
    """Errors of rows that were left out of the model of their fold: training or dealt rows."""
    rows = score.all_rows
    judged_apart = rows["fold"] < score.regression.folds
    error = (rows["prediction"] - rows["truth"])[judged_apart]
    return np.asarray(error[np.isfinite(error)])


def regression_split(request: Request, folds: int, what: str) -> Split:
    """The split in words; `what` is held out where groups are."""
    split = request.evaluation.split
    if isinstance(split, RandomSplit):
        return Split(
            kind=split.kind,
            because=split.because,
            sentence=say(
                "Rows were dealt at random to {folds} folds: neighbours stand on both "
                "sides, so the figures flatter. This is not a certification.",
                folds=folds,
            ),
        )
    if isinstance(split, GroupSplit):
        sentence = say(
            "Each {what} was held out: every figure is for a {what} that the model had "
            "never seen ({folds} folds).",
            what=translated(what),
            folds=folds,
        )
    else:
        sentence = say(
            "Trained on earlier rows, tested on later ones, which the model had never seen."
        )
        if isinstance(split, TimeSplit) and split.dates:
            sentence = _dates_sentence(split)
        if split.kind == "source":
            said = {
                "train": ", ".join(split.train),
                "calibrate": ", ".join(split.calibrate or ()),
                "test": ", ".join(split.test) if split.test else say("all other sources"),
            }
            sentence = (
                say(
                    "Trained on {train}, intervals set on {calibrate}, tested on {test}.",
                    **said,
                )
                if split.calibrate
                else say("Trained on {train}, tested on {test}.", **said)
            )
    return Split(kind=split.kind, sentence=sentence)


def _dates_sentence(split: TimeSplit) -> str:
    """A split by dates in words."""
    first, *later = [end_in_words(date) for date in split.dates]
    if later:
        return say(
            "Trained on rows up to {first}, intervals set on later ones up to {second}, tested on "
            "those after, which the model had never seen.",
            first=first,
            second=later[0],
        )
    return say(
        "Trained on rows up to {first}, tested on later ones, which the model had never seen.",
        first=first,
    )


def course_section(scores: RegressionScores, unit: str, x_label: str) -> Section:
    """Predicted less measured along the tested rows, with the promised half-width."""
    rows = scores.known
    step = max(1, -(-len(rows["number"]) // _MOST_POINTS))
    error = (rows["prediction"] - rows["truth"])[::step]
    half = float(np.median(rows["half_width"])) if len(error) else float("inf")
    limits = (
        [
            Limit(value=sign * half, label=say("promised half-width"), style="empirical")
            for sign in (1.0, -1.0)
        ]
        if np.isfinite(half)
        else []
    )
    name = scores.channel[0]
    return Section(
        title=say("Errors of {name}", name=name),
        figures=[
            Chart(
                kind="chart",
                title=say("Predicted less measured {name}", name=name),
                caption=(
                    say(
                        "Each {step}th tested row, in order; most should lie between the lines.",
                        step=step,
                    )
                    if step > 1
                    else say("Tested rows, in order; most should lie between the lines.")
                ),
                alt=say(
                    "Errors of {name} along the tested rows, with the half-width of intervals.",
                    name=name,
                ),
                x=np.arange(0, len(rows["number"]), step).tolist(),
                x_label=x_label,
                panels=[
                    Panel(y=error.tolist(), y_label=say("error, {unit}", unit=unit), limits=limits)
                ],
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
