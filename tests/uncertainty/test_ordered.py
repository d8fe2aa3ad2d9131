from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lumipipe.uncertainty.ordered import quantile_ranks


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("count", [1, 5, 6, 20, 57, 1000])
def test_equal_the_interval_of_scipy(count: int, share: float) -> None:
    """SciPy's two-sided interval has the values of the same ranks, or NaN for those outside."""
    values = np.arange(1.0, count + 1.0)
    expected = stats.quantile_test(values, p=share).confidence_interval(0.95)
    lower, upper = quantile_ranks(count, share)
    assert lower == (0 if np.isnan(expected.low) else expected.low)
    assert upper == (count + 1 if np.isnan(expected.high) else expected.high)


@pytest.mark.parametrize("count", [6, 30, 101])
def test_each_tail_holds_what_it_should(count: int) -> None:
    lower, upper = quantile_ranks(count, 0.5)
    assert stats.binom.cdf(lower - 1, count, 0.5) <= 0.025 < stats.binom.cdf(lower, count, 0.5)
    assert stats.binom.sf(upper - 1, count, 0.5) <= 0.025 < stats.binom.sf(upper - 2, count, 0.5)
