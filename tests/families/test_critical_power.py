from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from lumipipe.families.critical_power import fit_critical_power

TIMES = [150.0, 240.0, 420.0, 720.0, 1150.0]


def efforts(power, work, noise=0.0):
    rng = np.random.default_rng(6)
    return [
        (t, power + work / t + noise * e) for t, e in zip(TIMES, rng.normal(size=5), strict=True)
    ]


@given(power=st.floats(100, 450), work=st.floats(5000, 40000))
def test_exact_efforts_give_back_what_made_them(power, work):
    """Rounding: powers below 1e3 to 2e-16, over the lever of inverse durations (1 in 2e-3)."""
    found = fit_critical_power(efforts(power, work), 0.95)
    assert found["power"][0] == pytest.approx(power, abs=1e-9)
    assert found["work"][0] == pytest.approx(work, abs=1e-6)


def test_equals_scipy_with_its_uncertainties():
    points = efforts(260.0, 18000.0, noise=4.0)
    t, p = np.array(points).T
    line = stats.linregress(1.0 / t, p)
    found = fit_critical_power(points, 0.90)
    quantile = stats.t.ppf(0.95, 3)
    np.testing.assert_allclose(found["power"][:2], [line.intercept, line.intercept_stderr])
    np.testing.assert_allclose(found["work"][:2], [line.slope, line.stderr])
    half = quantile * line.intercept_stderr
    np.testing.assert_allclose(found["power"][2:], [line.intercept - half, line.intercept + half])
    # the same line in work over time, weighted by the inverse of duration, and its correlation
    weighted, covariance = optimize.curve_fit(
        lambda x, w, c: w + c * x, t, p * t, p0=(1e4, 200), sigma=t
    )
    np.testing.assert_allclose(weighted, [found["work"][0], found["power"][0]], rtol=1e-6)
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found["correlation"] == pytest.approx(correlation, rel=1e-5)


def test_intervals_hold_as_often_as_they_promise():
    """Of 400, 90 % with a standard deviation of 1.5 %: four of them allowed."""
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        points = [(t, 260.0 + 18000.0 / t + rng.normal(scale=4.0)) for t in TIMES]
        low, high = fit_critical_power(points, 0.90)["power"][2:]
        hits += low <= 260.0 <= high
    assert 0.84 <= hits / 400 <= 0.96


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "0 declared efforts"),
        ([(180.0, 300.0), (600.0, 280.0)], "3 are needed"),
        ([(180.0, 300.0), (300.0, 290.0), (400.0, 285.0)], "must last 3 times"),
        ([(60.0, 400.0), (180.0, 300.0), (3600.0, 250.0)], "3 are needed"),
        ([(180.0, 250.0), (420.0, 260.0), (900.0, 270.0)], "does not fall"),
        ([(180.0, 300.0), (420.0, np.nan), (900.0, 270.0)], "3 are needed"),
    ],
)
def test_says_no(points, words):
    assert words in fit_critical_power(points, 0.95)["refused"]
