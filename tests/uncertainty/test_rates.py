from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lumipipe.uncertainty.rates import poisson_rate


@given(count=st.integers(0, 500), exposure=st.floats(0.01, 1e4), confidence=st.floats(0.5, 0.999))
def test_ends_are_those_of_the_poisson_distribution(
    count: int, exposure: float, confidence: float
) -> None:
    rate, lower, upper = poisson_rate(count, exposure, confidence)
    assert lower <= rate <= upper
    tail = (1 - confidence) / 2
    # At the ends, as few or as many events as were counted have just this probability.
    assert stats.poisson.cdf(count, upper * exposure) == pytest.approx(tail, rel=1e-6)
    if count:
        assert stats.poisson.sf(count - 1, lower * exposure) == pytest.approx(tail, rel=1e-6)
    else:
        assert lower == 0.0


def test_longer_exposure_narrows() -> None:
    short, long = poisson_rate(4, 1.0), poisson_rate(40, 10.0)
    assert short[0] == long[0]
    assert long[2] - long[1] < short[2] - short[1]
