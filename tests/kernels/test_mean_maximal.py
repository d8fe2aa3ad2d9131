from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.mean_maximal import best_means, window_means


def twin(watts, run, lengths):
    """Every window of whole seconds, one after another, added up anew."""
    found = []
    for length in lengths:
        means = [
            sum(watts[first : first + length]) / length
            for first in range(len(watts) - length + 1)
            if run[first] == run[first + length]
        ]
        found.append(max(means, default=np.nan))
    return np.array(found)


def total_of(watts):
    return np.concatenate([[0.0], np.cumsum(watts)])


@given(
    watts=st.lists(st.integers(0, 2000), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 40), max_size=3),
)
def test_equals_all_windows_one_by_one(watts, cuts):
    """To the bit: sums of whole watts are exact."""
    run = np.searchsorted(np.unique(cuts), np.arange(len(watts) + 1), side="right")
    lengths = [1, 2, 5, 30, 41]
    found = best_means(total_of(watts), run, lengths)
    np.testing.assert_array_equal(found, twin(watts, run, lengths))


def test_every_array_library(xp_array):
    watts = np.random.default_rng(1).integers(0, 900, size=(2, 50)).astype(np.float64)
    run = np.arange(51) // 30
    total = np.stack([total_of(row) for row in watts])
    found = to_numpy(best_means(xp_array(total), xp_array(run), [5, 29, 30]))
    np.testing.assert_array_equal(found, [twin(row, run, [5, 29, 30]) for row in watts])


@given(scale=st.sampled_from([0.5, 2.0, 1024.0]), start=st.integers(-(2**40), 2**40))
def test_scale_and_start_of_the_total(scale, start):
    """Powers of two scale without rounding, and a total may begin anywhere."""
    total = total_of(np.random.default_rng(2).integers(0, 900, size=60))
    run = np.zeros(61, dtype=np.int64)
    plain = best_means(total, run, [7, 60])
    np.testing.assert_array_equal(best_means(scale * total, run, [7, 60]), scale * plain)
    np.testing.assert_array_equal(best_means(total + start, run, [7, 60]), plain)


def test_longer_is_never_better_where_lengths_divide():
    total = total_of(np.random.default_rng(3).integers(0, 900, size=300))
    best = best_means(total, np.zeros(301, dtype=np.int64), [5, 10, 60, 300])
    assert (np.diff(best) <= 0).all()


def test_a_total_shorter_than_the_window():
    run = np.zeros(3, dtype=np.int64)
    assert np.isnan(best_means(np.zeros(3), run, [3])).all()
    assert np.isnan(best_means(np.zeros(0), run[:0], [1])).all()
    means, inside = window_means(np.zeros(3), run, 5)
    assert means.shape == inside.shape == (0,)
