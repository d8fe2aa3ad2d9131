from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from conftest import to_numpy
from lumipipe.features.spectral import Spectral, SpectralSettings, band_edges


@given(bins=st.integers(2, 400), share=st.floats(0, 1), spacing=st.sampled_from(["log", "equal"]))
def test_every_band_has_a_bin(bins, share, spacing):
    bands = 1 + int(share * (bins - 2))
    edges = band_edges(bins, bands, spacing)
    assert len(edges) == bands + 1
    assert (edges[0], edges[-1]) == (1, bins)
    assert np.all(np.diff(edges) >= 1)


@pytest.mark.parametrize("spacing", ["log", "equal"])
def test_equals_scipy(xp_array, spacing):
    x = np.random.default_rng(0).standard_normal((400, 2, 3)) + 50.0
    settings = SpectralSettings(bands=4, segment=100, spacing=spacing)
    feature = Spectral.build(("a", "b"), (1.0, 2.0), 400, 50.0, settings, 0)
    column = dict(zip(feature.names, to_numpy(feature(xp_array(x), 50.0)).T, strict=True))
    bins, density = signal.welch(x[:, 1, :] / 2.0, 50.0, nperseg=100, axis=0)
    power = density[1:] * 0.5
    band = power[feature.edges[1] - 1 : feature.edges[2] - 1].sum(axis=0)
    name = f"{feature.edges[1] * 0.5:.4g}-{feature.edges[2] * 0.5:.4g} Hz"
    np.testing.assert_allclose(column[f"b:log_power[{name}]"], np.log(band + 1e-9), atol=1e-10)
    np.testing.assert_allclose(column[f"b:share[{name}]"], band / power.sum(axis=0), rtol=1e-10)
    centroid = (bins[1:, None] * power).sum(axis=0) / power.sum(axis=0)
    np.testing.assert_allclose(column["b:centroid"], centroid, rtol=1e-10)


def test_a_tone_is_found_in_its_band():
    time = np.arange(256) / 64.0
    x = np.sin(2 * np.pi * 10.0 * time)[:, None, None]
    feature = Spectral.build(("a",), (1.0,), 256, 64.0, SpectralSettings(), 0)
    column = dict(zip(feature.names, feature(x, 64.0)[0], strict=True))
    shares = {name: value for name, value in column.items() if "share" in name}
    assert sum(shares.values()) == pytest.approx(1.0)
    best = max(shares, key=shares.get)
    low, high = best.split("[")[1].split(" ")[0].split("-")
    assert float(low) <= 10.0 < float(high)
    assert column["a:centroid"] == pytest.approx(10.0, abs=0.01)
