"""GoldenCheetah's own JSON: one ride with its samples, by the standard library.

What all activity files share is in `lumipipe.readers.legs`. Tags, notes and names of intervals are
free text that anybody may have written: none of it leaves the reader.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.readers.compressed import shown
from lumipipe.readers.jsoninput import number, read_json, whole_items
from lumipipe.readers.legs import ActivityOptions, Leg, leg_tables
from lumipipe.readers.privacy import is_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.salvage import Whole
    from lumipipe.readers.tables import Table

# Key to standard name, and the factor from the file's unit [1]_ to that of the name.
_NAMES = {
    "HR": ("heart_rate", 1.0),
    "WATTS": ("power", 1.0),
    "KPH": ("speed", 1.0 / 3.6),
    "KM": ("distance", 1000.0),
    "ALT": ("altitude", 1.0),
    "CAD": ("cadence", 1.0),
    "TEMP": ("temperature", 1.0),
}
_POSITIONS = {"LAT": "latitude", "LON": "longitude"}
_UNITS = {
    **dict.fromkeys(("lrbalance", "slope", "smo2", "lte", "rte", "lps", "rps"), "%"),
    "torque": "N*m",
    "headwind": "km/h",
    "thb": "g/dL",
    "tcore": "degC",
}
_RENAMED = {"nm": "torque"}
_NO_TEMPERATURE = -255.0
_FULL = 20  # of so many cells of a table, one has a reading; more are allowed to short rides
_SHORT_CELLS = 200_000
_SPORTS = {"bike": "cycling", "run": "running", "swim": "swimming", "row": "rowing"}


class Options(ActivityOptions):
    """Keys of a GoldenCheetah file."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a ride.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        What is private, and whether rows that go back in time are left out.

    Yields
    ------
    Table
        Columns of float64 by standard name and unit; other series of samples by their key in
        small letters, their units as ``unit.COLUMN``. GoldenCheetah writes 0 where a position or
        heart rate is missing; both are NaN here.

    Raises
    ------
    RecordingError
        If it is no ride of GoldenCheetah, or its start or a time of a sample cannot be read.

    References
    ----------
    .. [1] GoldenCheetah, source of RideFile (unitName): units of series.
    """
    content = read_json(file)
    ride = content.get("RIDE") if isinstance(content, dict) else None
    samples = ride.get("SAMPLES") if isinstance(ride, dict) else None
    if (
        not isinstance(ride, dict)
        or not isinstance(samples, list)
        or not all(isinstance(item, dict) for item in samples)
    ):
        raise RecordingError(
            shown(file), "is no ride of GoldenCheetah: no RIDE with SAMPLES", "export it again"
        )
    if not samples:
        raise RecordingError(shown(file), "has no rows", "export it again")
    columns = _columns(file, samples, options)
    columns["time"] = _start(file, ride) + columns.pop("secs", np.full(len(samples), np.nan))
    if np.isnan(columns["time"]).any():
        row = int(np.argmax(np.isnan(columns["time"])))
        raise RecordingError(shown(file), f"sample {row} has no SECS", "export it again")
    yield from leg_tables(file, [Leg(columns, (), _said(ride, columns))], options)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The content up to its last whole sample."""
    return whole_items(content, b"]}}")


def _start(file: Path, ride: dict[str, Any]) -> float:
    """Start of a ride in s since 1970."""
    try:
        moment = datetime.strptime(
            f"{str(ride.get('STARTTIME')).strip()}+0000", "%Y/%m/%d %H:%M:%S UTC%z"
        )
    except ValueError as error:
        raise RecordingError(
            shown(file), "its STARTTIME is none like 2013/05/27 07:56:35 UTC", "export it again"
        ) from error
    return moment.timestamp()


def _columns(file: Path, samples: list[dict[str, Any]], options: Options) -> dict[str, np.ndarray]:
    """Series of samples by standard name."""
    keys = sorted({key for item in samples for key in item})
    if len(keys) * len(samples) > _SHORT_CELLS + _FULL * sum(map(len, samples)):
        raise RecordingError(
            shown(file),
            f"has {len(keys)} series in {len(samples)} samples, nearly all of them empty",
            "check where the file is from",
        )
    series = {key: np.array([number(item.get(key)) for item in samples]) for key in keys}
    if "LAT" in series and "LON" in series:
        nowhere = (series["LAT"] == 0.0) & (series["LON"] == 0.0)
        for key in _POSITIONS:
            series[key] = np.where(nowhere, np.nan, series[key])
    columns = {}
    for key, values in series.items():
        name, factor = _NAMES.get(key, (_other(key, positions=options.positions), 1.0))
        if name is not None:
            columns[name] = values * factor
    if "temperature" in columns:
        absent = columns["temperature"] == _NO_TEMPERATURE
        columns["temperature"] = np.where(absent, np.nan, columns["temperature"])
    return columns


def _other(key: str, *, positions: bool) -> str | None:
    """Name of a series without a standard name; None for one that may not leave."""
    if key in _POSITIONS:
        return _POSITIONS[key] if positions else None
    plain = key.lower()
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", plain) or is_place(plain):
        return None
    return _RENAMED.get(plain, plain)


def _said(ride: dict[str, Any], columns: dict[str, np.ndarray]) -> dict[str, str]:
    """Attributes: sport, nominal step, and units of what has no standard name."""
    tags = ride.get("TAGS")
    sport = str(tags.get("Sport", "")).strip().lower() if isinstance(tags, dict) else ""
    said = {"sport": _SPORTS.get(sport, "unknown"), "utc_offset": "unknown"}
    if np.isfinite(step := number(ride.get("RECINTSECS"))):
        said["nominal_step_s"] = f"{step:.6g}"
    standard = {name for name, _ in _NAMES.values()} | set(_POSITIONS.values()) | {"time"}
    others = [name for name in columns if name not in standard]
    return said | {f"unit:{name}": _UNITS.get(name, "unknown") for name in others}
