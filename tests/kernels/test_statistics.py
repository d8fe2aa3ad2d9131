from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from conftest import to_numpy
from lumipipe.kernels import statistics

PROBABILITIES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
OF_WINDOWS = {
    statistics.mean: lambda x: x.mean(axis=0),
    statistics.minimum: lambda x: x.min(axis=0),
    statistics.maximum: lambda x: x.max(axis=0),
    statistics.mean_absolute_difference: lambda x: np.abs(np.diff(x, axis=0)).mean(axis=0),
    statistics.root_mean_square: lambda x: np.sqrt((x**2).mean(axis=0)),
    statistics.crest_factor: lambda x: np.abs(x).max(axis=0) / np.sqrt((x**2).mean(axis=0)),
}
OF_DEVIATIONS = {
    statistics.standard_deviation: lambda x: x.std(axis=0),
    statistics.skewness: lambda x: stats.skew(x, axis=0),
    statistics.kurtosis: lambda x: stats.kurtosis(x, axis=0, fisher=False),
}


def windows(dtype=np.float64, time=50):
    rng = np.random.default_rng(5)
    return (3.0 + rng.gamma(2.0, size=(time, 3, 4))).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_statistics_equal_references(xp_array, dtype):
    x = windows(dtype)
    # Differences of float32 samples are float32; all else is exact or summed in float64.
    tolerance = 1e-12 if dtype is np.float64 else 1e-6
    for function, reference in OF_WINDOWS.items():
        found = to_numpy(function(xp_array(x)))
        np.testing.assert_allclose(found, reference(x.astype(float)), rtol=tolerance)
    for function, reference in OF_DEVIATIONS.items():
        found = to_numpy(function(statistics.centred(xp_array(x))))
        np.testing.assert_allclose(found, reference(x.astype(float)), rtol=1e-11)


@pytest.mark.parametrize("time", [1, 2, 3, 50])
def test_quantiles(xp_array, time):
    x = windows(np.float32, time)
    found = to_numpy(statistics.quantiles(xp_array(x), PROBABILITIES))
    expected = np.quantile(x.astype(float), PROBABILITIES, axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("time", [1, 2, 3, 50])
def test_linear_change(xp_array, time):
    x = windows(np.float32, time)
    found = to_numpy(statistics.linear_change(xp_array(x)))
    expected = np.zeros((3, 4))
    if time > 1:
        line = np.polyfit(np.arange(time), x.astype(float).reshape(time, -1), 1)
        expected = (time - 1) * line[0].reshape(3, 4)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    # A constant has no trend, exactly, whatever its size.
    assert not to_numpy(statistics.linear_change(xp_array(np.full((7, 2, 3), 14.62)))).any()


def test_correlations(xp_array):
    x = windows()
    found = to_numpy(statistics.correlations(statistics.centred(xp_array(x))))
    for row, (i, j) in enumerate(combinations(range(3), 2)):
        for window in range(4):
            expected = np.corrcoef(x[:, i, window], x[:, j, window])[0, 1]
            assert abs(found[row, window] - expected) < 1e-13
    assert statistics.correlations(statistics.centred(xp_array(x[:, :1, :]))).shape == (0, 4)


@pytest.mark.parametrize("value", [0.0, 14.62, -1e6])
def test_constant_windows_are_finite(xp_array, value):
    x = xp_array(np.full((20, 2, 1), value, np.float32))
    deviations = statistics.centred(x)
    for function in (*OF_DEVIATIONS, statistics.correlations):
        assert np.all(to_numpy(function(deviations)) == 0.0)
    for function in OF_WINDOWS:
        assert np.all(np.isfinite(to_numpy(function(x))))


@given(scale=st.sampled_from([0.25, 4.0, 1024.0]), shift=st.integers(-8, 8))
def test_laws_of_scale_and_shift(scale, shift):
    x = np.round(windows() * 256) / 256  # so that the shift is exact
    moved = x * scale + shift
    before, after = statistics.centred(x), statistics.centred(moved)
    for function, power in ((statistics.standard_deviation, 1), (statistics.kurtosis, 0)):
        np.testing.assert_allclose(function(after), function(before) * scale**power, rtol=1e-12)
    quantiles = statistics.quantiles(moved, PROBABILITIES)
    expected = statistics.quantiles(x, PROBABILITIES) * scale + shift
    np.testing.assert_allclose(quantiles, expected, rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 20))
def test_order_of_time_matters_only_to_differences(seed):
    x = windows()
    shuffled = np.random.default_rng(seed).permutation(x, axis=0)
    for function in OF_WINDOWS:
        if function is not statistics.mean_absolute_difference:
            np.testing.assert_allclose(function(shuffled), function(x), rtol=1e-13)
