from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.reporting.figures.declared import Chart
from lumipipe.reporting.figures.drawing import markup
from lumipipe.reporting.figures.series import decimated, floats


def test_a_hundred_thousand_points_keep_their_peaks():
    y = np.sin(np.arange(100_000) / 900)
    y[54_321], y[77_777] = 40.0, -30.0
    x, kept = decimated(np.arange(y.size, dtype=float), y)
    assert kept.size <= 2000
    assert x[np.argmax(kept)] == 54_321
    assert x[np.argmin(kept)] == 77_777


def test_the_drawn_line_of_a_long_series_reaches_its_peak():
    y = np.zeros(100_000)
    y[54_321] = 40.0
    common = {"title": "t", "caption": "c", "alt": "a", "x_label": "x (s)", "y_label": "y (m)"}
    figure = Chart(kind="chart", x=np.arange(y.size).tolist(), y=y.tolist(), **common)
    longest = max(re.findall(r' d="([^"]*)"', markup(figure)), key=len)
    points = np.asarray(re.findall(r"[ML] ([\d.]+) ([\d.]+)", longest), dtype=float)
    assert len(points) <= 2000
    peak = points[np.argmin(points[:, 1])]  # y grows downwards
    place = (peak[0] - points[0, 0]) / (points[-1, 0] - points[0, 0])
    assert abs(place - 0.54321) < 1e-3


def test_gaps_stay_gaps():
    y = floats([1.0, None, 2.0])
    assert np.isnan(y).tolist() == [False, True, False]
    long = np.ones(10_000)
    long[4000:4600] = np.nan
    long[9000] = np.nan
    x, kept = decimated(np.arange(10_000.0), long)
    gaps = x[np.isnan(kept)]
    assert np.sum((gaps >= 4000) & (gaps < 4600)) > 10
    assert gaps[-1] == 9000


@given(st.integers(0, 40), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_decimation_keeps_extremes_and_order(size, blocks, seed):
    y = np.random.default_rng(seed).normal(size=size)
    x, kept = decimated(np.arange(float(size)), y, blocks=blocks)
    assert np.all(np.diff(x) > 0)
    assert kept.size <= max(3 * blocks, 2 * blocks)
    if size:
        assert (kept.min(), kept.max()) == (y.min(), y.max())


def test_a_short_series_is_not_changed():
    x = y = np.arange(5.0)
    assert decimated(x, y)[1] is y
