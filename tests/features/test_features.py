"""What holds for every feature of the registry."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.errors import InputError
from lumipipe.features import FEATURES, build_features, measure_features
from lumipipe.features.described import described, restored

LENGTH, RATE_HZ = 100, 50.0
SETTINGS = {
    "statistics": {},
    "random_convolution": {"features": 200},
    "spectral": {},
    "envelope": {"band_hz": (5.0, 20.0), "shaft_hz": 1.0, "orders": {"BPFO": 3.6, "FTF": 0.5}},
    "random_fourier": {"features": 20},
    "polynomial": {"degree": 2},
    "lags": {"rows": [0, 3]},
    "slopes": {"points": 3},
    "trend": {},
    "ratios": {"pairs": [("x", "y")], "products": [("x", "z")]},
    "poling": {"channels": ["x", "z"]},
}
CHANNELS = [
    SimpleNamespace(name="x", scale=2.0),
    SimpleNamespace(name="y", scale=None),
    SimpleNamespace(name="z", scale=1.0),
]


def windows(dtype=np.float32, count=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((LENGTH, len(CHANNELS), count)).astype(dtype)


def built(name, seed=1):
    (feature,) = build_features({name: SETTINGS[name]}, CHANNELS, LENGTH, RATE_HZ, seed)
    return feature


def test_every_feature_is_tried():
    assert set(SETTINGS) == set(FEATURES)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_libraries_agree(xp_array, name, dtype):
    feature = built(name)
    x = windows(dtype)
    found = to_numpy(feature(xp_array(x), RATE_HZ))
    assert found.shape == (5, len(feature.names))
    assert found.dtype in (np.float32, np.float64)
    assert np.all(np.isfinite(found))
    # The libraries that run here compute the same operations in the same order.
    np.testing.assert_allclose(found, feature(x, RATE_HZ), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FEATURES)
def test_names_are_unique(name):
    names = built(name).names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("value", [0.0, 14.62])
def test_constant_windows_are_finite(xp_array, name, value):
    x = xp_array(np.full((LENGTH, len(CHANNELS), 1), value, np.float32))
    assert np.all(np.isfinite(to_numpy(built(name)(x, RATE_HZ))))


@pytest.mark.parametrize("name", FEATURES)
@given(split=st.integers(0, 5), seed=st.integers(0, 3))
def test_windows_do_not_see_each_other(name, split, seed):
    feature, x = built(name), windows(seed=seed)
    whole = feature(x, RATE_HZ)
    parts = [feature(part, RATE_HZ) for part in np.split(x, [split], axis=2)]
    # Libraries may add another number of windows in another order.
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FEATURES)
def test_scale_of_a_channel_divides_it(name):
    x = windows()
    twice = [SimpleNamespace(name=c.name, scale=2 * (c.scale or 1.0)) for c in CHANNELS]
    (feature,) = build_features({name: SETTINGS[name]}, twice, LENGTH, RATE_HZ, 1)
    np.testing.assert_array_equal(feature(2 * x, RATE_HZ), built(name)(x, RATE_HZ))


@pytest.mark.parametrize("name", ["random_convolution", "random_fourier"])
def test_seed_decides(name):
    x = windows()
    np.testing.assert_array_equal(built(name, 1)(x, RATE_HZ), built(name, 1)(x, RATE_HZ))
    assert np.any(built(name, 1)(x, RATE_HZ) != built(name, 2)(x, RATE_HZ))


def test_measure_puts_features_side_by_side(xp_array):
    features = build_features(SETTINGS, CHANNELS, LENGTH, RATE_HZ, 1)
    found = to_numpy(measure_features(features, xp_array(windows()), RATE_HZ))
    assert found.dtype == np.float64
    assert found.shape == (5, sum(len(feature.names) for feature in features))
    first = len(features[0].names)
    np.testing.assert_array_equal(found[:, :first], features[0](windows(), RATE_HZ))


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ({"wavelets": {}}, "features.wavelets: no such feature; use statistics"),
        ({"statistics": {"kurt": 1}}, "features.statistics.kurt: Extra inputs"),
        ({"random_convolution": {"features": 50}}, "features.random_convolution.features"),
        ({"spectral": {"bands": 60}}, "take fewer bands"),
        ({"spectral": {"segment": 101}}, "shorter segments"),
        ({"envelope": SETTINGS["envelope"] | {"band_hz": (5.0, 26.0)}}, "below half"),
        ({"envelope": SETTINGS["envelope"] | {"orders": {"BPFI": 40.0}}}, "orders.BPFI: 40 Hz"),
        ({"lags": {"rows": [0, LENGTH]}}, f"use windows of {LENGTH + 1} rows"),
        ({"slopes": {"points": 4}}, "take an odd number"),
        ({"slopes": {"points": 5}}, "3 channels are too few for 5 points"),
    ],
)
def test_wrong_requests_are_refused(requested, message):
    with pytest.raises(InputError) as caught:
        build_features(requested, CHANNELS, LENGTH, RATE_HZ, 1)
    assert message in str(caught.value)


def test_short_windows_are_refused():
    with pytest.raises(InputError, match="take longer windows"):
        build_features({"random_convolution": {}}, CHANNELS, 8, RATE_HZ, 1)


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_comes_back_from_its_description(name):
    feature = built(name)
    again = restored(json.loads(json.dumps(described(feature))))
    assert again == feature
    assert type(again) is type(feature)
    assert again(windows(), RATE_HZ).tobytes() == feature(windows(), RATE_HZ).tobytes()


def test_a_feature_of_another_version_is_refused():
    with pytest.raises(InputError, match="no class Newer"):
        restored({"class": "Newer", "fields": {}})
