"""Lists of times between heartbeats: one a line, with or without the time passed before it.

How beats are placed in time is in `lumipipe.readers.beats`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.beats import beats_of_list, missing_beats
from lumipipe.readers.compressed import read_limited, shown
from lumipipe.readers.legs import ActivityOptions, Leg, leg_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_MOST_BYTES = 2**24
_MS = {"ms": 1.0, "s": 1000.0}
_PLAUSIBLE_MS = (200.0, 3000.0)  # 300 to 20 beats a minute: half of a list lies here, or none does
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


class Options(ActivityOptions):
    """Keys of a list of times between beats."""

    unit: Literal["ms", "s"] | None = None
    """Unit of the times between beats; told from their size where absent."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a list of times between heartbeats.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz: one number a line, or the time passed (s) and the number.
    options : Options
        Unit, whether to salvage, and what is private.

    Yields
    ------
    Table
        Columns ``time`` (s since the start) and ``rr`` (ms), float64. Where the time passed
        grows by more than two intervals in one line, beats are missing: a break.

    Raises
    ------
    InputError
        If the unit is not clear: give read.unit.
    RecordingError
        If a line is neither, an interval is 0, or time goes back.
    """
    raw = read_limited(file, options.most_bytes or _MOST_BYTES)
    rows, salvaged = _rows(file, raw.decode("latin-1").split("\n"), salvage=options.salvage)
    intervals = rows[:, -1] * _MS[options.unit or _unit(file, rows[:, -1])]
    if (intervals <= 0.0).any():
        raise RecordingError(
            shown(file), f"line {int(np.argmax(intervals <= 0)) + 1} holds no time", "mend it"
        )
    columns = beats_of_list(intervals)
    if rows.shape[1] > 1:
        columns["time"] = rows[:, 0]
        if (np.diff(rows[:, 0]) < 0).any():
            line = int(np.argmax(np.diff(rows[:, 0]) < 0)) + 2
            raise RecordingError(shown(file), f"time goes back at line {line}", "cut it there")
    said = {"utc_offset": "unknown"}
    leg = Leg(
        columns, tuple(missing_beats(columns)), said, (finding("times count from the start"),)
    )
    for table in leg_tables(file, [leg], options, salvaged):
        table.attributes.pop("start", None)
        yield table


def _rows(file: Path, lines: list[str], *, salvage: bool) -> tuple[np.ndarray, str | None]:
    """All numbers, shape (row, 1 or 2), and where a damaged file stops."""
    while lines and not lines[-1].strip():
        lines.pop()
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        cells = line.split()
        width = len(rows[0]) if rows else min(max(len(cells), 1), 2)
        if len(cells) != width or not all(_NUMBER.fullmatch(cell) for cell in cells):
            fault = finding(
                f"line {number} is no number"
                if width == 1
                else f"line {number} is no pair of numbers"
            )
            if salvage and rows:
                read = finding(f"{number - 1} of {len(lines)} lines read, {fault}")
                return np.array(rows), read
            raise RecordingError(shown(file), fault, "mend it, or set read.salvage: true")
        rows.append([float(cell) for cell in cells])
    if not rows:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
    return np.array(rows), None


def _unit(file: Path, values: np.ndarray) -> Literal["ms", "s"]:
    """The one unit in which the middle of the values is a heart's."""
    middle, (low, high) = float(np.median(values)), _PLAUSIBLE_MS
    if low <= middle <= high:
        return "ms"
    if low <= 1000.0 * middle <= high:
        return "s"
    raise InputError(
        shown(file),
        f"half of its numbers are below {middle:g}, no heart's ms or s",
        "give read.unit",
    )
