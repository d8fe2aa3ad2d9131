"""GT3X files of ActiGraph's monitors, by pygt3x, which whoever needs it installs alone.

pygt3x is under the GPL-3.0, so no extra of lumipipe brings it, and it runs in a process of its own.
No other library that is kept up reads this format. What ActiLife exports as CSV is read by `csv`.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import zipfile
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, plain_file, shown
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import damage, refuse_size
from lumipipe.readers.monitors import Monitor, MonitorOptions, monitor_table, offset_hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from lumipipe.readers.tables import Table

_AXES = ("X", "Y", "Z")
_MOST_MEMBERS = 100
_ASLEEP = "IdleSleepMode"


class Options(MonitorOptions):
    """Keys of a GT3X file."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a GT3X file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Offset of the monitor's clock, and the key of pseudonyms.

    Yields
    ------
    Table
        ``acc_x``, ``acc_y``, ``acc_z`` in g, float32. Rows of the idle sleep mode, in which the
        monitor measured nothing and the library repeats the last reading, are NaN. Nothing of
        the subject leaves the file.

    Raises
    ------
    InputError
        If pygt3x is not installed, or a pseudonym is asked for without a key.
    RecordingError
        If the file is damaged.
    """
    if not _is_installed():
        raise InputError(
            shown(file),
            "this format needs pygt3x, which is under the GPL-3.0 and so in no extra of lumipipe",
            "install pygt3x if its terms suit you, or export the file from ActiLife as CSV",
        )
    with (
        open_binary(file) as stream,
        damage(file, finding("GT3X file")),
        zipfile.ZipFile(stream) as packed,
    ):
        if len(packed.infolist()) > _MOST_MEMBERS:
            raise RecordingError(
                shown(file), "has more members than a GT3X file", "check where it is from"
            )
        claimed = sum(item.file_size for item in packed.infolist())
        refuse_size(file, claimed, file.stat().st_size, packed=True)
    yield from isolated(file, "gt3x", options)


def _is_installed() -> bool:
    """Whether the library is there, without loading it."""
    if "pygt3x" in sys.modules:
        return sys.modules["pygt3x"] is not None
    return importlib.util.find_spec("pygt3x") is not None


def prepare(file: Path) -> None:  # noqa: ARG001
    """Load what reading a file needs, before memory is limited."""
    importlib.import_module("pygt3x.reader")


def tables(file: Path, options: Options) -> Iterator[Table]:
    """The table of a file, in the process that `read` starts; see there."""
    library: Any = importlib.import_module("pygt3x.reader")
    with (
        plain_file(file) as plain,
        damage(file, finding("GT3X file"), "pygt3x"),
        library.FileReader(str(plain)) as source,
    ):
        frame, info = source.to_pandas(), source.info
        if not len(frame):
            raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
        asleep = frame[_ASLEEP].to_numpy(dtype=bool)
        columns = {"time": frame.index.to_numpy(dtype=np.float64)}
        for axis in _AXES:
            values = frame[axis].to_numpy(dtype=np.float32)
            columns[f"acc_{axis.lower()}"] = np.where(asleep, np.float32(np.nan), values)
        monitor = Monitor(
            _plain(info.device_type),
            str(info.serial_number),
            float(info.sample_rate),
            offset_hours(str(info.timezone)),
        )
    count = int(asleep.sum())
    notes = (f"{count} rows of the idle sleep mode hold no reading",) if count else ()
    yield monitor_table(file, columns, monitor, options, notes)


def _plain(kind: object) -> str:
    """A device type; anything that does not look like one is not repeated."""
    text = str(kind)
    return text if re.fullmatch(r"[A-Za-z0-9+ .-]{1,20}", text) else "unknown"
