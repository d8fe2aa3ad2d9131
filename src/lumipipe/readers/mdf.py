"""MDF files of loggers, by asammdf (LGPL-3.0): channel groups, or bus messages through a DBC.

Values are physical: conversions in the file and scalings of the database are applied. asammdf runs
in a process of its own: of 300 damaged files one crashed it, and one kept it busy without end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from glob import escape, has_magic
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, shown
from lumipipe.readers.containers import (
    TIME,
    ContainerOptions,
    Part,
    chosen,
    container_table,
    plain_column,
    unique,
)
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import (
    Bounded,
    BoundedMemory,
    damage,
    installed,
    library,
    refuse_size,
)
from lumipipe.readers.salvage import marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_KIND = finding("MDF file")
_UNFINISHED = b"UnFinMF"  # the logger could not write counters and lengths
_NOT_FINISHED = finding(
    "its logger had not finished it: numbers of rows are counted from what is there"
)
_VIRTUAL = (3, 6)  # channel types without bytes of their own
_TIME_MASTER = 1  # what a master channel counts: time, not angle or distance


class Options(ContainerOptions):
    """Keys of an MDF file; its channel groups, or the messages of its bus, are the tables."""

    dbc: list[str] = []
    """Databases (.dbc) of the CAN bus, as paths or globs from the file's own folder; where
    given, the decoded messages are the tables, named like CAN1 ID=0xCF00400 EEC1."""

    def beside(self, file: Path) -> list[Path]:
        """The databases of a file, which decide what it means; of a link, beside what it means."""
        found = []
        for name in self.dbc:
            paths = _databases(file.parent, name) or _databases(file.resolve().parent, name)
            if not paths:
                raise InputError(
                    shown(file),
                    f"no database {name} lies there",
                    "give read.dbc as a path from the folder of the file",
                )
            found += paths
        return found

    def placed(self, file: Path) -> Options:
        """These options for a copy of a file in another folder."""
        return self.model_copy(
            update={"dbc": [escape(str(path.absolute())) for path in self.beside(file)]}
        )


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each channel group or bus message that has samples.

    Parameters
    ----------
    file : Path
        MDF 3 or 4; databases only go with version 4.
    options : Options
        Databases and table.

    Yields
    ------
    Table
        The column time is seconds since the attribute ``start``; units are ``unit:NAME``. Bytes
        of messages are text in hexadecimal digits. Readings that the file marks as invalid are
        NaN. A file that its logger could not finish has the attribute ``finalized``: no.

    Raises
    ------
    InputError
        If asammdf is not installed, or a database, table or column is not there.
    RecordingError
        If the file is truncated or damaged.
    """
    options.beside(file)
    installed(file, "asammdf", "asammdf")
    open_binary(file, options.most_bytes).close()
    yield from isolated(file, "mdf", options)


def _databases(folder: Path, name: str) -> list[Path]:
    """Files of that name, or those that match it, from a folder."""
    paths = sorted(folder.glob(name)) if has_magic(name) else [folder / name]
    return [path for path in paths if path.is_file()]


def prepare(file: Path) -> None:
    """Load what reading a file needs, before memory is limited."""
    library(file, "asammdf", "asammdf")
    library(file, "asammdf.blocks.utils", "asammdf")


def tables(file: Path, options: Options) -> Iterator[Table]:
    """As `read`, in this process.

    Parameters
    ----------
    file : Path
        MDF 3 or 4.
    options : Options
        Databases and table.

    Yields
    ------
    Table
        As `read` yields it.
    """
    asammdf = library(file, "asammdf", "asammdf")
    databases = [_database(path) for path in options.beside(file)]
    with open_binary(file, options.most_bytes) as stream:
        head = stream.read(8)
        stream.seek(0)
        unfinished = head.startswith(_UNFINISHED)
        size = stream.seek(0, 2)
        stream.seek(0)
        source = BoundedMemory(stream.read()) if unfinished else Bounded(stream)
        with damage(file, _KIND, "asammdf"):
            opened = asammdf.MDF(source, raise_on_multiple_occurrences=False)
        try:
            if databases:
                opened = _decoded(file, opened, databases)
            with damage(file, _KIND, "asammdf"):
                parts = _parts(file, opened, size, options.most_bytes)
            for name, part, columns in chosen(file, options, parts):
                with damage(file, _KIND, "asammdf"):
                    table = _table(file, name, part, columns, opened, unfinished=unfinished)
                table = replace(table, notes=(_NOT_FINISHED,)) if unfinished else table
                words = finding(f"{size} of {size} bytes read, {_NOT_FINISHED}")
                yield marked(table, words) if unfinished and options.salvage else table
        finally:
            opened.close()


def _database(path: Path) -> Any:
    """A database of the bus; what does not read as one is refused."""
    utilities = library(path, "asammdf.blocks.utils", "asammdf")
    with damage(path, finding("DBC file"), "canmatrix"):
        found = utilities.load_can_database(path)
    if found is None or not found.frames:
        raise InputError(shown(path), "holds no CAN database", "name a .dbc file in read.dbc")
    return found


def _decoded(file: Path, opened: Any, databases: list[Any]) -> Any:
    """The bus messages of a file, decoded; the file itself is closed."""
    try:
        with damage(file, _KIND, "asammdf", "canmatrix", harmless=("asammdf",)):
            found = opened.extract_bus_logging({"CAN": [(database, 0) for database in databases]})
    finally:
        opened.close()
    if not found.groups:
        found.close()
        raise InputError(shown(file), "none of its messages are in the databases", "mend read.dbc")
    return found


def _parts(file: Path, opened: Any, size: int, most_bytes: int | None) -> list[Part]:
    """The groups of a file that have samples."""
    held = []
    claimed = 0
    for number, group in enumerate(opened.groups):
        rows = int(group.channel_group.cycles_nr)
        if rows and group.channels:
            claimed += rows * _record_bytes(group)
            held.append((number, _group_name(number, group.channel_group), rows))
    refuse_size(file, claimed, size, packed=True, most_bytes=most_bytes)
    names = unique(name for _, name, _ in held)
    parts = []
    for name, (number, _, rows) in zip(names, held, strict=True):
        master = opened.masters_db.get(number)
        group = opened.groups[number]
        channels = [at for at in _fields(group) if at != master]
        labels = [group.channels[at].name for at in channels]
        columns = unique([*([] if master is None else [_master_name(opened, number)]), *labels])
        parts.append(Part(name, tuple(columns), (number, channels, rows)))
    return parts


def _record_bytes(group: Any) -> int:
    """Bytes of a record; a channel that lies outside it is refused."""
    found = int(group.channel_group.samples_byte_nr)
    for channel in group.channels:
        first = int(getattr(channel, "byte_offset", 0))
        if int(getattr(channel, "channel_type", 0)) not in _VIRTUAL and (
            first + int(channel.bit_count) // 8 > found
        ):
            raise ValueError(f"channel {channel.name} lies outside its record of {found} bytes")
    return found


def _fields(group: Any) -> list[int]:
    """Channels that are no structure of others: those are channels themselves."""
    links = getattr(group, "channel_dependencies", None) or [None] * len(group.channels)
    return [at for at, link in enumerate(links) if not (link and isinstance(link[0], tuple))]


def _group_name(number: int, group: Any) -> str:
    """Name of a group: its message on the bus, what acquired it, or its number."""
    said = getattr(group, "comment", "") if "ID=0x" in getattr(group, "comment", "") else ""
    return said or getattr(group, "acq_name", "") or f"group {number}"


def _master_name(opened: Any, number: int) -> str:
    """Name of the column of the master channel: time, where it counts that."""
    channel = opened.groups[number].channels[opened.masters_db[number]]
    is_time = getattr(channel, "sync_type", _TIME_MASTER) == _TIME_MASTER
    return TIME if is_time else str(channel.name)


def _table(
    file: Path, name: str, part: Part, columns: list[str], opened: Any, *, unfinished: bool
) -> Table:
    """The samples of a group's channels."""
    number, channels, rows = part.held
    labels = part.columns[len(part.columns) - len(channels) :]
    wanted = [(at, label) for at, label in zip(channels, labels, strict=True) if label in columns]
    picked = wanted or [(channels[0], "")]  # for the stamps alone
    signals = opened.select([(None, number, at) for at, _ in picked])
    said: dict[str, Any] = {
        "start": _start(opened.start_time),
        "finalized": "no" if unfinished else None,
    }
    values: dict[str, np.ndarray] = {}
    if len(labels) < len(part.columns) and part.columns[0] in columns:
        values[part.columns[0]] = np.asarray(signals[0].timestamps, dtype=np.float64)
        said[f"unit:{part.columns[0]}"] = "s" if part.columns[0] == TIME else None
    unread = []
    for (_, label), signal in zip(picked, signals, strict=True):
        samples = _samples(signal)
        if label and samples is not None:
            values[label] = samples
            said[f"unit:{label}"] = signal.unit
        elif label:
            unread.append(f"{label} ({signal.samples.dtype})")
    said["not_read"] = ", ".join(unread)
    for label, column in values.items():
        if len(column) != rows:
            raise RecordingError(
                f"{shown(file)}: {part.name}: {label}",
                f"has {len(column)} of {rows} samples",
                "copy the file again from its source",
            )
    return container_table(name, part, values, said)


def _samples(signal: Any) -> np.ndarray | None:
    """Samples of a channel as numbers or text; invalid ones are NaN."""
    samples = np.asarray(signal.samples)
    if samples.ndim == 2 and samples.dtype == np.uint8:  # noqa: PLR2004
        return np.array([row.tobytes().hex() for row in samples], dtype=object)
    if samples.ndim != 1 or samples.dtype.names:
        return None
    found = plain_column(samples)
    invalid = signal.invalidation_bits
    if found is None or invalid is None or not np.any(invalid):
        return found
    if found.dtype == object:
        return np.where(invalid, "", found)
    return np.where(invalid, np.nan, found.astype(np.result_type(found, np.float32)))


def _start(start: Any) -> str | None:
    """Start of the measurement: with Z where the file tells its zone."""
    if start is None:
        return None
    if start.tzinfo is None:
        return str(start.isoformat())
    return f"{start.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
