"""Bins of residuals: what is counted where, against a loop, and how much an edge widens."""

from __future__ import annotations

from bisect import bisect_left
from math import isnan
from typing import TYPE_CHECKING

import array_api_compat
import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.errors import InputError
from lumipipe.metrics.residuals import ResidualBins, side_counts, upper_edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array

EPS = np.finfo(np.float64).eps
RESIDUALS = st.lists(st.floats(-1e4, 1e4) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0]))


def _twin(residual: np.ndarray, regime: np.ndarray, bins: ResidualBins) -> np.ndarray:
    counts = np.zeros((bins.regimes, 2, len(bins.edges)), dtype=np.int64)
    for r, g in zip(residual.tolist(), regime.tolist(), strict=True):
        if not isnan(r) and 0 <= g < bins.regimes:
            counts[g, int(r >= 0), bisect_left(bins.edges, abs(r))] += 1
    return counts


@given(
    size=st.floats(1e-6, 1e6),
    least=st.floats(1e-6, 1e-2),
    error=st.floats(1e-3, 2.0),
)
def test_an_upper_edge_is_no_smaller_and_little_larger(size, least, error) -> None:
    edges = upper_edges(least, 1e6, error)
    edge = edges[bisect_left(edges, size)]
    assert size <= edge
    # One rounding of the product, one of 1 + error; below the least size the edge is that size.
    assert edge <= max(least, size * (1 + error) * (1 + EPS) ** 2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_counts_are_those_of_a_loop(
    xp_array: Callable[[np.ndarray], Array], dtype: type[np.floating]
) -> None:
    rng = np.random.default_rng(3)
    residual = (rng.normal(size=500) * 10.0 ** rng.integers(-4, 4, size=500)).astype(dtype)
    residual[::17] = np.nan
    residual[:6] = [0.0, -0.0, np.inf, -np.inf, 0.01, -0.01]
    regime = rng.integers(-1, 4, size=500)
    batch = {"residual": xp_array(residual), "regime": xp_array(regime)}
    namespace = array_api_compat.array_namespace(batch["residual"])
    device = array_api_compat.device(batch["residual"])
    bins = ResidualBins(namespace, 0.01, 100.0, 3, 0.05, device)
    state = bins.update(bins.empty(), batch)
    counts = to_numpy(state["counts"])
    np.testing.assert_array_equal(counts, _twin(residual.astype(float), regime, bins))
    assert counts.sum() + int(to_numpy(state["unknown"])) == 500


@given(values=RESIDUALS, cuts=st.lists(st.integers(0, 30), max_size=4))
def test_any_cut_merges_to_the_whole(values: list[float], cuts: list[int]) -> None:
    residual = np.array(values, dtype=np.float64)
    bins = ResidualBins(xp, 0.1, 1e3, 1, 0.01)
    state = bins.empty()
    for part in np.split(residual, sorted(min(cut, len(residual)) for cut in cuts)):
        state = bins.merge(bins.update(bins.empty(), {"residual": part}), state)
    whole = bins.update(bins.empty(), {"residual": residual})
    np.testing.assert_array_equal(state["counts"], whole["counts"])
    assert state["unknown"] == whole["unknown"] == np.isnan(residual).sum()


@given(values=RESIDUALS)
def test_a_side_counts_the_error_on_that_side(values: list[float]) -> None:
    residual = np.array([value for value in values if not isnan(value)], dtype=np.float64)
    bins = ResidualBins(xp, 0.1, 1e3, 1, 0.1)
    counts = bins.update(bins.empty(), {"residual": residual})["counts"][0]
    sizes = {
        "both": np.abs(residual),
        "below": np.maximum(-residual, 0),
        "above": np.maximum(residual, 0),
    }
    for side, size in sizes.items():
        expected = np.bincount(np.searchsorted(bins.edges, size), minlength=len(bins.edges))
        np.testing.assert_array_equal(side_counts(counts, side), expected)


def test_a_state_is_as_small_as_it_says() -> None:
    bins = ResidualBins(xp, 1e-3, 1e3)
    assert len(bins.edges) == 2773
    assert bins.empty()["counts"].nbytes == 16 * 2773


@pytest.mark.parametrize(
    ("least", "greatest", "error"),
    [(0.0, 1.0, 0.1), (1.0, 1.0, 0.1), (1.0, np.inf, 0.1), (1.0, 2.0, 0.0), (1.0, 2.0, np.nan)],
)
def test_bins_that_cannot_be_are_refused(least: float, greatest: float, error: float) -> None:
    with pytest.raises(InputError, match="relative error above 0"):
        upper_edges(least, greatest, error)


@pytest.mark.parametrize("error", [1e-5, 1e-20])
def test_too_many_bins_are_refused(error: float) -> None:
    with pytest.raises(InputError, match="larger relative error"):
        upper_edges(1.0, 10.0, error)
