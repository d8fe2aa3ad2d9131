"""Files of activity monitors for tests, as their makers describe them."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

SERIAL = "012967"
PERSON = ("Aino Example", "1971-02-03")
PAGE_ROWS = 300
TEN = datetime(2020, 9, 13, 10)  # noqa: DTZ001 (a monitor's clock has no zone)


def geneactiv(
    file: Path, pages: int = 2, *, promised: int | None = None, zone: str = "GMT +02:00"
) -> np.ndarray:
    """A file at 100 Hz from 10:00:00 of its clock; gives the counts of x, y, z, row by row."""
    counts = np.arange(pages * PAGE_ROWS * 3).reshape(-1, 3) * 7 % 1001 - 500
    blocks = [
        "Device Identity",
        f"Device Unique Serial Code:{SERIAL}",
        "Device Type:GENEActiv",
        "Device Model:1.1",
        "Device Firmware Version:Ver1.30 date 05Aug11",
        "Calibration Date:2012-04-03 11:08:52:000",
        "",
        "Device Capabilities",
        *("Accelerometer Range:-8 to 8", "Accelerometer Resolution:0.0039"),
        *("Accelerometer Units:g", "Light Meter Range:0 to 5000", "Light Meter Resolution:5"),
        *("Light Meter Units:lux", "Temperature Sensor Range:0 to 70"),
        *("Temperature Sensor Resolution:0.1", "Temperature Sensor Units:deg. C"),
        "",
        "Configuration Info",
        *("Measurement Frequency:100 Hz", "Measurement Period:24 Hours"),
        *("Start Time:2020-09-13 10:00:00:000", f"Time Zone:{zone}"),
        "",
        "Trial Info",
        *("Study Centre:", "Study Code:", "Investigator ID:", "Exercise Type:"),
        *("Config Operator ID:2", "Config Time:2020-09-12 14:02:12:642", "Config Notes:"),
        *("Extract Operator ID:", "Extract Time:2020-09-14 17:25:40:479", "Extract Notes:"),
        "",
        "Subject Info",
        *("Device Location Code:", f"Subject Code:{PERSON[0]}", f"Date of Birth:{PERSON[1]}"),
        *("Sex:", "Height:", "Weight:", "Handedness Code:", "Subject Notes:"),
        "",
        "Calibration Data",
        *("x gain:25600", "x offset:0", "y gain:25600", "y offset:0", "z gain:25600"),
        *("z offset:0", "Volts:300", "Lux:800"),
        "",
        "Memory Status",
        f"Number of Pages:{pages if promised is None else promised}",
        "",
    ]
    for page in range(pages):
        rows = counts[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
        blocks += [
            "Recorded Data",
            f"Device Unique Serial Code:{SERIAL}",
            f"Sequence Number:{page}",
            f"Page Time:{TEN + timedelta(seconds=3 * page):%Y-%m-%d %H:%M:%S}:000",
            *("Unassigned:", "Temperature:21.5", "Battery voltage:4.1", "Device Status:Recording"),
            "Measurement Frequency:100.0",
            "".join(f"{x & 0xFFF:03X}{y & 0xFFF:03X}{z & 0xFFF:03X}010" for x, y, z in rows),
        ]
    file.write_bytes("\r\n".join([*blocks, ""]).encode("latin-1"))
    return counts


def cwa(file: Path, blocks: int = 3, *, broken: int | None = None) -> np.ndarray:
    """An AX3's file at 100 Hz from 10:00:00 of its clock; gives the counts of x, y, z, row by row.

    80 readings of 6 bytes a block; `broken` is a block whose checksum is wrong.
    """
    head = bytearray(b"\xff" * 1024)
    struct.pack_into("<2sHBHIH", head, 0, b"MD", 1020, 0, 1234, 5, 0xFFFF)
    struct.pack_into("<II", head, 13, _clock(0), _clock(blocks * 0.8 + 1))
    head[36:39] = bytes([0x4A, 0, 0])  # 100 Hz, range 8 g
    head[64:128] = PERSON[0].encode().ljust(64)
    rows = 80
    counts = np.arange(blocks * rows * 3).reshape(-1, 3) * 11 % 901 - 450
    body = b""
    for number in range(blocks):
        ahead = number * rows
        block = bytearray(512)
        # Light, temperature, events, battery; 100 Hz and 8 g, three axes of 16 bits; where the
        # whole second is among the readings, and how many there are.
        measured = (341, 300, 0, 200, 0x4A, 0x32, -(ahead % 100), rows)
        stamps = (b"AX", 508, 0, 5, number, _clock(ahead // 100))
        struct.pack_into("<2sHHIIIHHBBBBhH", block, 0, *stamps, *measured)
        data = counts[ahead : ahead + rows].astype("<i2").tobytes()
        block[30 : 30 + len(data)] = data
        words = np.frombuffer(bytes(block[:510]), "<u2")
        checksum = (-int(words.sum())) & 0xFFFF
        struct.pack_into("<H", block, 510, checksum ^ (number == broken))
        body += bytes(block)
    file.write_bytes(bytes(head) + body)
    return counts


def _clock(second: float) -> int:
    """A second after ten as the AX3 packs it: six bits of year, four of month, and so on."""
    moment = TEN + timedelta(seconds=int(second))
    packed = (moment.year - 2000) & 0x3F
    fields = (moment.month, moment.day, moment.hour, moment.minute, moment.second)
    for value, bits in zip(fields, (4, 5, 5, 6, 6), strict=True):
        packed = packed << bits | value
    return packed
