"""Intervals by unit: what they promise, they hold, where rows of a unit hang together."""

from __future__ import annotations

import numpy as np
import pytest

from lumipipe.families.life_intervals import (
    drawn_coverage,
    ends,
    one_instant,
    regime_names,
    regime_of,
    unit_half_widths,
)
from lumipipe.uncertainty.conformal import conformal_quantile

UNITS, DRAWS = 30, 300


def fleet(rng: np.random.Generator, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors of rows and their units: an error of the unit, and a third as much of each row."""
    unit = np.repeat(np.arange(units), rng.integers(20, 200, size=units))
    return rng.normal(size=units)[unit] + 0.3 * rng.normal(size=len(unit)), unit


def test_a_random_instant_of_a_new_unit_is_covered_as_promised() -> None:
    rng = np.random.default_rng(0)
    by_unit, by_row = [], []
    for draw in range(DRAWS):
        error, unit = fleet(rng, UNITS)
        number, nothing = np.arange(len(unit)), np.zeros(len(unit), dtype=np.int64)
        (width,) = unit_half_widths(error, nothing, unit, number, 1, 0.9, seed=draw)
        pooled = conformal_quantile(np.abs(error), 0.9)
        new, of = fleet(rng, 100)
        new = new[one_instant(of, np.arange(len(of)), draw)]
        by_unit.append((np.abs(new) <= width).mean())
        by_row.append((np.abs(new) <= pooled).mean())
    # Rank 28 of 30 units covers 28/31 = 0.903, with a standard deviation of 0.052 + that of 100
    # units, 0.03, over 300 draws: 0.0035.
    assert np.mean(by_unit) == pytest.approx(28 / 31, abs=4 * 0.0035)
    # All rows as if they were cases: thousands of scores of 30 units, with no room for that.
    assert np.mean(by_row) < 0.89


def test_one_unit_too_few_promises_nothing() -> None:
    rng = np.random.default_rng(1)
    for units, is_bounded in ((9, True), (8, False)):
        error, unit = fleet(rng, units)
        nothing = np.zeros(len(unit), dtype=np.int64)
        (width,) = unit_half_widths(error, nothing, unit, np.arange(len(unit)), 1, 0.9, seed=1)
        assert np.isfinite(width) == is_bounded


def test_each_stretch_of_life_has_its_own_width() -> None:
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(200), 40)
    predicted = rng.uniform(0, 100, size=len(unit))
    regime = regime_of(predicted, [50.0])
    error = np.where(regime == 1, 10.0, 1.0) * rng.normal(size=len(unit))
    error[predicted < 1] = np.nan  # rows that do not count
    low, high = unit_half_widths(error, regime, unit, np.arange(len(unit)), 2, 0.9, seed=1)
    # The 0.9 quantile of |normal| is 1.645; its standard error from 200 units is 0.1.
    assert low == pytest.approx(1.645, abs=0.4)
    assert high == pytest.approx(16.45, abs=4)


def test_edges_belong_to_the_stretch_above() -> None:
    assert regime_of(np.array([0.0, 39.9, 40.0, 80.0, 125.0]), [40, 80]).tolist() == [0, 0, 1, 2, 2]
    assert regime_names([40, 80]) == ["below 40", "40 to 80", "80 and more"]


def test_intervals_end_at_zero_and_at_the_cap() -> None:
    low, high = ends(np.array([5.0, 60.0, 120.0]), np.array([10.0, 10.0, np.inf]), 125.0)
    assert low.tolist() == [0.0, 50.0, 0.0]
    assert high.tolist() == [15.0, 70.0, 125.0]


def test_one_instant_is_any_row_of_its_unit() -> None:
    unit = np.array([3, 3, 3, 7, 5, 5])
    seen = {tuple(one_instant(unit, np.arange(6), seed).tolist()) for seed in range(100)}
    # Units 3, 5, 7 in this order: three rows, two rows, one row; 100 draws miss one of six
    # outcomes with a probability of 6 (5/6)^100 = 7e-8.
    assert seen == {(a, b, 3) for a in (0, 1, 2) for b in (4, 5)}


def test_drawings_of_units_hold_what_was_promised() -> None:
    rng = np.random.default_rng(3)
    error, unit = fleet(rng, 100)
    life = rng.uniform(0, 100, size=len(unit))
    rows = {
        "truth": np.clip(life + 10 * error, 0, 125),
        "prediction": life,
        "unit": unit,
        "number": np.arange(len(unit)),
    }
    drawn = drawn_coverage(rows, [40.0, 80.0], 125.0, 0.9, seed=1)
    assert drawn is not None
    assert len(drawn.coverage) == 20
    # Drawings share units, so the mean scatters as one fleet does: about 0.03.
    assert drawn.coverage.mean() == pytest.approx(0.903, abs=0.06)
    assert drawn_coverage(rows, [40.0, 80.0], 125.0, 0.9, seed=1, units=51) is None
