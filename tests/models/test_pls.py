"""Partial least squares from merged cross-products against libraries that see the rows."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from conftest import to_numpy
from lumipipe.fold import merge_all
from lumipipe.models.pls import (
    PlsReducer,
    coefficient_path,
    fit_latent,
    importance,
    pair_state,
    predict_with_gaps,
    relative_errors,
)

INPUTS, TARGETS = 6, 2


def rows(count: int = 60, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(count, 3))
    x = latent @ rng.normal(size=(3, INPUTS)) + 0.3 * rng.normal(size=(count, INPUTS))
    y = latent @ rng.normal(size=(3, TARGETS)) + 0.1 * rng.normal(size=(count, TARGETS))
    return 5.0 + x * np.arange(1, INPUTS + 1), y * [1.0, 1000.0] - 3.0


def state(x: np.ndarray, y: np.ndarray, parts: int = 4, sample_rows: int = 100):
    reducer = PlsReducer(xp, x.shape[1], y.shape[1], sample_rows, 1)
    cut = np.array_split(np.arange(len(x)), parts)
    return merge_all(
        reducer,
        [reducer.update(reducer.empty(), {"x": x[c], "y": y[c], "number": c}) for c in cut],
    )


@pytest.mark.parametrize("is_scaled", [True, False])
def test_predictions_equal_those_from_the_rows(*, is_scaled: bool) -> None:
    """Another algorithm (NIPALS with deflated rows), another library."""
    pls = pytest.importorskip("sklearn.cross_decomposition").PLSRegression
    x, y = rows()
    new = rows(7, seed=4)[0]
    # The library scales inputs and targets or neither, so targets are scaled for it.
    level, spread = y.mean(0), y.std(0, ddof=1)
    latent = fit_latent(pair_state(state(x, y)), INPUTS, 4, is_scaled=is_scaled)
    path = coefficient_path(latent)
    for components in (1, 2, 4):
        other = pls(components, scale=is_scaled, max_iter=20000, tol=1e-14)
        expected = other.fit(x, (y - level) / spread).predict(new) * spread + level
        found = predict_with_gaps(path, new)[components - 1]
        # Its iterations stop at 1e-14 of squared weights.
        np.testing.assert_allclose(found / spread, expected / spread, rtol=0, atol=1e-6)


def test_scores_do_not_depend_on_each_other() -> None:
    x, y = rows()
    latent = fit_latent(pair_state(state(x, y)), INPUTS, 4)
    z = (x - latent["mean_x"]) / latent["scale_x"]
    scores = z @ latent["rotation"]
    covariance = scores.T @ scores / (len(x) - 1)
    # Sums of 60 products of numbers of about one.
    np.testing.assert_allclose(covariance, np.diag(latent["score_variance"]), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(latent["weights"], axis=0), 1.0, rtol=1e-12)


def test_more_components_than_there_is_to_explain() -> None:
    """Two directions of six inputs: further components change nothing and stay finite."""
    rng = np.random.default_rng(5)
    latent = rng.normal(size=(40, 2))
    x = latent @ rng.normal(size=(2, INPUTS))
    found = fit_latent(pair_state(state(x, latent)), INPUTS, 5)
    path = coefficient_path(found)["coef"]
    np.testing.assert_array_equal(path[2:], np.broadcast_to(path[1], (3, INPUTS, 2)))
    np.testing.assert_array_equal(found["rotation"][:, 2:], 0.0)
    np.testing.assert_array_equal(found["score_variance"][2:], 1.0)
    np.testing.assert_allclose(
        predict_with_gaps(coefficient_path(found), x)[4], latent, rtol=0, atol=1e-10
    )


def test_a_constant_input_gets_no_coefficient() -> None:
    x, y = rows()
    x[:, 2] = 14.62
    for is_scaled in (True, False):
        latent = fit_latent(pair_state(state(x, y)), INPUTS, 3, is_scaled=is_scaled)
        assert (coefficient_path(latent)["coef"][:, 2] == 0.0).all()
        assert np.isfinite(latent["scale_x"]).all()


def test_missing_inputs_count_as_their_mean() -> None:
    x, y = rows()
    path = coefficient_path(fit_latent(pair_state(state(x, y)), INPUTS, 3))
    gappy, filled = x.copy(), x.copy()
    gappy[::3, 1] = np.nan
    filled[::3, 1] = path["mean_x"][1]
    np.testing.assert_array_equal(predict_with_gaps(path, gappy), predict_with_gaps(path, filled))


def test_gaps_take_no_row_out() -> None:
    """The products of each pair are over the rows that have both."""
    x, y = rows(200)
    x[::2, 0] = np.nan
    y[::5, 1] = np.nan
    products = pair_state(state(x, y))
    assert products["count"][0, 1] == 100
    assert products["count"][1, 2] == 200
    both = np.isfinite(x[:, 0]) & np.isfinite(y[:, 1])
    expected = np.cov(x[both, 0], y[both, 1])[0, 1]
    found = products["comoment"][0, INPUTS + 1] / (products["count"][0, INPUTS + 1] - 1)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    latent = fit_latent(products, INPUTS, 4, has_gaps=True)
    assert (latent["score_variance"] > 0).all()
    assert np.linalg.eigvalsh(latent["cxx"]).min() > -1e-12


def test_errors_are_in_variances_of_each_target() -> None:
    x, y = rows(200)
    train, test = state(x[:100], y[:100]), state(x[100:], y[100:])
    path = coefficient_path(fit_latent(pair_state(train), INPUTS, 2))
    error = predict_with_gaps(path, x[100:])[1] - y[100:]
    expected = (error**2).sum(0) / y[:100].var(0, ddof=1)
    np.testing.assert_allclose(relative_errors(test, path)[1], expected, rtol=1e-9)
    # Some of the rows stand for all of them; a missing target adds nothing.
    few = state(x[100:], y[100:], sample_rows=50)
    assert relative_errors(few, path)[1, 0] == pytest.approx(expected[0], rel=0.5)
    y[100:, 0] = np.nan
    np.testing.assert_allclose(
        relative_errors(state(x[100:], y[100:]), path)[1], [0.0, expected[1]], rtol=1e-9
    )


def test_importance_is_one_on_average() -> None:
    x, y = rows()
    found = importance(fit_latent(pair_state(state(x, y)), INPUTS, 3))
    np.testing.assert_allclose((found**2).mean(), 1.0, rtol=1e-12)


def test_libraries_agree(xp_array) -> None:
    x, y = rows()
    expected = coefficient_path(fit_latent(pair_state(state(x, y)), INPUTS, 3))["coef"]
    there = {name: xp_array(array) for name, array in pair_state(state(x, y)).items()}
    for has_gaps in (False, True):
        latent = fit_latent(there, INPUTS, 3, has_gaps=has_gaps)
        found = to_numpy(coefficient_path(latent)["coef"])
        # has_gaps rebuilds the correlation from its eigenvectors.
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
