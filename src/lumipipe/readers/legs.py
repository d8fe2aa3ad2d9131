"""Legs of activities as tables: pauses, durations, and what all activity files have in common.

A leg is one sport of an activity. How a format says this is its reader's matter; which columns
may leave a reader is `lumipipe.readers.privacy`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.ascent import HYSTERESIS_M, SMOOTHING_S, ascent
from lumipipe.readers.compressed import plain_name, shown
from lumipipe.readers.credible import credible
from lumipipe.readers.hidden_ends import zone_around
from lumipipe.readers.privacy import PersonalOptions
from lumipipe.readers.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

UNITS = {
    "time": "s",
    "heart_rate": "1/min",
    "power": "W",
    "speed": "m/s",
    "distance": "m",
    "altitude": "m",
    "cadence": "1/min",
    "temperature": "degC",
    "latitude": "deg",
    "longitude": "deg",
    "rr": "ms",
    "timer": "1",
}
"""Unit of each column that has a standard name."""
CLOCK_NOT_SET = finding("the clock was not set: times count from the first record")
_ALWAYS = ("heart_rate", "power", "speed", "distance", "altitude", "cadence", "temperature")
_FEW = 0.05  # share of the points of a leg that may lack a time


class ActivityOptions(PersonalOptions):
    """Keys that all activity files have."""

    sports: Annotated[list[str], Field(min_length=1)] | None = None
    """Sports whose legs are read, such as cycling; all where absent."""


class Pause(NamedTuple):
    """A time, in seconds since 1970, in which the timer did not run."""

    start_s: float
    end_s: float
    cause: str


@dataclass(frozen=True)
class Leg:
    """One sport of an activity, as its file tells it.

    Parameters
    ----------
    columns : dict of str to np.ndarray, shape (row,), float64
        Readings by standard name, NaN where there is none; ``time`` in s since 1970 (UTC).
    pauses : tuple of Pause
        In the order of time; those outside the leg do no harm.
    said : dict of str to str
        Attributes; of ``elapsed_s``, ``timer_s``, ``moving_s`` those that the file gives.
    notes : tuple of str
        For the reader of the report.
    """

    columns: dict[str, np.ndarray]
    pauses: tuple[Pause, ...] = ()
    said: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def leg_tables(
    file: Path, legs: Sequence[Leg], options: ActivityOptions, salvaged: str | None = None
) -> Iterator[Table]:
    """One table for each leg that has rows.

    Parameters
    ----------
    file : Path
        Where the legs are from.
    legs : sequence of Leg
        In the order of time.
    options : ActivityOptions
        What is cut off, and what is hidden.
    salvaged : str or None
        Bytes that were read of how many, and why no more; None for a whole file.

    Yields
    ------
    Table
        Called like the file; with several legs, their numbers follow. Heart rate, power, speed,
        distance, altitude, cadence and temperature are always there, NaN where the file has
        none. The column ``timer`` is 1 where the timer ran and 0 in a pause. Durations are three
        attributes: ``elapsed_s``, ``timer_s`` (without pauses) and ``moving_s`` (with a speed
        above 0), each from the file or, where it gives none or ends were cut, from the rows;
        ``span_s`` is the time from first to last row. ``ascent_m`` has its interval and rule
        beside it (`lumipipe.readers.ascent`). Readings that cannot be are NaN, and counted by
        reason (`lumipipe.readers.credible`).

    Raises
    ------
    RecordingError
        If no row is left, or too many have no time: mend the file.
    """
    found = [_timed(file, leg) for leg in legs if len(leg.columns["time"])]
    found = _with_hidden_ends(_without_ends(found, options), options)
    found = [leg for leg in found if len(leg.columns["time"])]
    if not found:
        raise RecordingError(
            shown(file), "has no rows", "remove the file, or cut or hide less of its ends"
        )
    sports = [leg.said.get("sport", "unknown") for leg in found]
    if options.sports is not None and not set(sports) & set(options.sports):
        raise RecordingError(
            shown(file),
            f"has no leg of {', '.join(options.sports)}",
            f"mend read.sports; it has: {', '.join(dict.fromkeys(sports))}",
        )
    for number, (leg, sport) in enumerate(zip(found, sports, strict=True), start=1):
        if options.sports is None or sport in options.sports:
            name = plain_name(file) + (f"-{number}" if len(found) > 1 else "")
            once, fault = _forward(_once(leg)) if options.salvage else (_once(leg), None)
            faults = "; ".join(item for item in (salvaged, fault) if item is not None)
            yield _table(name, once, (number, len(found)), faults)


def _once(leg: Leg) -> Leg:
    """The leg without rows that repeat the one before to the last digit, time included."""
    cells = np.stack([*leg.columns.values()], axis=1)
    same = (cells[1:] == cells[:-1]) | (np.isnan(cells[1:]) & np.isnan(cells[:-1]))
    again = np.concatenate([[False], same.all(axis=1) & np.isfinite(leg.columns["time"][1:])])
    if not again.any():
        return leg
    note = finding(f"{int(again.sum())} rows that repeat another were left out")
    return _rows(leg, ~again, note)


def _forward(leg: Leg) -> tuple[Leg, str | None]:
    """The leg without rows whose time goes back, and how many there were."""
    time = leg.columns["time"]
    latest = np.fmax.accumulate(time)
    late = np.concatenate([[False], time[1:] < latest[:-1]])
    if not late.any():
        return leg, None
    fault = finding(f"{int(late.sum())} of {len(time)} rows go back in time, left out")
    return _rows(leg, ~late), fault


def _timed(file: Path, leg: Leg) -> Leg:
    """The leg without the few rows that have no time; all of them where none has one."""
    untimed = np.isnan(leg.columns["time"])
    count = int(untimed.sum())
    if not count or count == len(untimed):
        return leg
    if count > max(2, int(_FEW * len(untimed))):
        raise RecordingError(
            shown(file),
            f"{count} of {len(untimed)} points have no time",
            "export it again with times; they are not made up here",
        )
    note = finding(
        f"{count} of {len(untimed)} points had no time that can be read and were left out"
    )
    return _rows(leg, ~untimed, note)


def _rows(leg: Leg, kept: np.ndarray, *notes: str) -> Leg:
    """Some rows of a leg."""
    columns = {name: values[kept] for name, values in leg.columns.items()}
    return Leg(columns, leg.pauses, leg.said, (*leg.notes, *notes))


def _without_ends(legs: list[Leg], options: ActivityOptions) -> list[Leg]:
    """Legs without the first and last seconds of the activity, and what would tell of them."""
    if not (options.cut_start_s or options.cut_end_s):
        return legs
    times = np.concatenate([leg.columns["time"] for leg in legs]) if legs else np.zeros(0)
    if not np.isfinite(times).any():
        return legs
    first = float(np.nanmin(times)) + options.cut_start_s
    last = float(np.nanmax(times)) - options.cut_end_s
    return [_between(leg, first, last) for leg in legs]


def _with_hidden_ends(legs: list[Leg], options: ActivityOptions) -> list[Leg]:
    """Legs from where the activity leaves the zone of its start to where it enters that of its end.

    Where it comes through one of the zones in between, positions are NaN.
    """
    if not options.hide_ends_m or options.pseudonyms is None:
        return legs
    places = np.concatenate([_places(leg) for leg in legs]) if legs else np.zeros((0, 2))
    known = places[np.isfinite(places).all(axis=1)]
    if not len(known):
        return legs
    zones = [
        zone_around(float(north), float(east), options.hide_ends_m, options.pseudonyms)
        for north, east in (known[0], known[-1])
    ]
    # A row without a position may be anywhere: at the ends it is taken for one inside.
    outside = [np.isfinite(places).all(axis=1) & ~zone.holds(*places.T) for zone in zones]
    first = int(np.argmax(outside[0])) if outside[0].any() else len(places)
    last = len(places) - int(np.argmax(outside[1][::-1])) if outside[1].any() else 0
    seen = outside[0] & outside[1]
    edges = np.cumsum([0, *(len(leg.columns["time"]) for leg in legs)])
    rows = np.arange(len(places))
    kept = (rows >= first) & (rows < last)
    return [
        _hidden(leg, kept[start:stop], seen[start:stop])
        for leg, start, stop in zip(legs, edges[:-1], edges[1:], strict=True)
    ]


def _places(leg: Leg) -> np.ndarray:
    """Latitude and longitude of each row, in degrees; NaN where there is none."""
    absent = np.full(len(leg.columns["time"]), np.nan)
    return np.stack([leg.columns.get(name, absent) for name in ("latitude", "longitude")], axis=1)


def _hidden(leg: Leg, kept: np.ndarray, seen: np.ndarray) -> Leg:
    """Some rows of a leg, with positions where they may be seen."""
    columns = {
        name: np.where(seen, values, np.nan) if name in {"latitude", "longitude"} else values
        for name, values in leg.columns.items()
    }
    note = finding("start and end are hidden: rows and positions near them were left out")
    return _shortened(replace(leg, columns=columns), kept, note)


def _between(leg: Leg, first_s: float, last_s: float) -> Leg:
    """The rows of a leg between two times."""
    time = leg.columns["time"]
    return _shortened(
        leg, (time >= first_s) & (time <= last_s), finding("start or end was cut off")
    )


def _shortened(leg: Leg, rows: np.ndarray, note: str) -> Leg:
    """Some rows of a leg, without what tells of the others; distance then starts at 0."""
    kept = _rows(leg, rows, note)
    columns = dict(kept.columns)
    if "distance" in columns and np.isfinite(columns["distance"]).any():
        columns["distance"] = columns["distance"] - np.nanmin(columns["distance"])
    measured = ("elapsed_s", "timer_s", "moving_s", "distance_m")
    said = {key: value for key, value in kept.said.items() if key not in measured}
    return Leg(columns, kept.pauses, said, kept.notes)


def _table(name: str, leg: Leg, place: tuple[int, int], salvaged: str) -> Table:
    """The table of one leg."""
    absent = np.full(len(leg.columns["time"]), np.nan)
    columns, found, notes = credible(dict.fromkeys(_ALWAYS, absent) | leg.columns)
    time = columns["time"]
    timer, breaks, pauses = _stopped(time, leg.pauses)
    said = {
        "leg": str(place[0]),
        "legs": str(place[1]),
        "pauses": str(len(pauses)),
        "paused_s": _seconds(sum(pause.end_s - pause.start_s for pause in pauses)),
        **_durations(columns, timer, pauses),
        **_climbed(columns),
        **found,
        **leg.said,
    }
    if "moving_s" in said:  # rows come once a second or so, the file's durations are finer
        said["moving_s"] = min(said["moving_s"], said["timer_s"], key=float)
    if np.isfinite(time[0]) and CLOCK_NOT_SET not in leg.notes:
        said["start"] = utc_text(float(time[0]))
    if salvaged:
        said["salvaged"] = salvaged
        notes.insert(0, finding(f"salvaged: {salvaged}"))
    every = columns | {"timer": timer}
    return Table(name, every, said, None, breaks=breaks, notes=(*notes, *leg.notes))


def _stopped(
    time: np.ndarray, pauses: Sequence[Pause]
) -> tuple[np.ndarray, dict[int, str], list[Pause]]:
    """Whether the timer ran in each row, rows after a stop, and the pauses inside the leg."""
    timer = np.ones(len(time))
    breaks: dict[int, str] = {}
    inside = []
    for pause in pauses:
        before, after = time <= pause.start_s, time >= pause.end_s
        during = ~before & ~after
        timer[during] = 0.0
        if before.any() and after.any():
            inside.append(pause)
        for rows in (during, after):
            if rows.any():
                breaks[int(np.argmax(rows))] = pause.cause
    breaks.pop(0, None)
    return timer, breaks, inside


def _durations(
    columns: dict[str, np.ndarray], timer: np.ndarray, pauses: Sequence[Pause]
) -> dict[str, str]:
    """The three durations and the distance from the rows."""
    time = columns["time"]
    if not np.isfinite(time).all():
        return {}
    elapsed = float(time[-1] - time[0])
    paused = sum(pause.end_s - pause.start_s for pause in pauses)
    found = {"elapsed_s": _seconds(elapsed), "timer_s": _seconds(elapsed - paused)}
    found["span_s"] = found["elapsed_s"]
    # What a row reads holds until the next one: the last row has no duration.
    ran = (timer[:-1] > 0.0) & (timer[1:] > 0.0)
    for pause in pauses:
        ran &= (time[:-1] > pause.start_s) | (time[1:] < pause.end_s)
    if (known := np.isfinite(columns["speed"])).any():
        last_known = np.maximum.accumulate(np.where(known, np.arange(len(time)), -1))
        speed = np.where(last_known >= 0, columns["speed"][last_known], 0.0)
        moving = ran & (speed[:-1] > 0.0)
        found["moving_s"] = _seconds(float(np.diff(time)[moving].sum()))
    known = np.isfinite(columns["distance"])
    if known.any():
        steps = np.diff(columns["distance"][known])
        paused_before = np.concatenate([[0], np.cumsum(~ran)])[known]
        found["distance_m"] = f"{float(steps[np.diff(paused_before) == 0].sum()):.1f}"
    return found


def _climbed(columns: dict[str, np.ndarray]) -> dict[str, str]:
    """Metres climbed, and how they were counted."""
    metres, low, high = ascent(columns["time"], columns["altitude"])
    if not np.isfinite(metres):
        return {}
    rule = f"median over {SMOOTHING_S:g} s, climbs of {HYSTERESIS_M:g} m or more"
    interval = f"{low:.1f} to {high:.1f}"
    return {"ascent_m": f"{metres:.1f}", "ascent_m_interval": interval, "ascent_rule": rule}


def _seconds(value: float) -> str:
    """Seconds with the digits that a file can carry."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def utc_text(seconds: float) -> str:
    """A time in seconds since 1970 as text.

    >>> utc_text(1568988603.0)
    '2019-09-20T14:10:03Z'
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")
