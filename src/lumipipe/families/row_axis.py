"""The x axis of a recording's rows: time where rows have any, with its gaps; else their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS, in_words, moment
from lumipipe.language import message, say
from lumipipe.reporting.numbers import rounded
from lumipipe.store.dataset import NO_TIME

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from lumipipe.store.dataset import StreamTable

_UNITS = (
    ("d", 86_400.0, message("days since {moment}"), message("days since the first row")),
    ("h", 3_600.0, message("hours since {moment}"), message("hours since the first row")),
    ("min", 60.0, message("minutes since {moment}"), message("minutes since the first row")),
    ("s", 1.0, message("seconds since {moment}"), message("seconds since the first row")),
)
"""Symbol, seconds, and what the axis is called where the calendar is known and where it is not."""
_SHORT = ("ms", 1e-3, message("milliseconds since the first row"))
_FEWEST = 2.0  # of a unit that an axis is long


class RowAxis(NamedTuple):
    """Where rows that follow each other stand on an axis."""

    x: NDArray[np.float64]
    """Place of each row, shape (row,); 0 is the first one where it is a time."""
    unit: str
    """Symbol of the unit of time; empty where rows have an order only."""
    label: str
    """What the axis is called."""
    extent: str
    """How far it reaches, in words; empty where rows have an order only."""
    segment: NDArray[np.int64]
    """Stretch without a gap that each row lies in, shape (row,); -1 where it lies in none."""

    @property
    def gaps(self) -> NDArray[np.int64]:
        """Rows before which time has a gap."""
        return np.flatnonzero(np.diff(self.segment)) + 1

    def drawn_x(self) -> list[float]:
        """Places of all points of a line, with one in the middle of each gap."""
        gaps = self.gaps
        middles = (self.x[gaps - 1] + self.x[gaps]) / 2.0
        return [float(place) for place in np.insert(self.x, gaps, middles)]

    def drawn(self, values: ArrayLike) -> list[float | None]:
        """Values of all points of a line; null in each gap, and where there is no number."""
        known = np.where(self.segment < 0, np.nan, np.asarray(values, dtype=np.float64))
        points = np.insert(known, self.gaps, np.nan)
        return [float(value) if np.isfinite(value) else None for value in points]

    def points(self, rows: NDArray[np.int64]) -> list[int]:
        """Positions of rows among the points of a line."""
        return [int(n) for n in rows + np.searchsorted(self.gaps, rows, side="right")]


def row_axis(
    table: StreamTable, recording: int, first: int = 0, stop: int | None = None
) -> RowAxis:
    """The axis of rows of a recording.

    Parameters
    ----------
    table : StreamTable
        The stream.
    recording : int
        Number of the recording.
    first, stop : int
        First row of the recording and row after the last; all rows by default.

    Returns
    -------
    RowAxis
        Time since the first of these rows, in the largest unit of which it is two long, where
        rows have stamps or a rate; their numbers where not. A gap is where the preparation saw one.
    """
    begin = int(table.first_row[recording])
    stop = int(table.rows[recording]) if stop is None else stop
    number = np.arange(first, stop, dtype=np.int64)
    time = table.read_time(begin + first, begin + stop)
    if not time.size or NO_TIME in time:
        everywhere = np.zeros(len(number), dtype=np.int64)
        return RowAxis(number.astype(np.float64), "", say("row"), "", everywhere)
    segment = np.full(len(number), -1, dtype=np.int64)
    for place, span in enumerate(table.segments[recording]):
        segment[max(0, span.first - begin - first) : max(0, span.stop - begin - first)] = place
    seconds = (time - time[0]) / NANOSECONDS
    length = float(seconds[-1])
    is_dated = int(table.start_ns[recording]) != NO_TIME
    unit, size, label = _named(length, int(time[0]) if is_dated else None)
    extent = (
        say("{first} to {last}", first=_told(time[0]), last=_told(time[-1]))
        if is_dated
        else f"{rounded(length / size)} {unit}"
    )
    return RowAxis(seconds / size, unit, label, extent, segment)


def _named(length_s: float, start_ns: int | None) -> tuple[str, float, str]:
    """Symbol and seconds of the unit, and the name of an axis of this length."""
    for unit, size, dated, plain in _UNITS:
        if length_s >= _FEWEST * size:
            return (
                unit,
                size,
                say(plain) if start_ns is None else say(dated, moment=_told(start_ns)),
            )
    unit, size, plain = _SHORT
    return unit, size, say(plain)


def _told(time_ns: int) -> str:
    return in_words(moment(int(time_ns)))
