from __future__ import annotations

import numpy as np
from scipy.signal import savgol_filter

from conftest import to_numpy
from lumipipe.features.slopes import Slopes, SlopesSettings


def made(channels: int, points: int) -> Slopes:
    names = tuple(f"c{n}" for n in range(channels))
    return Slopes.build(names, (1.0,) * channels, 1, 1.0, SlopesSettings(points=points), 1)


def test_equal_to_the_filter_of_scipy(xp_array):
    spectra = np.random.default_rng(0).normal(size=(4, 30)) + 100.0
    feature = made(30, 7)
    found = to_numpy(feature(xp_array(spectra.T[None]), 1.0))
    expected = savgol_filter(spectra, 7, 2, deriv=1, axis=1)[:, 3:-3]
    # Seven terms of a hundred with weights below a ninth, in float64.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * 100)
    assert feature.names[0] == "slope of c3"


def test_a_straight_base_line_adds_its_slope_alone():
    curve = np.sin(np.arange(20.0))[None, :, None]
    line = (3.0 + 0.5 * np.arange(20.0))[None, :, None]
    feature = made(20, 5)
    np.testing.assert_allclose(
        feature(curve + line, 1.0), feature(curve, 1.0) + 0.5, rtol=0, atol=1e-13
    )
