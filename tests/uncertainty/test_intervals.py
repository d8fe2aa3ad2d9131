"""Intervals of predictions, and how often they held."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.intervals import held, intervals
from lumipipe.uncertainty.proportions import clopper_pearson, share_between_units


@given(seed=st.integers(0, 1000))
def test_bounds_take_no_possible_truth_away(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prediction, truth = rng.normal(size=50) * 3, rng.random(50) * 4
    low, high = rng.random(50) * 3, rng.random(50) * 3
    free, cut = intervals(prediction, low, high), intervals(prediction, low, high, 0.0, 4.0)
    assert (cut[0] <= cut[1]).all()
    assert (cut[0] >= 0).all()
    assert (cut[1] <= 4).all()
    inside = (free[0] <= truth) & (truth <= free[1])
    assert ((cut[0] <= truth) & (truth <= cut[1]))[inside].all()


def test_rows_that_count_for_themselves_have_the_binomial_interval() -> None:
    truth = np.array([0.0, 1.0, 2.0, np.nan])
    found = held(truth, np.array([0.0, 2.0, 0.0, 0.0]), np.array([0.0, 3.0, 9.0, 9.0]))
    assert (found.count, found.units, found.achieved) == (3, None, 2 / 3)
    assert (found.lower, found.upper) == clopper_pearson(2, 3)
    assert found.mean_width == pytest.approx(10 / 3)
    assert found.median_width == 1.0


def test_rows_of_units_have_the_interval_between_units() -> None:
    rng = np.random.default_rng(1)
    units = rng.integers(0, 8, size=400) * 10
    inside = rng.random(400) < np.linspace(0.5, 0.95, 8)[units // 10]
    found = held(np.where(inside, 0.0, 9.0), np.full(400, -1.0), np.full(400, 1.0), units)
    hits = np.array([inside[units == u].sum() for u in range(0, 80, 10)])
    totals = np.array([(units == u).sum() for u in range(0, 80, 10)])
    assert found.units == 8
    assert (found.lower, found.upper) == share_between_units(hits, totals)[:2]
    alone = held(np.where(inside, 0.0, 9.0), np.full(400, -1.0), np.full(400, 1.0))
    assert found.upper - found.lower > 1.5 * (alone.upper - alone.lower)


def test_units_that_all_hold_count_once_each_and_one_unit_says_nothing() -> None:
    truth, ends = np.zeros(300), (np.full(300, -1.0), np.full(300, 1.0))
    found = held(truth, *ends, np.arange(300) % 3)
    assert (found.lower, found.upper) == clopper_pearson(3, 3)
    missed = held(truth + 5, *ends, np.arange(300) % 3)
    assert (missed.lower, missed.upper) == clopper_pearson(0, 3)
    single = held(truth, *ends, np.zeros(300, np.int64))
    assert (single.achieved, single.lower, single.upper) == (1.0, None, None)


def test_widths_without_bound_are_counted_not_averaged() -> None:
    upper = np.array([1.0, np.inf, 3.0])
    found = held(np.zeros(3), np.zeros(3), upper)
    assert (found.mean_width, found.median_width, found.unbounded) == (None, 3.0, 1)
    most = held(np.zeros(2), np.full(2, -np.inf), np.full(2, np.inf))
    assert (most.median_width, most.unbounded, most.achieved) == (None, 2, 1.0)


@pytest.mark.parametrize("units", [None, np.zeros(2, np.int64)])
def test_nothing_known(units: np.ndarray | None) -> None:
    found = held(np.full(2, np.nan), np.zeros(2), np.ones(2), units)
    assert (found.count, found.achieved, found.mean_width) == (0, None, None)
