"""FIT files of watches, bike computers and platforms: one table for each leg, by fitdecode.

Decoding is in `lumipipe.readers.fitdata`, what all activity files share in `lumipipe.readers.legs`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.beats import beats_from_messages
from lumipipe.readers.compressed import read_limited, shown
from lumipipe.readers.fitdata import UTC_S, decode, is_position
from lumipipe.readers.fitpool import LENGTH_UNITS, lengths, strap_heart_rate
from lumipipe.readers.legs import CLOCK_NOT_SET, UNITS, ActivityOptions, Leg, Pause, leg_tables
from lumipipe.readers.privacy import POSITIONS_KEPT, pseudonym

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lumipipe.readers.fitdata import Content, Part
    from lumipipe.readers.tables import Table

_MOST_BYTES = 2**26
_SEMICIRCLES = 180.0 / 2**31  # degrees
# A field to the standard name that it fills first; the later one only where the first is silent.
_NAMES = {"enhanced_speed": "speed", "enhanced_altitude": "altitude"}
BEATS = {"beats": "table rr"}
"""Attribute of a recording whose file holds times between heartbeats, too."""
_POSITIONS = {"position_lat": "latitude", "position_long": "longitude"}


class Options(ActivityOptions):
    """Keys of a FIT file."""

    table: Literal["records", "rr", "heart_rate", "lengths"] = "records"
    """`records` for the readings, `rr` for the times between heartbeats, `heart_rate` for what a
    strap kept under water, `lengths` for the lengths of a pool."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each leg of a FIT file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; several files in one (chained) too.
    options : Options
        Which table, whether to salvage, and what is private.

    Yields
    ------
    Table
        Columns of float64: ``time`` (s since 1970, UTC), the fields of the FIT profile by name
        and unit, developer fields as ``developer/NAME``; the file's unit of each that has no
        standard one as the attribute ``unit.COLUMN``. Of the other tables: times between beats in
        `lumipipe.readers.beats`, the strap's heart rate and pool lengths in
        `lumipipe.readers.fitpool`. A record belongs to the last session that
        has begun, wherever the file holds its summary.

    Raises
    ------
    InputError
        If fitdecode is not installed, or a pseudonym is asked for without a key.
    RecordingError
        If the file is damaged, holds no records, or none of its records has a time.
    """
    content = decode(
        file, read_limited(file, options.most_bytes or _MOST_BYTES), salvage=options.salvage
    )
    made, missing = _TABLES[options.table]
    legs = [leg for part in content.parts for leg in made(part, options)]
    if not any(len(leg.columns["time"]) for leg in legs):
        raise RecordingError(
            shown(file), f"holds {missing} ({_kind(content)})", "name the files of activities only"
        )
    yield from leg_tables(file, legs, options, content.salvaged)


def _kind(content: Content) -> str:
    """What kind of file it says that it is."""
    kinds = [item.get("type") for part in content.parts for item in part.said.get("file_id", [])]
    told = dict.fromkeys(finding(f"file type {kind}") for kind in kinds)
    return ", ".join(told) or finding("no file type")


def _record_legs(part: Part, options: Options) -> list[Leg]:
    """The legs of a part with their records."""
    names = sorted({name for row in part.records for name in row})
    rows = {name: np.array([row.get(name, np.nan) for row in part.records]) for name in names}
    columns = _standard(rows, options) if rows else {}
    legs = _legs(part, columns, options) if columns else []
    if not options.positions and any(map(is_position, names)):
        legs = [replace(leg, said=leg.said | POSITIONS_KEPT) for leg in legs]
    if part.hrv:
        legs = [replace(leg, said=leg.said | BEATS) for leg in legs]
    return legs


def _beat_legs(part: Part, options: Options) -> list[Leg]:
    """The legs of a part with their times between heartbeats."""
    columns, pauses = beats_from_messages(part.hrv, _pauses(part))
    return _legs(part, columns, options, pauses) if len(columns["time"]) else []


def _pulse_legs(part: Part, options: Options) -> list[Leg]:
    """The legs of a part with the heart rate that a strap kept."""
    columns = strap_heart_rate(part.pulses)
    return _legs(part, columns, options) if len(columns["time"]) else []


def _length_legs(part: Part, options: Options) -> list[Leg]:
    """The legs of a part with their pool lengths."""
    return _legs(part, lengths(part.lengths), options) if part.lengths else []


_TABLES: dict[str, tuple[Callable[[Part, Options], list[Leg]], str]] = {
    "records": (_record_legs, finding("no records")),
    "rr": (_beat_legs, finding("no times between heartbeats")),
    "heart_rate": (_pulse_legs, finding("no heart rate that a strap kept")),
    "lengths": (_length_legs, finding("no pool lengths")),
}


def _standard(rows: dict[str, np.ndarray], options: Options) -> dict[str, np.ndarray]:
    """The columns that may leave, by standard names."""
    columns = {}
    for name, values in rows.items():
        if name in _POSITIONS:
            if options.positions:
                columns[_POSITIONS[name]] = values * _SEMICIRCLES
        elif (options.positions or not is_position(name)) and name not in _NAMES:
            columns[name] = values
    for name, standard in _NAMES.items():
        if name in rows:
            plain = columns.get(standard, rows[name])
            columns[standard] = np.where(np.isnan(rows[name]), plain, rows[name])
    fraction = columns.pop("fractional_cadence", None)
    if fraction is not None and "cadence" in columns:
        columns["cadence"] = columns["cadence"] + np.nan_to_num(fraction)
    return columns


def _legs(
    part: Part,
    columns: dict[str, np.ndarray],
    options: Options,
    pauses: Sequence[Pause] | None = None,
) -> list[Leg]:
    """Rows dealt to the sessions of a part by time; one leg where there is at most one."""
    common = _about(part, columns, options)
    notes = _notes(part)
    stops = _pauses(part) if pauses is None else pauses
    sessions = sorted(part.said.get("session", []), key=_start)
    if len(sessions) <= 1:
        said = common | (_said(sessions[0]) if sessions else {})
        return [Leg(columns, tuple(stops), said, notes)]
    begun = np.searchsorted([_start(item) for item in sessions], columns["time"], side="right")
    number = np.maximum(begun - 1, 0)
    legs = []
    for at, session in enumerate(sessions):
        kept = {name: values[number == at] for name, values in columns.items()}
        legs.append(Leg(kept, tuple(stops), common | _said(session), notes))
    return legs


def _start(session: dict[str, Any]) -> float:
    """When a session began, from its end where it does not say."""
    start = session.get("start_time", np.nan)
    if np.isnan(start):
        start = session.get("timestamp", np.nan) - session.get("total_elapsed_time", 0.0)
    return float(start) if np.isfinite(start) else -np.inf


def _said(session: dict[str, Any]) -> dict[str, str]:
    """Attributes from the summary of a leg."""
    said = {key: str(session[key]) for key in ("sport", "sub_sport") if key in session}
    numbers = {
        "elapsed_s": "total_elapsed_time",
        "timer_s": "total_timer_time",
        "moving_s": "total_moving_time",
        "distance_m": "total_distance",
    }
    given = {key: session[name] for key, name in numbers.items() if name in session}
    return said | {key: f"{value:.10g}" for key, value in given.items()}


def _about(part: Part, columns: dict[str, np.ndarray], options: Options) -> dict[str, str]:
    """Attributes of all legs: device, offset of local time, units of what has no standard name."""
    origin = next(iter(part.said.get("file_id", [])), {})
    product = origin.get("garmin_product", origin.get("product"))
    said = {"manufacturer": origin.get("manufacturer"), "product": product}
    found = {key: str(value) for key, value in said.items() if value is not None}
    if options.pseudonyms is not None and "serial_number" in origin:
        found["device"] = pseudonym(str(origin["serial_number"]), options.pseudonyms)
    found["utc_offset"] = _utc_offset(part)
    for name in columns:
        if name not in UNITS:
            found[f"unit:{name}"] = part.units.get(name) or LENGTH_UNITS.get(name, "unknown")
    return found


def _utc_offset(part: Part) -> str:
    """Local time less UTC as +hh:mm, in steps of a quarter of an hour."""
    for said in part.said.get("activity", []):
        local, utc = said.get("local_timestamp"), said.get("timestamp", np.nan)
        if isinstance(local, int | float) and np.isfinite(utc):
            minutes = round((local + UTC_S - utc) / 900.0) * 15
            sign, size = ("-" if minutes < 0 else "+"), abs(int(minutes))
            return f"{sign}{size // 60:02d}:{size % 60:02d}" if size <= 14 * 60 else "unknown"
    return "unknown"


def _notes(part: Part) -> tuple[str, ...]:
    """What was passed over, and a clock that nobody had set."""
    notes = [] if part.clock_set else [CLOCK_NOT_SET]
    if part.lists:
        names = ", ".join(sorted(part.lists))
        notes.append(finding(f"fields that hold no single number were left out: {names}"))
    if part.undescribed:
        numbers = ", ".join(sorted(part.undescribed))
        notes.append(finding(f"developer fields that nothing describes were left out: {numbers}"))
    return tuple(notes)


def _pauses(part: Part) -> list[Pause]:
    """Times between a stop of the timer and its next start."""
    pauses, stopped = [], None
    for said in part.said.get("event", []):
        time, kind = said.get("timestamp", np.nan), str(said.get("event_type", ""))
        if said.get("event") != "timer" or np.isnan(time):
            continue
        if kind.startswith("stop") and stopped is None:
            trigger = said.get("timer_trigger", "unknown")
            stopped = (time, finding(f"timer pause ({trigger})"))
        elif kind.startswith("start") and stopped is not None:
            pauses.append(Pause(stopped[0], time, stopped[1]))
            stopped = None
    if stopped is not None:
        pauses.append(Pause(stopped[0], np.inf, stopped[1]))
    return pauses
