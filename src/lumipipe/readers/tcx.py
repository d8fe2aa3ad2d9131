"""TCX files (Training Center XML): one table for each activity, by the standard library's XML.

The file is looked through first (`lumipipe.readers.xmlinput`); what all activity files have in
common is in `lumipipe.readers.legs`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.legs import ActivityOptions, Leg, Pause, leg_tables
from lumipipe.readers.privacy import POSITIONS_KEPT, pseudonym
from lumipipe.readers.xmlinput import read_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from lumipipe.readers.tables import Table

_GARMIN = "http://www.garmin.com/xmlschemas/"
_DATABASE = re.compile(rf"^\{{{_GARMIN}TrainingCenterDatabase/v[12]\}}")
_EXTENSION = re.compile(rf"^\{{{_GARMIN}ActivityExtension/v[12]\}}")
# Path below a point to the standard name; of two that fill one name the first is taken.
_READINGS = {
    "AltitudeMeters": "altitude",
    "DistanceMeters": "distance",
    "HeartRateBpm/Value": "heart_rate",
    "Cadence": "cadence",
    "Extensions/TPX/RunCadence": "cadence",
    "Extensions/TPX/Speed": "speed",
    "Extensions/TPX/Watts": "power",
}
_POSITIONS = {
    "Position/LatitudeDegrees": "latitude",
    "Position/LongitudeDegrees": "longitude",
}


class Options(ActivityOptions):
    """Keys of a TCX file."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each activity of a TCX file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whether to salvage, and what is private.

    Yields
    ------
    Table
        Columns of float64 by standard name, ``time`` in s since 1970 (UTC). A new track within a
        lap is a break: the timer had stopped.

    Raises
    ------
    RecordingError
        If the file is damaged or hostile, holds no points, or its points have no times.
    """
    text, salvaged = read_xml(
        file, "Trackpoint", salvage=options.salvage, most_bytes=options.most_bytes
    )
    try:
        root = ET.fromstring(text)  # noqa: S314 (read_xml refused what could expand)
    except ET.ParseError as error:
        raise RecordingError(shown(file), "is no well-formed XML", "export it again") from error
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = _EXTENSION.sub("", _DATABASE.sub("", element.tag))
    legs = [_leg(file, activity, options) for activity in root.iter("Activity")]
    if not any(len(leg.columns["time"]) for leg in legs):
        raise RecordingError(
            shown(file), "holds no activity with points", "export the activity with its track"
        )
    yield from leg_tables(file, legs, options, salvaged)


def _leg(file: Path, activity: Element, options: Options) -> Leg:
    """One activity as a leg."""
    paths = _READINGS | (_POSITIONS if options.positions else {})
    points = [point for track in activity.iter("Track") for point in track.iter("Trackpoint")]
    columns = {"time": np.array([_time(point.findtext("Time")) for point in points])}
    for path, name in paths.items():
        values = np.array([_number(file, name, point.findtext(path)) for point in points])
        known = columns.get(name)
        columns[name] = values if known is None else np.where(np.isnan(known), values, known)
    if points and np.isnan(columns["time"]).all():
        raise RecordingError(
            shown(file), "none of its points has a time", "export the activity with times"
        )
    said = _said(file, activity, options)
    if not options.positions and activity.find(".//Position") is not None:
        said |= POSITIONS_KEPT
    return Leg(columns, tuple(_pauses(activity)), said)


def _said(file: Path, activity: Element, options: Options) -> dict[str, str]:
    """Attributes of an activity: sport, sums of its laps, and its device."""
    said = {"utc_offset": "unknown"}
    if (sport := activity.get("Sport")) and re.fullmatch(r"\w{1,32}", sport):
        said["sport"] = sport.lower()
    for key, path in {"timer_s": "TotalTimeSeconds", "distance_m": "DistanceMeters"}.items():
        laps = [_number(file, path, lap.findtext(path)) for lap in activity.iter("Lap")]
        if laps and np.isfinite(laps).all():
            said[key] = f"{sum(laps):.10g}"
    if (elapsed := _elapsed(file, activity)) is not None:
        said["elapsed_s"] = f"{max(elapsed, float(said.get('timer_s', 0.0))):.10g}"
    product = activity.findtext("Creator/ProductID", "")
    if re.fullmatch(r"\d{1,9}", product):
        said["product"] = product
    serial = activity.findtext("Creator/UnitId")
    if options.pseudonyms is not None and serial:
        said["device"] = pseudonym(serial, options.pseudonyms)
    return said


def _elapsed(file: Path, activity: Element) -> float | None:
    """Seconds from the start of the first lap to the end of the last lap or point."""
    laps = list(activity.iter("Lap"))
    ends = [_time(point.findtext("Time")) for point in activity.iter("Trackpoint")]
    starts = [_time(lap.get("StartTime")) for lap in laps]
    totals = [_number(file, "duration", lap.findtext("TotalTimeSeconds")) for lap in laps]
    ends += [start + total for start, total in zip(starts, totals, strict=True)]
    if not starts or np.isnan(starts[0]) or not np.isfinite(ends).any():
        return None
    return float(np.nanmax(ends) - starts[0])


def _pauses(activity: Element) -> Iterator[Pause]:
    """The times between two tracks of a lap."""
    for lap in activity.iter("Lap"):
        spans = []
        for track in lap.findall("Track"):
            times = [_time(point.findtext("Time")) for point in track.iter("Trackpoint")]
            if times and np.isfinite([times[0], times[-1]]).all():
                spans.append((times[0], times[-1]))
        for before, after in pairwise(spans):
            yield Pause(before[1], after[0], finding("new track in a lap"))


def _time(text: str | None) -> float:
    """A time in seconds since 1970, NaN where there is none; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return float("nan")


def _number(file: Path, name: str, text: str | None) -> float:
    """A reading as a number; NaN where there is none."""
    if text is None or not text.strip():
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise RecordingError(
            shown(file), f"a {name} is no number", "export it again, or mend the point"
        ) from error
