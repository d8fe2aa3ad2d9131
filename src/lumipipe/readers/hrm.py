"""Polar's .hrm files: heart rate with speed, cadence, altitude and power, or times between beats.

Lists of times between beats without such a head are `lumipipe.readers.rr`'s.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.beats import beats_of_list
from lumipipe.readers.compressed import read_limited, shown
from lumipipe.readers.legs import ActivityOptions, Leg, leg_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_MOST_BYTES = 2**24
_BEATS = 238  # the recording interval that stands for times between beats
_KMH, _MPH, _FOOT = 1.0 / 3.6, 0.44704, 0.3048  # m/s, m/s, m: exact
_HEAD = ("Version", "SMode", "Date", "StartTime", "Length", "Interval")
_UNITS = {"power_balance": "1", "air_pressure": "hPa"}


class Options(ActivityOptions):
    """Keys of a .hrm file."""

    utc_offset_h: Annotated[float, Field(ge=-14, le=14)] | None = None
    """Local time of the file less UTC in hours; times count from the start where absent."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a .hrm file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; version 1.06 or later.
    options : Options
        Offset from UTC, whether to salvage, and what is private.

    Yields
    ------
    Table
        Columns of float64 by standard name, in SI whatever the file's units; ``rr`` (ms) alone
        where the file holds times between beats. ``time`` is in s since 1970 (UTC) where the
        offset is given, and else in s since the start: a .hrm file holds local time only.

    Raises
    ------
    RecordingError
        If the head or a row cannot be read, or the rows do not last as long as the head says.

    References
    ----------
    .. [1] Polar Electro, Polar HRM files and S-series format documentation.
    """
    head, lines = _sections(file, read_limited(file, options.most_bytes or _MOST_BYTES))
    start = _start(file, head, options.utc_offset_h)
    rows, cut = _rows(file, head, lines, salvage=options.salvage)
    length_s = _length(file, head)
    if head["Interval"] == str(_BEATS):
        columns = beats_of_list(rows[:, 0])
        short_s = length_s - float(columns["time"][-1]) if len(rows) else length_s
    else:
        columns = _columns(head["SMode"], rows)
        columns["time"] = _interval(file, head) * np.arange(len(rows), dtype=np.float64)
        short_s = length_s - _interval(file, head) * len(rows)
    salvaged = _salvaged(file, cut, (len(rows), short_s, _slack(head)), salvage=options.salvage)
    columns["time"] = columns["time"] + (start or 0.0)
    said = {"utc_offset": "unknown" if start is None else f"{options.utc_offset_h:+g} h"}
    said |= {"elapsed_s": f"{length_s:.10g}", "monitor": head.get("Monitor", "unknown")}
    said |= {f"unit:{name}": unit for name, unit in _UNITS.items() if name in columns}
    notes = () if start is not None else ("local time only: times count from the start",)
    for table in leg_tables(file, [Leg(columns, (), said, notes)], options, salvaged):
        if start is None:
            table.attributes.pop("start", None)
        yield table


def _sections(file: Path, raw: bytes) -> tuple[dict[str, str], list[str]]:
    """The values of [Params] and the lines of [HRData]."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in raw.decode("latin-1").splitlines():
        if re.fullmatch(r"\[[\w-]+\]\s*", line):
            lines = sections.setdefault(line.strip()[1:-1], [])
        elif line.strip():
            lines.append(line)
    head = {
        key.strip(): value.strip()
        for key, _, value in (line.partition("=") for line in sections.get("Params", []))
    }
    missing = [key for key in _HEAD if key not in head]
    if missing or "HRData" not in sections:
        what = finding(f"{', '.join(missing)} in [Params]") if missing else "[HRData]"
        raise RecordingError(
            shown(file), f"is no .hrm file of version 1.06 or later: no {what}", "export it again"
        )
    if not re.fullmatch(r"[01]{8,9}", head["SMode"]):
        raise RecordingError(shown(file), "its SMode is no row of 8 or 9 bits", "export it again")
    return head, sections["HRData"]


def _start(file: Path, head: dict[str, str], offset_h: float | None) -> float | None:
    """When the recording began in s since 1970; None where the offset is not known."""
    try:
        text = f"{head['Date']}T{head['StartTime']}Z"
        moment = datetime.strptime(text, "%Y%m%dT%H:%M:%S.%f%z")
    except ValueError as error:
        raise RecordingError(shown(file), "Date or StartTime is none", "mend [Params]") from error
    return None if offset_h is None else moment.timestamp() - 3600.0 * offset_h


def _length(file: Path, head: dict[str, str]) -> float:
    """Duration of the recording in s."""
    parts = re.fullmatch(r"(\d{1,4}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)", head["Length"])
    if parts is None:
        raise RecordingError(shown(file), "its Length is no duration", "mend [Params]")
    hours, minutes, seconds = (float(part) for part in parts.groups())
    return 3600.0 * hours + 60.0 * minutes + seconds


def _interval(file: Path, head: dict[str, str]) -> float:
    """Seconds from row to row."""
    if not re.fullmatch(r"[1-9]\d{0,2}", head["Interval"]) or int(head["Interval"]) >= _BEATS:
        raise RecordingError(
            shown(file), "its Interval is no number of seconds", "export it in another way"
        )
    return float(head["Interval"])


def _slack(head: dict[str, str]) -> float:
    """Seconds by which rows may end before the recording: one row, or some missed beats."""
    return 10.0 if head["Interval"] == str(_BEATS) else 2.0 * float(head["Interval"])


def _rows(
    file: Path, head: dict[str, str], lines: list[str], *, salvage: bool
) -> tuple[np.ndarray, str | None]:
    """All numbers of [HRData], shape (row, column), and where a damaged file stops."""
    width = 1 if head["Interval"] == str(_BEATS) else len(_names(head["SMode"]))
    rows: list[list[int]] = []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        if len(cells) != width or not all(re.fullmatch(r"-?\d{1,9}", cell) for cell in cells):
            fault = finding(f"row {number} of [HRData] is no row of {width} whole numbers")
            if salvage and rows:
                return np.array(rows, dtype=np.float64), fault
            raise RecordingError(shown(file), fault, "mend it, or set read.salvage: true")
        rows.append([int(cell) for cell in cells])
    if not rows:
        raise RecordingError(shown(file), "has no rows", "export it again")
    return np.array(rows, dtype=np.float64), None


def _salvaged(
    file: Path, cut: str | None, found: tuple[int, float, float], *, salvage: bool
) -> str | None:
    """What is missing at the end, where the rows do not last as long as the head says."""
    rows, short_s, slack_s = found
    if cut is None and short_s > slack_s:
        cut = finding(f"they end {short_s:.0f} s before the Length that the head gives")
    if cut is not None and not salvage:
        raise RecordingError(
            shown(file), f"is cut short: {rows} rows, {cut}", "or set read.salvage: true"
        )
    return cut and finding(f"{rows} rows read, {cut}")


def _names(mode: str) -> list[str]:
    """Columns of [HRData] by the bits of SMode [1]_."""
    speed, cadence, altitude, power, balance, pedalling = (bit == "1" for bit in mode[:6])
    names = ["heart_rate"]
    if mode[6] == "1":
        names += ["speed"] * speed + ["cadence"] * cadence + ["altitude"] * altitude
        names += ["power"] * power + ["power_balance"] * (power and (balance or pedalling))
        names += ["air_pressure"] * (mode[8:9] == "1")
    return names


def _columns(mode: str, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The columns in SI; speed is written in tenths of km/h or mph, altitude in m or feet."""
    is_english = mode[7] == "1"
    factors = {
        "speed": 0.1 * (_MPH if is_english else _KMH),
        "altitude": _FOOT if is_english else 1.0,
    }
    return {name: rows[:, at] * factors.get(name, 1.0) for at, name in enumerate(_names(mode))}
