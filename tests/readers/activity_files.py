"""Small activity files as devices and platforms write them, for tests."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

START = 1_600_000_000  # 2020-09-13 12:26:40 UTC, in s since 1970
FIT_EPOCH = 631_065_600
ENUM, UINT8, STRING, UINT16, SINT32, UINT32, UINT32Z = 0, 2, 7, 0x84, 0x85, 0x86, 0x8C
_FORMATS = {ENUM: "B", UINT8: "B", UINT16: "H", SINT32: "i", UINT32: "I", UINT32Z: "I"}
FILE_ID, SESSION, RECORD, EVENT, ACTIVITY = 0, 18, 20, 21, 34
USER_PROFILE, HRV, FIELD_DESCRIPTION, DEVELOPER_DATA_ID = 3, 78, 206, 207
SPORTS = {"transition": 3, "running": 1, "cycling": 2, "swimming": 5}


class Message(NamedTuple):
    """A message: fields as number, type and value; developer fields as number, bytes, index."""

    number: int
    fields: Sequence[tuple[int, int, Any]]
    developer: Sequence[tuple[int, bytes, int]] = ()


def fit_file(messages: Iterable[Message]) -> bytes:
    """A FIT file with a checksum."""
    body = b"".join(_definition(message) + _data(message) for message in messages)
    return sealed(struct.pack("<BBHI4s", 14, 0x20, 2132, len(body), b".FIT"), body)


def sealed(head: bytes, body: bytes) -> bytes:
    """Header of twelve bytes and body with their checksums."""
    head += struct.pack("<H", _crc(head))
    return head + body + struct.pack("<H", _crc(head + body))


def _crc(data: bytes) -> int:
    """CRC-16 with the reversed polynomial 0xA001, as FIT wants it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc


def _bytes(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return value.encode() + b"\0"
    values = value if isinstance(value, tuple) else (value,)
    return struct.pack(f"<{len(values)}{_FORMATS[kind]}", *values)


def _definition(message: Message) -> bytes:
    head = struct.pack(
        "<BBBHB", 0x60 if message.developer else 0x40, 0, 0, message.number, len(message.fields)
    )
    fields = b"".join(
        struct.pack("BBB", number, len(_bytes(kind, value)), kind)
        for number, kind, value in message.fields
    )
    if not message.developer:
        return head + fields
    listed = b"".join(struct.pack("BBB", n, len(v), at) for n, v, at in message.developer)
    return head + fields + struct.pack("B", len(message.developer)) + listed


def _data(message: Message) -> bytes:
    body = b"".join(_bytes(kind, value) for _, kind, value in message.fields)
    return b"\0" + body + b"".join(value for _, value, _ in message.developer)


def fit_time(second: float) -> int:
    """A second of the activity as FIT counts."""
    return int(START + second - FIT_EPOCH)


def record(second: float, **values: float) -> Message:
    """A record with heart_rate, power, speed, latitude and longitude (degrees)."""
    known = {
        "heart_rate": (3, UINT8, 1),
        "power": (7, UINT16, 1),
        "speed": (6, UINT16, 1000),
        "distance": (5, UINT32, 100),
        "cadence": (4, UINT8, 1),
        "latitude": (0, SINT32, 2**31 / 180),
        "longitude": (1, SINT32, 2**31 / 180),
        "time128": (48, UINT8, 128),
    }
    fields = [(253, UINT32, fit_time(second))]
    for name, value in values.items():
        number, kind, scale = known[name]
        fields.append((number, kind, round(value * scale)))
    return Message(RECORD, fields)


def timer(second: float, *, starts: bool, trigger: int = 0) -> Message:
    """The timer starts, or stops by hand (0) or by itself (1)."""
    return Message(
        EVENT,
        [
            (253, UINT32, fit_time(second)),
            (0, ENUM, 0),
            (1, ENUM, 0 if starts else 4),
            (3, UINT32, trigger),
        ],
    )


def session(sport: str, first: float, seconds: float, **totals: float) -> Message:
    """The summary of a leg."""
    fields = [
        (253, UINT32, fit_time(first + seconds)),
        (2, UINT32, fit_time(first)),
        (5, ENUM, SPORTS[sport]),
        (7, UINT32, round(1000 * seconds)),
        (8, UINT32, round(1000 * totals.get("timer_s", seconds))),
    ]
    return Message(SESSION, fields)


def file_id(serial: int = 3_912_345_678) -> Message:
    """What kind of file, from which device."""
    return Message(FILE_ID, [(0, ENUM, 4), (1, UINT16, 1), (2, UINT16, 1036), (3, UINT32Z, serial)])


def hrv(*intervals_s: float) -> Message:
    """Up to five times between beats."""
    values = [round(1000 * value) for value in intervals_s]
    return Message(HRV, [(0, UINT16, tuple(values + [0xFFFF] * (5 - len(values))))])


def ride(seconds: int = 60) -> list[Message]:
    """A ride at 1 Hz with power and heart rate."""
    return [
        file_id(),
        timer(0, starts=True),
        *[
            record(t, heart_rate=120 + t % 7, power=200 + t % 11, speed=8.0, distance=8.0 * t)
            for t in range(seconds)
        ],
        timer(seconds - 1, starts=False),
        session("cycling", 0, seconds - 1),
    ]


def gpx(points: str, head: str = "", name: str = "") -> str:
    """A GPX file with one track; `points` may close and open segments."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1" {head}>'
        f"<trk><name>{name}</name><type>cycling</type><trkseg>{points}</trkseg></trk></gpx>"
    )


NEW_SEGMENT = "</trkseg><trkseg>"


def iso(second: float) -> str:
    """A second of the activity in the form of XML."""
    return str(np.datetime64(int(1000 * (START + second)), "ms")) + "Z"


def trkpt(second: float | None, inside: str = "", latitude: float = 60.0) -> str:
    """A point of a track."""
    time = "" if second is None else f"<time>{iso(second)}</time>"
    return f'<trkpt lat="{latitude:.7f}" lon="25.5"><ele>100</ele>{time}{inside}</trkpt>'


def tcx(laps: str, sport: str = "Biking", creator: str = "") -> str:
    """A TCX file with one activity."""
    space = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
    return (
        f'<?xml version="1.0"?><TrainingCenterDatabase xmlns="{space}">'
        f'<Activities><Activity Sport="{sport}"><Id>{iso(0)}</Id>{laps}{creator}</Activity>'
        "</Activities></TrainingCenterDatabase>"
    )


def lap(first: float, seconds: float, *tracks: str) -> str:
    """A lap with its tracks."""
    inside = "".join(f"<Track>{track}</Track>" for track in tracks)
    return (
        f'<Lap StartTime="{iso(first)}"><TotalTimeSeconds>{seconds}</TotalTimeSeconds>'
        f"<DistanceMeters>{8 * seconds}</DistanceMeters>{inside}</Lap>"
    )


def trackpoint(second: float, power: float = 200, heart_rate: float = 120) -> str:
    """A point of TCX with a position, power and heart rate."""
    space = "http://www.garmin.com/xmlschemas/ActivityExtension/v2"
    return (
        f"<Trackpoint><Time>{iso(second)}</Time><Position><LatitudeDegrees>60.1234567"
        "</LatitudeDegrees><LongitudeDegrees>25.7654321</LongitudeDegrees></Position>"
        f"<DistanceMeters>{8 * second}</DistanceMeters><HeartRateBpm><Value>{heart_rate}</Value>"
        f'</HeartRateBpm><Extensions><TPX xmlns="{space}"><Watts>{power}</Watts></TPX></Extensions>'
        "</Trackpoint>"
    )


def hrm(rows: str, mode: str = "111000100", interval: int = 5, length: str = "00:00:20.0") -> str:
    """A .hrm file."""
    return (
        f"[Params]\nVersion=106\nMonitor=22\nSMode={mode}\nDate=20200913\nStartTime=15:26:40.0\n"
        f"Length={length}\nInterval={interval}\n\n[Note]\nAino Example\n\n[HRData]\n{rows}"
    )


def wfdb_record(folder: Path, name: str = "r1") -> Path:
    """An ECG of 3 s with four beats, the third of them ventricular; gives its header."""
    samples = np.arange(1080, dtype="<i2")
    (folder / f"{name}.dat").write_bytes(samples.tobytes())
    head = f"{name} 1 360 1080\n{name}.dat 16 200 12 0 0 {int(samples.sum()) % 65536} 0 MLII\n"
    (folder / f"{name}.hea").write_text(head + "# 69 M Aino Example\n", encoding="ascii")
    # Code in the upper six bits, samples since the last one in the lower ten; 28 is a new rhythm.
    marks = [(28, 18), (1, 54), (1, 288), (5, 216), (1, 396), (0, 0)]
    words = [code << 10 | step for code, step in marks]
    (folder / f"{name}.atr").write_bytes(struct.pack(f"<{len(words)}H", *words))
    return folder / f"{name}.hea"
