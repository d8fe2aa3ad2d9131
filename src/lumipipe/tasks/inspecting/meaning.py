"""Quantity and unit of a column: from what the file says, else guessed from its name, and said so.

A unit is never made up: where neither format nor header states it, there is none. What is a unit
at all is decided in `lumipipe.readers.units`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.readers.legs import UNITS
from lumipipe.readers.units import QUANTITIES, conversion
from lumipipe.tasks.inspecting.seen import Meaning

if TYPE_CHECKING:
    from lumipipe.readers.tables import Table

_UNKNOWN = {"", "unknown", "?", "n/a", "none", "a.u."}
SPELT = {
    "volt": "V",
    "volts": "V",
    "amp": "A",
    "amps": "A",
    "ampere": "A",
    "amperes": "A",
    "watt": "W",
    "watts": "W",
    "celsius": "degC",
    "degrees c": "degC",
    "degree c": "degC",
    "deg c": "degC",
    "c": "degC",
    "fahrenheit": "degF",
    "deg f": "degF",
    "degrees": "deg",
    "pascal": "Pa",
    "pascals": "Pa",
    "newton": "N",
    "newtons": "N",
    "gs": "g",
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "meter": "m",
    "meters": "m",
    "metre": "m",
    "kmh": "km/h",
    "kmph": "km/h",
    "kph": "km/h",
    "n-m": "Nm",
    "pct": "%",
    "percent": "%",
    "-": "1",
    "bool": "1",
    "rh": "%RH",
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("minute", "minutes"), "min"),
}
"""Units as instruments spell them out, in small letters, to what a request writes."""
_PLAIN = (
    "g mg m/s2 m/s^2 m/s² m/s km/h m cm mm um µm km s ms us min h d Hz kHz 1/min rpm bpm "
    "rad/s deg/s dps rad deg ° N kN Nm N·m kNm J kJ MJ Wh kWh MWh W kW MW "
    "VA kVA var kVar kvar kVarh kvarh V mV kV A mA "
    "ohm Pa hPa kPa MPa bar mbar psi °C degC K °F kg t l L l/min L/min l/h m3 m³ m3/h m³/h Nm3/h "
    "kg/h kg/s t/h mg/m3 mg/m³ ug/m3 µg/m3 µg/m³ ng/m3 g/l mg/l ppm % %RH mol% vol% dB "
    "T mT uT µT "
    "kg/m3 g/cm3 S/m tCO2 kg/m^3 ml/min"
)
HEADER_UNITS = frozenset(_PLAIN.split())
"""What brackets in a header are taken for: CO(GT) is no gigatesla."""
_SHORT = {
    "w": "W",
    "v": "V",
    "a": "A",
    "n": "N",
    "hz": "Hz",
    "khz": "kHz",
    "nm": "Nm",
    "kwh": "kWh",
}
_SHORT |= {"degc": "degC", "mpa": "MPa", "kpa": "kPa", "hpa": "hPa", "kw": "kW", "mv": "mV"}
_BRACKET = re.compile(r"^(?P<name>.*\S)\s*[\[(](?P<unit>[^\[\]()]{1,20})[\])]\s*$")
_TAIL = re.compile(r"^(?P<name>.+)_(?P<unit>[A-Za-zµ°%]{1,6}\d?)$")
# Parts of names, and quantities that they may stand for; the first whose dimension fits is taken.
_NAMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"heart|^hr$|hrate|(?<!im)pulse|bpm", ("heart_rate",)),
    (r"cadence|spm$", ("cadence",)),
    (r"^rr$|^nn$|rr.?interval", ("time",)),
    (r"acc|vibr?|^vib|shock", ("acceleration", "acceleration_rms", "velocity")),
    (r"gyr|angular|omega", ("angular_velocity",)),
    (r"rpm|rotat|engine.?speed|rot.?speed", ("rotational_frequency",)),
    (r"mag|^b[xyz]$", ("magnetic_flux_density",)),
    (r"temp|thermo|^t_|^ts\d", ("temperature",)),
    (r"press|^pre\d*$|^p_|druck", ("pressure",)),
    (r"humid|^rh$", ("humidity",)),
    (r"volt|^u\d?$|spannung", ("voltage",)),
    (
        r"current|amper|strom",
        ("electric_current", "active_power", "reactive_power", "reactive_energy"),
    ),
    (r"reactive", ("reactive_power", "reactive_energy")),
    (r"power.?factor", ("power_factor",)),
    (r"power|watt|leistung", ("power", "active_power")),
    (r"energy|usage|consumption|kwh", ("energy",)),
    (r"torq", ("torque",)),
    (r"force|kraft", ("force",)),
    (r"impulse", ("impulse",)),
    (r"thrust|contact.?time", ("force", "time")),
    (r"^(kind|frame|action)$", ("index",)),
    (r"strain", ("strain",)),
    (r"flow|fluss", ("volume_flow", "mass_flow", "molar_flow")),
    (r"speed|veloc", ("speed", "rotational_frequency", "velocity")),
    (r"alti|elev", ("altitude",)),
    (r"dist", ("distance",)),
    (r"displ|position|pos\b|level", ("displacement", "length", "valve_position")),
    (r"angle|pitch|roll|yaw", ("angle",)),
    (r"mic|sound|audio", ("sound_pressure", "sound_pressure_level")),
    (r"valve", ("valve_position",)),
    (r"weight|mass", ("mass",)),
    (r"concentr|glucose|ethanol|^co2?\b|^nox?\d?\b", ("mass_concentration", "mole_fraction")),
    (r"density", ("density",)),
    (r"frequen", ("frequency",)),
)
# Of units without a name that helps: quantities in the order in which they are tried.
_BY_UNIT = [
    "acceleration",
    "temperature",
    "pressure",
    "voltage",
    "electric_current",
    "torque",
    "force",
    "power",
    "energy",
    "angular_velocity",
    "frequency",
    "speed",
    "mass_flow",
    "volume_flow",
    "mass_concentration",
    "magnetic_flux_density",
    "electric_resistance",
    "length",
    "time",
    "mass",
    "volume",
    "area",
    "density",
    "angle",
    "ratio",
]
_STANDARD = {
    name: name for name in UNITS if name in QUANTITIES and name not in {"time", "timer"}
} | {"rr": "time", "nn": "time"}


def meaning_of(table: Table, name: str) -> Meaning:
    """Quantity and unit of a column.

    Parameters
    ----------
    table : Table
        What the reader gave; its attributes may name the unit.
    name : str
        The column.

    Returns
    -------
    Meaning
        With None for what is not known.

    Examples
    --------
    >>> from lumipipe.readers.tables import Table
    >>> found = meaning_of(Table("t", {}, {}, None), "Torque [Nm]")
    >>> found.quantity, found.unit, found.said
    ('torque', 'Nm', 'Nm')
    >>> meaning_of(Table("t", {}, {}, None), "CO(GT)").unit is None
    True
    """
    if name in _STANDARD and "utc_offset" in table.attributes:
        return Meaning(_STANDARD[name], UNITS.get(name, "ms"), UNITS.get(name, "ms"))
    said = table.attributes.get(f"unit:{name}")
    plain, stated = name, said
    if stated is None:
        plain, stated = _from_name(name)
    if stated is None or stated.strip().lower() in _UNKNOWN:
        names = _quantities(plain)
        return Meaning(names[0] if names else None, None, stated or None, "name" if names else "")
    quantity, unit, by_name = _fitting(plain, _written(stated))
    return Meaning(
        quantity, unit, stated, "" if quantity is None else "name" if by_name else "unit"
    )


def _from_name(name: str) -> tuple[str, str | None]:
    """A column's name without the unit in it, and that unit."""
    found = _BRACKET.match(name)
    if found is not None:
        unit = found["unit"].strip()
        is_unit = unit in HEADER_UNITS or unit.lower() in SPELT
        return (found["name"], unit) if is_unit else (name, None)
    found = _TAIL.match(name)
    if found is None:
        return name, None
    unit = _SHORT.get(found["unit"].lower(), found["unit"])
    if unit not in HEADER_UNITS and unit.lower() not in SPELT:
        return name, None
    # A short ending such as _m is a unit only where what stands before it has that dimension.
    quantity, _, by_name = _fitting(found["name"], _written(unit))
    return (found["name"], unit) if quantity is not None and by_name else (name, None)


def _written(unit: str) -> str:
    """A unit as a request writes it."""
    text = unit.strip()
    return SPELT.get(text.lower(), text) if text not in HEADER_UNITS else text


def _fitting(name: str, unit: str) -> tuple[str | None, str | None, bool]:
    """The quantity that name and unit allow, the unit, and whether the name told it."""
    for quantity in _quantities(name):
        if is_unit_of(quantity, unit):
            return quantity, unit, True
    for quantity in _BY_UNIT:
        if is_unit_of(quantity, unit):
            return quantity, unit, False
    return None, unit if is_unit_of("reading of an instrument", unit) else None, False


def _quantities(name: str) -> tuple[str, ...]:
    """Quantities that a name may stand for."""
    plain = name.lower()
    own = (plain,) if plain in QUANTITIES else ()
    others = (q for pattern, found in _NAMES if re.search(pattern, plain) for q in found)
    return own + tuple(others)


@lru_cache(maxsize=4096)
def is_unit_of(quantity: str, unit: str) -> bool:
    """Whether a request may give a quantity in a unit."""
    try:
        conversion(quantity, unit, "")
    except InputError:
        return False
    return unit != "unknown"
