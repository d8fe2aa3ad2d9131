"""Units in instrument notation, and what is stored."""

from __future__ import annotations

import math

import pytest

from lumipipe.errors import InputError
from lumipipe.readers.units import QUANTITIES, conversion


@pytest.mark.parametrize(
    ("quantity", "unit", "factor", "stored"),
    [
        ("acceleration", "g", 9.80665, "m/s2"),
        ("acceleration", "mg", 0.00980665, "m/s2"),
        ("acceleration", "m/s2", 1.0, "m/s2"),
        ("acceleration", "m/s²", 1.0, "m/s2"),
        ("acceleration", "m s-2", 1.0, "m/s2"),
        ("acceleration", "cm/s^2", 0.01, "m/s2"),
        ("acceleration_rms", "g", 9.80665, "m/s2"),
        ("angular_velocity", "deg/s", math.pi / 180, "rad/s"),
        ("angular_velocity", "°/s", math.pi / 180, "rad/s"),
        ("angular_velocity", "rpm", math.pi / 30, "rad/s"),
        ("rotational_frequency", "rpm", 1 / 60, "Hz"),
        ("rotational_frequency", "1/min", 1 / 60, "Hz"),
        ("rotational_frequency", "rad/s", 1 / (2 * math.pi), "Hz"),
        ("mass", "mg", 1.0, "mg"),
        ("temperature", "degC", 1.0, "degC"),
        ("temperature", "℃", 1.0, "°C"),
        ("volume_flow", "kscmh", 1.0, "kscmh"),
        ("volume_flow", "m3/h", 1.0, "m3/h"),
        ("volume_flow", "l/min", 1.0, "l/min"),
        ("volume_flow", "Nm3/h", 1.0, "Nm3/h"),
        ("mass_flow", "kg/h", 1.0, "kg/h"),
        ("pressure", "kPa", 1.0, "kPa"),
        ("pressure", "mmH2O", 1.0, "mmH2O"),
        ("power", "kW", 1.0, "kW"),
        ("torque", "Nm", 1.0, "Nm"),
        ("reactive_energy", "kVarh", 1.0, "kVarh"),
        ("mole_fraction", "mol%", 1.0, "mol%"),
        ("fraction", "%", 1.0, "%"),
        ("count", "counts", 1.0, "counts"),
        ("heart_rate", "bpm", 1.0, "bpm"),
        ("mass_concentration", "mg/m³", 1.0, "mg/m3"),
        ("turbidity", "1", 1.0, "1"),
    ],
)
def test_conversion(quantity: str, unit: str, factor: float, stored: str) -> None:
    found, offset, name = conversion(quantity, unit, "r.yaml:1")
    # Factors are tables or one division and one product in pint: within 4 roundings.
    assert found == pytest.approx(factor, rel=4 * 2.0**-53)
    assert (offset, name) == (0.0, stored)


def test_micro_has_three_code_points() -> None:
    units = {conversion("velocity", unit, "r")[2] for unit in ("µm/s", "μm/s", "㎛/s")}
    assert units == {"µm/s"}


@pytest.mark.parametrize(
    ("quantity", "unit", "message"),
    [
        ("accelration", "g", "did you mean acceleration"),
        ("Volume flow", "l/min", "did you mean volume_flow"),
        ("acceleration", "m/s", "does not measure acceleration"),
        ("temperature", "bar", "does not measure temperature"),
        ("temperature", " ", "has no unit"),
        ("temperature", "grads celsius", "unknown unit"),
        ("pressure", "Pa/", "unknown unit"),
        ("pressure", "0", "unknown unit"),
        ("pressure", "__import__('os')", "unknown unit"),
        ("angular_velocity", "Hz", "is no unit of angular_velocity"),
        ("turbidity", "ntx", "unknown unit"),
        ("turbidity", "g", "may mean gram or standard gravity"),
    ],
)
def test_refusals(quantity: str, unit: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        conversion(quantity, unit, "r.yaml:1")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_every_example_is_a_unit(quantity: str) -> None:
    assert conversion(quantity, QUANTITIES[quantity].example, "r")[0] == 1.0
