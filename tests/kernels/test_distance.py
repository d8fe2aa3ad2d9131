from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from conftest import to_numpy
from lumipipe.kernels.distance import assign_sums, squared_distance


def data(seed=0, rows=50):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, 3)) + 1e4, rng.standard_normal((4, 3)) + 1e4


def test_distance_equals_loops(xp_array):
    x, centres = data()
    found = to_numpy(squared_distance(xp_array(x), xp_array(centres)))
    expected = cdist(x, centres, "sqeuclidean")
    # The offset is removed to the rounding of 1e4 (1.8e-12), which then meets distances of 1 to 5.
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-11)
    assert np.all(to_numpy(squared_distance(xp_array(centres), xp_array(centres))) >= 0.0)


def test_sums_equal_loops(xp_array):
    x, centres = data()
    centres[3] = 0.0  # nobody's
    state = {k: to_numpy(v) for k, v in assign_sums(xp_array(x), xp_array(centres)).items()}
    label = cdist(x, centres).argmin(axis=1)
    assert state["count"].dtype == np.int64
    for cluster in range(4):
        members = x[label == cluster]
        assert state["count"][cluster] == len(members)
        np.testing.assert_allclose(state["sum"][cluster], members.sum(axis=0), rtol=1e-14)
    assert state["count"][3] == 0
    inertia = cdist(x, centres, "sqeuclidean").min(axis=1).sum()
    # centre 3 moves the mean of the centres by 2.5e3: (2.5e3)^2 * 2^-52 * 3 for each row
    assert abs(state["inertia"] - inertia) < 50 * 6.25e6 * 2.0**-52 * 3 * 4


def test_float32_rows_far_from_zero(xp_array):
    rng = np.random.default_rng(4)
    x = (
        rng.standard_normal((9000, 5)) + 4 * rng.standard_normal((3, 5))[np.arange(9000) % 3]
    ).astype(np.float32) + np.float32(1e3)
    centres = x[:3]
    state = {k: to_numpy(v) for k, v in assign_sums(xp_array(x), xp_array(centres)).items()}
    apart = cdist(x.astype(float), centres.astype(float), "sqeuclidean")
    label = apart.argmin(axis=1)
    second, first = np.sort(apart, axis=1)[:, 1], apart.min(axis=1)
    unsure = int(np.sum(second - first < 1e-4))
    assert np.abs(state["count"] - np.bincount(label)).max() <= unsure < 10
    for cluster in range(3):
        mean = state["sum"][cluster] / state["count"][cluster]
        np.testing.assert_allclose(mean, x[label == cluster].mean(axis=0, dtype=float), atol=2e-3)
    assert abs(state["inertia"] / first.sum() - 1) < 1e-5


def test_ties_go_to_the_lowest(xp_array):
    centres = xp_array(np.asarray([[1.0], [-1.0], [1.0]]))
    state = assign_sums(xp_array(np.asarray([[0.0], [1.0], [2.0]])), centres)
    assert to_numpy(state["count"]).tolist() == [3, 0, 0]


def test_no_rows(xp_array):
    state = assign_sums(xp_array(np.zeros((0, 3))), xp_array(data()[1]))
    for array in state.values():
        assert np.all(to_numpy(array) == 0)


@given(split=st.integers(0, 50), seed=st.integers(0, 20))
def test_sums_of_parts_add(split, seed):
    x, centres = data(seed)
    whole, *parts = (assign_sums(part, centres) for part in (x, x[:split], x[split:]))
    np.testing.assert_array_equal(parts[0]["count"] + parts[1]["count"], whole["count"])
    np.testing.assert_allclose(parts[0]["sum"] + parts[1]["sum"], whole["sum"], rtol=1e-14)
    inertia = parts[0]["inertia"] + parts[1]["inertia"]
    np.testing.assert_allclose(inertia, whole["inertia"], rtol=1e-12)
