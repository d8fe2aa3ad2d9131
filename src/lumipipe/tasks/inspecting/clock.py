"""When the rows of a table were taken: measured rate, gaps with their cause, durations, faults.

Which columns hold the time is told in `lumipipe.tasks.inspecting.stamps`; the arithmetic is that
of `lumipipe.readers.timebase`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.readers.containers import utc_text
from lumipipe.readers.timebase import measured_rate, time_segments
from lumipipe.tasks.inspecting.seen import ClockSeen, Gap
from lumipipe.tasks.inspecting.stamps import Stamps, stamps_in

if TYPE_CHECKING:
    from lumipipe.readers.tables import Table

UNKNOWN_CAUSE = "unknown cause"
_MOST_GAPS = 5  # that are listed
_HOUR_NS = 3_600_000_000_000
_IRREGULAR, _MOST_IN_GAPS = 3.0, 0.02  # largest over least usual step; share of rows before gaps


class Clock(NamedTuple):
    """What is known of the time of a table.

    Parameters
    ----------
    seen : ClockSeen
        For the reader.
    position : np.ndarray, shape (row,), float64
        Place of each row in the recording, from 0 to 1, not falling.
    columns : frozenset of str
        Columns that hold time.
    """

    seen: ClockSeen
    position: np.ndarray
    columns: frozenset[str]


def clock_of(table: Table) -> Clock:
    """The clock of a table.

    Parameters
    ----------
    table : Table
        What the reader gave.

    Returns
    -------
    Clock
        From time stamps where there are any, else from the rate that the file states, else none.
    """
    rows = len(next(iter(table.columns.values())))
    ways = stamps_in(table)
    is_beats = "rr" in table.columns  # their rate is the heart's
    rate = None if is_beats else _number(table, "rate_hz")
    known = [way for way in ways if way.time_ns is not None]
    columns = frozenset(name for way in ways for name in _columns(way.request))
    even = np.arange(rows, dtype=np.float64) / max(rows, 1)
    if known and not (rate is not None and _are_made(known[0])):
        seen = _measured(table, known[0], rate)
        twins = [
            way.request for way in known[1:] if _columns(way.request) == _columns(known[0].request)
        ]
        seen = replace(seen, choices=tuple(twins))
        return Clock(seen, _position(known[0], even), columns)
    return Clock(_without_stamps(table, ways, rate), even, columns)


def _without_stamps(table: Table, ways: list[Stamps], rate: float | None) -> ClockSeen:
    """What is known without stamps: a rate that the file states, or nothing."""
    rows = len(next(iter(table.columns.values())))
    if rate is not None:
        seen = ClockSeen(
            f"the file states {rate:.10g} Hz; rows have no stamps of their own",
            {"kind": "regular", "rate_hz": rate},
            start=table.attributes.get("start"),
            nominal_hz=rate,
        )
        return _with_durations(seen, table, rows / rate)
    if ways:
        return _with_durations(_of_unknown_unit(table, ways[0].request), table, None)
    told = "no time in the file: only the order of the rows is known"
    return _with_durations(ClockSeen(told, {"kind": "order", "row": "?"}), table, None)


def _of_unknown_unit(table: Table, request: dict[str, Any]) -> ClockSeen:
    """What a column that rises tells in steps of its own, whatever their unit is."""
    values = table.columns[request["column"]].astype(np.float64)
    steps = np.diff(values)
    usual = float(np.median(steps[steps > 0]))
    falls = np.flatnonzero(steps < 0) + 1
    scaled = np.rint(steps / usual * NANOSECONDS).astype(np.int64)
    cuts = {int(row): "" for row in falls}
    firsts = [int(row) for row, _ in time_segments(scaled, None, cuts)[1:] if row not in cuts]
    words = [f"usual step {usual:g}, in the unit of the column"]
    if firsts:
        row = max(firsts, key=lambda first: float(steps[first - 1]))
        words.append(f"the longest gap is one of {steps[row - 1]:g}, at {table.row_place(row)}")
    return ClockSeen(
        f"column {request['column']}; its unit is not said",
        request,
        gaps={UNKNOWN_CAUSE: len(firsts)} if firsts else {},
        backwards=len(falls),
        backwards_at=table.row_place(int(falls[0])) if len(falls) else "",
        equal=int((steps == 0).sum()),
        words=tuple(words),
    )


def _with_durations(seen: ClockSeen, table: Table, elapsed_s: float | None) -> ClockSeen:
    """The clock with the durations that an activity states, or else the time elapsed."""
    return replace(
        seen,
        elapsed_s=_number(table, "elapsed_s") or elapsed_s,
        timer_s=_number(table, "timer_s"),
        moving_s=_number(table, "moving_s"),
    )


def _are_made(way: Stamps) -> bool:
    """Whether stamps were computed from a rate, so that they measure nothing."""
    assert way.time_ns is not None
    steps = np.diff(way.time_ns)
    return bool(steps.size) and int(steps.max() - steps.min()) <= 2  # noqa: PLR2004 (rounding)


def _columns(request: dict[str, Any]) -> list[str]:
    """Columns of a section `time`."""
    column = request["column"]
    return column if isinstance(column, list) else [column]


def _number(table: Table, key: str) -> float | None:
    """An attribute as a number above 0."""
    try:
        found = float(table.attributes.get(key, "nan"))
    except ValueError:
        return None
    return found if np.isfinite(found) and found > 0.0 else None


def _position(way: Stamps, even: np.ndarray) -> np.ndarray:
    """Place of each row by its time; by its number where time stands still or goes back."""
    assert way.time_ns is not None
    passed = (way.time_ns - way.time_ns[0]).astype(np.float64)
    if not passed.size or passed[-1] <= 0.0 or (np.diff(passed) < 0).any():
        return even
    found: np.ndarray = passed / passed[-1]
    return found


def _measured(table: Table, way: Stamps, stated_hz: float | None) -> ClockSeen:
    """What stamps tell."""
    stamps = way.time_ns
    assert stamps is not None
    steps = np.diff(stamps)
    falls = np.flatnonzero(steps < 0) + 1
    breaks = {row: why for row, why in table.breaks.items() if 0 < row < len(stamps)}
    cuts = breaks | {int(row): "" for row in falls}
    segments = time_segments(steps, None, cuts)
    rate, u_rate = measured_rate(stamps, segments)
    whole_s = float(stamps.max() - stamps.min()) / NANOSECONDS if stamps.size else 0.0
    firsts = [int(first) for first, _ in segments[1:] if first not in set(falls)]
    if "event" in table.columns:  # nothing is missing between events
        firsts = [first for first in firsts if first in breaks]
    gaps = _gaps(table, steps, firsts, breaks)
    is_dated = way.request.get("origin", "1970") == "1970"
    inner = np.delete(steps, segments[1:, 0] - 1) / NANOSECONDS
    is_even = (
        "rr" not in table.columns and _is_even(inner) and len(gaps) <= _MOST_IN_GAPS * len(stamps)
    )
    start = utc_text(int(stamps[0])) if is_dated else table.attributes.get("start")
    seen = ClockSeen(
        told=_told(way.request),
        request=way.request,
        start=start,
        rate_hz=rate if is_even and np.isfinite(rate) else None,
        u_rate_hz=u_rate if is_even and np.isfinite(u_rate) else None,
        nominal_hz=stated_hz,
        steps_s=_spread(inner),
        gaps=dict(Counter(gap.cause for gap in gaps)),
        longest=tuple(sorted(gaps, key=lambda gap: -gap.seconds)[:_MOST_GAPS]),
        backwards=len(falls),
        backwards_at=table.row_place(int(falls[0])) if len(falls) else "",
        equal=int((steps == 0).sum()),
        words=(*way.words, *_changed(way.request, steps)),
    )
    return _with_durations(seen, table, whole_s)


def _changed(request: dict[str, Any], steps: np.ndarray) -> tuple[str, ...]:
    """What to do where text goes back by an hour, as a local clock does in autumn."""
    back = steps[steps < 0]
    is_local = "format" in request and "%z" not in request["format"]
    if not (is_local and back.size and (np.abs(back + _HOUR_NS) <= _HOUR_NS // 2).all()):
        return ()
    return ("back by an hour, as a local clock in autumn: give time.zone, such as Europe/Helsinki",)


def _gaps(table: Table, steps: np.ndarray, rows: list[int], breaks: dict[int, str]) -> list[Gap]:
    """The places before some rows where the instrument did not write."""
    return [
        Gap(
            table.row_place(row),
            float(steps[row - 1]) / NANOSECONDS,
            breaks.get(row, UNKNOWN_CAUSE),
        )
        for row in rows
    ]


def _is_even(steps_s: np.ndarray) -> bool:
    """Whether most steps are alike, so that a rate says something."""
    if not steps_s.size:
        return False
    low, high = np.quantile(steps_s, (0.1, 0.9))
    return bool(high <= _IRREGULAR * low)


def _spread(steps_s: np.ndarray) -> tuple[float, float, float] | None:
    """Least, middle and longest step."""
    if not steps_s.size:
        return None
    return float(steps_s.min()), float(np.median(steps_s)), float(steps_s.max())


def _told(request: dict[str, Any]) -> str:
    """By what the time is known, in words."""
    columns = " and ".join(_columns(request))
    if "format" in request:
        zone = "" if "%z" in request["format"] else ", taken as UTC"
        return f"column {columns}: {request['format']}{zone}"
    since = "1970" if request["origin"] == "1970" else "the start"
    return f"column {columns}: {request['unit']} since {since}"
