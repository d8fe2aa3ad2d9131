"""JSON of Fitbit's export: heart rate, steps and other counts, and sleep, by the standard library.

Each file of the export holds one kind of reading; which one is told by its form, not its name.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.errors import RecordingError
from lumipipe.readers.compressed import plain_name, shown
from lumipipe.readers.jsoninput import number, read_json, whole_items
from lumipipe.readers.legs import utc_text
from lumipipe.readers.monitors import LOCAL_ONLY
from lumipipe.readers.tables import ReaderOptions, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.salvage import Whole

_STAMPS = ("%m/%d/%y %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f")


class Options(ReaderOptions):
    """Keys of a file of Fitbit's export."""

    utc_offset_h: Annotated[float, Field(ge=-14, le=14)] | None = None
    """Time in the file less UTC in hours (0 where the file holds UTC); times count from the start
    where absent, since the file does not say."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table of readings, or one for each log of sleep.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; month before day, as Fitbit writes it.
    options : Options
        Offset from UTC.

    Yields
    ------
    Table
        ``time`` (s) with ``bpm`` and ``confidence`` of heart rate, with ``value`` of steps and
        other counts, or, of sleep, with ``level`` (text) and ``seconds`` of each stage. A heart
        rate with confidence 0 is kept as it is. Numbers of logs stay in the file.

    Raises
    ------
    RecordingError
        If the file is another one, or a stamp or reading in it cannot be read.
    """
    content = read_json(file)
    if not isinstance(content, list) or not content:
        raise RecordingError(shown(file), "is no list of readings", "name a file of the export")
    logs = [_levels(item) for item in content]
    if any(log is None for log in logs):
        yield _table(file, plain_name(file), content, options)
        return
    for at, log in enumerate(logs, start=1):
        name = plain_name(file) + (f"-{at}" if len(logs) > 1 else "")
        rows, short = log or ([], 0)
        table = _table(file, name, rows, options)
        notes = (f"{short} short wakes that the log holds beside its stages were left out",)
        yield Table(
            name, table.columns, table.attributes, None, notes=table.notes + notes * bool(short)
        )


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The content up to its last whole entry, or the last whole stage of a log of sleep."""
    return whole_items(content, b"]", b"]}}]")


def _levels(item: Any) -> tuple[list[Any], int] | None:
    """Stages of a log of sleep, and how many short wakes it has beside; None for another entry."""
    levels = item.get("levels") if isinstance(item, dict) else None
    rows = levels.get("data") if isinstance(levels, dict) else None
    if not isinstance(levels, dict) or not isinstance(rows, list):
        return None
    short = levels.get("shortData")
    return rows, len(short) if isinstance(short, list) else 0


def _table(file: Path, name: str, rows: list[Any], options: Options) -> Table:
    """The table of entries with a ``dateTime`` each."""
    if not rows:
        raise RecordingError(shown(file), "has no rows", "leave the file out")
    cells = [_cells(file, at, row) for at, row in enumerate(rows)]
    names = list(dict.fromkeys(key for row in cells for key in row))
    columns = {
        key: np.array(
            [row.get(key, "" if key == "level" else math.nan) for row in cells],
            dtype=object if key == "level" else np.float64,
        )
        for key in names
    }
    time = columns["time"]
    offset_h = options.utc_offset_h
    if offset_h is None:
        said = {"utc_offset": "unknown"}
        columns["time"] = time - time[0]
    else:
        columns["time"] = time - 3600.0 * offset_h
        said = {"utc_offset": f"{offset_h:+g} h", "start": utc_text(float(columns["time"][0]))}
    units = {"time": "s", "seconds": "s", "bpm": "1/min"}
    said |= {f"unit:{key}": units.get(key, "unknown") for key in names if key != "level"}
    return Table(name, columns, said, None, notes=(LOCAL_ONLY,) if offset_h is None else ())


def _cells(file: Path, at: int, row: Any) -> dict[str, Any]:
    """One entry: its time, and a number, several numbers, or a stage with its duration."""
    if not isinstance(row, dict):
        raise _strange(file, at)
    found: dict[str, Any] = {"time": _seconds(file, at, row.get("dateTime"))}
    value = row.get("value")
    if isinstance(row.get("level"), str):
        found |= {"level": str(row["level"]), "seconds": number(row.get("seconds"))}
    elif isinstance(value, dict):
        found |= {key: number(value.get(key)) for key in ("bpm", "confidence")}
    else:
        found["value"] = _count(value)
    if all(isinstance(item, float) and math.isnan(item) for item in list(found.values())[1:]):
        raise _strange(file, at)
    return found


def _count(value: Any) -> float:
    """A number that may be written as text; NaN for anything else."""
    try:
        return number(value) if not isinstance(value, str) else float(value)
    except ValueError:
        return math.nan


def _seconds(file: Path, at: int, stamp: Any) -> float:
    """A stamp in s since 1970 of the file's own clock."""
    for form in _STAMPS:
        try:
            return datetime.strptime(str(stamp), form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise RecordingError(
        shown(file), f"entry {at} has no dateTime like 06/24/95 16:00:10", "fetch it again"
    )


def _strange(file: Path, at: int) -> RecordingError:
    return RecordingError(
        shown(file),
        f"entry {at} is no heart rate, count or stage of sleep",
        "name a file of heart rate, steps or sleep",
    )
