"""Orthogonal regression and relative expanded uncertainty, against the rows themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.agreement import (
    agreement_columns,
    orthogonal_line,
    relative_expanded_uncertainty,
)


def data(seed=0, n=200, slope=0.8, noise=0.3):
    rng = np.random.default_rng(seed)
    level = rng.uniform(1, 6, n)
    x = level + noise * rng.normal(size=n)
    return x, 0.5 + slope * level + noise * rng.normal(size=n)


def sums_of(x, y):
    return np.concatenate([[len(x)], agreement_columns(x, y).sum(axis=0)])


def test_twin_by_singular_values():
    """The first right singular vector of the centred points is the direction of the line."""
    x, y = data()
    cx, cy = x - x.mean(), y - y.mean()
    direction = np.linalg.svd(np.stack([cx, cy], axis=1))[2][0]
    line = orthogonal_line(sums_of(cx, cy))
    slope = direction[1] / direction[0]
    assert line.slope == pytest.approx(slope, rel=1e-10)
    assert line.residual == pytest.approx(np.sum((cy - slope * cx) ** 2), rel=1e-9)


def test_errors_in_the_reference_do_not_bend_the_line():
    x, y = data(n=20_000, slope=1.0, noise=1.0)
    cx, cy = x - x.mean(), y - y.mean()
    # Levels are uniform over 5: variance 25/12, so ordinary regression is bent by 1 / (1 + 12/25).
    assert (cx @ cy) / (cx @ cx) == pytest.approx(25 / 37, abs=0.02)
    # Its standard error is about 0.01 with these rows.
    assert orthogonal_line(sums_of(cx, cy)).slope == pytest.approx(1.0, abs=0.04)


@given(st.integers(0, 2**32 - 1))
def test_exchanged_instruments_have_the_inverse_slope(seed):
    x, y = data(seed, n=30)
    x, y = x - x.mean(), y - y.mean()
    there, back = orthogonal_line(sums_of(x, y)), orthogonal_line(sums_of(y, x))
    assert there.slope * back.slope == pytest.approx(1.0, rel=1e-9)


def test_uncertainty_by_rows():
    x, y = data()
    centre = 3.0, 2.5  # not the means: what was taken off may be anything
    found = relative_expanded_uncertainty(sums_of(x - 3.0, y - 2.5), 4.0, centre, 0.1)
    slope = orthogonal_line(sums_of(x - x.mean(), y - y.mean())).slope
    intercept = y.mean() - slope * x.mean()
    random = np.sum((y - intercept - slope * x) ** 2) / (len(x) - 2) - 0.1**2
    deviation = intercept + slope * 4.0 - 4.0
    assert found == pytest.approx(2 * np.sqrt(random + deviation**2) / 4.0, rel=1e-9)


def test_an_instrument_that_reads_a_tenth_too_low():
    x = np.linspace(1, 5, 50)
    found = relative_expanded_uncertainty(sums_of(x, 0.9 * x), 5.0, (0.0, 0.0))
    assert found == pytest.approx(0.2, rel=1e-6)  # k = 2


def test_no_line_without_points_that_rise_together():
    x = np.array([-1.0, 0.0, 1.0])
    assert np.isnan(orthogonal_line(sums_of(x, -x)).slope)
    assert np.isnan(orthogonal_line(sums_of(x[:2], x[:2])).slope)
