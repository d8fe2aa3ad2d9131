"""Regressions of rows: nothing that judges a row has seen it; intervals hold; gaps are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.config import GroupSplit, RandomSplit, SourceSplit, TimeSplit
from lumipipe.families.interface import Job
from lumipipe.families.regression import Regression
from lumipipe.families.regression_scores import (
    RegressionScores,
    error_metrics,
    interval_coverage,
    regression_table,
)
from lumipipe.families.regression_settings import Regimes, RegressionSettings
from lumipipe.families.roles import CALIBRATE, TEST, TRAIN
from lumipipe.store.dataset import open_dataset
from lumipipe.store.rows import ChannelRow
from lumipipe.tasks.folding import run_pass
from lumipipe.tasks.request import load_request
from lumipipe.timing import Timer
from small_requests import recipe
from store.fakes import FakeRecording, FakeStream, publish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROWS, NOISE = 400, 0.5
CHANNELS = tuple(ChannelRow(name, "count", "1", scale=1.0) for name in "aby")
SETTINGS = RegressionSettings(
    inputs=["a", "b"], penalties=[0.01, 1.0], folds=4, windows_per_chunk=64, sample_rows=1000
)


def plant(rows: int = ROWS, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    """Inputs a and b, and a target that is a line of them with noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    y = 3.0 + 2.0 * x[:, 0] - x[:, 1] + NOISE * rng.normal(size=rows) + shift
    return np.column_stack([x, y])


def fitted(
    folder: Path,
    sources: Sequence[np.ndarray],
    split: Any,
    settings: RegressionSettings = SETTINGS,
    **more: Any,
) -> RegressionScores:
    """Scored rows of recordings, one a source, of one unit each."""
    recordings = [
        FakeRecording(f"r{n}", {"main": FakeStream(x)}, unit=f"u{n}", source=f"s{n}")
        for n, x in enumerate(sources)
    ]
    folder.mkdir(exist_ok=True)
    dataset = open_dataset(publish(folder, recordings, channels={"main": CHANNELS}))
    request = load_request(recipe(folder)).request
    evaluation = request.evaluation.model_copy(update={"split": split})
    request = request.model_copy(update={"evaluation": evaluation})
    backend, comm = choose_backend("numpy"), SerialComm()
    job = Job(request, settings, None, None, dataset, backend)
    found = Regression(job, settings, ("y",), **more)

    def run(work: Any) -> Any:
        return run_pass(work, backend, comm, None, 2**26, Timer(), lambda _: None)

    model = found.fit(run(found.train_pass()), comm)
    return RegressionScores(found, model, run(found.score_pass(model)))


def values(scores: RegressionScores, role: int) -> np.ndarray:
    """Predictions of the rows of one role."""
    rows = scores.all_rows
    return np.asarray(rows["prediction"][rows["role"] == role])


def test_the_line_is_found_and_intervals_hold(tmp_path: Path) -> None:
    sources = [plant(seed=n) for n in range(3)]
    scores = fitted(tmp_path, sources, SourceSplit(kind="source", train=["s0", "s1"]))
    rmse, _, r2, bias = error_metrics(scores.job.request, scores, "1")
    # 400 rows: the error's own standard error is NOISE / sqrt(800) = 0.018.
    assert rmse.value == pytest.approx(NOISE, abs=0.06)
    assert abs(bias.value or 0) < 0.1
    assert r2.value == pytest.approx(1 - NOISE**2 / (5 + NOISE**2), abs=0.03)
    coverage = interval_coverage(scores)
    # Binomial with n = 400: standard error 0.015.
    assert coverage.achieved == pytest.approx(0.9, abs=0.05)
    assert coverage.width == pytest.approx(2 * 1.645 * NOISE, rel=0.15)


@pytest.mark.parametrize(
    "split",
    [
        GroupSplit(kind="group", by="unit"),
        RandomSplit(kind="random", because="to try", folds=4),
    ],
)
def test_targets_of_a_row_do_not_change_its_own_prediction(tmp_path: Path, split: Any) -> None:
    sources = [plant(seed=n) for n in range(4)]
    before = fitted(tmp_path / "a", sources, split)
    changed = [source.copy() for source in sources]
    mine = before.all_rows["fold"] == 1
    rows = np.concatenate(changed)
    rows[mine, 2] += 100.0
    after = fitted(tmp_path / "b", np.split(rows, 4), split)
    one, other = before.all_rows["prediction"], after.all_rows["prediction"]
    assert one[mine].tobytes() == other[mine].tobytes()
    assert before.all_rows["half_width"][mine][0] == after.all_rows["half_width"][mine][0]
    assert (one[~mine] != other[~mine]).all()


def test_later_rows_change_nothing_that_judges_them(tmp_path: Path) -> None:
    split = TimeSplit(kind="time", train_first_rows=300)
    before = fitted(tmp_path / "a", [plant()], split)
    changed = plant()
    changed[300:, 2] -= 50.0
    after = fitted(tmp_path / "b", [changed], split)
    for name in before.model.arrays:
        assert before.model.arrays[name].tobytes() == after.model.arrays[name].tobytes()
    assert values(before, TEST).tobytes() == values(after, TEST).tobytes()
    np.testing.assert_array_equal(before.test["half_width"], after.test["half_width"])


def test_rows_kept_for_it_set_the_interval(tmp_path: Path) -> None:
    """The same model, but the rows that calibrate are four times as noisy."""
    noisy = plant(seed=5)
    rng = np.random.default_rng(6)
    noisy[:, 2] += 4 * NOISE * rng.normal(size=ROWS)
    sources = [plant(seed=1), noisy, plant(seed=2)]
    plain = SourceSplit(kind="source", train=["s0"], test=["s2"])
    kept = SourceSplit(kind="source", train=["s0"], calibrate=["s1"], test=["s2"])
    narrow, wide = (fitted(tmp_path / k, sources, s) for k, s in (("a", plain), ("b", kept)))
    assert values(narrow, TEST).tobytes() == values(wide, TEST).tobytes()
    assert len(values(wide, CALIBRATE)) == ROWS
    ratio = wide.test["half_width"][0] / narrow.test["half_width"][0]
    # sqrt(1 + 16) = 4.1; quantiles of 400 rows scatter by some 7 %.
    assert ratio == pytest.approx(17**0.5, rel=0.25)


def test_regimes_have_intervals_of_their_own(tmp_path: Path) -> None:
    sources = [plant(2000, seed=n) for n in range(2)]
    rng = np.random.default_rng(9)
    for rows in sources:
        rows[:, 2] += np.where(rows[:, 0] > 0, 3.0, 0.0) * rng.normal(size=len(rows))
    regimes = Regimes(channel="a", edges=[0.0])
    split = SourceSplit(kind="source", train=["s0"])
    one = fitted(tmp_path / "a", sources, split)
    own = fitted(tmp_path / "b", sources, split, SETTINGS.model_copy(update={"regimes": regimes}))
    by_regime = interval_coverage(own)
    assert [group.name for group in by_regime.groups] == ["a < 0", "a ≥ 0"]
    for group in by_regime.groups:
        assert group.achieved == pytest.approx(0.9, abs=0.04)  # 1,000 rows: 0.009 each
    calm = one.known["truth"][one.known["truth"] == one.known["truth"]]
    assert len(calm) == 2000
    pooled = one.covered(one.known)
    is_calm = np.isin(one.known["row"], own.known["row"][own.known["regime"] == 0])
    assert pooled[is_calm].mean() > 0.99  # one width for all: too wide here ...
    assert pooled[~is_calm].mean() < 0.85  # ... and too narrow there


def test_gaps_are_left_out_of_fits_and_have_no_prediction(tmp_path: Path) -> None:
    whole, gappy = plant(), plant()
    gappy[::7, 0] = np.nan  # an input
    gappy[3::7, 2] = np.nan  # a target
    split = TimeSplit(kind="time", train_first_rows=300)
    scores = fitted(tmp_path / "a", [gappy], split)
    rows = scores.all_rows
    assert np.isnan(rows["prediction"][::7]).all()
    assert np.isfinite(np.delete(rows["prediction"], np.s_[::7])).all()
    assert len(scores.known["row"]) == 100 - len(range(301, 400, 7)) - len(range(304, 400, 7))
    used = np.delete(whole, np.flatnonzero(np.isnan(gappy).any(axis=1)), axis=0)
    stop = int((~np.isnan(gappy[:300]).any(axis=1)).sum())
    same = fitted(tmp_path / "b", [used], TimeSplit(kind="time", train_first_rows=stop))
    # Folds are cut at other rows, so the penalty may differ; the coefficients hardly do.
    np.testing.assert_allclose(
        scores.model.arrays["final_coef"], same.model.arrays["final_coef"], rtol=0.02
    )
    assert regression_table(scores)["measured"].shape == (ROWS,)


def test_the_envelope_names_what_the_model_has_not_learnt(tmp_path: Path) -> None:
    test = plant(seed=3)
    test[:50, :2] = [8.0, -9.0]
    scores = fitted(tmp_path, [plant(), test], SourceSplit(kind="source", train=["s0"]))
    inside = scores.test["inside"]
    assert not inside[:50].any()
    # 1 % for each of two statistics by design, 350 rows.
    assert inside[50:].mean() > 0.94


def test_training_rows_are_judged_by_models_of_other_blocks(tmp_path: Path) -> None:
    scores = fitted(tmp_path, [plant()], TimeSplit(kind="time", train_first_rows=200))
    rows = scores.all_rows
    train = rows["role"] == TRAIN
    assert rows["fold"][train].tolist() == sorted(rows["fold"][train].tolist())
    assert set(rows["fold"][train]) == set(range(4))
    assert (rows["fold"][~train] == 4).all()


def test_windows_take_their_answer_from_their_last_row(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"window_rows": 5, "hop_rows": 5})
    split = TimeSplit(kind="time", train_first_rows=200)
    scores = fitted(tmp_path, [plant()], split, settings)
    rows = scores.all_rows
    assert rows["row"].tolist() == list(range(4, ROWS, 5))
    np.testing.assert_array_equal(rows["truth"], plant()[4::5, 2])


def test_units_can_be_the_folds_of_training_rows(tmp_path: Path) -> None:
    sources = [plant(50, seed=n) for n in range(6)]
    split = SourceSplit(kind="source", train=[f"s{n}" for n in range(5)])
    settings = SETTINGS.model_copy(update={"fold_by": "unit"})
    scores = fitted(tmp_path, sources, split, settings)
    rows = scores.all_rows
    for unit in range(5):
        assert len(set(rows["fold"][rows["recording"] == unit])) == 1
    assert set(rows["fold"][rows["role"] == TRAIN]) == set(range(4))


def test_answers_for_no_file_are_those_for_a_file(tmp_path: Path) -> None:
    split = TimeSplit(kind="time", train_first_rows=200)
    scores = fitted(tmp_path, [plant()], split)
    said = scores.regression.answers(scores.model, plant()[200:, :2])
    np.testing.assert_allclose(said["prediction"][:, 0], values(scores, TEST), rtol=1e-12)
    np.testing.assert_allclose(said["t2"], scores.test["t2"], rtol=1e-12)


def test_what_is_watched_closes_the_envelope_and_predicts_nothing(tmp_path: Path) -> None:
    """The second input leaves its range in the tested rows."""
    sources = [plant(seed=n) for n in range(3)]
    sources[2][:, 1] += 20.0
    split = SourceSplit(kind="source", train=["s0", "s1"])
    settings = SETTINGS.model_copy(update={"inputs": ["a"]})
    blind = fitted(tmp_path / "a", sources, split, settings)
    watching = fitted(tmp_path / "b", sources, split, settings, watched=("b",))
    assert values(blind, TEST).tobytes() == values(watching, TEST).tobytes()
    assert blind.test["inside"].mean() > 0.9
    assert not watching.test["inside"].any()


def test_no_prediction_passes_its_bounds(tmp_path: Path) -> None:
    sources = [plant(seed=n) for n in range(3)]
    split = SourceSplit(kind="source", train=["s0", "s1"])
    free = fitted(tmp_path / "a", sources, split)
    bound = fitted(tmp_path / "b", sources, split, least=2.0, greatest=4.0)
    plain, cut = free.all_rows["prediction"], bound.all_rows["prediction"]
    assert plain.min() < 2
    assert plain.max() > 4
    np.testing.assert_array_equal(cut, np.clip(plain, 2.0, 4.0))
    # Residuals of the cut predictions set the interval, so it still holds.
    assert bound.test["half_width"][0] > free.test["half_width"][0]


def test_rounding_is_nowhere_outside(tmp_path: Path) -> None:
    """A constant input: one component carries all that varies, and SPE is left with rounding."""
    sources = [plant(seed=n) for n in range(3)]
    for rows in sources:
        rows[:, 1] = 14.62
    scores = fitted(tmp_path, sources, SourceSplit(kind="source", train=["s0", "s1"]))
    # Of 1200 rows 1 % would be above the largest of so many roundings but for the least limit.
    assert (scores.all_rows["spe"] <= scores.model.arrays["envelope_spe"]).all()
    assert scores.all_rows["spe"].max() < 1e-20
