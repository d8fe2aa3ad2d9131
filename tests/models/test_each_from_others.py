"""Each channel from all others, against one regression after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from array_api_compat import numpy as compat

from conftest import to_numpy
from lumipipe.models.each_from_others import (
    _PENALTY,
    fit_each_from_others,
    residuals_from_others,
)
from lumipipe.models.pca import PairReducer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array


def fitted(x: np.ndarray, xp: object = compat) -> dict[str, Array]:
    reducer = PairReducer(xp, x.shape[1])
    return reducer.update(reducer.empty(), {"x": x})


def correlated(rows: int = 200) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, 5)) + 0.3 * rng.normal(size=(rows, 5))
    return x * [1.0, 10.0, 0.1, 3.0, 1.0] + [0.0, 100.0, -3.0, 5.0, 1000.0]


def test_each_row_is_a_ridge_regression_of_its_own(xp_array: Callable[..., Array]) -> None:
    """The twin solves the normal equations of each channel on the others."""
    x = correlated()
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    rows = xp_array(x)
    reducer = PairReducer(array_namespace(rows), 5, device(rows))
    state = reducer.update(reducer.empty(), {"x": rows})
    found = residuals_from_others(fit_each_from_others(state), rows)
    c = z.T @ z / (len(z) - 1)
    for j in range(5):
        others = np.delete(np.arange(5), j)
        inside = c[np.ix_(others, others)] + _PENALTY * np.eye(4)
        expected = z[:, j] - z[:, others] @ np.linalg.solve(inside, c[others, j])
        # The condition of the penalised correlations is below 1e4: 1e4 * 2**-52 * 5 values.
        np.testing.assert_allclose(to_numpy(found[:, j]), expected, atol=1e-10)


def test_a_missing_value_has_no_residual_and_counts_as_the_mean() -> None:
    x = correlated()
    model = fit_each_from_others(fitted(x))
    with_gap, at_mean = x[:1].copy(), x[:1].copy()
    with_gap[0, 1], at_mean[0, 1] = np.nan, model["mean"][1]
    gap = residuals_from_others(model, with_gap)[0]
    assert np.isnan(gap[1])
    np.testing.assert_array_equal(
        np.delete(gap, 1), np.delete(residuals_from_others(model, at_mean)[0], 1)
    )


def test_a_channel_that_never_moves_tells_nothing_and_is_told_to_stay() -> None:
    x = correlated()
    x[:, 3] = 7.0
    model = fit_each_from_others(fitted(x))
    moved = x[:1].copy()
    moved[0, 3] = 8.0
    still, now = (residuals_from_others(model, rows)[0] for rows in (x[:1], moved))
    assert now[3] == pytest.approx(1.0)
    np.testing.assert_allclose(np.delete(now, 3), np.delete(still, 3), atol=1e-12)
