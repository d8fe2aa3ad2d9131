"""Student's interval and limits of agreement against another library and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lumipipe.uncertainty.means import limits_of_agreement, mean_over_units


@pytest.mark.parametrize("units", [2, 4, 9])
def test_interval_is_that_of_another_library(units):
    values = np.random.default_rng(units).normal(size=units)
    found = mean_over_units(np.append(values, np.nan), 0.9)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert (found.value, found.units) == (pytest.approx(values.mean()), units)
    assert (found.lower, found.upper) == (pytest.approx(low), pytest.approx(high))


def test_one_unit_says_nothing_of_others():
    found = mean_over_units(np.array([3.0, np.nan]))
    assert (found.value, found.units) == (3.0, 1)
    assert np.isnan([found.lower, found.upper]).all()
    assert np.isnan(mean_over_units(np.array([np.nan])).value)


def test_limits_of_agreement():
    difference = np.random.default_rng(1).normal(2.0, 3.0, size=200)
    found = limits_of_agreement(difference)
    assert found.bias == pytest.approx(difference.mean())
    assert found.upper - found.bias == pytest.approx(1.96 * difference.std(ddof=1))
    inside = (difference > found.lower) & (difference < found.upper)
    assert 0.9 < inside.mean() < 1.0
    assert limits_of_agreement(np.array([np.nan, 1.0])).pairs == 1
