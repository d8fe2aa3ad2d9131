"""Relative accuracy, confidence coefficient and bias factor against SciPy and loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lumipipe.uncertainty.audit import (
    bias_factor,
    confidence_coefficient,
    is_biased,
    means_of_runs,
    relative_accuracy,
    runs_of_t,
    t_value,
)

ROUNDING = 1e-12  # sums of at most 40 terms, each rounded to 1e-16 of readings below 1000


def _runs(seed: int, *shape: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.uniform(20, 100, size=shape)
    return reference, reference * 0.97 + rng.normal(0, 1.5, size=shape)


@pytest.mark.parametrize("runs", [2, 9, 12, 27])
def test_the_coefficient_is_the_half_width_of_the_t_interval(runs: int) -> None:
    reference, monitor = _runs(runs, runs)
    means = means_of_runs(reference, monitor)
    interval = stats.ttest_rel(reference, monitor).confidence_interval(0.95)
    coefficient = confidence_coefficient(means.deviation, runs)
    assert means.runs == runs
    assert means.mean_difference == pytest.approx((interval.high + interval.low) / 2, rel=ROUNDING)
    assert coefficient == pytest.approx((interval.high - interval.low) / 2, rel=1e-9)


def test_relative_accuracy_equals_a_loop() -> None:
    reference, monitor = _runs(3, 9)
    d = [x - y for x, y in zip(reference, monitor, strict=True)]
    mean = sum(d) / 9
    s = (sum((x - mean) ** 2 for x in d) / 8) ** 0.5
    slow = 100 * (abs(mean) + stats.t.ppf(0.975, 8) * s / 3) / (sum(reference) / 9)
    means = means_of_runs(reference, monitor)
    cc = confidence_coefficient(means.deviation, 9)
    found = relative_accuracy(means.mean_difference, cc, means.reference_mean)
    assert found == pytest.approx(slow, rel=1e-9)


@given(st.integers(0, 1000), st.integers(2, 20), st.floats(0.001, 1000))
def test_audits_on_leading_axes_and_units(seed: int, runs: int, factor: float) -> None:
    """Many audits at once are those one by one, and percent know no unit."""
    reference, monitor = _runs(seed, 3, runs)
    together = means_of_runs(reference, monitor)
    for at in range(3):
        alone = means_of_runs(reference[at], monitor[at])
        for many, one in zip(together[1:], alone[1:], strict=True):
            assert many[at] == pytest.approx(one, rel=ROUNDING)

    def percent(unit: float) -> np.ndarray:
        means = means_of_runs(reference * unit, monitor * unit)
        cc = confidence_coefficient(means.deviation, runs)
        return relative_accuracy(means.mean_difference, cc, means.reference_mean)

    # Differences lose about two of sixteen digits.
    np.testing.assert_allclose(percent(factor), percent(1.0), rtol=1e-10)


def test_bias_equals_a_loop() -> None:
    rng = np.random.default_rng(5)
    d, cc, mean = rng.normal(0, 1, 200), rng.uniform(-1, 1, 200), rng.uniform(1, 50, 200)
    slow = [1 + x / m if x > abs(c) else 1.0 for x, c, m in zip(d, cc, mean, strict=True)]
    np.testing.assert_allclose(bias_factor(d, cc, mean), slow, rtol=ROUNDING)
    np.testing.assert_array_equal(is_biased(d, cc), np.array(slow) > 1)


def test_a_biased_monitor_times_its_factor_reads_the_reference() -> None:
    reference, monitor = _runs(7, 30)
    means = means_of_runs(reference, monitor)
    cc = confidence_coefficient(means.deviation, 30)
    assert is_biased(means.mean_difference, cc)
    factor = bias_factor(means.mean_difference, cc, means.monitor_mean)
    assert factor * means.monitor_mean == pytest.approx(means.reference_mean, rel=ROUNDING)


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_runs_of_a_t_value_equal_a_loop(decimals: int) -> None:
    table = {n: stats.t.ppf(0.975, n - 1) for n in range(2, 1001)}
    half = 0.5 * 10.0**-decimals
    for t in [*np.round([table[n] for n in (2, 3, 9, 10, 12, 17, 40, 300)], decimals), 3.7, 0.5]:
        fitting = [n for n, exact in table.items() if abs(exact - t) <= half]
        least, most = runs_of_t(t, half)
        assert (least, most) == (min(fitting), max(fitting)) if fitting else least > most


def test_what_is_not_known_is_nan_without_a_warning() -> None:
    assert np.isnan(means_of_runs([5.0], [4.0]).deviation)
    assert np.isnan(t_value([0, 1])).all()
    assert np.isnan(relative_accuracy(1.0, 1.0, [0.0, -1.0, np.nan])).all()
    assert np.isnan(bias_factor([np.nan, 1.0, 1.0], [0.5, np.nan, 0.5], [9.0, 9.0, 0.0])).all()


def test_equal_differences_have_no_spread_at_all() -> None:
    # 0.1 + 0.1 + 0.1 is not three times 0.1.
    assert means_of_runs(np.full(9, 0.1), np.zeros(9)).deviation == 0
