"""F test, correlation and criteria against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lumipipe.uncertainty.audit_criteria import (
    PS_16,
    Criteria,
    correlation,
    critical_ratio,
    variance_ratio,
)


@pytest.mark.parametrize("runs", [2, 9, 27])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_the_critical_ratio_is_that_of_scipy(runs: int, confidence: float) -> None:
    reference = stats.f.ppf(confidence, runs - 1, runs - 1)
    assert critical_ratio(runs, confidence) == pytest.approx(reference, rel=1e-9)


def test_equal_variances_exceed_it_as_often_as_said() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 4000, 9))
    share = np.mean(variance_ratio(x, y) > critical_ratio(9))
    assert share == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 4000) ** 0.5)


def test_r_and_f_equal_scipy() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(50, 9, size=(5, 12))
    y = 0.8 * x + rng.normal(0, 4, size=(5, 12))
    slow = [stats.pearsonr(*pair).statistic for pair in zip(x, y, strict=True)]
    np.testing.assert_allclose(correlation(x, y), slow, rtol=1e-12)
    ratio = np.var(y, axis=1, ddof=1) / np.var(x, axis=1, ddof=1)
    np.testing.assert_allclose(variance_ratio(x, y), ratio, rtol=1e-12)
    np.testing.assert_allclose(correlation(3 * x + 7, y), slow, rtol=1e-12)


def test_what_does_not_vary_has_neither() -> None:
    flat, monitor = np.full(9, 0.1), np.arange(9.0)
    assert math.isnan(variance_ratio(flat, monitor))
    assert math.isnan(correlation(flat, monitor))
    assert math.isnan(correlation([1.0], [2.0]))
    assert not any(criterion.is_met for criterion in PS_16.judged(flat, monitor))


def test_a_monitor_that_follows_meets_them_and_one_that_does_not_fails() -> None:
    rng = np.random.default_rng(6)
    reference = rng.uniform(40, 80, 27)
    good = PS_16.judged(reference, reference + rng.normal(0, 1, 27))
    assert [(line.name, line.is_met) for line in good] == [
        ("F of the variances", True),
        ("correlation r", True),
    ]
    noisy = PS_16.judged(reference, reference + rng.normal(0, 60, 27))
    assert not any(line.is_met for line in noisy)
    assert noisy[1].limit == 0.8


def test_a_limit_of_the_relative_accuracy_comes_from_the_caller() -> None:
    reference = np.linspace(40, 80, 9)
    strict, lax = (Criteria("a rule", 0.8, 0.95, limit) for limit in (5.0, 15.0))
    monitor = reference * 0.9
    # A tenth below everywhere: 10 % and what the spread of the tenth adds, t s / 3.
    value = 10 + 100 * stats.t.ppf(0.975, 8) * np.std(reference / 10, ddof=1) / 3 / 60
    for criteria, is_met in ((strict, False), (lax, True)):
        first = criteria.judged(reference, monitor)[0]
        assert first.name == "relative accuracy, %"
        assert first.value == pytest.approx(value, rel=1e-9)
        assert first.is_met == is_met
