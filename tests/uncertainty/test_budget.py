"""Budgets: the guide's own example, Monte Carlo, and what averaging does not shrink."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.budget import (
    Contribution,
    combined,
    coverage_factor,
    rounding_u,
    summed,
    variance_shares,
)


def part(source: str, u: float, sensitivity: float = 1.0, *, shared: bool = False) -> Contribution:
    return Contribution(source, "B", "normal", u, "V", sensitivity, shared)


def test_correlated_inputs_as_in_the_guide() -> None:
    """JCGM 100:2008, H.3.6: correction of a thermometer at 30 degC, u = 0.0041 degC."""
    intercept, slope = part("intercept", 0.0029), part("slope", 0.00067, 10.0)
    u = combined([intercept, slope], {("intercept", "slope"): -0.930})
    assert u == pytest.approx(0.0041, abs=0.00005)
    assert combined([intercept, slope]) == pytest.approx(0.0073, abs=0.00005)


def test_many_readings_do_not_shrink_what_they_share() -> None:
    """The mean of 100,000 readings of one sensor with u = 0.05, shared or not."""
    n = 100_000
    one = [part("calibration", 0.05, 1.0 / n, shared=True)]
    assert combined(summed([one] * n)) == pytest.approx(0.05, rel=1e-9)
    alone = [replace(one[0], is_shared=False)]
    assert combined(summed([alone] * n)) == pytest.approx(0.05 / np.sqrt(n), rel=1e-9)


def test_equal_monte_carlo() -> None:
    """Twelve amounts with one meter, one factor and rounding of each; 200,000 trials."""
    rng, trials = np.random.default_rng(8), 200_000
    amounts, factor, step = np.linspace(1.0, 12.0, 12), 0.4, 1.0
    budgets = [
        [
            part("meter", 0.02, factor * amount, shared=True),
            part("factor", 0.01, amount, shared=True),
            part("rounding", rounding_u(step), factor),
        ]
        for amount in amounts
    ]
    meter = 1.0 + 0.02 * rng.normal(size=trials)
    drawn = factor + 0.01 * rng.normal(size=trials)
    total = np.zeros(trials)
    for amount in amounts:
        total += drawn * (amount * meter + step * (rng.random(trials) - 0.5))
    # A deviation from so many trials is known to 1 / sqrt(2 * trials); four of them, and the
    # product of two relative deviations of 2 %, which first order leaves out.
    assert combined(summed(budgets)) == pytest.approx(
        total.std(), rel=4 / np.sqrt(2 * trials) + 1e-3
    )
    wrong = np.sqrt(sum(combined(budget) ** 2 for budget in budgets))
    assert wrong < 0.5 * total.std()


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=6))
def test_shares_add_to_one(us: list[float]) -> None:
    parts = [part(str(number), u) for number, u in enumerate(us)]
    shares = variance_shares(parts)
    assert sum(shares) == pytest.approx(1.0 if any(u**2 > 0 for u in us) else 0.0)
    assert all(0.0 <= share <= 1.0 for share in shares)


def test_a_source_with_two_uncertainties_is_refused() -> None:
    with pytest.raises(ValueError, match="source a has several uncertainties"):
        summed([[part("a", 1.0)], [part("a", 2.0)]])
    with pytest.raises(ValueError, match="a source stands twice"):
        combined([part("a", 1.0), part("a", 1.0)])


def test_coverage_of_the_factor() -> None:
    draws = np.abs(np.random.default_rng(9).normal(size=100_000))
    share = float(np.mean(draws <= coverage_factor(0.9)))
    assert share == pytest.approx(0.9, abs=4 * np.sqrt(0.9 * 0.1 / 100_000))
