"""Comparisons with what is had without a model: against loops, and by what each must say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from lumipipe.config import Baseline, GroupSplit, RandomSplit, TimeSplit
from lumipipe.families.baseline import (
    against_alarm,
    against_coin,
    against_last_value,
    against_majority,
    against_mean_heart_rate,
    against_mean_life,
    against_stated,
    against_training_mean,
    outcome_of,
)
from lumipipe.families.roles import TEST, TRAIN
from lumipipe.reporting.result import Metric
from running import answer
from small_requests import emission

if TYPE_CHECKING:
    from pathlib import Path


def metric(value: float | None, lower: float | None = None, upper: float | None = None) -> Metric:
    return Metric(name="rmse", label="Error", value=value, lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("ends", "side", "outcome"),
    [
        ((5.0, 7.0), "<=", "better"),
        ((5.0, 7.0), ">=", "worse"),
        ((9.0, 12.0), "<=", "worse"),
        ((7.0, 9.0), "<=", "not_told_apart"),
        ((None, None), "<=", "not_told_apart"),
    ],
)
def test_a_stated_figure_is_held_against_the_whole_interval(ends, side, outcome):
    today = Baseline(words="the laboratory", metric="rmse", value=8.0)
    (found,) = against_stated(today, [metric(6.0, *ends)], {"rmse": side})
    assert (found.outcome, found.baseline, found.difference) == (outcome, 8.0, -2.0)
    assert found.lower == (None if ends[0] is None else ends[0] - 8.0)
    assert ("no interval" in found.sentence) == (ends[0] is None)


def test_words_alone_and_a_metric_without_value_are_held_against_nothing():
    assert against_stated(Baseline(words="by ear"), [metric(6.0)], {"rmse": "<="}) == []
    today = Baseline(words="the laboratory", metric="rmse", value=8.0)
    assert against_stated(today, [metric(None)], {"rmse": "<="}) == []


def classified(rng: np.random.Generator) -> Any:
    """Confusions of six groups whose most frequent class differs."""
    confusion = rng.integers(0, 9, size=(6, 3, 3))
    confusion[:3, 0, 0] += 40
    confusion[3:, 2, 1] += 30
    return SimpleNamespace(confusion=confusion, names=[f"g{n}" for n in range(6)])


def test_the_most_frequent_class_is_that_of_the_other_folds():
    scores = classified(np.random.default_rng(1))
    folds = {"g0": 0, "g1": 0, "g2": 1, "g3": 1, "g4": 2, "g5": 2}
    (found,) = against_majority(scores, folds, 1)
    right = named = total = 0
    for g, name in enumerate(scores.names):
        others = [h for h, other in enumerate(scores.names) if folds[other] != folds[name]]
        truth = [scores.confusion[h].sum(axis=1) for h in others]
        best = int(np.sum(truth, axis=0).argmax())
        named += scores.confusion[g].sum(axis=1)[best]
        right += np.trace(scores.confusion[g])
        total += scores.confusion[g].sum()
    assert found.baseline == pytest.approx(named / total, rel=1e-15)
    assert found.difference == pytest.approx((right - named) / total, rel=1e-12)
    # Taught by its own windows, the class would be another and the baseline higher.
    own = sum(c.sum(axis=1).max() for c in scores.confusion) / total
    assert found.baseline < own


def regressed(*, dealt: bool) -> Any:
    """Rows of two recordings: the first half teaches, or each half is held out in turn."""
    rng = np.random.default_rng(3)
    number = np.arange(80)
    truth = rng.normal(10.0, 2.0, 80)
    rows = {
        "truth": truth,
        "prediction": truth + rng.normal(0, 0.5, 80),
        "is_known": number != 3,
        "fold": (number >= 40).astype(np.int64),
        "role": np.where((number >= 40) | dealt, TEST, TRAIN),
    }
    tests = rows["role"] == TEST
    known = {name: column[tests] for name, column in rows.items()}
    return SimpleNamespace(
        all_rows=rows,
        known=known,
        clusters=np.arange(int(tests.sum())) // 8,
        channel=("strength", "MPa"),
        regression=SimpleNamespace(is_dealt=dealt),
    )


@pytest.mark.parametrize("dealt", [False, True])
def test_the_mean_is_that_of_what_taught(dealt):
    scores = regressed(dealt=dealt)
    (found,) = against_training_mean(scores, 1)
    truth = scores.all_rows["truth"]
    first = np.delete(truth[:40], 3).mean()  # row 3 taught nothing
    mean = np.repeat([truth[40:].mean(), first], 40) if dealt else np.full(40, first)
    known = scores.known
    plain = np.sqrt(np.mean((mean - known["truth"]) ** 2))
    own = np.sqrt(np.mean((known["prediction"] - known["truth"]) ** 2))
    assert found.baseline == pytest.approx(plain, rel=1e-12)
    assert found.difference == pytest.approx(own - plain, rel=1e-12)
    assert found.outcome == "better"
    assert found.metric == "rmse"
    assert cast("float", found.upper) < 0


def test_without_a_row_that_taught_nothing_is_compared():
    scores = regressed(dealt=False)
    scores.all_rows["is_known"][:] = False
    assert against_training_mean(scores, 1) == []


def followed(split: Any, *, has_time: bool = False) -> Any:
    """Two recordings of 50 rows with gaps in truth and prediction; all but 20 rows test."""
    rng = np.random.default_rng(7)
    number = np.arange(100)
    truth = np.cumsum(rng.normal(0, 0.1, 100)) + 10.0
    truth[rng.random(100) < 0.2] = np.nan
    prediction = truth + rng.normal(0, 0.5, 100)
    prediction[rng.random(100) < 0.1] = np.nan
    truth[50] = prediction[50] = 10.0
    rows = {
        "truth": truth,
        "prediction": prediction,
        "recording": (number >= 50).astype(np.int64),
        "role": np.where(number < 20, TRAIN, TEST),
    }
    tests = (rows["role"] == TEST) & np.isfinite(truth) & np.isfinite(prediction)
    stream = SimpleNamespace(has_time=has_time, rate_hz=np.full(2, np.nan))
    return SimpleNamespace(
        all_rows=rows,
        known={name: column[tests] for name, column in rows.items()},
        clusters=np.arange(int(tests.sum())) // 8,
        channel=("nox", "ppm"),
        regression=SimpleNamespace(split=split, stream=stream),
    )


LATER = TimeSplit(kind="time", train_first_rows=20)


def test_the_last_value_is_the_one_before_in_the_same_recording():
    """The twin walks through the rows; values that train count, as they were measured."""
    scores = followed(LATER)
    (found,) = against_last_value(scores, 1)
    last: dict[int, float] = {}
    plain, own = [], []
    rows = scores.all_rows
    for truth, prediction, recording, role in zip(
        *(rows[name].tolist() for name in ("truth", "prediction", "recording", "role")),
        strict=True,
    ):
        if role == TEST and np.isfinite(truth + prediction) and recording in last:
            plain.append((last[recording] - truth) ** 2)
            own.append((prediction - truth) ** 2)
        if np.isfinite(truth):
            last[recording] = truth
    assert len(plain) == len(scores.known["truth"]) - 1  # the second recording has a first value
    assert found.baseline == pytest.approx(np.sqrt(np.mean(plain)), rel=1e-12)
    difference = np.sqrt(np.mean(own)) - np.sqrt(np.mean(plain))
    assert found.difference == pytest.approx(difference, rel=1e-12)
    assert (found.name, found.metric, found.outcome) == ("last_value", "rmse", "worse")
    assert cast("float", found.lower) > 0
    assert "by the last value measured before, where the reference goes on" in found.sentence


def test_the_last_value_is_of_rows_in_the_order_of_time():
    random = RandomSplit(kind="random", because="to see")
    by_unit = GroupSplit(kind="group")
    assert against_last_value(followed(random, has_time=True), 1) == []
    assert against_last_value(followed(by_unit), 1) == []
    assert len(against_last_value(followed(by_unit, has_time=True), 1)) == 1
    alone = followed(LATER)
    alone.all_rows["recording"] = np.arange(100)
    assert against_last_value(alone, 1) == []


def test_the_last_value_of_a_run_is_that_of_its_table(tmp_path: Path):
    """On the small request of emissions, by hand from the rows that it leaves."""
    done = answer(emission(tmp_path), tmp_path / "out")
    mean, last = done.result.comparisons
    assert (mean.name, last.name) == ("training_mean", "last_value")
    table = pq.read_table(done.product("score") / "rows.parquet").to_pydict()
    measured = np.asarray(table["measured"], dtype=np.float64)
    tests = np.flatnonzero([phase == "test" for phase in table["phase"]])[1:]
    error = np.sqrt(np.mean((measured[tests] - measured[tests - 1]) ** 2))
    assert last.baseline == pytest.approx(error, rel=1e-12)
    assert last.outcome == "better"  # each row of it is drawn anew


def test_lives_and_alarms_are_paired():
    """The interval of a difference case by case is narrow where both err alike."""
    rng = np.random.default_rng(5)
    true = rng.uniform(20, 120, 40)
    shared = rng.normal(0, 20, 40)
    (life,) = against_mean_life("e", true + shared, true, true + 1.1 * shared, 1)
    assert life.outcome == "better"
    wrong = rng.integers(0, 50, 30).astype(np.float64)
    sums = np.stack([np.full(30, 100.0), wrong, wrong + 1.0], axis=1)
    (alarm,) = against_alarm([("false_alarm_rate", "False alarms", sums)], 1)
    assert alarm.difference == pytest.approx(-0.01)
    assert alarm.lower == pytest.approx(-0.01)  # one row more in each cluster, without spread
    assert against_alarm([("x", "X", np.zeros((0, 3)))], 1) == []


@pytest.mark.parametrize(
    ("hits", "total", "outcome"),
    [(5, 7, "not_told_apart"), (70, 100, "better"), (30, 100, "worse")],
)
def test_calls_are_held_against_a_coin_by_their_exact_interval(hits, total, outcome):
    (found,) = against_coin("winner_called", "Called", hits, total)
    exact = stats.binomtest(hits, total).proportion_ci(0.95, method="exact")
    assert (found.outcome, found.baseline) == (outcome, 0.5)
    assert found.difference == pytest.approx(hits / total - 0.5, abs=1e-15)
    # Two implementations of one quantile of the beta distribution.
    assert (found.lower, found.upper) == pytest.approx(
        (exact.low - 0.5, exact.high - 0.5), abs=1e-9
    )
    assert against_coin("winner_called", "Called", 0, 0) == []


def test_heart_rates_are_held_against_the_mean_session_by_session():
    """Sessions of unlike length: all rows count alike, and sessions are drawn whole."""
    rows = np.array([100.0, 20.0, 300.0, 50.0, 80.0])
    errors = np.column_stack([rows, rows * [4.0, 5.0, 3.0, 6.0, 4.0]])
    plain = np.column_stack([rows, rows * [7.0, 9.0, 8.0, 7.0, 8.0]])
    (found,) = against_mean_heart_rate("e", errors, plain, 1)
    assert found.baseline == pytest.approx(plain[:, 1].sum() / rows.sum(), rel=1e-15)
    expected = (errors[:, 1].sum() - plain[:, 1].sum()) / rows.sum()
    assert found.difference == pytest.approx(expected, rel=1e-12)
    assert found.outcome == "better"
    assert against_mean_heart_rate("e", np.zeros((0, 2)), np.zeros((0, 2)), 1) == []


def test_an_interval_that_holds_0_tells_nothing_apart():
    assert outcome_of(0.0, 0.3, ">=") == "not_told_apart"
    assert outcome_of(-0.3, -0.1, "<=") == "better"
