from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.windows import levels, window_batch


def twin(rows, starts, length):
    return np.stack([rows[s : s + length] for s in starts], axis=-1)


def test_window_batch_equals_slices(xp_array):
    rows = np.arange(60, dtype=np.float32).reshape(20, 3)
    starts = np.asarray([0, 4, 4, 13])
    batch = to_numpy(window_batch(xp_array(rows), xp_array(starts), 7))
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, twin(rows, starts, 7))
    assert window_batch(xp_array(rows), xp_array(starts[:0]), 7).shape == (7, 3, 0)


@given(length=st.integers(1, 9), starts=st.lists(st.integers(0, 11), min_size=1, max_size=6))
def test_any_length_and_starts(length, starts):
    rows = np.random.default_rng(length).standard_normal((20, 2))
    batch = window_batch(rows, np.asarray(starts), length)
    np.testing.assert_array_equal(batch, twin(rows, starts, length))
    assert batch.flags.c_contiguous


def test_levels_are_means_and_spreads(xp_array):
    windows = np.random.default_rng(1).normal([[[3.0], [-2.0]]], 0.5, size=(50, 2, 7))
    windows[:, 1, 0] = 4.0  # constant: the floor alone
    found = to_numpy(levels(xp_array(windows), [2.0, 1.0]))
    scaled = windows / [[2.0], [1.0]]
    spread = np.log(scaled.std(axis=0) + 1e-3)
    # Sums of 50 terms: some 50 roundings of values of about 1.
    np.testing.assert_allclose(found, np.concatenate([scaled.mean(axis=0), spread]).T, rtol=1e-12)
    assert found[0, 3] == np.log(1e-3)
