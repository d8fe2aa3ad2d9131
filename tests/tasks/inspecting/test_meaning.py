"""Quantities are guessed and said so; units are never made up."""

from __future__ import annotations

import numpy as np
import pytest

from lumipipe.readers.tables import Table
from lumipipe.tasks.inspecting.meaning import HEADER_UNITS, SPELT, is_unit_of, meaning_of

EMPTY = Table("t", {}, {}, None)


def said(name: str, unit: str) -> Table:
    return Table("t", {}, {f"unit:{name}": unit}, None)


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("Air temperature [K]", "temperature", "K"),
        ("x-axis (g)", "acceleration", "g"),
        ("x-axis (deg/s)", "angular_velocity", "deg/s"),
        ("Usage_kWh", "energy", "kWh"),
        ("power_w", "power", "W"),
        ("Torq (N-m)", "torque", "Nm"),
        ("speed_kmph", "speed", "km/h"),
        # Not units: the reference method, a substance, an index.
        ("CO(GT)", "mass_concentration", None),
        ("NOx(GT)", "mass_concentration", None),
        ("PT08.S1(CO)", None, None),
        ("force_a", "force", None),
        ("Temperature", "temperature", None),
        ("anything", None, None),
    ],
)
def test_from_the_header(name: str, quantity: str | None, unit: str | None) -> None:
    found = meaning_of(EMPTY, name)
    assert (found.quantity, found.unit) == (quantity, unit)
    assert found.guessed == ("" if quantity is None else found.guessed)
    assert quantity is None or found.guessed in {"name", "unit"}


def test_from_the_file() -> None:
    found = meaning_of(said("ch 1", "Volts"), "ch 1")
    assert (found.quantity, found.unit, found.said) == ("voltage", "V", "Volts")
    found = meaning_of(said("RH", "RH"), "RH")
    assert (found.quantity, found.unit) == ("humidity", "%RH")
    found = meaning_of(said("steps", "strides"), "steps")  # no unit that a request may give
    assert (found.unit, found.said) == (None, "strides")
    assert meaning_of(said("a", "unknown"), "a").unit is None


def test_standard_names_of_activities_need_no_guess() -> None:
    ride = Table("ride", {"power": np.ones(2)}, {"utc_offset": "unknown"}, None)
    found = meaning_of(ride, "power")
    assert (found.quantity, found.unit, found.guessed) == ("power", "W", "")


def test_every_unit_that_is_taken_from_a_header_is_one() -> None:
    for unit in {*HEADER_UNITS, *SPELT.values()}:
        quantities = ("acceleration", "angular_velocity", "rotational_frequency", "reading")
        assert any(is_unit_of(quantity, unit) for quantity in quantities), unit
