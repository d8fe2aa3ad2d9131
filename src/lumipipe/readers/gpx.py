"""GPX files: one table for each track, by gpxpy; positions stay inside.

What all activity files have in common is in `lumipipe.readers.legs`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.hidden_ends import metres_between
from lumipipe.readers.legs import ActivityOptions, Leg, Pause, leg_tables
from lumipipe.readers.libraries import library
from lumipipe.readers.privacy import POSITIONS_KEPT
from lumipipe.readers.xmlinput import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_GARMIN = "http://www.garmin.com/xmlschemas/"
_CLUETRUST = "http://www.cluetrust.com/XML/GPXDATA/1/0"
_TRACK_POINT = {
    "hr": "heart_rate",
    "cad": "cadence",
    "atemp": "temperature",
    "wtemp": "water_temperature",
    "depth": "depth",
    "speed": "speed",
}
# Elements of extensions by namespace and name, whatever their prefix; "" where there is none, for
# gpxpy takes the file's own namespace away.
_KNOWN = {
    **{
        (f"{_GARMIN}TrackPointExtension/v{n}", k): v
        for n in (1, 2)
        for k, v in _TRACK_POINT.items()
    },
    (f"{_GARMIN}PowerExtension/v1", "PowerInWatts"): "power",
    (_CLUETRUST, "hr"): "heart_rate",
    (_CLUETRUST, "cadence"): "cadence",
    (_CLUETRUST, "temp"): "temperature",
    (_CLUETRUST, "distance"): "distance",
    ("", "power"): "power",
}
_UNITS = {"water_temperature": "degC", "depth": "m"}
_TAG = re.compile(r"^(?:\{(?P<space>[^}]*)\})?(?P<name>.*)$")
_DECLARED = re.compile(r"xmlns(?::[\w.-]+)?\s*=\s*[\"'][^\"']*[\"']")
_MOST_SPACES = 64
_SPORT = re.compile(r"[A-Za-z0-9_ -]{1,32}")
_BROKEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Options(ActivityOptions):
    """Keys of a GPX file."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each track of a GPX file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whether to salvage, and what is private.

    Yields
    ------
    Table
        Columns of float64 by standard name: ``time`` (s since 1970, UTC), what the extensions
        of points give, and ``distance`` along the positions where they give none. A new segment
        of a track is a break. Extensions that are not known are named in a note.

    Raises
    ------
    InputError
        If gpxpy is not installed.
    RecordingError
        If the file is damaged or hostile, holds no track, or its points have no times.
    """
    text, salvaged = read_xml(file, "trkpt", salvage=options.salvage, most_bytes=options.most_bytes)
    tracks = [track for track in _tracks(file, text) if _points(track)]
    if not tracks:
        raise RecordingError(
            shown(file), "holds no track with points", "export the activity with its track"
        )
    legs = [_leg(file, track, options) for track in tracks]
    yield from leg_tables(file, legs, options, salvaged)


def _tracks(file: Path, text: str) -> list[Any]:
    """The tracks, after what would keep gpxpy busy for hours was refused."""
    declared = _DECLARED.findall(text)
    if len(declared) != text.count("xmlns") or len(set(declared)) > _MOST_SPACES:
        raise RecordingError(
            shown(file),
            f"has the word xmlns outside its place, or more than {_MOST_SPACES} namespaces",
            "check where the file is from",
        )
    gpxpy: Any = library(file, "gpxpy", "gpxpy", "activity-files")
    try:
        return list(gpxpy.parse(text).tracks)
    except (gpxpy.gpx.GPXException, *_BROKEN) as error:
        raise RecordingError(
            shown(file), f"is no GPX that gpxpy reads ({type(error).__name__})", "export it again"
        ) from error


def _points(track: Any) -> list[Any]:
    """All points of a track, in the order of its segments."""
    return [point for segment in track.segments for point in segment.points]


def _leg(file: Path, track: Any, options: Options) -> Leg:
    """One track as a leg."""
    points = _points(track)
    unknown: set[str] = set()
    rows = [_readings(file, point, unknown) for point in points]
    names = sorted({name for row in rows for name in row})
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}
    columns["time"] = np.array([_seconds(point.time) for point in points])
    if np.isnan(columns["time"]).all():
        raise RecordingError(
            shown(file), "none of its points has a time", "export the activity with times"
        )
    said = {"utc_offset": "unknown"}
    places = np.array([[point.latitude, point.longitude] for point in points], dtype=np.float64)
    notes = []
    if "distance" not in columns:
        columns["distance"] = _along(places)
        said["distance_from"] = "positions"
    if options.positions:
        columns["latitude"], columns["longitude"] = places.T
    else:
        said |= POSITIONS_KEPT
    if unknown:
        left = ", ".join(sorted(unknown))
        notes.append(finding(f"extensions that are not known were left out: {left}"))
    said |= {f"unit:{name}": unit for name, unit in _UNITS.items() if name in columns}
    if track.type and _SPORT.fullmatch(track.type):
        said["sport"] = track.type
    return Leg(columns, tuple(_pauses(track)), said, tuple(notes))


def _pauses(track: Any) -> Iterator[Pause]:
    """The times between segments."""
    spans = []
    for segment in track.segments:
        times = [_seconds(point.time) for point in segment.points if point.time is not None]
        if times:
            spans.append((times[0], times[-1]))
    for before, after in pairwise(spans):
        yield Pause(before[1], after[0], finding("new segment of the track"))


def _seconds(moment: Any) -> float:
    """A time in seconds since 1970; one without an offset is UTC, as GPX demands."""
    if moment is None:
        return float("nan")
    offset = moment.utcoffset()
    days = moment.toordinal() - _DAY_1970
    seconds = (days * 24 + moment.hour) * 3600 + moment.minute * 60 + moment.second
    shift = 0.0 if offset is None else offset.total_seconds()
    return float(seconds - shift + moment.microsecond / 1e6)


_DAY_1970 = 719_163  # 1970-01-01 in days of datetime


def _readings(file: Path, point: Any, unknown: set[str]) -> dict[str, float]:
    """What a point reads, by standard name; new extensions are added to `unknown`."""
    found = {"altitude": point.elevation, "speed": point.speed}
    for element in (item for extension in point.extensions for item in extension.iter()):
        parts = _TAG.match(element.tag) if isinstance(element.tag, str) else None
        text = (element.text or "").strip()
        if parts is None or not text:
            continue
        name = _KNOWN.get((parts["space"] or "", parts["name"]))
        if name is None:
            unknown.add(_shown_name(parts["name"]))
        else:
            found[name] = _number(file, name, text)
    return {name: float(value) for name, value in found.items() if value is not None}


def _shown_name(name: str) -> str:
    """The name of an element, cut where it is long."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:40]


def _number(file: Path, name: str, text: str) -> float:
    """A reading as a number."""
    try:
        return float(text)
    except ValueError as error:
        raise RecordingError(
            shown(file), f"a {name} is no number", "export it again, or mend the point"
        ) from error


def _along(places: np.ndarray) -> np.ndarray:
    """Distance from the first point along all points, in m, on a sphere."""
    latitude, longitude = places.T
    steps = metres_between(latitude[:-1], longitude[:-1], latitude[1:], longitude[1:])
    return np.concatenate([[0.0], np.cumsum(steps)])
