"""Stamps of a local clock as UTC: the hour that comes twice in autumn, the one that never comes.

Stamps as they are written are read by `lumipipe.readers.timebase`. The rules of zones are those of
the IANA database; the machine's own zone is never asked for.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import TimeColumn
from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.channels import column_of
from lumipipe.readers.timebase import text_stamps

if TYPE_CHECKING:
    from lumipipe.config import Source
    from lumipipe.readers.tables import Table

_HALF_DAY_NS = 43_200_000_000_000  # rows of one doubled hour lie closer together
_MOST_LISTED = 5
_TWICE = 2
_SHARE_OF_PAIRS = (
    0.5  # of the stamps outside a doubled hour: where more repeat, pairs prove nothing
)
LEFT_OUT = finding("hour of a clock change that cannot be told apart")


def in_utc(table: Table, source: Source, file: str) -> tuple[Table, Source]:
    """A table with a column of UTC, and the source that names it, where stamps are local.

    Parameters
    ----------
    table : Table
        With text stamps.
    source : Source
        Its `time` may have a zone.
    file : str
        Name of the file for messages.

    Returns
    -------
    tuple of Table and Source
        Both unchanged where stamps are UTC. Else the rows are in the order of time, and rows of a
        doubled hour that cannot be told apart are left out, with a break and a note.

    Raises
    ------
    RecordingError
        If a stamp is unreadable, or is of an hour that the zone never had.

    Notes
    -----
    *Method*: in the doubled hour the first pass is summer time. Where stamps go back once in it,
    the second pass starts there. Where each stamp stands twice in a row there, and stamps before
    and after do not, the second of each pair is of the second pass (a table sorted by local time),
    and the rows are put into order. Anything else cannot be told apart.
    """
    time = source.time
    if not isinstance(time, TimeColumn) or time.zone == "UTC":
        return table, source
    where = f"{file}: column {' and '.join(time.columns)}"
    parts = [column_of(table, name, file) for name in time.columns]
    first, last = source.rows or (0, None)
    kept = np.arange(len(parts[0]))[first:last]
    local = text_stamps(table, [part[kept] for part in parts], time, where, first)
    stamps, lost = _utc(table, local, kept, time.zone, where)
    rows = np.flatnonzero(~lost)
    rows = rows[np.argsort(stamps[rows], kind="stable")] if _is_paired(local, rows) else rows
    name = f"{' and '.join(time.columns)} in UTC"
    taken = _rows(table, kept[rows], {name: stamps[rows]})
    if lost.any():
        cut = int(np.searchsorted(rows, np.argmax(lost)))
        breaks = {cut: LEFT_OUT} if 0 < cut < len(rows) else {}
        note = finding(
            f"{int(lost.sum())} rows are of an {LEFT_OUT} in {time.zone}; they were left out"
        )
        taken = replace(taken, breaks=taken.breaks | breaks, notes=(*taken.notes, note))
    stated = TimeColumn(kind="column", column=name, unit="ns", rate_hz=time.rate_hz)
    return taken, source.model_copy(update={"time": stated, "rows": None})


def _utc(
    table: Table, local: np.ndarray, kept: np.ndarray, zone: str, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Stamps in ns since 1970, and rows that have none because they could be of two hours."""
    import pandas as pd

    stamps: Any = pd.DatetimeIndex(local.astype("datetime64[ns]"))
    rule = _rule(zone)
    doubled = stamps.tz_localize(rule, ambiguous="NaT", nonexistent="shift_forward").isna()
    never = stamps.tz_localize(rule, ambiguous=np.ones(len(local), bool), nonexistent="NaT").isna()
    if never.any():
        rows = np.flatnonzero(never)
        listed = ", ".join(table.row_place(int(kept[row])) for row in rows[:_MOST_LISTED])
        listed += ", ..." if len(rows) > _MOST_LISTED else ""
        raise RecordingError(
            where,
            f"{len(rows)} stamps are of an hour that {zone} never had ({listed})",
            "correct time.zone; a logger that does not switch has an offset, such as +02:00",
        )
    summer, lost = np.ones(len(local), bool), np.zeros(len(local), bool)
    for hour in _hours(local, doubled):
        passes = _passes(local, hour)
        if passes is None:
            lost[hour] = True
        else:
            summer[hour] = passes
    utc = stamps.tz_localize(rule, ambiguous=summer, nonexistent="raise")
    return utc.tz_convert("UTC").asi8, lost


def _rule(zone: str) -> Any:
    """A zone, or a fixed offset such as +02:00."""
    from datetime import timedelta, timezone
    from zoneinfo import ZoneInfo

    if not re.fullmatch(r"[+-]\d\d:\d\d", zone):
        return ZoneInfo(zone)
    minutes = int(zone[1:3]) * 60 + int(zone[4:])
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))


def _hours(local: np.ndarray, doubled: np.ndarray) -> list[np.ndarray]:
    """Rows of each doubled hour."""
    rows = np.flatnonzero(doubled)
    far = np.abs(np.diff(local[rows])) > _HALF_DAY_NS
    return [part for part in np.split(rows, np.flatnonzero(far) + 1) if len(part)]


def _passes(local: np.ndarray, hour: np.ndarray) -> np.ndarray | None:
    """Whether each row of a doubled hour is of its first pass; None where nothing tells."""
    stamps = local[hour]
    back = np.flatnonzero(np.diff(stamps) < 0)
    if len(back) == 1:
        first: np.ndarray = np.arange(len(hour)) <= back[0]
        return first
    if len(back) == 0 and _is_in_pairs(stamps) and not _repeats(np.delete(local, hour)):
        odd: np.ndarray = np.arange(len(hour)) % _TWICE == 0
        return odd
    return None


def _is_in_pairs(stamps: np.ndarray) -> bool:
    """Whether each stamp stands twice in a row."""
    return (
        len(stamps) % _TWICE == 0
        and bool((stamps[::2] == stamps[1::2]).all())
        and bool((np.diff(stamps[::2]) > 0).all())
    )


def _repeats(stamps: np.ndarray) -> bool:
    """Whether stamps repeat anyway, or there are none that would tell."""
    if len(stamps) < _TWICE:
        return True
    return float(np.mean(np.diff(stamps) == 0)) > _SHARE_OF_PAIRS / 2


def _is_paired(local: np.ndarray, rows: np.ndarray) -> bool:
    """Whether local stamps never go back: only rows of pairs then need another order."""
    return bool((np.diff(local[rows]) >= 0).all())


def _rows(table: Table, rows: np.ndarray, more: dict[str, np.ndarray]) -> Table:
    """Some rows of a table with further columns; breaks stay before the row that they were at."""
    origin = rows if table.origin is None else table.origin[rows]
    at = {
        int(np.argmax(rows >= row)): why for row, why in table.breaks.items() if row <= rows.max()
    }
    columns = {name: values[rows] for name, values in table.columns.items()} | more
    breaks = {row: why for row, why in at.items() if row > 0}
    return replace(table, columns=columns, origin=origin, breaks=breaks)
