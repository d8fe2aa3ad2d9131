"""Which columns hold time stamps, and how a request would say so.

Only what all rows confirm is taken; where two readings fit, both are given. What the stamps then
say is in `lumipipe.tasks.inspecting.clock`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import TimeColumn
from lumipipe.errors import InputError
from lumipipe.readers.timebase import NS_PER_UNIT, time_stamps

if TYPE_CHECKING:
    from lumipipe.readers.tables import Table

_DAYS = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y%m%d",
    "%d-%b-%Y",
]
_CLOCKS = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%H.%M.%S")
_JOINTS = (" ", "T", "-")
_ZONES = ("", "%z", " %z")
_LOOKS = {
    "%Y": "(?:19|20)[0-9]{2}",
    "%y": "[0-9]{2}",
    "%m": "(?:0?[1-9]|1[0-2])",
    "%d": "(?:0?[1-9]|[12][0-9]|3[01])",
    "%b": "[A-Za-z]{3}",
    "%H": "(?:[01]?[0-9]|2[0-3])",
    "%I": "(?:0?[1-9]|1[0-2])",
    "%M": "[0-5]?[0-9]",
    "%S": "[0-5]?[0-9]",
    "%f": "[0-9]{1,9}",
    "%p": "[AaPp][Mm]",
    "%z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})",
}
_TRIED = 40  # cells of a column that a format must explain before all are tried
_NAME = re.compile(
    r"(^|[^a-z])(time|timestamp|datetime|stamp|epoch|elapsed|date|unix|utc|secs?|seconds|millis|minutes|hours|tt)"
    r"([^a-z]|$)|^t$|timestamp|^zeit|^datum"
)
# Since 1970: from 2000 to 2100.
_SINCE_1970 = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FROM_S, _TO_S = 946_684_800.0, 4_102_444_800.0
_UNIT_WORDS = (
    (r"\b(ms|millis|msec|milliseconds?)\b|_ms$", "ms"),
    (r"\b(us|µs|micros|microseconds?)\b|_us$", "us"),
    (r"\bns\b|_ns$|nanoseconds?", "ns"),
    (r"\b(s|secs?|seconds?)\b|_s$|_sec$", "s"),
    (r"\b(min|minutes?)\b|_min$", "min"),
    (r"\b(h|hours?)\b|_h$", "h"),
    (r"\b(d|days?)\b|_d$", "d"),
)
_RISING = 0.9  # share of steps that rise in a column of numbers that may be a time


@dataclass(frozen=True)
class Stamps:
    """A way to read time stamps.

    Parameters
    ----------
    request : dict
        The section `time` of a request; its unit is "?" where it is not known.
    time_ns : np.ndarray or None, shape (row,), int64, ns
        The stamps; None where the unit is not known.
    words : tuple of str
        Remarks.
    """

    request: dict[str, Any]
    time_ns: np.ndarray | None
    words: tuple[str, ...] = ()


def stamps_in(table: Table) -> list[Stamps]:
    """Ways to read time stamps from a table, the best first.

    Parameters
    ----------
    table : Table
        What the reader gave.

    Returns
    -------
    list of Stamps
        What leaves no question comes first: text with an offset from UTC, numbers since 1970.
        Where days and months could be swapped, both ways stand side by side.
    """
    texts = [name for name, column in table.columns.items() if column.dtype.kind not in "iuf"]
    found = _of_texts(table, texts)
    numbers = [way for name in table.columns if (way := _of_numbers(table, name)) is not None]
    return sorted(found + numbers, key=_rank)


def _rank(way: Stamps) -> int:
    """The best first: text with an offset, numbers since 1970, other text, numbers, no unit."""
    if way.time_ns is None:
        return 4
    if "format" in way.request:
        return 0 if "%z" in way.request["format"] else 2
    return 1 if way.request["origin"] == "1970" else 3


def _of_texts(table: Table, texts: list[str]) -> list[Stamps]:
    """Ways to read stamps from one column of text, or from a date beside a clock."""
    for name in texts:
        if found := _fitting(table, [name], _whole_formats()):
            return found
    days = [name for name in texts if _fitting(table, [name], tuple(_DAYS))]
    clocks = [name for name in texts if _fits(_cells(table, [name]), _CLOCKS)]
    for day, clock in zip(days, clocks, strict=False):
        pairs = tuple(f"{date} {time}" for date in _DAYS for time in _CLOCKS)
        if found := _fitting(table, [day, clock], pairs):
            return found
    return _fitting(table, days[:1], tuple(_DAYS)) if days else []


@lru_cache(maxsize=1)
def _whole_formats() -> tuple[str, ...]:
    """Formats of stamps with date and clock."""
    return tuple(
        f"{day}{joint}{clock}{zone}"
        for day in _DAYS
        for clock in _CLOCKS
        for joint in _JOINTS
        for zone in _ZONES
    )


def _cells(table: Table, names: list[str]) -> list[str]:
    """First and last cells, those of several columns with a blank between them."""
    columns = [table.columns[name] for name in names]
    rows = len(columns[0])
    at = sorted({*range(min(_TRIED // 2, rows)), *range(max(rows - _TRIED // 2, 0), rows)})
    return [" ".join(str(column[row]) for column in columns) for row in at]


def _fits(cells: list[str], formats: tuple[str, ...]) -> list[str]:
    """Formats in which all cells are times."""
    left = [form for form in formats if cells and _is_time(cells[0], form)]
    return [form for form in left if all(_is_time(cell, form) for cell in cells)]


def _is_time(cell: str, form: str) -> bool:
    """Whether a cell looks like a time of a format; all rows are read before it is taken."""
    return any(sign in cell for sign in "-/.:") and _pattern(form).fullmatch(cell) is not None


@lru_cache(maxsize=2048)
def _pattern(form: str) -> re.Pattern[str]:
    """What a time of a format looks like."""
    parts = re.split("(%.)", form)
    return re.compile("".join(_LOOKS[p] if p in _LOOKS else re.escape(p) for p in parts))


def _fitting(table: Table, names: list[str], formats: tuple[str, ...]) -> list[Stamps]:
    """Ways in which every row is a time; those that go back give way to those that do not."""
    column = names[0] if len(names) == 1 else names
    ways = []
    for form in _fits(_cells(table, names), formats):
        request = {"kind": "column", "column": column, "format": form}
        stamps = _read(table, request)
        if stamps is not None:
            ways.append(_midnight(table, Stamps(request, stamps)))
    back = [int((np.diff(way.time_ns) < 0).sum()) for way in ways if way.time_ns is not None]
    return [way for way, falls in zip(ways, back, strict=True) if falls == min(back)]


def _midnight(table: Table, way: Stamps) -> Stamps:
    """The same way, with midnight as the end of a day where only that makes time rise."""
    assert way.time_ns is not None
    if not (np.diff(way.time_ns) < 0).any():
        return way
    request = {**way.request, "midnight": "ends_day"}
    stamps = _read(table, request) if "%z" not in request["format"] else None
    if stamps is None or (np.diff(stamps) < 0).any():
        return way
    return Stamps(request, stamps, ("00:00 under a date ends that day: else time would go back",))


def _read(table: Table, request: dict[str, Any]) -> np.ndarray | None:
    """The stamps of all rows; None where one is not a time."""
    rows = slice(0, len(next(iter(table.columns.values()))))
    try:
        return time_stamps(table, rows, TimeColumn.model_validate(request), "")
    except InputError:
        return None


def _of_numbers(table: Table, name: str) -> Stamps | None:
    """A way to read a column of numbers as stamps, where its name or unit says time."""
    column = table.columns[name]
    if column.dtype.kind not in "iuf" or len(column) < 2:  # noqa: PLR2004
        return None
    said = table.attributes.get(f"unit:{name}", "")
    is_named = _NAME.search(name.lower()) is not None or said in NS_PER_UNIT
    if not (is_named or "since 1970" in said) or not _is_rising(column):
        return None
    unit, origin = _unit(table, name, said)
    request = {"kind": "column", "column": name, "unit": unit or "?", "origin": origin}
    return Stamps(request, None if unit is None else _read(table, request))


def _is_rising(column: np.ndarray) -> bool:
    """Whether a column has no holes and mostly rises."""
    numbers = column.astype(np.float64)
    return bool(np.isfinite(numbers).all() and (np.diff(numbers) >= 0).mean() >= _RISING) and (
        float(numbers[-1]) > float(numbers[0])
    )


def _unit(table: Table, name: str, said: str) -> tuple[str | None, str]:
    """Unit of stamps and what they count from."""
    column = table.columns[name].astype(np.float64)
    if "utc_offset" in table.attributes:  # an activity: seconds, since 1970 where it has a start
        return "s", "1970" if "start" in table.attributes else "recording"
    if found := re.fullmatch(r"(s|ms|us|ns) since 1970", said):
        return found[1], "1970"
    for unit, scale in _SINCE_1970.items():
        if _FROM_S * scale <= column.min() and column.max() <= _TO_S * scale:
            return unit, "1970"
    for text in (said.lower(), name.lower()):
        for pattern, unit in _UNIT_WORDS:
            if re.search(pattern, text):
                return unit, "recording"
    return None, "recording"
