"""Ridge from merged cross-products against the normal equations on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.fold import merge_all
from lumipipe.models.ridge import RidgeReducer, fit_path, predict, sampled, squared_errors

PENALTIES = (0.1, 10.0, 1e3)


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 6)) * [1, 10, 0.1, 5, 1, 1] + [0, 1e3, -5, 20, 1, 0]
    x[:, 5] = 14.62  # constant within rounding
    y = x[:, :3] @ rng.normal(size=(3, 2)) + rng.normal(size=(200, 2))
    return x, y


def _state(x: np.ndarray, y: np.ndarray, first: int = 0) -> dict[str, np.ndarray]:
    reducer = RidgeReducer(xp, x.shape[1], y.shape[1], 32, 1)
    number = np.arange(first, first + len(x))
    return reducer.update(reducer.empty(), {"x": x, "y": y, "number": number})


def _slow(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Predictions on `x` of a ridge fitted on its standardised columns, row by row."""
    z = (x[:, :5] - x[:, :5].mean(0)) / x[:, :5].std(0, ddof=1)
    coef = np.linalg.solve(z.T @ z + penalty * np.eye(5), z.T @ (y - y.mean(0)))
    return z @ coef + y.mean(0)


def test_path_equals_the_normal_equations(rows: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rows
    model = fit_path(_state(x, y), 6, PENALTIES)
    found = predict(model, x)
    for number, penalty in enumerate(PENALTIES):
        # The column at 1e3 with spread 10 loses two digits of eps to its offset.
        np.testing.assert_allclose(found[number], _slow(x, y, penalty), rtol=1e-9, atol=1e-9)
    assert not model["coef"][:, 5].any()


def test_errors_from_the_state_equal_errors_from_the_rows(
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = rows
    model = fit_path(_state(x[:120], y[:120]), 6, PENALTIES)
    direct = ((y[120:] - predict(model, x[120:])) ** 2).sum(axis=1)
    found = squared_errors(_state(x[120:], y[120:], 120), 6, model)
    np.testing.assert_allclose(found, direct, rtol=1e-8)


def test_sample_does_not_depend_on_the_cut(rows: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = rows
    reducer = RidgeReducer(xp, 6, 2, 32, 1)
    parts = [_state(x[i : i + 30], y[i : i + 30], i) for i in range(0, 200, 30)]
    whole, merged = sampled(_state(x, y)), sampled(merge_all(reducer, parts))
    assert whole["number"].tolist() == merged["number"].tolist()
    assert (whole["x"] == x[whole["number"]]).all()
    assert len(whole["number"]) == 32
