"""Quantities and units: what a channel's numbers mean, and the factor to what is stored.

Units are parsed by pint after instrument notation was put into its words. Acceleration,
angular velocity and rotational frequency are stored in SI; other quantities keep their unit.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pint

UNKNOWN = "unknown"  # said on purpose: the numbers are used, but no limit in a unit applies
STANDARD_GRAVITY = 9.80665  # m/s2, exact by definition (3rd CGPM, 1901)


class Quantity(NamedTuple):
    """A known quantity: a unit of its dimension, and the unit of storage where it has one."""

    example: str
    stored: str | None = None


QUANTITIES: dict[str, Quantity] = {
    "acceleration": Quantity("m/s2", "m/s2"),
    "acceleration_rms": Quantity("m/s2", "m/s2"),
    "acceleration_peak": Quantity("m/s2", "m/s2"),
    "angular_velocity": Quantity("rad/s", "rad/s"),
    "rotational_frequency": Quantity("Hz", "Hz"),
    "absorbance": Quantity("1"),
    "active_power": Quantity("W"),
    "altitude": Quantity("m"),
    "angle": Quantity("rad"),
    "apparent_power": Quantity("W"),
    "area": Quantity("m2"),
    "cadence": Quantity("1/min"),
    "conductivity": Quantity("S/m"),
    "count": Quantity("1"),
    "current": Quantity("A"),
    "density": Quantity("kg/m3"),
    "displacement": Quantity("m"),
    "displacement_peak": Quantity("m"),
    "displacement_rms": Quantity("m"),
    "distance": Quantity("m"),
    "dynamic_viscosity": Quantity("Pa*s"),
    "electric_current": Quantity("A"),
    "electric_resistance": Quantity("ohm"),
    "energy": Quantity("J"),
    "force": Quantity("N"),
    "fraction": Quantity("1"),
    "frequency": Quantity("Hz"),
    "heart_rate": Quantity("1/min"),
    "humidity": Quantity("1"),
    "impulse": Quantity("N*s"),
    "index": Quantity("1"),
    "latitude": Quantity("rad"),
    "length": Quantity("m"),
    "longitude": Quantity("rad"),
    "magnetic_flux_density": Quantity("T"),
    "mass": Quantity("kg"),
    "mass_concentration": Quantity("kg/m3"),
    "mass_flow": Quantity("kg/s"),
    "mole_fraction": Quantity("1"),
    "molar_concentration": Quantity("mol/m3"),
    "molar_flow": Quantity("mol/s"),
    "power": Quantity("W"),
    "power_factor": Quantity("1"),
    "pressure": Quantity("Pa"),
    "ratio": Quantity("1"),
    "reactive_energy": Quantity("J"),
    "reactive_power": Quantity("W"),
    "resistance": Quantity("ohm"),
    "sound_pressure": Quantity("Pa"),
    "sound_pressure_level": Quantity("1"),
    "speed": Quantity("m/s"),
    "strain": Quantity("1"),
    "temperature": Quantity("K"),
    "time": Quantity("s"),
    "torque": Quantity("N*m"),
    "valve_position": Quantity("1"),
    "velocity": Quantity("m/s"),
    "velocity_peak": Quantity("m/s"),
    "velocity_rms": Quantity("m/s"),
    "voltage": Quantity("V"),
    "volume": Quantity("m3"),
    "volume_flow": Quantity("m3/s"),
}

_LIKE = {"K": "degC or K"}  # C alone is the coulomb

# Factors to the stored unit where pint's view of plain symbols would mislead: it reads g as
# gram, and takes the radian for 1, so that 60 rpm would be 6.28 Hz and 1 rad/s would be 1 Hz.
_PER_GRAVITY = {"g": STANDARD_GRAVITY, "mg": STANDARD_GRAVITY / 1000.0, "gn": STANDARD_GRAVITY}
_TURN = 2.0 * math.pi
_ROTATION = {
    **dict.fromkeys(("Hz", "1/s", "s-1", "rps", "r/s", "rev/s"), 1.0),
    **dict.fromkeys(("1/min", "min-1", "rpm", "RPM", "r/min", "rev/min"), 1.0 / 60.0),
    "1/h": 1.0 / 3600.0,
    "mHz": 1.0e-3,
    "kHz": 1.0e3,
    "rad/s": 1.0 / _TURN,
    "deg/s": 1.0 / 360.0,
}
_ANGULAR = {
    "rad/s": 1.0,
    "mrad/s": 1.0e-3,
    **dict.fromkeys(("deg/s", "dps"), math.pi / 180.0),
    "mdeg/s": math.pi / 180.0e3,
    "deg/h": math.pi / 180.0 / 3600.0,
    **dict.fromkeys(("rpm", "RPM", "r/min", "rev/min"), _TURN / 60.0),
    **dict.fromkeys(("rps", "r/s", "rev/s"), _TURN),
}
FACTORS: dict[str, dict[str, float]] = {
    "acceleration": _PER_GRAVITY,
    "acceleration_rms": _PER_GRAVITY,
    "acceleration_peak": _PER_GRAVITY,
    "rotational_frequency": _ROTATION,
    "angular_velocity": _ANGULAR,
}
_CLOSED = ("rotational_frequency", "angular_velocity")  # no unit outside their table

# Signs that look alike, before NFKC would turn them into something else or split them.
_SIGNS = str.maketrans({"º": "°", "˚": "°", "\u2212": "-", "·": "*", "⋅": "*", "×": "*", "⁻": "-"})
_WORDS = {
    "%": "percent",
    "mol%": "percent",
    "vol%": "percent",
    "wt%": "percent",
    "%RH": "percent",
    "ppmv": "ppm",
    "°": "degree",
    "°C": "degC",
    "°F": "degF",
    "deg": "degree",
    "bpm": "count/minute",
    "rpm": "count/minute",
    "Nm": "newton*meter",
    "Nm3": "meter**3",
    "Sm3": "meter**3",
    "kNm3": "(1000*meter**3)",
    "kscmh": "(1000*meter**3/hour)",
    "scmh": "(meter**3/hour)",
    "var": "volt*ampere",
    "kvar": "(1000*volt*ampere)",
    "varh": "volt*ampere*hour",
    "kvarh": "(1000*volt*ampere*hour)",
    "tCO2": "tonne",
    "tonne": "tonne",
    "steps": "count",
}
_WORDS |= {"kVar": _WORDS["kvar"], "kVAr": _WORDS["kvar"], "kVarh": _WORDS["kvarh"]}
_TOKEN = re.compile(r"[A-Za-zµ°%ÅΩ_$][A-Za-zµ°%ÅΩ_$]*(?:-?[0-9]+)?[A-Z]*")
_POWER = re.compile(r"([A-Za-zµ°ÅΩ])(-?[0-9]+)$")


def conversion(quantity: str, unit: str, place: str) -> tuple[float, float, str]:
    """Factor, offset and unit of storage: stored = factor * number + offset.

    Parameters
    ----------
    quantity : str
        A name from `QUANTITIES`, or another one, whose dimension is then not checked.
    unit : str
        Unit in instrument notation, such as m/s2, g, 1/min, °C, kscmh, mol% or 1.
    place : str
        Where the channel is declared, for the error.

    Returns
    -------
    tuple of float, float, str
        Factor and offset (0 so far) in the stored unit, and that unit.

    Raises
    ------
    InputError
        If the quantity is misspelt, or the unit is unknown or of another dimension.

    Notes
    -----
    *Accuracy*: the factors of acceleration and rotation are exact to a rounding of float64.

    Examples
    --------
    >>> conversion("acceleration", "g", "request.yaml:9")
    (9.80665, 0.0, 'm/s2')
    >>> conversion("rotational_frequency", "rpm", "request.yaml:9")[0] * 1800
    30.0
    """
    _refuse_misspelt(quantity, place)
    plain = normal_unit(unit)
    if not plain:
        raise InputError(place, f"{quantity} has no unit", "give its unit; 1 for a plain number")
    if plain == UNKNOWN:
        return 1.0, 0.0, UNKNOWN
    known = QUANTITIES.get(quantity)
    factors = FACTORS.get(quantity, {})
    spelt = plain.replace("°", "deg") if quantity == "angular_velocity" else plain
    if known is not None and known.stored is not None and spelt in factors:
        return factors[spelt], 0.0, known.stored
    if quantity in _CLOSED:
        raise InputError(
            place,
            f"{unit} is no unit of {quantity}",
            f"use one of: {', '.join(sorted(factors))}",
        )
    if known is None and plain in _PER_GRAVITY:
        raise InputError(
            place,
            f"{unit} may mean gram or standard gravity for the unknown quantity {quantity}",
            "use a known quantity, such as acceleration or mass",
        )
    factor = _dimension_checked(quantity, unit, place)
    return factor, 0.0, plain if known is None or known.stored is None else known.stored


def product_in(units: Sequence[str], into: str, place: str) -> float:
    """How many of a unit the product of units is.

    Parameters
    ----------
    units : sequence of str
        Units in instrument notation.
    into : str
        Unit of the product.
    place : str
        Where they are declared, for the error.

    Returns
    -------
    float
        The factor.

    Raises
    ------
    InputError
        If a unit is unknown, or the product is of another dimension.

    Examples
    --------
    >>> round(product_in(["kW", "s", "kg/kWh"], "t", "request.yaml:9") * 3.6e6, 12)
    1.0
    """
    for unit in (*units, into):
        _dimension_checked("a product", unit, place)
    import pint

    product = math.prod(_parsed(normal_unit(unit)) for unit in units)
    try:
        return float((product / _parsed(normal_unit(into))).to("").magnitude)
    except pint.errors.PintError as error:
        raise InputError(
            place,
            f"{' times '.join(units)} is no {into}",
            "correct the units, such as kg/kWh for an activity in kWh",
        ) from error


def offset_in(unit: str, into: str) -> float:
    """What a reading of zero is in another unit of its quantity: not zero of temperatures.

    >>> round(offset_in("K", "°C"), 9), offset_in("mV", "V")
    (-273.15, 0.0)
    """
    given, wanted = (_parsed(normal_unit(one)).units for one in (unit, into))
    return float(_registry().Quantity(0.0, given).to(wanted).magnitude)


def short_unit(expression: str) -> str | None:
    """A product of units in pint's words, in instrument notation; None where it is none.

    >>> short_unit("kilogram * metre**2"), short_unit("degC"), short_unit("hop")
    ('kg*m2', '°C', None)
    """
    try:
        text = f"{_registry().Unit(expression):~C}"
    except _unparsed():
        return None
    return text.replace("**", "").replace("dimensionless", "1") or "1"


def normal_unit(unit: str) -> str:
    """A unit with one code point for each sign: micro, degree, ohm, powers, points.

    >>> normal_unit("μm/s²") == normal_unit("µm/s2") == normal_unit("㎛/s²")
    True
    """
    text = unicodedata.normalize("NFKC", unit.strip().translate(_SIGNS)).replace("μ", "µ")
    return text.translate(_SIGNS).strip()


def _refuse_misspelt(quantity: str, place: str) -> None:
    """Refuse a name that is nearly that of a known quantity."""
    if quantity in QUANTITIES:
        return
    near = difflib.get_close_matches(
        re.sub(r"[\s-]+", "_", quantity.strip().lower()), QUANTITIES, n=1, cutoff=0.85
    )
    if near:
        raise InputError(place, f"unknown quantity {quantity}", f"did you mean {near[0]}?")


def _dimension_checked(quantity: str, unit: str, place: str) -> float:
    """Factor to the stored unit (1 where the unit is kept), after the dimensions agreed."""
    try:
        given = _parsed(normal_unit(unit))
    except _unparsed() as error:
        raise InputError(
            place,
            f"unknown unit {unit} of {quantity}",
            "write it like m/s2, kg/h, degC, %, or 1 for a plain number",
        ) from error
    known = QUANTITIES.get(quantity)
    if known is None:
        return 1.0
    example = _parsed(known.example)
    if given.dimensionality != example.dimensionality:
        raise InputError(
            place,
            f"the unit {unit} does not measure {quantity}",
            f"give a unit like {_LIKE.get(known.example, known.example)}, or correct the quantity",
        )
    if known.stored is None:
        return 1.0
    return float(given.to(_parsed(known.stored).units).magnitude)


def _unparsed() -> tuple[type[Exception], ...]:
    """What pint raises for text that is no unit."""
    import pint

    broken = (AttributeError, ValueError, TypeError, AssertionError, SyntaxError, KeyError)
    return (pint.errors.PintError, *broken)


@lru_cache(maxsize=256)
def _parsed(unit: str) -> pint.Quantity[float]:
    """One of a unit, as a quantity of pint."""
    registry = _registry()
    expression = "/".join(_words(part) for part in unit.split("/"))
    parsed: pint.Quantity[float] = registry.Quantity(registry.parse_expression(expression))
    if parsed.magnitude <= 0:
        raise ValueError(unit)
    return parsed


def _words(part: str) -> str:
    """Instrument notation of a product in pint's words."""
    if part in _WORDS:
        return _WORDS[part]
    return _TOKEN.sub(lambda match: _word(match.group()), part.replace(" ", "*"))


def _word(token: str) -> str:
    """One symbol with its power, such as m3, in pint's words."""
    if token in _WORDS:
        return _WORDS[token]
    found = _POWER.search(token)
    if found is None or ("-" not in token and token in _registry()):  # such as mmH2O
        return token
    symbol = token[: found.start(2)]
    return f"{_WORDS.get(symbol, symbol)}**{found.group(2)}"


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[float]:
    """The registry of units, built at first use because that takes half a second."""
    import pint

    return pint.UnitRegistry()
