"""Ranges of rounded audits: the truth is never outside, and the ends can be reached."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.audit import (
    bias_factor,
    confidence_coefficient,
    relative_accuracy,
    t_value,
)
from lumipipe.uncertainty.audit_ranges import (
    Range,
    agreed_means,
    bias_factor_range,
    coefficient_range,
    magnitude,
    meets,
    relative_accuracy_range,
    written_range,
)

DECIMALS = st.integers(0, 4)


def _written(value: float, decimals: int) -> Range:
    return written_range(np.round(value, decimals), decimals)


def _inside(figure: Range, value: float) -> bool:
    slack = 1e-12 * max(1.0, abs(value))  # rounding of the few operations
    return bool(figure.lower - slack <= value <= figure.upper + slack)


@given(st.data(), st.floats(-5, 5), st.floats(0.001, 3), st.floats(0.2, 90), st.integers(2, 30))
def test_the_truth_lies_in_the_ranges_of_what_was_written(
    data: st.DataObject, d: float, deviation: float, monitor: float, runs: int
) -> None:
    reference = monitor + d
    if reference <= 0.05:
        return
    cc = float(confidence_coefficient(deviation, runs))
    d_r, s_r, cc_r, x_r, y_r = (
        _written(value, data.draw(DECIMALS)) for value in (d, deviation, cc, reference, monitor)
    )
    t = np.round(t_value(runs), 3)
    # The filed t is rounded too: by 0.0005 of more than 1.9.
    assert _inside(coefficient_range(s_r, runs, t), cc)
    assert _inside(coefficient_range(s_r, runs, np.nan), cc)
    means = agreed_means(d_r, x_r, y_r)
    for narrowed, free, value in zip(means, (d_r, x_r, y_r), (d, reference, monitor), strict=True):
        assert _inside(narrowed, value)
        assert free.lower <= narrowed.lower <= narrowed.upper <= free.upper
    accuracy = float(relative_accuracy(d, cc, reference))
    assert _inside(relative_accuracy_range(means[0], cc_r, means[1]), accuracy)
    factor = float(bias_factor(d, cc, monitor))
    factors = bias_factor_range(means[0], cc_r, means[2])
    assert factors.may_be_one if factor == 1 else _inside(factors.above, factor)
    assert _inside(factors.hull(), factor)


def test_each_end_is_a_corner() -> None:
    """No other inputs within the written digits give less or more."""
    d, cc, x = (written_range(value, 1) for value in (-0.3, 0.2, 4.0))
    grid = [np.linspace(figure.lower, figure.upper, 21) for figure in (d, cc, x)]
    found = relative_accuracy(*np.meshgrid(*grid))
    ends = relative_accuracy_range(d, cc, x)
    assert (found.min(), found.max()) == pytest.approx((ends.lower, ends.upper), rel=1e-9)


def test_means_that_contradict_each_other_stay() -> None:
    figures = [written_range(value, 1) for value in (3.0, 10.0, 9.0)]
    for narrowed, free in zip(agreed_means(*figures), figures, strict=True):
        assert (narrowed.lower, narrowed.upper) == (free.lower, free.upper)


def test_a_coarse_mean_is_told_by_the_others() -> None:
    _, reference, _ = agreed_means(
        *(written_range(*pair) for pair in ((0.6, 1), (11, 0), (10.4, 1)))
    )
    assert [float(end) for end in reference] == pytest.approx([10.9, 11.1])


def test_a_factor_between_passed_and_failed_is_not_allowed() -> None:
    d, cc, mean = (written_range(value, 3) for value in (0.5, 0.5, 10.0))
    factors = bias_factor_range(d, cc, mean)
    assert factors.may_be_one
    for filed, allowed in ((1.02, False), (1.05, True), (1.06, False)):
        assert meets(factors.above, written_range(filed, 3)) == allowed


def test_a_reference_that_may_be_zero_has_no_upper_end() -> None:
    one = written_range(1.0, 1)
    assert relative_accuracy_range(one, one, written_range(0.0, 1)).upper == np.inf
    assert magnitude(written_range(0.0, 1)).lower == 0


def test_nothing_meets_what_is_unknown() -> None:
    unknown = Range(np.array(np.nan), np.array(np.nan))
    assert not meets(unknown, written_range(1.0, 1))
