"""The channel contract: what one instrument wrote in one go, with units, time and labels.

Tables come from the readers; channels, time and labels have a module each; joining streams
on one grid is `lumipipe.readers.grid`'s, storing them `lumipipe.store`'s.
"""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from lumipipe.config import TimeColumn
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import PUBLISHED, READERS, remedy_for
from lumipipe.readers.channels import channel_values, stored_type, with_members
from lumipipe.readers.compressed import plain_name
from lumipipe.readers.declared import long_gaps, refuse_expired, rows_in_period
from lumipipe.readers.files import check_digest, file_digest, relative_name
from lumipipe.readers.gravity import gravity_notes
from lumipipe.readers.grouping import tables_by
from lumipipe.readers.labels import attributes_of, from_template, sample_labels, whole_labels
from lumipipe.readers.timebase import time_base
from lumipipe.readers.units import conversion
from lumipipe.readers.zones import in_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lumipipe.config import Channel, Prepare, Source
    from lumipipe.readers.tables import Reader, ReaderOptions, Table


@dataclass(frozen=True)
class Stream:
    """Channels that were sampled together.

    Parameters
    ----------
    values : np.ndarray, shape (row, channel), float32 or float64, stored units
        NaN where a channel has no reading.
    time_ns : np.ndarray or None, shape (row,), int64, ns
        Stamps, since 1970 (UTC) or since the recording's start; None where the rows are
        regular or only ordered.
    start_ns : int or None, ns
        Time of the first row since 1970 (UTC); None where it is not known.
    rate_hz : float, Hz
        Measured rate; the declared one of a regular stream; NaN for ordered rows.
    rate_u_hz : float, Hz
        Standard uncertainty of the measured rate; NaN where none was measured.
    nominal_hz : float, Hz
        Declared rate, or NaN.
    segments : np.ndarray, shape (segment, 2), int64
        First row and number of rows between gaps.
    labels : dict of str to np.ndarray, shape (row,), str
        Labels of each sample.
    channels : tuple of str
        Names of the channels.
    units : tuple of str
        Their stored units.
    """

    values: np.ndarray
    time_ns: np.ndarray | None
    start_ns: int | None
    rate_hz: float
    rate_u_hz: float
    nominal_hz: float
    segments: np.ndarray
    labels: dict[str, np.ndarray]
    channels: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """What one instrument wrote in one go.

    Parameters
    ----------
    id : str
        Identity, from the source's template.
    unit : str
        Machine, plant or pseudonymous person.
    source : str
        Identity of the source in the request.
    file : str
        Name of the file below the source's folder, or its `Table.alias`.
    sha256 : str
        Digest of the file.
    attributes : dict of str to str
        What file name and content say.
    labels : dict of str to str
        Labels of the whole recording.
    streams : dict of str to Stream
        Name of the stream to its samples.
    notes : tuple of str
        What a reader of the report should know.
    """

    id: str
    unit: str
    source: str
    file: str
    sha256: str
    attributes: dict[str, str]
    labels: dict[str, str]
    streams: dict[str, Stream]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Unusable:
    """A recording that cannot be used, the digest of its file, and why."""

    id: str
    sha256: str
    error: RecordingError


def read_recordings(
    source: Source, file: Path, prepare: Prepare, place: str, root: Path | None = None
) -> list[Recording]:
    """The recordings in one file of a source.

    Parameters
    ----------
    source : Source
        Format, channels, time and labels.
    file : Path
        One of the source's files.
    prepare : Prepare
        Number type, and the longest gap where a grid is set.
    place : str
        Where the request declares the source, such as request.yaml:14.
    root : Path or None
        Folder that the file's name is relative to (`lumipipe.readers.files.glob_root`);
        told from the source's pattern where None.

    Returns
    -------
    list of Recording
        One for each table of the file, or value of `recordings.column`, with one stream.

    Raises
    ------
    InputError
        If the request is wrong about this file: the message names what to correct.
    RecordingError
        If the file or a recording in it cannot be used.
    """
    found = []
    for item in usable_recordings(source, file, prepare, place, root):
        if isinstance(item, Unusable):
            raise item.error
        found.append(item)
    return found


def usable_recordings(
    source: Source,
    file: Path,
    prepare: Prepare,
    place: str,
    root: Path | None = None,
    is_withdrawn: Callable[[str], bool] | None = None,
) -> Iterator[Recording | Unusable]:
    """The recordings in one file of a source, with those that cannot be used in their places.

    Parameters, errors about the request or the whole file: as in `read_recordings`. Recordings of
    a unit that `is_withdrawn` are passed over as if they were not there.

    Yields
    ------
    Recording or Unusable
        In the order of the file.
    """
    reader = _reader(source, place)
    options = _options(reader, source, place)
    if options.needs_digest and source.sha256 is None:
        raise InputError(
            place,
            f"source {source.id} is opened with pickle but declares no sha256",
            "declare the digest of a file that you trust",
        )
    digest = check_digest(file, source)
    name = relative_name(source, file, root)
    for table in reader.read(file, options):
        for part in _parts(source, table, name):
            said = attributes_of(source, part, name, plain_name(Path(name)), place)
            identity = from_template(source.recordings.id, said, f"{place}: recordings.id")
            unit = from_template(source.recordings.unit, said, f"{place}: recordings.unit")
            if is_withdrawn is not None and is_withdrawn(unit):
                continue
            try:
                yield _recording(source, part, prepare, place, (name, digest, identity), said)
            except RecordingError as error:
                yield Unusable(identity, digest, error)


def _parts(source: Source, table: Table, name: str) -> Iterator[Table]:
    """The table, or its rows by the column that tells recordings apart."""
    column = source.recordings.column
    if column is None:
        yield table
        return
    plain = plain_name(Path(name))
    shown, prefix = (
        (name, "") if table.name == plain else (f"{name}#{table.name}", f"{table.name}-")
    )
    may_return = isinstance(source.time, TimeColumn)
    yield from tables_by(table, column, shown, may_return=may_return, prefix=prefix)


def beside_digests(source: Source, file: Path) -> dict[str, str]:
    """Digests of other files that decide what a file means, such as databases of a bus.

    Parameters
    ----------
    source : Source
        Format and options.
    file : Path
        One of the source's files.

    Returns
    -------
    dict of str to str
        Path of each, from the folder of the file, to its SHA-256; empty for most formats.

    Raises
    ------
    InputError
        If one is not there.
    """
    if source.format == PUBLISHED:
        return {}
    options = _reader(source, source.id).Options.model_validate(source.read)
    return {
        os.path.relpath(other, file.parent): file_digest(other) for other in options.beside(file)
    }


def _reader(source: Source, place: str) -> Reader:
    """The reader of the source's format."""
    if source.format not in READERS:
        raise InputError(place, f"no reader for format {source.format}", remedy_for(source.format))
    return READERS[source.format]


def _options(reader: Reader, source: Source, place: str) -> ReaderOptions:
    """The reader's settings, narrowed to the columns that the source uses."""
    try:
        options = reader.Options.model_validate(source.read)
    except ValidationError as error:
        complaint = error.errors()[0]
        key = ".".join(str(part) for part in ("read", *complaint["loc"]))
        problem, _, remedy = complaint["msg"].removeprefix("Value error, ").partition("; ")
        known = f"known keys: {', '.join(reader.Options.model_fields)}"
        raise InputError(place, f"{key}: {problem}", remedy or known) from error
    plain = [channel for channel in source.channels if channel.columns is None]
    numbers = {channel.column or channel.name for channel in plain}
    text = {label.column for label in source.labels.values() if label.is_of_samples}
    text |= {source.recordings.column}
    if isinstance(source.time, TimeColumn):
        (text if source.time.format is not None else numbers).update(source.time.columns)
    named = {name for name in text if name is not None}
    return options.for_columns(numbers, named, others=len(plain) < len(source.channels))


def _recording(
    source: Source,
    table: Table,
    prepare: Prepare,
    place: str,
    identity: tuple[str, str, str],
    attributes: dict[str, str],
) -> Recording:
    """One table as a recording; `identity` is the file's name and digest, and the recording's."""
    name, digest, own = identity
    shown = name if table.name == plain_name(Path(name)) else f"{name}#{table.name}"
    _refuse_ragged(table, shown)
    _rows(source, table, shown)  # as the file counts them
    table, source = in_utc(table, source, shown)
    rows, outside = rows_in_period(table, _rows(source, table, shown), source, shown)
    source = with_members(source, table, shown)
    found = [channel_values(table, rows, item, shown, place) for item in source.channels]
    dtype = stored_type(source, found, prepare.dtype, place)
    gap_s = None if prepare.grid is None else prepare.grid.longest_gap_s
    time = time_base(table, rows, source, gap_s, shown)
    told = outside | long_gaps(table, rows, time.time_ns, source, shown)
    refuse_expired(time.time_ns, source, shown)
    stream = Stream(
        values=np.stack([item.values for item in found], axis=1).astype(dtype),
        time_ns=time.time_ns,
        start_ns=time.start_ns,
        rate_hz=time.rate_hz,
        rate_u_hz=time.rate_u_hz,
        nominal_hz=time.nominal_hz,
        segments=time.segments,
        labels=sample_labels(source.labels, table, rows, shown, place),
        channels=tuple(item.name for item in source.channels),
        units=tuple(_stored_unit(item, place) for item in source.channels),
    )
    return Recording(
        id=own,
        unit=from_template(source.recordings.unit, attributes, f"{place}: recordings.unit"),
        source=source.id,
        file=name if table.alias is None else table.alias,
        sha256=digest,
        attributes=attributes | told,
        labels=whole_labels(source.labels, attributes, shown, place),
        streams={source.stream: stream},
        notes=(
            *(note for item in found for note in item.notes),
            *gravity_notes(source.channels, stream.values),
            *time.notes,
        ),
    )


def _stored_unit(channel: Channel, place: str) -> str:
    """The unit that a channel is stored in."""
    return conversion(channel.quantity, channel.unit, f"{place}: channel {channel.name}")[2]


def _refuse_ragged(table: Table, file: str) -> None:
    """Refuse columns of different lengths, such as 58 times for 67 values."""
    lengths = {name: len(values) for name, values in table.columns.items()}
    if len(set(lengths.values())) > 1:
        longest, shortest = (
            max(lengths, key=lengths.__getitem__),
            min(lengths, key=lengths.__getitem__),
        )
        raise RecordingError(
            file,
            f"column {shortest} has {lengths[shortest]} rows, {longest} has {lengths[longest]}",
            "fetch the file again; which value belongs to which time cannot be told",
        )


def _rows(source: Source, table: Table, file: str) -> slice:
    """The rows to keep."""
    length = len(next(iter(table.columns.values()), ()))
    first, last = source.rows or (0, None)
    last = length if last is None else last
    if not 0 <= first < last <= length:
        raise RecordingError(
            file,
            f"has {length} rows, asked for are rows {first} to {last}",
            "correct rows, or leave the recording out" if source.rows else "fetch the file again",
        )
    return slice(first, last)
