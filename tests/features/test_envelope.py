from __future__ import annotations

import numpy as np
import pytest

from conftest import to_numpy
from lumipipe.features.envelope import Envelope, EnvelopeSettings
from lumipipe.kernels.kinematics import fault_frequencies

RATE_HZ, SHAFT_HZ, LENGTH = 12_000.0, 29.95, 12_000
ORDERS = fault_frequencies(9, 0.2034, 0.0, 1.0)
SETTINGS = EnvelopeSettings(band_hz=(2000.0, 4000.0), shaft_hz=SHAFT_HZ, orders=ORDERS)


def bearing(order, seed=0):
    """Shocks at a fault frequency that ring at 3 kHz, in noise."""
    time = np.arange(LENGTH) / RATE_HZ
    since = time % (1.0 / (order * SHAFT_HZ))
    ring = np.exp(-since * 800.0) * np.sin(2 * np.pi * 3000.0 * since)
    return ring + 0.5 * np.random.default_rng(seed).standard_normal(LENGTH)


def build(settings=SETTINGS):
    return Envelope.build(("de",), (1.0,), LENGTH, RATE_HZ, settings, 0)


@pytest.mark.parametrize("fault", ["BPFO", "BPFI", "2xBSF"])
def test_the_fault_stands_out(xp_array, fault):
    slipped = ORDERS[fault] * 1.01  # within the tolerance
    x = bearing(slipped).astype(np.float32)[:, None, None]
    feature = build()
    found = dict(zip(feature.names, to_numpy(feature(xp_array(x), RATE_HZ))[0], strict=True))
    faults = {name: value for name, value in found.items() if not name.endswith("level")}
    if fault == "2xBSF":
        faults.pop("de:BSF")  # its second harmonic is the same line
    assert max(faults, key=faults.get) == f"de:{fault}"


def test_a_healthy_bearing_shows_none():
    feature = build()
    x = np.random.default_rng(1).standard_normal((LENGTH, 1, 5))
    found = feature(x, RATE_HZ)[:, :-1]
    # Rayleigh amplitudes: the largest of about 10 bins is near 2 medians, log(1 + 2) = 1.1
    assert found.max() < np.log(1 + 4.0)
    assert np.log(1 + 8.0) < feature(bearing(ORDERS["BPFO"])[:, None, None], RATE_HZ)[0].max()


def test_level_is_the_power_of_the_band():
    time = np.arange(LENGTH) / RATE_HZ
    x = 3.0 * np.sin(2 * np.pi * 2500.0 * time)[:, None, None]
    assert build()(x, RATE_HZ)[0, -1] == pytest.approx(np.log(9.0))  # amplitude squared
    aside = 3.0 * np.sin(2 * np.pi * 1500.0 * time)[:, None, None]
    assert build()(aside, RATE_HZ)[0, -1] == pytest.approx(np.log(1e-9))
