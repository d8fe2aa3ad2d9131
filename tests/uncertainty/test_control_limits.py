"""Limits let the share of normal rows through that they promise."""

from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.models.pca import PairReducer, distances, fit_pca, for_rows
from lumipipe.uncertainty.control_limits import empirical_limit, spe_limit, t2_limit


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_limits_on_new_normal_rows(alpha: float) -> None:
    rng = np.random.default_rng(6)
    mix = rng.normal(size=(8, 8)) * np.geomspace(3, 0.3, 8)
    train, new = (rng.normal(size=(n, 8)) @ mix for n in (4000, 200_000))
    reducer = PairReducer(xp, 8)
    model = fit_pca(reducer.update(reducer.empty(), {"x": train}), 3)
    found = distances(for_rows(model, new.dtype), new)
    above_t2 = (found["t2"] > t2_limit(4000, 3, alpha)).mean()
    above_spe = (found["spe"] > spe_limit(model["residual_eigenvalues"], alpha)).mean()
    # T² is exact; Jackson and Mudholkar match three moments only, which shows in the far tail.
    assert above_t2 == pytest.approx(alpha, rel=0.15)
    assert alpha / 1.5 < above_spe < 1.5 * alpha


def test_spe_limit_of_equal_eigenvalues_is_the_chi_square() -> None:
    # Three equal eigenvalues: SPE is chi-square with 3 degrees of freedom; 95 % at 7.815.
    # The cube-root transform is within 1 % of it.
    assert spe_limit(np.ones(3), 0.05) == pytest.approx(7.815, rel=0.01)
    assert spe_limit(np.zeros(3), 0.05) == 0.0


def test_too_few_rows_give_no_empirical_limit() -> None:
    assert np.isinf(empirical_limit(np.arange(50.0), 0.01))
    assert empirical_limit(np.arange(99.0), 0.01) == 98.0
