"""What recordings of activity monitors on the body have in common: clocks, devices, columns.

How each maker's file is opened is its own reader's matter. Who wore the monitor, and anything that
was noted of them, is read by none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from lumipipe.language import finding
from lumipipe.readers.compressed import plain_name
from lumipipe.readers.legs import utc_text
from lumipipe.readers.privacy import PseudonymOptions, pseudonym
from lumipipe.readers.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

UNITS = {"acc": "g", "gyro": "deg/s", "mag": "uT", "temperature": "degC"}
"""Unit of each sensor's columns."""
LOCAL_ONLY = finding("local time only: times count from the start")


class MonitorOptions(PseudonymOptions):
    """Keys of a file of an activity monitor."""

    utc_offset_h: Annotated[float, Field(ge=-14, le=14)] | None = None
    """Local time of the monitor's clock less UTC in hours, where the file does not say; times
    count from the start where neither does. A monitor does not switch to summer time."""


class Monitor(NamedTuple):
    """What a file says of its monitor, by words that name nobody."""

    kind: str
    serial: str
    rate_hz: float
    offset_h: float | None = None


def monitor_table(
    file: Path,
    columns: dict[str, np.ndarray],
    monitor: Monitor,
    options: MonitorOptions,
    notes: tuple[str, ...] = (),
) -> Table:
    """The table of a monitor's recording.

    Parameters
    ----------
    file : Path
        Where it is from.
    columns : dict of str to np.ndarray, shape (row,)
        ``time`` in s since 1970 of the monitor's own clock (float64), and readings called by
        sensor and axis, such as acc_x.
    monitor : Monitor
        Kind, serial number, nominal rate in Hz, and offset of its clock from UTC in hours.
    options : MonitorOptions
        Offset where the file has none, and the key of pseudonyms.
    notes : tuple of str
        For the reader of the report.

    Returns
    -------
    Table
        ``time`` in s since 1970 (UTC), or since the start where no offset is known. Attributes:
        ``monitor``, ``rate_hz`` (nominal), ``utc_offset``, ``start``, ``unit:COLUMN``, and
        ``device``, the pseudonym of the serial number, where a key is named.
    """
    time = columns["time"]
    offset_h = options.utc_offset_h if monitor.offset_h is None else monitor.offset_h
    said = {"monitor": monitor.kind, "rate_hz": f"{monitor.rate_hz:.12g}"}
    if offset_h is None:
        said["utc_offset"] = "unknown"
        notes = (LOCAL_ONLY, *notes)
        time = time - time[0]
    else:
        said["utc_offset"] = f"{offset_h:+g} h"
        time = time - 3600.0 * offset_h
        said["start"] = utc_text(float(time[0]))
    if options.pseudonyms is not None:
        said["device"] = pseudonym(monitor.serial, options.pseudonyms)
    said |= {f"unit:{name}": UNITS.get(name.split("_")[0], "unknown") for name in columns}
    said["unit:time"] = "s"
    return Table(plain_name(file), columns | {"time": time}, said, None, notes=notes)


def offset_hours(text: str) -> float | None:
    """Hours of an offset from UTC; None for text that is none.

    >>> offset_hours("-05:30:00"), offset_hours(" +01:00"), offset_hours("EET")
    (-5.5, 1.0, None)
    """
    found = re.fullmatch(r"([+-]?)(\d{1,2}):(\d{2})(?::\d{2})?", text.strip())
    if found is None:
        return None
    hours = int(found[2]) + int(found[3]) / 60.0
    return -hours if found[1] == "-" else hours
