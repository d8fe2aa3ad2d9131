"""Intervals of a correlated series: a slow jackknife, and how often they hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lumipipe.uncertainty.blocks import FEWEST_BLOCKS, block_estimate, block_sums
from lumipipe.uncertainty.proportions import clopper_pearson


def mean(sums):
    return sums[..., 1] / sums[..., 0]


def test_twin_by_rows():
    """The jackknife of blocks of unlike size, from the rows themselves."""
    rng = np.random.default_rng(1)
    block, x = np.repeat(np.arange(6), [5, 1, 8, 3, 9, 2]), rng.normal(3, 1, 28)
    found = block_estimate(block_sums(block, x[:, None], 6), mean, 0.9)
    without = np.array([x[block != b].mean() for b in range(6)])
    u = np.sqrt(5 / 6 * np.sum((without - without.mean()) ** 2))
    # Sums of 28 numbers near 3, in another order: some roundings of 2**-52 of 84.
    assert found.value == pytest.approx(x.mean(), rel=1e-14)
    assert found.u == pytest.approx(u, rel=1e-11)
    half = stats.t.ppf(0.95, 5) * u
    np.testing.assert_allclose([found.lower, found.upper], [x.mean() - half, x.mean() + half])


def test_blocks_of_one_row_give_the_known_interval_of_a_mean():
    x = np.random.default_rng(2).normal(size=40)
    found = block_estimate(block_sums(np.arange(40), x[:, None], 40), mean)
    known = stats.t.interval(0.95, 39, x.mean(), stats.sem(x))
    np.testing.assert_allclose([found.lower, found.upper], known, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.permutations(range(7)))
def test_order_of_blocks_and_empty_blocks_change_nothing(seed, order):
    sums = np.random.default_rng(seed).uniform(1, 2, (7, 2))
    padded = np.concatenate([sums[list(order)], np.zeros((2, 2))])
    one, other = block_estimate(sums, mean), block_estimate(padded, mean)
    np.testing.assert_allclose(
        [one.value, one.lower, one.upper], [other.value, other.lower, other.upper], rtol=1e-9
    )


def test_few_blocks_have_no_interval():
    sums = np.ones((FEWEST_BLOCKS - 1, 2))
    found = block_estimate(sums, mean)
    assert found.value == 1.0
    assert not found.is_known
    assert not block_estimate(np.zeros((9, 2)), mean).is_known
    assert block_estimate(np.ones((FEWEST_BLOCKS, 2)), mean).is_known


def test_intervals_hold_where_neighbours_hang_together():
    """672 rows in 7 blocks, correlation 0.9 from row to row: what sensors beside a road do."""
    rng, runs, rows, r = np.random.default_rng(3), 1000, 672, 0.9
    noise = rng.normal(size=(runs, rows)) * np.sqrt(1 - r**2)
    x = np.empty((runs, rows))
    x[:, 0] = rng.normal(size=runs)
    for t in range(1, rows):
        x[:, t] = r * x[:, t - 1] + noise[:, t]
    block = np.arange(rows) * 7 // rows
    held = naive = 0
    for series in x:
        found = block_estimate(block_sums(block, series[:, None], 7), mean)
        held += found.lower <= 0 <= found.upper
        alone = stats.t.interval(0.95, rows - 1, series.mean(), stats.sem(series))
        naive += alone[0] <= 0 <= alone[1]
    # What is left of the correlation between blocks of 96 rows costs about 1 %.
    assert clopper_pearson(held, runs, 0.999)[1] >= 0.94
    assert held / runs <= 0.98
    assert naive / runs < 0.5
