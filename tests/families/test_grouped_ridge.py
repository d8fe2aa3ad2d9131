"""Nested validation: what a fold is tested with has never seen the fold."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm, pack
from lumipipe.comm.threads import run_ranks
from lumipipe.families.grouped_ridge import (
    nested_fit,
    outputs_of_fold,
    ridge_settings,
    set_thresholds,
)
from lumipipe.models.ridge import RidgeReducer, fit_path, predict
from lumipipe.uncertainty.scores import Scores

NUMPY = choose_backend("numpy")
FOLDS, ROWS, INPUTS, CLASSES = 5, 60, 6, 3
SETTINGS = ridge_settings((1.0, 10.0, 100.0), INPUTS, set_thresholds(0.8, Scores()))
REDUCER = RidgeReducer(xp, INPUTS, CLASSES, 40, 1)


def _rows(fold: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, fold])
    truth = rng.integers(0, CLASSES, ROWS)
    x = rng.normal(size=(ROWS, INPUTS)) + 1.5 * np.eye(CLASSES, INPUTS)[truth]
    return x, truth


def _state(fold: int, x: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    number = np.arange(ROWS) + fold * ROWS
    batch = {"x": x, "y": np.eye(CLASSES)[truth], "number": number}
    return REDUCER.update(REDUCER.empty(), batch)


@pytest.fixture
def states() -> list[dict[str, np.ndarray]]:
    return [_state(fold, *_rows(fold)) for fold in range(FOLDS)]


def _fit(states, comm=None) -> dict[str, np.ndarray]:
    return nested_fit(SETTINGS, NUMPY, REDUCER, states, comm or SerialComm())


@pytest.mark.parametrize("fold", range(FOLDS))
def test_nothing_that_tests_a_fold_depends_on_it(states, fold: int) -> None:
    before = _fit(states)
    # Other inputs and other labels for this fold alone.
    states[fold] = _state(fold, *_rows(fold, seed=9))
    after = _fit(states)
    for name in ("fold_coef", "fold_mean_x", "fold_mean_y", "fold_choice", "fold_threshold"):
        assert before[name][fold].tobytes() == after[name][fold].tobytes(), name
        others = np.delete(np.arange(FOLDS), fold)
        if name != "fold_choice":  # a choice among three may well stay
            assert (before[name][others] != after[name][others]).any(), name


def test_model_of_a_fold_is_the_ridge_of_the_others(states) -> None:
    fitted = _fit(states)
    pooled = [_rows(fold) for fold in range(FOLDS) if fold != 2]
    x, truth = np.concatenate([p[0] for p in pooled]), np.concatenate([p[1] for p in pooled])
    direct = fit_path(
        REDUCER.update(
            REDUCER.empty(), {"x": x, "y": np.eye(CLASSES)[truth], "number": np.arange(len(x))}
        ),
        INPUTS,
        [float(fitted["fold_choice"][2])],
    )
    own = {name: fitted[f"fold_{name}"] for name in ("coef", "mean_x", "mean_y")}
    new = _rows(2)[0]
    found = outputs_of_fold(own, new, np.full(ROWS, 2))
    np.testing.assert_allclose(found, predict(direct, new)[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_ranks_give_the_same_bytes(states, ranks: int) -> None:
    alone = pack(_fit(states))
    assert set(run_ranks(ranks, lambda comm: pack(_fit(states, comm)))) == {alone}


def test_sets_cover_new_folds() -> None:
    """Folds alike, so that rows are exchangeable: coverage near its nominal 0.8."""
    covered = []
    for seed in range(12):
        states = [_state(fold, *_rows(fold, seed)) for fold in range(FOLDS)]
        fitted = _fit(states)
        own = {name: fitted[f"fold_{name}"] for name in ("coef", "mean_x", "mean_y")}
        for fold in range(FOLDS):
            x, truth = _rows(fold, seed)
            outputs = outputs_of_fold(own, x, np.full(ROWS, fold))
            best = np.sort(outputs, axis=1)
            mine = outputs[np.arange(ROWS), truth]
            margin = np.where(mine == best[:, -1], best[:, -2], best[:, -1]) - mine
            covered.append((margin <= fitted["fold_threshold"][fold][truth]).mean())
    # 60 folds of 60 rows: standard error 0.4 / 60 = 0.007 for rows, a little more with
    # thresholds from 160 rows that the folds of one seed share.
    assert np.mean(covered) == pytest.approx(0.8, abs=0.04)
