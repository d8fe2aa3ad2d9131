"""Cycles of two poles as features, and ratios of channels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.features import build_features
from lumipipe.kernels.cycles import cycle_statistics

RATE_HZ = 50.0
CHANNELS = [SimpleNamespace(name=name, scale=scale) for name, scale in (("l", 100), ("r", 50))]


def measured(request, windows):
    (feature,) = build_features(request, CHANNELS, len(windows), RATE_HZ, 1)
    return dict(zip(feature.names, feature(windows, RATE_HZ)[0], strict=True))


def pushes(late=0.0, hertz=1.0):
    time = np.arange(500) / RATE_HZ
    left = 100.0 * (np.mod(hertz * time + 0.1, 1) < 0.3)
    right = 25.0 * (np.mod(hertz * time + 0.1 - late, 1) < 0.3)
    return np.stack([left, right], axis=1)[:, :, None]


def test_cycles_of_two_poles():
    found = measured({"poling": {}}, pushes())
    raw = cycle_statistics(pushes()[:, 0, 0], RATE_HZ, 30.0, 15.0)
    assert found["l:rate"] == float(raw["rate"]) == pytest.approx(1.0)
    assert found["l:peak"] == 1.0
    assert found["r:peak"] == 0.5
    # (1 - 0.5) of (1 + 0.5 + 0.01); both poles touch at the same time.
    assert found["l~r:balance of peak"] == pytest.approx(0.5 / 1.51)
    assert found["l~r:together"] == pytest.approx(1.0)
    # Each push is 15 or 16 samples of 50.
    assert found["l:duty"] == pytest.approx(0.3, abs=0.02)


def test_poles_that_take_turns_are_never_together():
    assert measured({"poling": {}}, pushes(late=0.5))["l~r:together"] == 0.0


def test_ratios():
    windows = np.stack([np.full(9, 50.0), np.full(9, 75.0)], axis=1)[:, :, None]
    found = measured(
        {"ratios": {"floor": 0.5, "pairs": [("l", "r")], "products": [("l", "r")]}}, windows
    )
    assert found["log l"] == pytest.approx(np.log(1.0))
    assert found["l~r:balance"] == pytest.approx((0.5 - 1.5) / 2.5)
    assert found["l~r:size of balance"] == pytest.approx(1.0 / 2.5)
    assert found["l*r"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"poling": {"channels": ["x"]}}, "x is no channel"),
        ({"poling": {"begins": 0.1, "ends": 0.2}}, "ends is above begins"),
        ({"ratios": {"pairs": [("l", "x")]}}, "x is no channel"),
    ],
)
def test_wrong_settings_are_refused(request_, message):
    with pytest.raises(InputError, match=message):
        build_features(request_, CHANNELS, 10, RATE_HZ, 1)
