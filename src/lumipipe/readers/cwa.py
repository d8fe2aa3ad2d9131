"""CWA files of Axivity's monitors (AX3, AX6), by cwa-reader-rs (MIT).

The library runs in a process of its own: what it does not expect in a damaged file ends it. It does
not look at the checksums of blocks, so that is done before.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import plain_file, shown
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import damage, installed, library
from lumipipe.readers.monitors import Monitor, MonitorOptions, monitor_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.readers.tables import Table

_UPPER = 0xFFFF  # in place of the upper half of a serial number that has none
_MICROSECONDS = 1e6
_HEAD_BYTES, _BLOCK_BYTES = 1024, 512
_AGAIN = "copy the file again from its source"
_MARK = int.from_bytes(b"AX", "little")


class Options(MonitorOptions):
    """Keys of a CWA file."""

    salvage: bool = False
    """Whether damaged blocks are left out, as gaps, and the recording is marked."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a CWA file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Offset of the monitor's clock, and the key of pseudonyms.

    Yields
    ------
    Table
        ``acc_x``, ``acc_y``, ``acc_z`` in g, float32; ``gyro_x`` … in deg/s and ``mag_x`` … in uT
        where they were recorded; ``temperature`` in degC. Notes that somebody wrote into the
        file stay there.

    Raises
    ------
    InputError
        If cwa-reader-rs is not installed, or a pseudonym is asked for without a key.
    RecordingError
        If the file is damaged: in each block the sum of all words is 0 modulo 65536 [1]_.

    References
    ----------
    .. [1] Open Movement, AX3 GUI: CWA file format.
    """
    installed(file, "cwa_reader_rs", "cwa-reader-rs", "monitors")
    with plain_file(file) as plain:
        _whole(file, plain, salvage=options.salvage)  # before a process is started
    yield from isolated(file, "cwa", options)


def prepare(file: Path) -> None:
    """Load what reading a file needs, before memory is limited."""
    library(file, "cwa_reader_rs", "cwa-reader-rs", "monitors")


def tables(file: Path, options: Options) -> Iterator[Table]:
    """The table of a file, in the process that `read` starts; see there."""
    cwa = library(file, "cwa_reader_rs", "cwa-reader-rs", "monitors")
    with plain_file(file) as plain, tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
        parts, salvaged = _whole(file, plain, salvage=options.salvage)
        found = []
        for number, part in enumerate(parts):
            name = Path(folder) / f"{number}.cwa"
            name.write_bytes(part)
            found.append(_read(file, cwa, name))
        found = found or [_read(file, cwa, plain)]
    said = found[0][0]
    names = dict.fromkeys(name for _, part in found for name in part)
    columns = {name: np.concatenate([_column(part, name) for _, part in found]) for name in names}
    upper = said["upper_device_id"]
    serial = said["device_id"] + ((upper << 16) if upper != _UPPER else 0)
    monitor = Monitor(said["hardware_type"], str(serial), float(said["sample_rate_hz"]))
    notes = (finding(f"salvaged: {salvaged}"),) if salvaged else ()
    table = monitor_table(file, _finite(columns), monitor, options, notes)
    if salvaged:
        table.attributes["salvaged"] = salvaged
    yield table


def _read(file: Path, cwa: Any, plain: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the library says of a file, and its columns."""
    with damage(file, finding("CWA file")):
        said = cwa.read_metadata(str(plain))
        frame = cwa.read_cwa_file(str(plain), include_light=False, include_battery=False)
    columns = {"time": frame.index.as_unit("us").asi8 / _MICROSECONDS}
    return said, columns | {name: frame[name].to_numpy() for name in frame.columns}


def _column(part: dict[str, np.ndarray], name: str) -> np.ndarray:
    """A column of a part, NaN where it has none."""
    return part.get(name, np.full(len(part["time"]), np.nan, dtype=np.float32))


def _whole(file: Path, plain: Path, *, salvage: bool) -> tuple[list[bytes], str | None]:
    """Head and blocks of each run of whole blocks, and what was left out; nothing for a whole file.

    The library would spread the readings beside a missing block over it.
    """
    content = np.fromfile(plain, dtype=np.uint8)
    size = len(content)
    count = max(size - _HEAD_BYTES, 0) // _BLOCK_BYTES
    end = _HEAD_BYTES + count * _BLOCK_BYTES
    if not count:
        raise RecordingError(shown(file), "is damaged or no CWA file (it has no block)", _AGAIN)
    words = content[_HEAD_BYTES:end].view("<u2").reshape(count, -1)
    sums = words.sum(axis=1, dtype=np.uint32) & 0xFFFF
    whole = (sums == 0) & (words[:, 0] == _MARK)
    if whole.all() and end == size:
        return [], None
    wrong, spare = int((~whole).sum()), size - end
    fault = finding(
        f"{wrong} of {count} blocks have a wrong checksum, {spare} bytes at its end are no block"
        if spare
        else f"{wrong} of {count} blocks have a wrong checksum"
    )
    if not (salvage and whole.any()):
        remedy = f"{_AGAIN}, or set read.salvage: true to leave them out"
        raise RecordingError(shown(file), f"is damaged or no CWA file ({fault})", remedy)
    head = content[:_HEAD_BYTES].tobytes()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(np.int8)))
    parts = [head + words[first:last].tobytes() for first, last in edges.reshape(-1, 2)]
    read = _HEAD_BYTES + int(whole.sum()) * _BLOCK_BYTES
    return parts, finding(f"{read} of {size} bytes read, {fault}")


def _finite(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns that have any reading."""
    return {name: values for name, values in columns.items() if not np.isnan(values).all()}
