from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from lumipipe.families.session_load import Asset, Sensor
from lumipipe.families.session_uncertainty import change, mean_budget, mean_u, sensor_of


def sensor(**changes):
    form = {
        "id": "m",
        "measure": "power",
        "model": "made up",
        "firmware": "1",
        "accuracy": {"expanded": 0.03, "k": 2, "source": "made up"},
        "repeatability": {"share": 0.01, "source": "made up"},
    }
    return Sensor.model_validate(form | changes)


def test_the_shared_part_does_not_shrink_with_time():
    """1.5 % of 200 W stay 3 W however long; rounding to 10 W shrinks with the root of seconds."""
    for seconds in (1, 100, 10_000):
        u = mean_u(200.0, seconds, sensor(), 10.0)
        assert u == pytest.approx(np.hypot(3.0, 10.0 / np.sqrt(12.0 * seconds)))
    assert {part.is_shared for part in mean_budget(200.0, 60, sensor(), 10.0)} == {True, False}


def test_an_unknown_sensor_is_not_characterised():
    assert mean_u(200.0, 60, None, 1.0) is None
    assert mean_u(200.0, 60, sensor(accuracy=None), 1.0) is None
    assert change((200.0, None), (300.0, sensor()), 0.95).detectable is None
    assert (
        change((200.0, sensor()), (300.0, sensor(repeatability=None)), 0.95).words == "not judged"
    )


def test_changes_with_one_sensor_are_free_of_its_calibration():
    """Two typical errors of 1 % of 200 W and 206 W: the root of two times 2.03 W times 1.96."""
    least = 1.959964 * np.hypot(2.0, 2.06)
    found = change((200.0, sensor()), (206.0, sensor()), 0.95)
    assert found.detectable == pytest.approx(least, rel=1e-6)
    assert found.words == "more than measurement noise"
    assert change((200.0, sensor()), (203.0, sensor()), 0.95).words == "within measurement noise"


@pytest.mark.parametrize("key", ["id", "firmware", "model"])
def test_another_sensor_or_firmware_brings_both_calibrations_in(key):
    found = change((200.0, sensor()), (206.0, sensor(**{key: "other"})), 0.95)
    spread = np.hypot(np.hypot(2.0, 3.0), np.hypot(2.06, 3.09))
    assert found.detectable == pytest.approx(1.959964 * spread, rel=1e-6)
    assert found.words == "sensor or firmware changed; within measurement noise"


def test_few_repeats_widen_the_smallest_detectable_change():
    few = sensor(repeatability={"share": 0.01, "degrees_of_freedom": 4, "source": "5 tests"})
    wide, narrow = (change((200.0, s), (200.0, s), 0.95).detectable for s in (few, sensor()))
    assert wide / narrow == pytest.approx(2.776445 / 1.959964, rel=1e-5)


def test_the_sensor_of_a_day():
    asset = Asset(
        sport="cycling",
        page_for="tests",
        sensors=[
            sensor(id="late", since="2026-03-01"),
            sensor(id="first"),
            sensor(id="own", since="2026-02-01", persons=["b"]),
        ],
    )

    def name(person, *day):
        found = sensor_of(asset, "power", person, dt.date(*day))
        return None if found is None else found.id

    assert name("a", 2026, 2, 15) == "first"
    assert name("b", 2026, 2, 15) == "own"
    assert name("a", 2026, 3, 1) == "late"
    found = sensor_of(asset, "power", "a", None)
    assert found is not None
    assert found.id == "first"
    assert sensor_of(asset, "speed", "a", dt.date(2026, 2, 15)) is None
