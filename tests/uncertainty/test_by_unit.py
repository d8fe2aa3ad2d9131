"""One score a unit: drawn by number alone, and what counting units instead of rows is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.residuals import upper_edges
from lumipipe.uncertainty.by_unit import (
    binned_drawn_scores,
    binned_highest_scores,
    drawn_scores,
    highest_scores,
)
from lumipipe.uncertainty.conformal import conformal_quantile

EDGES = upper_edges(0.01, 100.0, 0.01)
REPEATS = 3000


def _binned(scores: np.ndarray, units: np.ndarray, number: int) -> np.ndarray:
    counts = np.zeros((number, len(EDGES)), dtype=np.int64)
    np.add.at(counts, (units, np.searchsorted(EDGES, scores)), 1)
    return counts


@given(seed=st.integers(0, 1000), rows=st.integers(0, 40))
def test_a_draw_depends_on_the_numbers_of_rows_alone(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    scores, units = rng.random(rows), rng.integers(0, 5, size=rows)
    scores[::6] = np.nan
    number = np.arange(rows) + 100
    order = rng.permutation(rows)
    first = drawn_scores(scores, units, 5, number, 3)
    again = drawn_scores(scores[order], units[order], 5, number[order], 3)
    np.testing.assert_array_equal(first, again)
    for unit in range(5):
        own = scores[(units == unit) & ~np.isnan(scores)]
        assert first[unit] in own if len(own) else np.isnan(first[unit])


def test_each_row_of_a_unit_is_drawn_equally_often() -> None:
    units = np.arange(4 * REPEATS) // 4
    scores = np.tile(np.arange(1.0, 5.0), REPEATS)
    drawn = drawn_scores(scores, units, REPEATS, np.arange(len(units)), 8)
    binned = binned_drawn_scores(_binned(scores, units, REPEATS), EDGES, np.arange(REPEATS), 8)
    edge = [EDGES[np.searchsorted(EDGES, score)] for score in range(1, 5)]
    error = 4 * np.sqrt(0.25 * 0.75 / REPEATS)
    for row in range(4):
        assert abs((drawn == row + 1).mean() - 0.25) <= error
        assert abs((binned == edge[row]).mean() - 0.25) <= error


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(0, 40),
    share=st.sampled_from([1e-12, 0.1, 0.5, 0.9, 1.0]),
)
def test_the_highest_scores_are_those_of_a_loop(seed: int, rows: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    scores, units = rng.random(rows) + 0.02, rng.integers(0, 4, size=rows)
    expected = np.full(4, np.nan)
    for unit in range(4):
        own = np.sort(scores[units == unit])
        if len(own):
            expected[unit] = next(v for k, v in enumerate(own, 1) if k / len(own) >= share - 1e-9)
    np.testing.assert_array_equal(highest_scores(scores, units, 4, share), expected)
    binned = binned_highest_scores(_binned(scores, units, 4), EDGES, share)
    np.testing.assert_array_equal(np.isnan(binned), np.isnan(expected))
    known = ~np.isnan(expected)
    assert (binned[known] >= expected[known]).all()
    # The relative error of the bins, and two roundings.
    assert (binned[known] <= expected[known] * 1.01 * (1 + 1e-15)).all()


def test_a_score_that_is_not_known_is_left_out() -> None:
    scores, units = np.array([np.nan, 1.0, np.nan]), np.array([0, 0, 1])
    np.testing.assert_array_equal(highest_scores(scores, units, 2), [1.0, np.nan])


@pytest.mark.parametrize("pick", ["drawn", "highest"])
def test_counting_units_keeps_the_promise_that_counting_rows_breaks(pick: str) -> None:
    """Four units of 50 rows whose errors hang together; the new unit is a fifth."""
    rng = np.random.default_rng(11)
    units, numbers = np.repeat(np.arange(4), 50), np.arange(200)
    by_unit = by_row = 0
    for seed in range(REPEATS):
        size = np.exp(2 * rng.normal(size=5))
        scores = np.abs(rng.normal(size=(5, 50))) * size[:, None]
        old, new = scores[:4].ravel(), scores[4]
        if pick == "drawn":
            one_each, target = drawn_scores(old, units, 4, numbers, seed), new[seed % 50]
        else:
            one_each, target = highest_scores(old, units, 4), new.max()
        by_unit += target <= conformal_quantile(one_each, 0.8)
        by_row += target <= conformal_quantile(old, 0.8)
    error = 4 * np.sqrt(0.16 / REPEATS)  # four standard errors of the simulation
    assert abs(by_unit / REPEATS - 0.8) <= error  # (4 + 1) * 0.8 is whole, so 0.8 is exact
    assert by_row / REPEATS < 0.8 - error
