"""One score a unit: drawn by number alone, and what counting units instead of rows is worth."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.by_unit import drawn_scores
from lumipipe.uncertainty.conformal import conformal_quantile

REPEATS = 3000


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
    error = 4 * np.sqrt(0.25 * 0.75 / REPEATS)
    for row in range(4):
        assert abs((drawn == row + 1).mean() - 0.25) <= error


def test_counting_units_keeps_the_promise_that_counting_rows_breaks() -> None:
    """Four units of 50 rows whose errors hang together; the new unit is a fifth."""
    rng = np.random.default_rng(11)
    units, numbers = np.repeat(np.arange(4), 50), np.arange(200)
    by_unit = by_row = 0
    for seed in range(REPEATS):
        size = np.exp(2 * rng.normal(size=5))
        scores = np.abs(rng.normal(size=(5, 50))) * size[:, None]
        old, new = scores[:4].ravel(), scores[4]
        one_each, target = drawn_scores(old, units, 4, numbers, seed), new[seed % 50]
        by_unit += target <= conformal_quantile(one_each, 0.8)
        by_row += target <= conformal_quantile(old, 0.8)
    error = 4 * np.sqrt(0.16 / REPEATS)  # four standard errors of the simulation
    assert abs(by_unit / REPEATS - 0.8) <= error  # (4 + 1) * 0.8 is whole, so 0.8 is exact
    assert by_row / REPEATS < 0.8 - error
