from __future__ import annotations

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.moments import (
    comoments,
    merge_comoments,
    merge_moments,
    merge_pair_comoments,
    moments,
    pair_comoments,
)

KINDS = {
    "moments": (moments, merge_moments),
    "comoments": (comoments, merge_comoments),
    "pair_comoments": (pair_comoments, merge_pair_comoments),
}
EPS = np.finfo(float).eps


def rows(seed, n=60, d=3, *, missing=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * [1.0, 10.0, 0.1] + [0.0, 100.0, -5.0]
    x[:, 2] += x[:, 0]
    x[rng.random((n, d)) < missing] = np.nan
    return x


def as_numpy(state):
    return {name: to_numpy(array) for name, array in state.items()}


def assert_close(a, b, tolerance=1e-11):
    """Close relative to the largest entry of each array: sums cancel within one array."""
    assert set(a) == set(b)
    for name, first in as_numpy(a).items():
        second = to_numpy(b[name])
        scale = max(np.max(np.abs(second), initial=0.0), 1e-300)
        np.testing.assert_allclose(first, second, rtol=0, atol=tolerance * scale, err_msg=name)


def pair_twin(x):
    d = x.shape[1]
    count = np.zeros((d, d), np.int64)
    mean, comoment = np.zeros((d, d)), np.zeros((d, d))
    for i in range(d):
        for j in range(d):
            both = ~np.isnan(x[:, i]) & ~np.isnan(x[:, j])
            count[i, j] = both.sum()
            if both.any():
                a, b = x[both, i], x[both, j]
                mean[i, j] = a.mean()
                comoment[i, j] = np.sum((a - a.mean()) * (b - b.mean()))
    return {"count": count, "mean": mean, "comoment": comoment}


def test_moments_equal_loops(xp_array):
    x = rows(1, missing=0.2)
    state = as_numpy(moments(xp_array(x)))
    assert state["count"].dtype == np.int64
    for channel in range(3):
        present = x[~np.isnan(x[:, channel]), channel]
        deviation = present - present.mean()
        assert state["count"][channel] == len(present)
        np.testing.assert_allclose(state["mean"][channel], present.mean(), rtol=64 * EPS)
        for power in (2, 3, 4):
            size = np.sum(np.abs(deviation) ** power)
            expected = np.sum(deviation**power)
            assert abs(state[f"m{power}"][channel] - expected) <= 100 * EPS * size


def test_comoments_equal_loops(xp_array):
    x = rows(2)
    state = as_numpy(comoments(xp_array(x)))
    assert state["count"].dtype == np.int64
    assert state["count"].shape == ()
    twin = pair_twin(x)
    np.testing.assert_allclose(state["comoment"], twin["comoment"], rtol=1e-12)
    np.testing.assert_allclose(state["mean"], x.mean(axis=0), rtol=1e-13)


def test_pair_comoments_equal_loops(xp_array):
    x = rows(3, missing=0.4)
    x[:, 1] = np.where(np.isnan(x[:, 0]), x[:, 1], np.nan)  # channels 0 and 1 never meet
    state = pair_comoments(xp_array(x))
    assert to_numpy(state["count"]).dtype == np.int64
    assert to_numpy(state["count"])[0, 1] == 0
    assert_close(state, pair_twin(x), 1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1])
def test_no_row_and_one_row(xp_array, kind, size):
    state = as_numpy(KINDS[kind][0](xp_array(rows(4)[:size])))
    assert np.all(state["count"] == size)
    for name, array in state.items():
        if name not in {"count", "mean"}:
            assert np.all(array == 0.0), name
    expected = rows(4)[0] if size else np.zeros(3)
    mean = np.diagonal(state["mean"]) if state["mean"].ndim == 2 else state["mean"]
    np.testing.assert_array_equal(mean, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_is_the_identity(xp_array, kind):
    of, merge = KINDS[kind]
    state = of(xp_array(rows(5)))
    empty = of(xp_array(np.zeros((0, 3))))
    for merged in (merge(empty, state), merge(state, empty)):
        for name, array in as_numpy(merged).items():
            np.testing.assert_array_equal(array, to_numpy(state[name]))
    for array in as_numpy(merge(empty, empty)).values():
        assert np.all(array == 0)


@pytest.mark.parametrize("kind", KINDS)
@given(cuts=st.lists(st.integers(0, 60), max_size=7), seed=st.integers(0, 9), data=st.data())
def test_any_split_gives_the_same(kind, cuts, seed, data):
    of, merge = KINDS[kind]
    x = rows(seed, missing=0.0 if kind == "comoments" else 0.3)
    edges = [0, *sorted(cuts), 60]
    parts = [of(x[a:b]) for a, b in pairwise(edges)]
    whole = of(x)
    assert_close(reduce(merge, parts), whole)
    assert_close(reduce(lambda a, b: merge(b, a), parts), whole)  # commutes, within rounding
    at = data.draw(st.integers(0, len(parts) - 1))
    left = reduce(merge, parts[: at + 1])
    assert_close(reduce(merge, parts[at + 1 :], left), whole)


@given(scale=st.sampled_from([2.0**-20, 0.5, 8.0, 2.0**30]))
def test_scale_law(scale):
    # Powers of two scale without rounding, so this is exact.
    small, large = moments(rows(6, missing=0.1)), moments(rows(6, missing=0.1) * scale)
    np.testing.assert_array_equal(large["mean"], small["mean"] * scale)
    for power in (2, 3, 4):
        np.testing.assert_array_equal(large[f"m{power}"], small[f"m{power}"] * scale**power)


@pytest.mark.parametrize(("offset", "sd"), [(1e4, 1.0), (1000.0, 0.05), (101325.0, 5.0)])
@pytest.mark.parametrize("blocks", [1, 2, 3, 5, 8])
def test_offset_float32_series(xp_array, offset, sd, blocks):
    rng = np.random.default_rng(64)
    x = (offset + sd * rng.standard_normal((20_000, 2))).astype(np.float32)
    edges = [0, *sorted(rng.integers(0, len(x), blocks - 1)), len(x)]
    edges = edges[:1] + edges[:1] + edges[1:] if blocks > 1 else edges  # one block is empty
    exact = x.astype(float)
    expected = exact.var(axis=0)
    for name, (of, merge) in KINDS.items():
        # float64 sums of n terms: n eps at worst, and merging adds as little; comoments has
        # float32 products, here of values that step by up to a thousandth of their spread
        tolerance = 2e-6 if name == "comoments" else len(x) * EPS
        parts = [of(xp_array(x[a:b])) for a, b in pairwise(edges)]
        state = as_numpy(reduce(merge, parts))
        spread = state["m2"] if "m2" in state else np.diagonal(state["comoment"])
        np.testing.assert_allclose(spread / len(x), expected, rtol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [14.62, 100.0, 1e6, 0.0, 1e-12])
def test_constant_channel_has_no_variance(xp_array, dtype, value):
    x = np.full((1000, 2), value, dtype)
    for of, merge in KINDS.values():
        state = as_numpy(merge(of(xp_array(x[:300])), of(xp_array(x[300:]))))
        assert np.all(state.get("m2", state.get("comoment")) == 0.0)
        assert np.all(state["mean"] == float(dtype(value)))


def test_large_offset_float64():
    # Made like the NIST series NumAcc4: 10000000.2, then .1 and .3 in turn; its sd is 0.1.
    x = 1e7 + np.concatenate([[0.2], np.tile([0.1, 0.3], 500)])[:, None]
    state = moments(x)
    assert abs(np.sqrt(state["m2"][0] / 1000) - 0.1) < 1e-7
    halves = merge_moments(moments(x[:400]), moments(x[400:]))
    assert abs(np.sqrt(halves["m2"][0] / 1000) - 0.1) < 1e-7


def test_comoments_about_the_least_typical_rows():
    # The rows whose mean products are taken about are the only ones that are not near 0.
    x = np.random.default_rng(9).standard_normal((4096, 2))
    x[::32] += [1e4, -1e4]
    state = comoments(x)
    centred = x - x.mean(axis=0)
    expected = centred.T @ centred
    # n eps of 32 times the products, and twice as much of the correction
    tolerance = 96 * (len(x) + 4) * EPS / 2
    np.testing.assert_allclose(state["comoment"], expected, rtol=tolerance)
    np.testing.assert_allclose(state["mean"], x.mean(axis=0), rtol=tolerance)


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_comoments_of_two_arrays_side_by_side(xp_array, offset):
    rng = np.random.default_rng(11)
    x = rng.standard_normal((5000, 3)).astype(np.float32)
    y = offset + x[:, :1] * 0.1 + 0.01 * rng.standard_normal((5000, 1))  # of float64
    state = as_numpy(comoments(xp_array(x), xp_array(y)))
    both = np.concatenate([x.astype(float), y], axis=1)
    centred = both - both.mean(axis=0)
    size = np.sqrt(np.sum(centred**2, axis=0))
    error = np.abs(state["comoment"] - centred.T @ centred) / np.outer(size, size)
    assert np.max(error) < 1e-6
    assert np.all(state["comoment"] == state["comoment"].T)
    np.testing.assert_allclose(state["mean"], both.mean(axis=0), rtol=0, atol=1e-6)
