"""Intervals of shares."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lumipipe.metrics.confusion import accuracy
from lumipipe.uncertainty.proportions import (
    bootstrap_units,
    clopper_pearson,
    share_between_units,
    trials_needed,
)


@pytest.mark.parametrize(("hits", "total"), [(0, 5), (3, 10), (10, 10), (400, 1000)])
def test_clopper_pearson_equals_scipy(hits: int, total: int) -> None:
    reference = stats.binomtest(hits, total).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits, total) == pytest.approx((reference.low, reference.high))


def test_rows_that_hang_together_know_less() -> None:
    rng = np.random.default_rng(4)
    totals = np.full(12, 500)
    alike = rng.binomial(500, 0.8, size=12)
    spread = rng.binomial(500, rng.beta(8, 2, size=12))
    low, high, effective = share_between_units(spread, totals)
    low_alike, high_alike, effective_alike = share_between_units(alike, totals)
    assert high - low > 3 * (high_alike - low_alike)
    assert effective < 100 < effective_alike


def test_interval_between_units_covers() -> None:
    rng = np.random.default_rng(8)
    covered = []
    for _ in range(400):
        hits = rng.binomial(200, rng.beta(16, 4, size=10))
        low, high, _ = share_between_units(hits, np.full(10, 200))
        covered.append(low <= 0.8 <= high)
    # 0.95 nominal; four standard errors of 400 draws are 0.044, and beta is a little skew.
    assert np.mean(covered) > 0.90


def test_bootstrap_draws_units_and_is_keyed() -> None:
    counts = np.zeros((6, 2, 2), dtype=np.int64)
    counts[:, 0, 0], counts[:, 0, 1] = [9, 8, 3, 9, 7, 9], [1, 2, 7, 1, 3, 1]
    first, again = (bootstrap_units(counts, accuracy, 5) for _ in range(2))
    assert first == again
    assert first[0] < 0.75 < first[1]
    assert np.isnan(bootstrap_units(counts[:1], accuracy, 5)).all()


@pytest.mark.parametrize(("half", "share"), [(0.1, 0.5), (0.2, 0.5), (0.1, 0.9), (0.05, 0.3)])
def test_trials_needed_are_enough_and_fewer_are_not(half: float, share: float) -> None:
    needed = trials_needed(half, share)
    ends = {n: clopper_pearson(round(share * n), n) for n in range(needed - 1, 3 * needed)}
    widths = {n: (upper - lower) / 2 for n, (lower, upper) in ends.items()}
    assert widths.pop(needed - 1) > half
    assert max(widths.values()) <= half
