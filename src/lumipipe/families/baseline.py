"""Whether an answer is better than what is had without it: today's figure, or a model of nothing.

What families can hold themselves against on the same cases is here: the most frequent class, the
mean of the rows that taught, the last measured value, the mean life, an alarm of today. Differences
are paired, case by case, and their intervals draw whole groups again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lumipipe.config import RandomSplit, SourceSplit, TimeSplit
from lumipipe.families.roles import TEST, TRAIN
from lumipipe.language import message, say
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.result import Comparison
from lumipipe.uncertainty.proportions import bootstrap_units, clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Baseline
    from lumipipe.families.classifier_scores import ClassifierScores
    from lumipipe.families.regression_scores import RegressionScores
    from lumipipe.reporting.result import Metric

    Outcome = Literal["better", "worse", "not_told_apart"]

CONFIDENCE = 0.95
MAJORITY, TRAINING_MEAN, FIXED_ALARM, STATED = (
    "majority",
    "training_mean",
    "fixed_alarm",
    "stated",
)
MEAN_LIFE, LAST_VALUE, MEAN_HEART_RATE, COIN = (
    "mean_life",
    "last_value",
    "mean_heart_rate",
    "coin",
)
NOTHING_PREDICTED = message(
    "What was done is counted here, and nothing is predicted that a guess could tell as well."
)
"""Why a family that counts has nothing to be held against."""
_SENTENCES = {
    MAJORITY: message(
        "{metric}: {base} by always naming the most frequent class of the other groups; "
        "difference {change}{spread}."
    ),
    TRAINING_MEAN: message(
        "{metric}: {base} by the mean of what taught; difference {change}{spread}."
    ),
    LAST_VALUE: message(
        "{metric}: {base} by the last value measured before, where the reference goes on "
        "measuring; difference {change}{spread}."
    ),
    MEAN_LIFE: message(
        "{metric}: {base} by the mean life of the units that taught, less the age; difference "
        "{change}{spread}."
    ),
    MEAN_HEART_RATE: message(
        "{metric}: {base} by the mean heart rate of the person's other sessions; difference "
        "{change}{spread}."
    ),
    COIN: message("{metric}: {base} by tossing a coin; difference {change}{spread}."),
    FIXED_ALARM: message(
        "{metric}: {base} by today's alarm on the same rows; difference {change}{spread}."
    ),
    STATED: message("{metric}: {base} stated for today; difference {change}{spread}."),
}


def outcome_of(lower: float | None, upper: float | None, side: str) -> Outcome:
    """Better or worse where the whole interval of the difference is on one side of 0.

    Parameters
    ----------
    lower, upper : float or None
        Of the answer's figure less the baseline's.
    side : str
        ``>=`` where larger figures are good, ``<=`` where smaller ones are.

    Examples
    --------
    >>> outcome_of(0.1, 0.3, ">="), outcome_of(0.1, 0.3, "<="), outcome_of(-0.1, 0.3, ">=")
    ('better', 'worse', 'not_told_apart')
    """
    if lower is None or upper is None or lower <= 0 <= upper:
        return "not_told_apart"
    return "better" if (lower > 0) == (side == ">=") else "worse"


def against_stated(
    today: Baseline, metrics: Sequence[Metric], sides: Mapping[str, str]
) -> list[Comparison]:
    """The metric of which today's figure is stated, less that figure.

    Parameters
    ----------
    today : Baseline
        What the request says of today.
    metrics : sequence of Metric
        Those of the answer.
    sides : mapping of str to str
        On which side each is good.

    Returns
    -------
    list of Comparison
        None where no figure is stated, or the metric has no value. The figure is taken as exact:
        the request knows no interval of it.
    """
    found = [m for m in metrics if m.name == today.metric and m.value is not None]
    if today.value is None or not found:
        return []
    metric = found[0]
    lower, upper = (
        None if end is None else end - today.value for end in (metric.lower, metric.upper)
    )
    difference = None if metric.value is None else metric.value - today.value
    return [
        _comparison(
            STATED,
            metric.name,
            metric.label,
            (today.value, difference, lower, upper),
            sides[metric.name],
            metric.confidence or CONFIDENCE,
        )
    ]


def against_majority(
    scores: ClassifierScores, fold_of_group: Mapping[str, int], seed: int
) -> list[Comparison]:
    """Accuracy by window, less that of naming the class that is most frequent in the other folds.

    Parameters
    ----------
    scores : ClassifierScores
        Confusions of the held-out groups.
    fold_of_group : mapping of str to int
        Which groups are held out together.
    seed : int
        Key of the draws of groups.
    """
    confusion = scores.confusion
    # A random split has no groups: its parts are the folds themselves.
    fold = np.array([fold_of_group.get(name, -1 - g) for g, name in enumerate(scores.names)])
    truth = confusion.sum(axis=2)
    right = np.trace(confusion, axis1=1, axis2=2)
    named = [truth[fold != fold[g]].sum(axis=0).argmax() for g in range(len(fold))]
    plain = truth[np.arange(len(fold)), named]
    sums = np.stack([truth.sum(axis=1), right, plain], axis=1)
    if not sums[:, 0].sum():
        return []
    label = say("Accuracy by window")
    return [_paired(MAJORITY, ("accuracy", label), sums, lambda s, c: s[..., c] / s[..., 0], seed)]


def against_training_mean(scores: RegressionScores, seed: int) -> list[Comparison]:
    """Root-mean-square error, less that of the mean of the truths that taught.

    Parameters
    ----------
    scores : RegressionScores
        Scored rows; of dealt rows, those of the other folds taught.
    seed : int
        Key of the draws of clusters.
    """
    rows, known = scores.all_rows, scores.known
    truth = np.where(rows["is_known"], rows["truth"], np.nan)
    mean = np.full(len(known["truth"]), np.nan)
    if scores.regression.is_dealt:
        for fold in np.unique(known["fold"]):
            mean[known["fold"] == fold] = _mean(truth[rows["fold"] != fold])
    else:
        mean[:] = _mean(truth[rows["role"] == TRAIN])
    if not len(mean) or not np.isfinite(mean).all():
        return []
    parts = [
        np.ones(len(mean)),
        (known["prediction"] - known["truth"]) ** 2,
        (mean - known["truth"]) ** 2,
    ]
    name, unit = scores.channel
    label = say("Root-mean-square error of {name}, {unit}", name=name, unit=unit)
    sums = _summed(scores.clusters, parts)
    return [_paired(TRAINING_MEAN, ("rmse", label), sums, _root, seed, "<=")]


def against_last_value(scores: RegressionScores, seed: int) -> list[Comparison]:
    """Root-mean-square error, less that of the last truth that was known before each row.

    Parameters
    ----------
    scores : RegressionScores
        Scored rows. Their order is that of time where the split is by time or by sources, or
        where rows have stamps or a rate; elsewhere nothing is compared.
    seed : int
        Key of the draws of clusters.

    Returns
    -------
    list of Comparison
        Of the rows that have a value before them in their own recording, of training rows too:
        whoever goes by the last value has a reference that goes on measuring.
    """
    if not _is_in_time(scores):
        return []
    rows, known = scores.all_rows, scores.known
    last = _last_before(rows["truth"], rows["recording"])[_tested(rows)]
    use = np.isfinite(last)
    if not use.any():
        return []
    truth, prediction = known["truth"][use], known["prediction"][use]
    parts = [np.ones(len(truth)), (prediction - truth) ** 2, (last[use] - truth) ** 2]
    name, unit = scores.channel
    label = say("Root-mean-square error of {name}, {unit}", name=name, unit=unit)
    sums = _summed(scores.clusters[use], parts)
    return [_paired(LAST_VALUE, ("rmse", label), sums, _root, seed, "<=")]


def _is_in_time(scores: RegressionScores) -> bool:
    """Whether rows of a recording follow each other in time."""
    found = scores.regression
    if isinstance(found.split, RandomSplit):
        return False
    known = found.stream.has_time or bool(np.isfinite(found.stream.rate_hz).all())
    return known or isinstance(found.split, TimeSplit | SourceSplit)


def _tested(rows: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Which of all rows are those of `RegressionScores.known`."""
    measured = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
    return np.asarray((rows["role"] == TEST) & measured)


def _last_before(truth: NDArray[np.float64], recording: NDArray[np.int64]) -> NDArray[np.float64]:
    """The last known truth before each row of the same recording; NaN where there is none.

    >>> _last_before(np.asarray([1.0, np.nan, 3.0, 4.0]), np.asarray([0, 0, 0, 1])).tolist()
    [nan, 1.0, 1.0, nan]
    """
    place = np.where(np.isfinite(truth), np.arange(len(truth)), -1)
    before = np.concatenate([[-1], np.maximum.accumulate(place)[:-1]]).astype(np.int64)
    own = (before >= 0) & (recording[before] == recording)
    return np.where(own, truth[before], np.nan)


def against_mean_life(
    label: str,
    predicted: NDArray[np.float64],
    true: NDArray[np.float64],
    plain: NDArray[np.float64],
    seed: int,
) -> list[Comparison]:
    """Root-mean-square error at one instant a unit, less that of the mean life less the age."""
    use = np.isfinite(predicted) & np.isfinite(true) & np.isfinite(plain)
    if not use.any():
        return []
    errors = [(guess[use] - true[use]) ** 2 for guess in (predicted, plain)]
    sums = np.stack([np.ones(int(use.sum())), *errors], axis=1)
    return [_paired(MEAN_LIFE, ("rmse", label), sums, _root, seed, "<=")]


def against_mean_heart_rate(
    label: str, errors: NDArray[np.float64], plain: NDArray[np.float64], seed: int
) -> list[Comparison]:
    """Mean absolute error of heart rate, less that of the mean of the person's other sessions.

    Parameters
    ----------
    label : str
        Of the error.
    errors, plain : ndarray of float64, shape (session, 2)
        Rows of each session, and the sum of absolute errors over them.
    seed : int
        Key of the draws of sessions.
    """
    if not errors[:, 0].sum():
        return []
    sums = np.column_stack([errors, plain[:, 1]])
    metric = ("heart_rate_error", label)
    return [_paired(MEAN_HEART_RATE, metric, sums, lambda s, c: s[..., c] / s[..., 0], seed, "<=")]


def against_coin(name: str, label: str, hits: int, total: int) -> list[Comparison]:
    """A share of calls of two that were right, less one half; the interval is the share's own.

    Parameters
    ----------
    name, label : str
        Of the share.
    hits, total : int
        Calls that were right, and all of them.

    Examples
    --------
    >>> [found.outcome for found in against_coin("called", "Called", 5, 7)]
    ['not_told_apart']
    """
    if not total:
        return []
    coin = 0.5
    lower, upper = clopper_pearson(hits, total, CONFIDENCE)
    numbers = (coin, hits / total - coin, lower - coin, upper - coin)
    return [_comparison(COIN, name, label, numbers, ">=", CONFIDENCE)]


def against_alarm(
    shares: Sequence[tuple[str, str, NDArray[np.float64]]], seed: int
) -> list[Comparison]:
    """Shares of rows that are wrong, less those of today's alarm on the same rows.

    Parameters
    ----------
    shares : sequence of tuple
        Name and label of each, and its sums (cluster, 3): rows, wrong ones, wrong ones today.
    seed : int
        Key of the draws of clusters.
    """
    return [
        _paired(
            FIXED_ALARM, (name, label), sums, lambda s, c: s[..., c] / s[..., 0], seed, side="<="
        )
        for name, label, sums in shares
        if sums[:, 0].sum()
    ]


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _root(sums: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(sums[..., column] / sums[..., 0]))


def _summed(
    clusters: NDArray[np.int64], parts: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Sums of columns over each cluster: float64 (cluster, column)."""
    return np.stack([np.bincount(clusters, part) for part in parts], axis=1)


def _paired(
    name: str,
    metric: tuple[str, str],
    sums: NDArray[np.float64] | NDArray[np.int64],
    statistic: Callable[[NDArray[np.float64], int], NDArray[np.float64]],
    seed: int,
    side: str = ">=",
) -> Comparison:
    """The difference of a statistic of columns 1 and 2, with clusters drawn again together."""
    used = np.asarray(sums[sums[:, 0] > 0], dtype=np.float64)
    whole = used.sum(axis=0)
    base = float(statistic(whole, 2))

    def difference(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        return statistic(drawn, 1) - statistic(drawn, 2)

    ends = bootstrap_units(used, difference, seed, CONFIDENCE)  # type: ignore[arg-type]
    known = bool(np.isfinite(ends).all())
    lower, upper = ends if known else (None, None)
    numbers = (base, float(difference(whole)), lower, upper)
    return _comparison(name, *metric, numbers, side, CONFIDENCE)


def _comparison(
    name: str,
    metric: str,
    label: str,
    numbers: tuple[float, float | None, float | None, float | None],
    side: str,
    confidence: float,
) -> Comparison:
    """A comparison in numbers and words."""
    base, difference, lower, upper = numbers
    change, low, high = rounded_interval(difference, lower, upper)
    spread = (
        say(" (no interval)")
        if lower is None or upper is None
        else say(" ({lower} to {upper})", lower=low, upper=high)
    )
    return Comparison(
        name=name,
        metric=metric,
        baseline=base,
        difference=difference,
        lower=lower,
        upper=upper,
        confidence=None if lower is None else confidence,
        outcome=outcome_of(lower, upper, side),
        sentence=say(
            _SENTENCES[name], metric=label, base=rounded(base), change=change, spread=spread
        ),
    )
