"""When samples were taken: time stamps in int64 nanoseconds UTC, measured rate, gaps.

Nothing here asks the operating system for a time zone. Bringing streams to one grid is in
`lumipipe.readers.grid`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import Order, Regular
from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.channels import column_of
from lumipipe.readers.clocks import alignment
from lumipipe.readers.daymonth import refuse_swapped

if TYPE_CHECKING:
    from lumipipe.config import Source, TimeColumn
    from lumipipe.readers.tables import Table

_DAY_NS = 86_400 * NANOSECONDS
NS_PER_UNIT = {
    "d": _DAY_NS,
    "h": 3_600 * NANOSECONDS,
    "min": 60 * NANOSECONDS,
    "s": NANOSECONDS,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
GAP_STEPS = 5.0
"""A step longer than this many typical steps is a gap where no longest gap is declared."""
_STANDSTILL = 10.0  # times the usual number of rows with one stamp, at a recording's end
_LEAST_STEPS = 20  # whose quantiles mean something
_RATE_DEVIATION = 1e-3  # of the nominal rate: smaller differences are not worth a note


@dataclass(frozen=True)
class TimeBase:
    """Time of the rows of one stream; the fields are those of `Stream`."""

    time_ns: np.ndarray | None
    start_ns: int | None
    rate_hz: float
    rate_u_hz: float
    nominal_hz: float
    segments: np.ndarray
    notes: tuple[str, ...]


def time_base(
    table: Table, rows: slice, source: Source, gap_s: float | None, file: str
) -> TimeBase:
    """Time of the rows of a table, as the source declares it.

    Parameters
    ----------
    table : Table
        What the reader gave.
    rows : slice
        Rows to keep, with both ends.
    source : Source
        Its `time` is regular, a column, or order. Breaks of the table end a segment in each.
    gap_s : float or None
        Longest step in seconds that is no gap; `GAP_STEPS` typical steps where None.
    file : str
        Name of the file for messages.

    Returns
    -------
    TimeBase
        Stamps, rate and the segments between gaps.

    Raises
    ------
    RecordingError
        If a stamp is missing or unreadable, time decreases or stands still at the end, or steps
        are uneven where a nominal rate is declared and no grid.
    """
    count = rows.stop - rows.start
    breaks = {row - rows.start: why for row, why in table.breaks.items()}
    breaks = {row: why for row, why in sorted(breaks.items()) if 0 < row < count}
    notes = [*table.notes, *_break_notes(breaks)]
    time = source.time
    if isinstance(time, Regular | Order):
        rate = time.rate_hz if isinstance(time, Regular) else np.nan
        whole = _cut(np.array([*breaks], dtype=np.int64), count)
        return TimeBase(None, None, rate, np.nan, rate, whole, tuple(notes))
    where, first = f"{file}: column {' and '.join(time.columns)}", rows.start
    stamps = true_stamps(table, rows, source, file)
    steps = np.diff(stamps)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise RecordingError(
            where,
            f"time goes back by {-steps[row - 1] / NANOSECONDS:g} s at "
            f"{table.row_place(first + row)}",
            "sort the rows, or cut the recording there with rows",
        )
    _refuse_standstill(table, steps, where, first)
    if (equal := int((steps == 0).sum())) > 0:
        notes.append(finding(f"{equal} rows have the time stamp of the row before; all are kept"))
    segments = time_segments(steps, gap_s, breaks)
    if (gaps := len(segments) - 1 - len(breaks)) > 0:
        notes.append(
            finding(f"{gaps} gaps in time of unknown cause" if breaks else f"{gaps} gaps in time")
        )
    if uneven := _uneven(steps, segments):
        if time.rate_hz is not None and gap_s is None:
            raise RecordingError(
                where,
                f"{uneven}, though rate_hz is {time.rate_hz:g}",
                "bring the rows to one rate with prepare.grid, or leave rate_hz out",
            )
        notes.append(uneven)
    rate, u_rate = measured_rate(stamps, segments)
    nominal = time.rate_hz if time.rate_hz is not None else np.nan
    if abs(rate - nominal) > max(3.0 * u_rate, _RATE_DEVIATION * nominal):
        notes.append(
            finding(f"measured rate {rate:.6g} Hz (u {u_rate:.1g}), nominal {nominal:g} Hz")
        )
    start = int(stamps[0]) if time.origin == "1970" else None
    return TimeBase(stamps, start, rate, u_rate, nominal, segments, tuple(notes))


def true_stamps(table: Table, rows: slice, source: Source, file: str) -> np.ndarray:
    """Stamps of the rows of a table, set back by what the clock that wrote them was ahead.

    Parameters
    ----------
    table : Table
        What the reader gave.
    rows : slice
        Rows to keep, with both ends.
    source : Source
        Its `time` is a column; its `clock` may have been ahead of the true time.
    file : str
        Name of the file for messages.

    Returns
    -------
    np.ndarray, shape (row,), int64, ns
        As `time_stamps` gives them; what is taken off is rounded to a nanosecond.

    Raises
    ------
    InputError, RecordingError
        As `time_stamps`.
    """
    assert not isinstance(source.time, Regular | Order)
    stamps = time_stamps(table, rows, source.time, file)
    return stamps if source.clock is None else alignment(source.clock).true_stamps(stamps)


def time_stamps(table: Table, rows: slice, time: TimeColumn, file: str) -> np.ndarray:
    """Time stamps of the rows of a table.

    Parameters
    ----------
    table : Table
        What the reader gave.
    rows : slice
        Rows to keep, with both ends.
    time : TimeColumn
        Columns, and their unit or format.
    file : str
        Name of the file for messages.

    Returns
    -------
    np.ndarray, shape (row,), int64, ns
        In the order of the rows, whether it rises or not.

    Raises
    ------
    InputError
        If a column is not there.
    RecordingError
        If a stamp is missing or unreadable.
    """
    parts = [column_of(table, name, file)[rows] for name in time.columns]
    where = f"{file}: column {' and '.join(time.columns)}"
    if time.format is not None:
        return text_stamps(table, parts, time, where, rows.start)
    return _from_numbers(table, parts[0], time, where, rows.start)


def measured_rate(time_ns: np.ndarray, segments: np.ndarray) -> tuple[float, float]:
    """Measured rate and its standard uncertainty, both in Hz; NaN for too few rows.

    Parameters
    ----------
    time_ns : np.ndarray, shape (row,), int64
        Stamps that do not decrease.
    segments : np.ndarray, shape (segment, 2), int64
        First row and number of rows between gaps.

    Returns
    -------
    tuple of float
        Rate and standard uncertainty.

    Notes
    -----
    *Method*: least squares of time on row number with one slope for all segments and one
    intercept for each, so that gaps do not count; the residuals' variance is widened for
    their correlation of lag one, since clocks wander, and is at least that of the stamps'
    resolution (a power of ten of nanoseconds that divides all of them). *Accuracy*: stamps
    are taken relative to each segment's first one, exact below 2**53 ns (104 days a segment).

    Examples
    --------
    >>> import numpy as np
    >>> rate, _ = measured_rate(np.arange(5) * 20_000_000, np.array([[0, 5]]))
    >>> round(rate, 9)
    50.0
    """
    numbers, times = [], []
    for first, rows in segments:
        if rows <= 1:
            continue
        stamps = (time_ns[first : first + rows] - time_ns[first]).astype(np.float64)
        number = np.arange(rows, dtype=np.float64)
        numbers.append(number - number.mean())
        times.append(stamps - stamps.mean())
    if not numbers:
        return np.nan, np.nan
    x, y = np.concatenate(numbers), np.concatenate(times)
    spread = float(x @ x)
    period = float(x @ y) / spread
    if period <= 0.0:
        return np.nan, np.nan
    residual = y - period * x
    freedom = max(len(x) - len(numbers) - 1, 1)
    variance = max(float(residual @ residual) / freedom, _resolution_ns(time_ns) ** 2 / 12.0)
    lag = float(residual[1:] @ residual[:-1]) / max(float(residual @ residual), 1e-300)
    lag = min(max(lag, 0.0), 1.0 - 2.0 / len(x))
    u_period = np.sqrt(variance * (1.0 + lag) / (1.0 - lag) / spread)
    rate = NANOSECONDS / period
    return rate, float(rate * u_period / period)


def _refuse_standstill(table: Table, steps: np.ndarray, where: str, first: int) -> None:
    """Refuse time that stands still from some row on, as where a counter was not written."""
    moved = np.flatnonzero(steps > 0)
    tail = len(steps) - (int(moved[-1]) + 1 if len(moved) else 0)
    usual = float(np.median(np.diff(moved))) if len(moved) > 1 else 1.0
    if len(moved) and tail >= _STANDSTILL * max(usual, 1.0):
        row = len(steps) - tail
        raise RecordingError(
            where,
            f"time stands still from {table.row_place(first + row)} on, for {tail + 1} rows",
            "cut the recording there with rows, or fetch it again",
        )


def _uneven(steps: np.ndarray, segments: np.ndarray) -> str:
    """How steps vary where they do: nothing for a jitter of less than half of a step."""
    inside = np.ones(len(steps), dtype=bool)
    inside[segments[1:, 0] - 1] = False
    forward = steps[inside & (steps > 0)]
    if len(forward) < _LEAST_STEPS:
        return ""
    low, middle, high = np.quantile(forward, [0.05, 0.5, 0.95]) / NANOSECONDS
    if high - low <= 0.5 * middle:
        return ""
    return finding(
        f"steps between rows are uneven: {low:.4g} to {high:.4g} s (5 % and 95 % of them)"
    )


def _resolution_ns(time_ns: np.ndarray) -> float:
    """The largest power of ten, up to a second, that divides all stamps."""
    for digits in range(9, 0, -1):
        if not (time_ns % 10**digits).any():
            return float(10**digits)
    return 1.0


def time_segments(steps: np.ndarray, gap_s: float | None, breaks: dict[int, str]) -> np.ndarray:
    """First row and number of rows between steps that are gaps, and between breaks.

    Parameters
    ----------
    steps : np.ndarray, shape (row - 1,), int64, ns
        From each row to the next.
    gap_s : float or None
        Longest step in seconds that is no gap; `GAP_STEPS` typical steps where None.
    breaks : dict of int to str
        Rows before which the instrument had stopped, and why. Steps over a break do not tell
        what is typical.

    Returns
    -------
    np.ndarray, shape (segment, 2), int64
        First row and number of rows of each.
    """
    at_breaks = np.array([*breaks], dtype=np.int64)
    usual = np.delete(steps, at_breaks - 1)
    forward = usual[usual > 0]
    gaps = np.zeros(0, dtype=np.int64)
    if forward.size:
        longest = gap_s * NANOSECONDS if gap_s is not None else GAP_STEPS * np.median(forward)
        gaps = np.flatnonzero(steps > longest) + 1
    return _cut(np.union1d(gaps, at_breaks), len(steps) + 1)


def _cut(rows: np.ndarray, count: int) -> np.ndarray:
    """First row and number of rows of each part of `count` rows that are cut before some."""
    starts = np.concatenate([[0], rows, [count]]).astype(np.int64)
    return np.stack([starts[:-1], np.diff(starts)], axis=1)


def _break_notes(breaks: dict[int, str]) -> list[str]:
    """Number of breaks by cause."""
    counted = Counter(breaks.values()).items()
    return [finding(f"{count} breaks: {cause}") for cause, count in counted]


def text_stamps(
    table: Table, parts: list[np.ndarray], time: TimeColumn, where: str, first: int
) -> np.ndarray:
    """Stamps from text in the declared format; text without an offset counts as UTC.

    Parameters
    ----------
    table : Table
        For places of rows.
    parts : list of np.ndarray, shape (row,)
        Columns that make up a stamp.
    time : TimeColumn
        Format, and what midnight means.
    where : str
        File and column for messages.
    first : int
        Number of the first row in the table.

    Returns
    -------
    np.ndarray, shape (row,), int64, ns
        Since 1970.

    Raises
    ------
    RecordingError
        If a stamp is no time in the format.
    """
    import pandas as pd

    if any(part.dtype.kind not in "OUT" for part in parts):
        raise RecordingError(where, "holds numbers, not text", "give time.unit instead of format")
    column = parts[0]
    if len(parts) > 1:
        column = np.array([" ".join(map(str, row)) for row in zip(*parts, strict=True)], object)
    parsed = pd.to_datetime(
        pd.Series(column, dtype=object), format=time.format, errors="coerce", utc=True
    )
    bad = parsed.isna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise RecordingError(
            where,
            f"{table.row_place(first + row)} holds {str(column[row])!r}, not a time like "
            f"{time.format}; {int(bad.sum())} such rows",
            "correct time.format, or mend the rows",
        )
    stamps: np.ndarray = pd.DatetimeIndex(parsed).as_unit("ns").asi8
    refuse_swapped(column, stamps, time.format or "", time.rate_hz, where)
    if time.midnight == "ends_day":
        stamps = np.where(stamps % _DAY_NS == 0, stamps + _DAY_NS, stamps)
    return stamps


def _from_numbers(
    table: Table, column: np.ndarray, time: TimeColumn, where: str, first: int
) -> np.ndarray:
    """Stamps from numbers, exact for whole ones and to the number's own digits for others."""
    if column.dtype.kind not in "iuf":
        raise RecordingError(where, "holds text, not numbers", "give time.format instead of unit")
    scale = NS_PER_UNIT[time.unit or "s"]
    numbers = column.astype(np.float64)
    bad = ~(np.abs(numbers) * scale < 2.0**63)  # NaN too
    if bad.any():
        row = int(np.argmax(bad))
        raise RecordingError(
            where,
            f"{table.row_place(first + row)} holds {column[row]}, no time in {time.unit}",
            "correct time.unit, or mend the row",
        )
    if column.dtype.kind in "iu":
        exact: np.ndarray = column.astype(np.int64) * scale
        return np.cumsum(exact) if time.origin == "row_before" else exact
    whole = np.floor(numbers)
    stamps: np.ndarray = whole.astype(np.int64) * scale
    stamps += _fraction_ns(numbers, numbers - whole, scale)
    return np.cumsum(stamps) if time.origin == "row_before" else stamps


def _fraction_ns(numbers: np.ndarray, fraction: np.ndarray, scale: int) -> np.ndarray:
    """Nanoseconds of the fractions, rounded to the decimals that the numbers can carry."""
    spacing = float(np.spacing(np.abs(numbers).max(initial=0.0)))
    digits = int(np.floor(-np.log10(spacing))) if spacing > 0 else 18
    decimals = min(max(digits, 0), 15)
    rounded: np.ndarray = np.rint(np.round(fraction, decimals) * scale).astype(np.int64)
    return rounded
