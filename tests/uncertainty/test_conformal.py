"""Conformal thresholds keep their promise with few calibration rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.residuals import ResidualBins, side_counts, upper_edges
from lumipipe.uncertainty.conformal import (
    binned_quantile,
    class_thresholds,
    conformal_quantile,
    finite_rank,
    margin_scores,
)

REPEATS = 20_000


@pytest.mark.parametrize("count", [9, 15, 30, 100])
def test_coverage_with_few_rows(count: int) -> None:
    rng = np.random.default_rng(count)
    scores = np.abs(rng.normal(size=(REPEATS, count + 1)))
    thresholds = np.array([conformal_quantile(row[:-1], 0.9) for row in scores])
    covered = (scores[:, -1] <= thresholds).mean()
    # Between 0.9 and 0.9 + 1 / (n + 1), give or take four standard errors of the simulation.
    error = 4 * np.sqrt(0.09 / REPEATS)
    assert 0.9 - error <= covered <= 0.9 + 1 / (count + 1) + error


def test_plain_quantile_would_not_cover() -> None:
    """The trap that the rank avoids: 0.83 instead of 0.9 with nine rows."""
    rng = np.random.default_rng(1)
    scores = np.abs(rng.normal(size=(REPEATS, 10)))
    plain = np.quantile(scores[:, :-1], 0.9, axis=1)
    assert (scores[:, -1] <= plain).mean() < 0.85


def test_class_without_rows_is_in_every_set() -> None:
    thresholds = class_thresholds(np.arange(40.0), np.repeat([0, 2], 20), 3, 0.9)
    assert np.isinf(thresholds[1])
    assert np.isfinite(thresholds[[0, 2]]).all()


def test_margin_is_negative_only_for_the_best_class() -> None:
    outputs = np.random.default_rng(0).normal(size=(50, 4))
    scores = margin_scores(outputs)
    assert ((scores < 0).sum(axis=1) == 1).all()
    assert (scores.argmin(axis=1) == outputs.argmax(axis=1)).all()


@given(count=st.integers(0, 100_000), percent=st.integers(1, 99))
def test_the_rank_is_that_of_whole_numbers(count: int, percent: int) -> None:
    assert finite_rank(count, percent / 100) == -(-(count + 1) * percent // 100)


@given(
    seed=st.integers(0, 1000),
    count=st.integers(0, 60),
    coverage=st.sampled_from([0.5, 0.8, 0.9, 0.95]),
    side=st.sampled_from(["both", "below", "above"]),
)
def test_bins_give_no_less_and_little_more_than_the_rows(seed, count, coverage, side) -> None:
    rng = np.random.default_rng(seed)
    residual = rng.normal(size=count) * 10.0 ** rng.integers(-3, 3, size=count)
    bins = ResidualBins(xp, 0.01, 1e3)
    counts = bins.update(bins.empty(), {"residual": residual})["counts"][0]
    found = float(binned_quantile(side_counts(counts, side), bins.edges, coverage))
    size = {"both": np.abs(residual), "below": -residual, "above": residual}[side]
    exact = conformal_quantile(np.maximum(size, 0), coverage)
    # The relative error of the bins, and two roundings; no less than the least size.
    assert exact <= found <= max(0.01, exact * 1.005 * (1 + 1e-15))


def test_nine_rows_give_their_largest_score_and_eight_none() -> None:
    edges = upper_edges(1.0, 100.0, 0.01)
    counts = np.bincount(np.searchsorted(edges, [3.0] * 8 + [50.0]), minlength=len(edges))
    threshold = float(binned_quantile(counts, edges, 0.9))
    assert 50.0 <= threshold <= 50.5 * (1 + 1e-15)
    counts[np.searchsorted(edges, 3.0)] -= 1
    assert math.isinf(binned_quantile(counts, edges, 0.9))
    beyond = np.append(np.zeros(len(edges) - 1, np.int64), 9)
    assert math.isinf(binned_quantile(beyond, edges, 0.9))


@pytest.mark.parametrize("count", [9, 30, 100])
def test_bins_keep_the_promise(count: int) -> None:
    rng = np.random.default_rng(count)
    scores = np.abs(rng.normal(size=(REPEATS, count + 1)))
    edges = upper_edges(0.01, 10.0, 0.05)
    counts = np.zeros((REPEATS, len(edges)), dtype=np.int64)
    repeat = np.repeat(np.arange(REPEATS), count)
    np.add.at(counts, (repeat, np.searchsorted(edges, scores[:, :-1]).ravel()), 1)
    covered = (scores[:, -1] <= binned_quantile(counts, edges, 0.9)).mean()
    exact = np.array([conformal_quantile(row[:-1], 0.9) for row in scores])
    assert covered >= 0.9 - 4 * np.sqrt(0.09 / REPEATS)  # four standard errors
    assert (scores[:, -1] <= exact).mean() <= covered
    assert covered <= (scores[:, -1] <= exact * 1.05 * (1 + 1e-15)).mean()
