"""T² and SPE from merged cross-products against references on the rows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.fold import merge_all
from lumipipe.models.monitor import MonitorReducer, contributions, distances, fit_monitor, for_rows
from lumipipe.models.pca import PairReducer, fit_pca


def _merged(x: np.ndarray, cuts: int) -> dict[str, np.ndarray]:
    reducer = PairReducer(xp, x.shape[1])
    parts = [reducer.update(reducer.empty(), {"x": part}) for part in np.array_split(x, cuts)]
    return merge_all(reducer, parts)


def test_distances_equal_the_singular_value_decomposition() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 7)) @ rng.normal(size=(7, 7)) + 50.0
    z = (x - x.mean(0)) / x.std(0, ddof=1)
    u, s, vt = np.linalg.svd(z, full_matrices=False)
    model = fit_pca(_merged(x, 9), 3)
    found, plain = contributions(model, x), distances(for_rows(model, np.float64), x)
    t2 = (u[:, :3] ** 2).sum(1) * (len(x) - 1)
    spe = ((z - u[:, :3] * s[:3] @ vt[:3]) ** 2).sum(1)
    np.testing.assert_allclose(found["t2"], t2, rtol=1e-9)
    np.testing.assert_allclose(found["spe"], spe, rtol=1e-9)
    np.testing.assert_allclose(plain["t2"], t2, rtol=1e-9)
    np.testing.assert_allclose(plain["spe"], spe, rtol=1e-9)
    np.testing.assert_allclose(found["t2_contribution"].sum(1), t2, rtol=1e-9)
    np.testing.assert_allclose(found["spe_contribution"].sum(1), spe, rtol=1e-9)


def test_constant_channel_adds_nothing_and_a_change_is_seen() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.normal(size=(50, 3)), np.full(50, 14.62)])
    model = fit_pca(_merged(x, 4), 2)
    assert model["constant"].tolist() == [False, False, False, True]
    changed = x[:1] + np.array([0, 0, 0, 0.38])
    ready = for_rows(model, np.float64)
    before, after = (distances(ready, row)["spe"][0] for row in (x[:1], changed))
    assert np.isfinite(after)
    np.testing.assert_allclose(after - before, 0.38**2, rtol=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_float32_rows_far_from_zero_have_the_distances_of_float64(rows: int) -> None:
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(5000, 6)) @ rng.normal(size=(6, 6)) + 2e4).astype(np.float32)
    model = fit_pca(_merged(x.astype(float), 4), 2)
    found, exact = (
        distances(for_rows(model, dtype), x[:rows].astype(dtype)) for dtype in (np.float32, float)
    )
    for name, array in exact.items():
        assert found[name].dtype == np.float64
        # float32 arithmetic of z of about 1, not of values of 20,000 spreads
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-5)


def test_missing_values_are_counted_and_add_nothing() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(80, 4))
    model = fit_pca(_merged(x, 4), 2)
    row = x[:1].copy()
    row[0, 2] = np.nan
    found = contributions(model, row)
    assert all(
        np.isnan(array).all() for array in distances(for_rows(model, np.float64), row).values()
    )
    assert found["missing"].tolist() == [1]
    assert (
        found["spe_contribution"][0, 2]
        == contributions(model, np.where(np.isnan(row), model["mean"], row))["spe_contribution"][
            0, 2
        ]
    )


@pytest.mark.parametrize(("components", "bound"), [(3, 4e-5), (6, 4e-4)])
def test_ldpe_equals_the_reference_of_process_improve(components: int, bound: float) -> None:
    """T² of the package's PLS; the bounds are the rounding of its files (R01, check 1)."""
    spec = importlib.util.find_spec("process_improve")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("process-improve is not installed")
    folder = Path(spec.submodule_search_locations[0], "datasets", "multivariate", "LDPE")
    x = np.genfromtxt(folder / "LDPE.csv", delimiter=",", skip_header=1)[:, 1:]
    reference = np.genfromtxt(folder / f"Hotellings_T2_A{components}.csv")
    reducer = MonitorReducer(xp, 19, 100, 1)
    parts = [
        reducer.update(reducer.empty(), {"x": part, "number": number})
        for part, number in zip(
            np.array_split(x, 5), np.array_split(np.arange(len(x)), 5), strict=True
        )
    ]
    model = fit_monitor(merge_all(reducer, parts), "pls", 14, components)
    assert (
        np.abs(distances(for_rows(model, np.float64), x[:, :14])["t2"] - reference).max() <= bound
    )
