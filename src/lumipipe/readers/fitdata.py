"""The messages of a FIT file that lumipipe uses, decoded by fitdecode.

What they mean, legs and pauses, is in `lumipipe.readers.fit`. Messages about a person, such as
``user_profile``, are never looked into.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.fitpool import Pulse, length, pulse
from lumipipe.readers.libraries import library
from lumipipe.readers.privacy import is_place

if TYPE_CHECKING:
    from pathlib import Path

UTC_S = 631_065_600  # 1989-12-31 00:00 UTC, from which FIT counts, in seconds since 1970
_CLOCK_SET = 0x10000000  # smaller times count from when the device was switched on
_SESSION = (
    *("sport", "sub_sport", "start_time", "timestamp", "total_distance"),
    *("total_elapsed_time", "total_timer_time", "total_moving_time"),
)
_WANTED = {
    "session": _SESSION,
    "event": ("timestamp", "event", "event_type", "timer_trigger"),
    "file_id": ("type", "manufacturer", "product", "garmin_product", "serial_number"),
    "activity": ("timestamp", "local_timestamp"),
    "hrv": ("time",),
}
_TIMES = {"timestamp", "start_time"}
_KEPT_ELSEWHERE = {"timestamp", "fractional_timestamp", "time128"}
_BROKEN = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


@dataclass
class Part:
    """What one header of a file rules: its records and the messages about them.

    Times are in seconds since 1970 (UTC), or since the first record where the device's clock was
    not set; a record or message without one has NaN.
    """

    records: list[dict[str, float]] = field(default_factory=list)
    hrv: list[tuple[float, tuple[float, ...]]] = field(default_factory=list)
    pulses: list[Pulse] = field(default_factory=list)
    lengths: list[dict[str, float]] = field(default_factory=list)
    said: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    undescribed: set[str] = field(default_factory=set)
    clock_set: bool = True


@dataclass(frozen=True)
class Content:
    """All parts of a file; bytes read of how many and the fault, where it was salvaged."""

    parts: list[Part]
    salvaged: str | None


def decode(file: Path, raw: bytes, *, salvage: bool) -> Content:
    """The messages of a FIT file.

    Parameters
    ----------
    file : Path
        For messages.
    raw : bytes
        Its content.
    salvage : bool
        Whether to keep what stands before a fault.

    Returns
    -------
    Content
        Parts in the order of the file.

    Raises
    ------
    InputError
        If fitdecode is not installed.
    RecordingError
        If the file is damaged: a wrong checksum, a length that does not fit, a cut end.

    Notes
    -----
    *Method*: a length of 0 in the header, which a recorder writes before it knows better, is
    replaced by the file's own when salvaging. A developer field that no message describes is
    passed over by its length.
    """
    fit: Any = library(file, "fitdecode", "fitdecode", "activity-files")
    reader = fit.FitReader(
        _with_length(raw) if salvage else raw,
        processor=None,
        check_crc=fit.CrcCheck.READONLY if salvage else fit.CrcCheck.RAISE,
        error_handling=fit.ErrorHandling.IGNORE,
        keep_raw_chunks=True,
    )
    parts: list[Part] = []
    fault, read = None, 0
    try:
        for frame in reader:
            fault = fault or _misfit(fit, frame)
            if fault is not None and not salvage:
                break
            _take(fit, parts, frame)
            read = frame.chunk.offset + len(frame.chunk.bytes)
    except (fit.FitError, struct.error, *_BROKEN) as error:
        fault = finding(f"{_words(error)} after byte {read}")
    if not parts and fault is None:
        fault = finding("it is empty")
    if fault is not None and not (salvage and any(part.records for part in parts)):
        raise RecordingError(
            shown(file),
            f"is damaged or no FIT file: {fault}",
            "fetch it again, or set read.salvage: true to keep what is whole",
        )
    for part in parts:
        _settle_clock(part)
    return Content(parts, fault and f"{read} of {len(raw)} bytes read, {fault}")


def _words(error: Exception) -> str:
    """What went wrong, without the name of a class where the library has words for it."""
    text = str(error)
    return text if " " in text else finding(f"it cannot be decoded ({type(error).__name__})")


def _with_length(raw: bytes) -> bytes:
    """The bytes with a data length in the header where that is 0."""
    if len(raw) > 14 and raw[8:12] == b".FIT" and raw[4:8] == bytes(4):  # noqa: PLR2004
        return raw[:4] + struct.pack("<I", len(raw) - raw[0]) + raw[8:]
    return raw


def _misfit(fit: Any, frame: Any) -> str | None:
    """What is wrong with a frame: its checksum, or a field that is no multiple of its type."""
    if frame.frame_type == fit.FIT_FRAME_CRC and not frame.matched:
        return finding("its checksum is wrong: any value may be")
    if frame.frame_type != fit.FIT_FRAME_DEFINITION:
        return None
    body = frame.chunk.bytes[6:]
    for number, size, kind in zip(*(iter(body[: 3 * frame.chunk.bytes[5]]),) * 3, strict=True):
        base = fit.types.BASE_TYPES.get(kind)
        if base is not None and size % base.size:
            return finding(
                f"a field of {size} bytes is no {base.name} "
                f"(number {number}, byte {frame.chunk.offset})"
            )
    return None


def _take(fit: Any, parts: list[Part], frame: Any) -> None:
    """Keep what is used of one frame."""
    if frame.frame_type == fit.FIT_FRAME_HEADER:
        parts.append(Part())
    if frame.frame_type != fit.FIT_FRAME_DATA:
        return
    part, name = parts[-1], frame.name
    if name == "record":
        part.records.append(_record(part, frame))
    elif name == "hr":
        part.pulses.append(pulse(frame, _since_1970))
    elif name == "length":
        part.lengths.append(length(frame, _since_1970))
    elif name in _WANTED:
        _take_said(part, name, frame)


def _take_said(part: Part, name: str, frame: Any) -> None:
    """Keep what a message about the records says."""
    found = [item for item in frame.fields if item.name in _WANTED[name]]
    if name == "hrv":
        last = part.records[-1]["time"] if part.records else float("nan")
        part.hrv += [(last, _intervals(item.value)) for item in found]
        return
    # Numbers and what the profile calls them: free text may be anybody's name.
    said = {item.name: item.value for item in found if isinstance(item.raw_value, int)}
    for key in _TIMES & said.keys():
        said[key] = _since_1970(said[key])
    part.said.setdefault(name, []).append(said)


def _record(part: Part, frame: Any) -> dict[str, float]:
    """The numbers of one record by the names of their fields."""
    row = {"time": float("nan")}
    fraction = 0.0
    for item in frame.fields:
        name, value = item.name, item.value
        is_developer = item.field_def is not None and item.field_def.is_dev
        if name is None or is_developer:
            name = _developer_name(part, item)
        if name is None or value is None or name.startswith("unknown"):
            continue
        if isinstance(value, tuple | list | bytes | str | bool):
            part.lists.add(name)
        elif name == "timestamp":
            row["time"] = _since_1970(value)
        elif name in _KEPT_ELSEWHERE:
            fraction = float(value)
        else:
            row[name] = float(value)
            part.units.setdefault(name, item.units or "")
    row["time"] += fraction
    return row


def _developer_name(part: Part, item: Any) -> str | None:
    """Name of a developer field apart from all others; None where nothing describes it."""
    name = item.name
    if not isinstance(name, str) or name.startswith("unknown"):
        part.undescribed.add(f"number {item.def_num}")
        return None
    plain = "".join(sign if sign.isprintable() else "?" for sign in name)[:64]
    return f"developer/{plain}"


def _since_1970(value: Any) -> float:
    """A FIT time in seconds since 1970 (UTC)."""
    return float(value) + UTC_S if isinstance(value, int | float) else float("nan")


def _settle_clock(part: Part) -> None:
    """Times from before the clock was set: seconds since the first record, or none at all."""
    times = [row["time"] for row in part.records if not math.isnan(row["time"])]
    limit = _CLOCK_SET + UTC_S
    if not times or times[-1] >= limit:
        origin, least = 0.0, limit
    else:
        origin, least, part.clock_set = times[0], 0, False

    def settled(time: float) -> float:
        return time - origin if time >= least else math.nan

    for row in (*part.records, *part.lengths):
        row["time"] = settled(row["time"])
    part.pulses = [item._replace(clock_s=settled(item.clock_s)) for item in part.pulses]
    part.hrv = [(settled(time), values) for time, values in part.hrv]
    for said in (item for items in part.said.values() for item in items):
        for key in _TIMES & said.keys():
            said[key] = settled(said[key])


def _intervals(value: Any) -> tuple[float, ...]:
    """Times between beats in s; empty places of the message left out."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(float(item) for item in values if isinstance(item, int | float))


def is_position(name: str) -> bool:
    """Whether a field of a record tells where somebody was."""
    return is_place(name.removeprefix("developer/"))
