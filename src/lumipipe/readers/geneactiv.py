"""BIN files of GENEActiv monitors: pages of text, whose readings are hexadecimal digits.

Despite their name these files are text [1]_. The one kept-up library that reads them,
scikit-digital-health 0.17, does not end the digits that it converts: now and then it gives numbers
that are 16 times too large, so it is not used.

References
----------
.. [1] Activinsights, GENEActiv instructions, section on the binary file.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import read_large, shown
from lumipipe.readers.monitors import Monitor, MonitorOptions, monitor_table, offset_hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_MOST_BYTES = 2**30
_PAGE = b"Recorded Data"
_PAGE_ROWS = 300
_DIGITS = 12 * _PAGE_ROWS  # hexadecimal, of the readings of a page
_HEAD_BYTES = 4096
_AXES = "xyz"
_SIGN, _RANGE = 2048, 4096  # of twelve bits
_CALIBRATION = [f"{axis} {word}" for axis in _AXES for word in ("gain", "offset")]


class Options(MonitorOptions):
    """Keys of a GENEActiv file."""

    salvage: bool = False
    """Whether a file that was cut short is read up to its last whole page, and marked."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a GENEActiv file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whether to salvage, and the key of pseudonyms.

    Yields
    ------
    Table
        ``acc_x``, ``acc_y``, ``acc_z`` in g, calibrated by the file's own gains and offsets;
        ``light`` in the unit that the file gives; ``button`` (1 while it is pressed);
        ``temperature`` of each page in degC. Whom the file names stays in it.

    Raises
    ------
    InputError
        If a pseudonym is asked for without a key.
    RecordingError
        If the file is damaged, or holds fewer pages than it says.

    Notes
    -----
    *Method*: a reading is twelve digits, of 12 bits for each axis, 10 for light and one for the
    button; acceleration = (100 * count - offset) / gain, light = count * lux / volts, rounded
    down [1]_. The first reading of a page is at the page's time, the others follow at its rate.
    """
    raw = read_large(file, _MOST_BYTES, options.most_bytes)
    head = _head(file, raw)
    pages, salvaged = _pages(file, raw, head, salvage=options.salvage)
    columns = _times(file, pages) | _readings(file, pages, head)
    rate = _number(file, "Measurement Frequency", _fields(pages[0]))
    zone = offset_hours(head.get("Time Zone", "").removeprefix("GMT"))
    serial = head.get("Device Unique Serial Code", "unknown")
    notes = (finding(f"salvaged: {salvaged}"),) if salvaged else ()
    table = monitor_table(file, columns, Monitor("GENEActiv", serial, rate, zone), options, notes)
    table.attributes["unit:light"] = _plain(head.get("Light Meter Units", "unknown"))
    table.attributes["unit:button"] = "1"
    if salvaged:
        table.attributes["salvaged"] = salvaged
    yield table


def _head(file: Path, raw: bytes) -> dict[str, str]:
    """Lines of the head by what stands before their colon."""
    head = _fields(raw[: max(raw.find(_PAGE), 0)][:_HEAD_BYTES])
    if not re.fullmatch(r"\d{1,9}", head.get("Number of Pages", "")):
        raise RecordingError(
            shown(file), "is no GENEActiv file: its head tells no number of pages", "fetch it again"
        )
    return head


def _fields(lines: bytes) -> dict[str, str]:
    """Lines with a colon by what stands before it."""
    parts = (line.partition(":") for line in lines.decode("latin-1").splitlines())
    return {key.strip(): value.strip() for key, colon, value in parts if colon}


def _number(file: Path, key: str, fields: dict[str, str]) -> float:
    """A number, with or without a unit behind it."""
    found = re.match(r"-?\d{1,9}(\.\d{1,9})?(?![\d.])", fields.get(key, ""))
    if found is None:
        raise RecordingError(shown(file), f"is damaged: {key} is no number", "fetch it again")
    return float(found.group())


def _pages(
    file: Path, raw: bytes, head: dict[str, str], *, salvage: bool
) -> tuple[list[bytes], str | None]:
    """The pages, and what was cut off."""
    promised = int(head["Number of Pages"])
    first, *pages = raw.split(_PAGE)
    whole = [page for page in pages if _is_whole(page)]
    if whole and len(whole) == len(pages) == promised:
        return pages, None
    cut = finding(f"{len(whole)} of {promised} pages are whole")
    if not (salvage and whole and whole == pages[: len(whole)]):
        raise RecordingError(
            shown(file),
            f"is too short or damaged: {cut}",
            "fetch it again, or set read.salvage: true to keep what is whole",
        )
    read = len(first) + sum(len(_PAGE) + len(page) for page in whole)
    return whole, finding(f"{read} of {len(raw)} bytes read, {cut}")


def _is_whole(page: bytes) -> bool:
    """Whether a page ends with all of its readings."""
    lines = page.split()
    return bool(lines) and re.fullmatch(rb"[0-9A-Fa-f]{%d}" % _DIGITS, lines[-1]) is not None


def _times(file: Path, pages: list[bytes]) -> dict[str, np.ndarray]:
    """Time of each reading in s of the monitor's clock, and temperature."""
    starts, rates, temperatures = [], [], []
    for page in pages:
        fields = _fields(page[:-_DIGITS])
        starts.append(_moment(file, fields.get("Page Time", "")))
        rates.append(_number(file, "Measurement Frequency", fields))
        temperatures.append(_number(file, "Temperature", fields))
    if min(rates) <= 0.0:
        raise RecordingError(shown(file), "is damaged: a page's rate is 0", "fetch it again")
    ahead = np.arange(_PAGE_ROWS) / np.array(rates)[:, np.newaxis]
    time = (np.array(starts)[:, np.newaxis] + ahead).ravel()
    return {"time": time, "temperature": np.repeat(temperatures, _PAGE_ROWS)}


def _moment(file: Path, text: str) -> float:
    """A time such as 2013-05-30 10:12:54:500 in s since 1970 of the monitor's clock."""
    try:
        moment = datetime.strptime(f"{text}000", "%Y-%m-%d %H:%M:%S:%f").replace(tzinfo=UTC)
    except ValueError as error:
        raise RecordingError(
            shown(file), "is damaged: a page has no time", "fetch it again"
        ) from error
    return moment.timestamp()


def _readings(file: Path, pages: list[bytes], head: dict[str, str]) -> dict[str, np.ndarray]:
    """Acceleration, light and button of all pages."""
    digits = b"".join(page.split()[-1] for page in pages).decode("ascii")
    packed = np.frombuffer(bytes.fromhex(digits), dtype=np.uint8).reshape(-1, 6).astype(np.int64)
    a, b, c, d, e, f = packed.T
    counts = {"x": a << 4 | b >> 4, "y": (b & 15) << 8 | c, "z": d << 4 | e >> 4}
    rest = (e & 15) << 8 | f
    known = {key: _number(file, key, head) for key in (*_CALIBRATION, "Volts", "Lux")}
    if not all(known[f"{axis} gain"] for axis in _AXES) or not known["Volts"]:
        raise RecordingError(shown(file), "is damaged: a gain is 0", "fetch it again")
    columns = {}
    for axis, count in counts.items():
        signed = np.where(count >= _SIGN, count - _RANGE, count)
        offset, gain = known[f"{axis} offset"], known[f"{axis} gain"]
        columns[f"acc_{axis}"] = (100.0 * signed - offset) / gain
    columns["light"] = np.floor((rest >> 2) * known["Lux"] / known["Volts"])
    columns["button"] = (rest >> 1 & 1).astype(np.uint8)
    return columns


def _plain(unit: str) -> str:
    """A unit; anything that does not look like one is not repeated."""
    return unit if re.fullmatch(r"[A-Za-z/%]{1,8}", unit) else "unknown"
