from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from conftest import to_numpy
from lumipipe.kernels import spectra


def test_hann_and_frequencies(xp_array):
    like = xp_array(np.zeros(1))
    xp, where = array_namespace(like), device(like)
    for length in (1, 8, 9):
        expected = signal.get_window("hann", length)
        found = to_numpy(spectra.hann(xp, where, length))
        # one sample is no window to speak of: the formula gives 0, SciPy 1
        np.testing.assert_allclose(found, expected if length > 1 else [0.0], atol=1e-15)
        bins = to_numpy(spectra.frequencies(xp, where, length, 50.0))
        np.testing.assert_allclose(bins, np.fft.rfftfreq(length, 1 / 50.0), rtol=1e-15)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize(("segment", "overlap"), [(64, 32), (63, 21), (200, 0)])
@pytest.mark.parametrize("offset", [5.0, 1000.0])
def test_welch_equals_scipy(xp_array, dtype, tolerance, segment, overlap, offset):
    x = (np.random.default_rng(1).standard_normal((1000, 2, 3)) + offset).astype(dtype)
    sums = spectra.welch_sums(xp_array(x), 100.0, segment, overlap)
    found = to_numpy(sums["power"]) / to_numpy(sums["count"])
    _, expected = signal.welch(
        x.astype(float), 100.0, nperseg=segment, noverlap=overlap, axis=0
    )  # SciPy removes each segment's mean by default
    # The reference subtracts a mean that is itself rounded to the size of the offset.
    tolerance = max(tolerance, 64 * offset * 2.0**-52)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * expected.mean())
    assert to_numpy(sums["count"]).dtype == np.int64


@given(block=st.sampled_from([1, 500, 10**6]))
def test_welch_does_not_depend_on_blocks(block):
    x = np.random.default_rng(2).standard_normal((700, 1, 2))
    whole = spectra.welch_sums(x, 1.0, 50, 25)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectra, "_FRAME_VALUES", block)
        pieces = spectra.welch_sums(x, 1.0, 50, 25)
    np.testing.assert_allclose(pieces["power"], whole["power"], rtol=1e-13)
    halves = [spectra.welch_sums(part, 1.0, 50, 25) for part in (x[:350], x[325:])]
    total = halves[0]["power"] + halves[1]["power"]
    np.testing.assert_allclose(total, whole["power"], rtol=1e-12)
    assert halves[0]["count"] + halves[1]["count"] == whole["count"]


def test_power_is_the_variance():
    x = np.random.default_rng(3).standard_normal((4000, 1, 1)) * 3.0
    sums = spectra.welch_sums(x, 10.0, 100, 50)
    total = sums["power"].sum() / sums["count"] * 10.0 / 100
    assert abs(total - 9.0) < 0.6  # four standard errors of a variance of about 4000 samples


def full_length(x, rate_hz, band_hz):
    """The squared envelope by the analytic signal of the masked band, at full length."""
    spectrum = np.fft.rfft(x, axis=0)
    bins = np.fft.rfftfreq(len(x), 1 / rate_hz)
    spectrum[(bins < band_hz[0]) | (bins > band_hz[1])] = 0.0
    analytic = signal.hilbert(np.fft.irfft(spectrum, len(x), axis=0), axis=0)
    return np.abs(np.fft.rfft(np.abs(analytic) ** 2, axis=0)) / len(x)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-13)])
@pytest.mark.parametrize("samples", [1000, 1001])
@pytest.mark.parametrize("band_hz", [(50.0, 120.0), (300.0, 301.0), (1.0, 499.0)])
def test_squared_envelope_equals_full_length(xp_array, dtype, tolerance, samples, band_hz):
    x = np.random.default_rng(4).standard_normal((samples, 2)).astype(dtype)
    found = to_numpy(spectra.squared_envelope_spectrum(xp_array(x), 1000.0, band_hz))
    expected = full_length(x.astype(float), 1000.0, band_hz)
    np.testing.assert_allclose(
        found, expected[: len(found)], rtol=0, atol=tolerance * expected.max()
    )
    if 2 * len(found) < samples // 2:  # nothing was left out
        assert expected[len(found) :].max() < 1e-12 * expected.max()


def test_band_without_bins_is_refused():
    with pytest.raises(ValueError, match="widen the band"):
        spectra.squared_envelope_spectrum(np.zeros((10, 1)), 10.0, (1.1, 1.2))


@given(scale=st.sampled_from([0.5, 16.0]))
def test_squared_envelope_grows_with_the_square(scale):
    x = np.random.default_rng(6).standard_normal((200, 1))
    small = spectra.squared_envelope_spectrum(x, 1.0, (0.1, 0.2))
    large = spectra.squared_envelope_spectrum(x * scale, 1.0, (0.1, 0.2))
    np.testing.assert_array_equal(large, small * scale**2)


def test_fast_length():
    lengths = [spectra.fast_length(n) for n in (1, 7, 13, 81, 101)]
    assert lengths == [1, 8, 15, 81, 108]
