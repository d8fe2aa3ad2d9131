"""From pieces to a dataset: the order of recordings, the plan of each stream, each shard's rows.

Recordings stand in the order of unit and id, so neither the order of files nor the number of
workers or ranks changes a byte. Writing is in `lumipipe.store.writer`.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.store.layout import plan_stream
from lumipipe.store.pieces import PieceArrays
from lumipipe.store.rows import LABEL, NO_LABEL, NO_TIME, TIME, VALUE, RecordingRow, regular_times
from lumipipe.store.writer import StreamTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.config import Prepare
    from lumipipe.store.entries import RecordingEntry, StreamEntry
    from lumipipe.store.rows import ChannelRow

_MOST_NAMES = 2**15


@dataclass(frozen=True)
class StreamPlan:
    """A stream's template and where its rows come from.

    Parameters
    ----------
    template : StreamTemplate
        All of the stream but its rows.
    parts : tuple of StreamEntry
        The rows of each recording that has the stream, in order.
    firsts : tuple of int
        First row of each part in the stream.
    """

    template: StreamTemplate
    parts: tuple[StreamEntry, ...]
    firsts: tuple[int, ...]


def recording_rows(recordings: Sequence[RecordingEntry]) -> list[RecordingRow]:
    """The table of recordings, in the same order."""
    return [
        RecordingRow(
            r.id, r.unit, r.source, r.file, r.sha256, r.attributes, r.labels, tuple(r.notes)
        )
        for r in recordings
    ]


def plan_streams(
    recordings: Sequence[RecordingEntry],
    channels: Mapping[str, tuple[ChannelRow, ...]],
    prepare: Prepare,
) -> list[StreamPlan]:
    """How each stream will be stored.

    Parameters
    ----------
    recordings : sequence of RecordingEntry
        In the order of the dataset.
    channels : mapping of str to tuple of ChannelRow
        Channels of each stream.
    prepare : Prepare
        Number type and sizes.

    Returns
    -------
    list of StreamPlan
        Streams by name; segments are not read yet (see `segments`).
    """
    found = sorted({name for recording in recordings for name in recording.streams})
    return [_plan_stream(recordings, name, channels[name], prepare) for name in found]


def _plan_stream(
    recordings: Sequence[RecordingEntry],
    stream: str,
    channels: tuple[ChannelRow, ...],
    prepare: Prepare,
) -> StreamPlan:
    """How one stream will be stored."""
    entries = [recording.streams.get(stream) for recording in recordings]
    parts = [entry for entry in entries if entry is not None]
    dtype = _dtype(parts, prepare)
    labels = {
        label: _label_names(stream, label, parts)
        for label in sorted({label for part in parts for label in part.labels})
    }
    row_size = np.asarray([0 if e is None else e.rows for e in entries], dtype=np.int64)
    layout = plan_stream(
        int(row_size.sum()),
        len(channels),
        np.dtype(dtype).itemsize,
        prepare.chunk_bytes,
        prepare.shard_bytes,
        labels=len(labels),
        has_time=any(part.has_time for part in parts),
    )
    starts = [NO_TIME if e is None or e.start_ns is None else e.start_ns for e in entries]
    template = StreamTemplate(
        stream,
        channels,
        dtype,
        _offset(channels, parts, prepare),
        layout,
        row_size,
        np.asarray(starts, dtype=np.int64),
        _numbers([None if e is None else e.rate_hz for e in entries]),
        _numbers([None if e is None else e.rate_u_hz for e in entries]),
        _numbers([None if e is None else e.nominal_hz for e in entries]),
        np.empty((0, 3), dtype=np.int64),
        labels,
    )
    firsts = np.cumsum(row_size) - row_size
    kept = [int(first) for first, e in zip(firsts, entries, strict=True) if e is not None]
    return StreamPlan(template, tuple(parts), tuple(kept))


def _dtype(parts: Sequence[StreamEntry], prepare: Prepare) -> str:
    """The type of the stored numbers; the wider one where sources differ."""
    if prepare.dtype != "source":
        return prepare.dtype
    return str(np.result_type(*(np.dtype(part.dtype) for part in parts)))


def _offset(
    channels: Sequence[ChannelRow], parts: Sequence[StreamEntry], prepare: Prepare
) -> np.ndarray:
    """What is taken off each channel so that it suits 32 bits: the middle of its range.

    Readers give 64 bits where 32 were asked for only if a channel needs this; elsewhere an
    offset would cost whoever reads the dataset a copy in 64 bits for nothing.
    """
    offset = np.zeros(len(channels), dtype=np.float64)
    if prepare.dtype == "float32" and any(part.dtype == "float64" for part in parts):
        for position, channel in enumerate(channels):
            low, high = channel.range or (0.0, 0.0)
            offset[position] = low + (high - low) / 2
    return offset


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    """Numbers with NaN for what is not known."""
    return np.asarray([np.nan if v is None else v for v in values], dtype=np.float64)


def _label_names(stream: str, label: str, parts: Sequence[StreamEntry]) -> tuple[str, ...]:
    """All names of a label in order of the alphabet."""
    found = sorted({name for part in parts for name in part.labels.get(label, ())})
    if len(found) > _MOST_NAMES:
        raise InputError(
            f"stream {stream}: label {label}",
            f"has {len(found)} different names, {_MOST_NAMES} can be stored",
            "map the values in the file to fewer names with labels: values",
        )
    return tuple(found)


def segments(plan: StreamPlan, pieces: Path) -> np.ndarray:
    """Rows between gaps: first row in the stream, rows, number of the recording."""
    arrays = PieceArrays(pieces)
    numbers = np.flatnonzero(plan.template.row_size)
    parts = []
    for number, first, part in zip(numbers, plan.firsts, plan.parts, strict=True):
        found = arrays.segments(part, plan.template.name)
        recording = np.full(len(found), number, dtype=np.int64)
        parts.append(np.stack([found[:, 0] + first, found[:, 1], recording], axis=1))
    return np.concatenate(parts)


def shard_rows(plan: StreamPlan, shard: int, pieces: Path) -> dict[str, np.ndarray]:
    """All that is stored for the rows of one shard.

    Parameters
    ----------
    plan : StreamPlan
        Where the rows come from.
    shard : int
        Number of the shard.
    pieces : Path
        Folder of the pieces.

    Returns
    -------
    dict of str to ndarray
        Array to its rows, as `lumipipe.store.writer.write_shard` takes them.

    Notes
    -----
    *Cost*: the rows of one shard in memory; pieces are mapped, not read.
    """
    template, arrays = plan.template, PieceArrays(pieces)
    start, stop = template.layout.shard_range(shard)
    rows = stop - start
    block: dict[str, np.ndarray] = {
        VALUE: np.empty((rows, len(template.channels)), dtype=template.dtype)
    }
    if template.layout.has_time:
        block[TIME] = np.empty(rows, dtype=np.int64)
    for label in template.labels:
        block[LABEL + label] = np.full(rows, NO_LABEL, dtype=np.int16)
    part = bisect.bisect_right(plan.firsts, start) - 1
    while part < len(plan.parts) and plan.firsts[part] < stop:
        entry, first = plan.parts[part], plan.firsts[part]
        low, high = max(start, first), min(stop, first + entry.rows)
        span = slice(low - first, high - first)
        _fill(
            plan, entry, arrays, span, {k: v[low - start : high - start] for k, v in block.items()}
        )
        part += 1
    return block


def _fill(
    plan: StreamPlan,
    entry: StreamEntry,
    arrays: PieceArrays,
    span: slice,
    block: Mapping[str, np.ndarray],
) -> None:
    """Copy a span of one recording's rows into `block`."""
    template = plan.template
    values = arrays.rows(entry, template.name, "value")[span]
    if template.offset.any():
        values = values - template.offset
    block[VALUE][...] = values
    if template.layout.has_time:
        block[TIME][...] = row_times(entry, arrays, template.name, span)
    for label, names in entry.labels.items():
        code = {name: number for number, name in enumerate(template.labels[label])}
        # The last place of the table answers for NO_LABEL, which is -1.
        table = np.asarray([*(code[name] for name in names), NO_LABEL], dtype=np.int16)
        block[LABEL + label][...] = table[arrays.rows(entry, template.name, f"label.{label}")[span]]


def row_times(entry: StreamEntry, arrays: PieceArrays, stream: str, span: slice) -> np.ndarray:
    """Times of a span of rows; computed for a regular recording among irregular ones."""
    if entry.has_time:
        return arrays.rows(entry, stream, "time")[span]
    start = NO_TIME if entry.start_ns is None else entry.start_ns
    rate = np.nan if entry.rate_hz is None else entry.rate_hz
    return regular_times(start, rate, span.start, span.stop)
