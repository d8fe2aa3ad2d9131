"""Reading a dataset: its recordings, its streams, and the rows of a stream.

Only a dataset with a valid manifest opens. How it was written is in `lumipipe.store.writer`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr

from lumipipe.errors import StoreError
from lumipipe.partition import Span
from lumipipe.store.files import digest_files
from lumipipe.store.manifest import PATIENCE_S, Manifest, read_manifest
from lumipipe.store.rows import (
    FORM,
    LABEL,
    NO_LABEL,
    NO_TIME,
    TIME,
    VALUE,
    ChannelRow,
    RecordingRow,
    channel_row,
    regular_times,
)
from lumipipe.store.shard import ShardedArray, refuse_promise

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lumipipe.timing import Timer

__all__ = [
    "NO_LABEL",
    "NO_TIME",
    "ChannelRow",
    "Dataset",
    "RecordingRow",
    "StreamTable",
    "open_dataset",
]

_REMEDY = "run prepare again; it rebuilds what is damaged"
_DAMAGES = (OSError, RuntimeError, ValueError, KeyError, TypeError, IndexError)
_JSON = ("attributes", "labels", "notes")
_SEGMENTS = ("segment_first", "segment_rows", "segment_recording")
_RATES = ("rate_hz", "rate_u_hz", "nominal_hz")
_OF_RECORDINGS = ("first_row", "rows", "start_ns", *_RATES)
_COLUMNS = ("row_size", "start_ns", *_RATES, *_SEGMENTS, "offset")


@dataclass(frozen=True)
class StreamTable:
    """Channels sampled together: all rows of all recordings, one after another.

    Parameters
    ----------
    name : str
        Name of the stream.
    channels : tuple of ChannelRow
        Channels in the order of columns.
    dtype : dtype
        Type of what `read_rows` returns, float32 or float64.
    first_row, rows : ndarray
        Shape (recording,), int64; where each recording's rows begin and how many there are,
        0 where a recording does not have this stream.
    start_ns : ndarray
        Shape (recording,), int64, ns since 1970 UTC; `NO_TIME` where not known.
    rate_hz, rate_u_hz, nominal_hz : ndarray
        Shape (recording,), float64, Hz; NaN where not known.
    segments : tuple of tuple of Span
        Of each recording, the spans of the stream's rows that have no gap in them.
    label_names : dict of str to tuple of str
        Label of each row to the names of its codes.
    has_time : bool
        Whether time stamps are stored, since some recording is not regular.
    """

    name: str
    channels: tuple[ChannelRow, ...]
    dtype: np.dtype[Any]
    first_row: np.ndarray
    rows: np.ndarray
    start_ns: np.ndarray
    rate_hz: np.ndarray
    rate_u_hz: np.ndarray
    nominal_hz: np.ndarray
    segments: tuple[tuple[Span, ...], ...]
    label_names: dict[str, tuple[str, ...]]
    has_time: bool
    _offset: np.ndarray = field(repr=False)
    _arrays: dict[str, ShardedArray] = field(repr=False)

    @property
    def row_count(self) -> int:
        """Rows of all recordings together."""
        return self._arrays[VALUE].shape[0]

    @property
    def chunk_rows(self) -> int:
        """Rows that are compressed together; reads that begin at a multiple are cheapest."""
        return self._arrays[VALUE].chunk_rows

    @property
    def is_shifted(self) -> bool:
        """Whether numbers are stored as distances from a level, which depends on all recordings."""
        return bool(self._offset.any())

    def time_with(self, timer: Timer) -> None:
        """Have a timer take the seconds of reading and of decoding from now on."""
        for array in self._arrays.values():
            array.timer = timer

    def read_rows(self, first: int, stop: int) -> np.ndarray:
        """Readings of all channels.

        Parameters
        ----------
        first, stop : int
            First row in the stream and row after the last.

        Returns
        -------
        ndarray
            Shape (stop - first, channel), `dtype`, unit of each channel; NaN where the
            instrument gave no reading.

        Raises
        ------
        StoreError
            If a file is missing or damaged, naming array and file.
        """
        stored = self._arrays[VALUE].read(first, stop)
        return stored + self._offset if self._offset.any() else stored

    def read_time(self, first: int, stop: int) -> np.ndarray:
        """Times of rows.

        Parameters
        ----------
        first, stop : int
            First row in the stream and row after the last.

        Returns
        -------
        ndarray
            Shape (stop - first,), int64, ns since 1970 UTC, or since the recording's first
            row where its start is not known; `NO_TIME` where rows have an order only.
        """
        if self.has_time:
            return self._arrays[TIME].read(first, stop)
        parts = [np.empty(0, dtype=np.int64)]
        while first < stop:
            recording = int(np.searchsorted(self.first_row, first, side="right")) - 1
            begin = int(self.first_row[recording])
            end = min(stop, begin + int(self.rows[recording]))
            start, rate = int(self.start_ns[recording]), float(self.rate_hz[recording])
            parts.append(regular_times(start, rate, first - begin, end - begin))
            first = end
        return np.concatenate(parts)

    def read_labels(self, name: str, first: int, stop: int) -> np.ndarray:
        """Codes of a label of each row.

        Parameters
        ----------
        name : str
            A key of `label_names`.
        first, stop : int
            First row in the stream and row after the last.

        Returns
        -------
        ndarray
            Shape (stop - first,), int16, positions in ``label_names[name]``; `NO_LABEL` where
            the row has none.
        """
        return self._arrays[LABEL + name].read(first, stop)


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset.

    Parameters
    ----------
    manifest : Manifest
        What the preparation recorded.
    recordings : tuple of RecordingRow
        Ordered by unit and id; their numbers are positions in the tables of all streams.
    streams : dict of str to StreamTable
        Streams by name.
    """

    manifest: Manifest
    recordings: tuple[RecordingRow, ...]
    streams: dict[str, StreamTable]

    def without(self, units: Collection[str]) -> Dataset:
        """The tables without the recordings of some units; rows keep their numbers."""
        kept = [n for n, row in enumerate(self.recordings) if row.unit not in units]
        streams = {
            name: replace(
                stream,
                **{column: getattr(stream, column)[kept] for column in _OF_RECORDINGS},
                segments=tuple(stream.segments[n] for n in kept),
            )
            for name, stream in self.streams.items()
        }
        return Dataset(self.manifest, tuple(self.recordings[n] for n in kept), streams)


def open_dataset(
    manifest: Path, *, checksums: bool = False, patience_s: float = PATIENCE_S
) -> Dataset:
    """The dataset that a manifest vouches for.

    Parameters
    ----------
    manifest : Path
        Manifest beside the store.
    checksums : bool
        Whether the digest of every file is compared; presence, size and all metadata always
        are.
    patience_s : float
        Seconds to wait for a file that the file system does not show yet.

    Returns
    -------
    Dataset
        Tables in memory; rows are read when asked for.

    Raises
    ------
    StoreError
        If there is no manifest, or a file is missing, damaged or not what was published.
    """
    found = read_manifest(manifest, checksums=checksums, patience_s=patience_s)
    _check_metadata(found)
    root = found.product
    group = zarr.open_group(root, mode="r", use_consolidated=False)
    if group.attrs.get("lumipipe_dataset") != FORM:
        raise StoreError(str(root), "is no dataset of this version", "prepare it again")
    recordings = _recordings(root, group)
    names = sorted(found.record["streams"])
    streams = {name: _stream(root, group, name, len(recordings)) for name in names}
    for name, stream in streams.items():
        if stream.row_count != found.record["streams"][name]["rows"]:
            raise StoreError(
                str(root / "streams" / name), "has not as many rows as its manifest says", _REMEDY
            )
    return Dataset(found, recordings, streams)


def _check_metadata(manifest: Manifest) -> None:
    """Refuse metadata that were changed after publication, such as stale copies."""
    names = [name for name in manifest.files if name.rsplit("/", 1)[-1] == "zarr.json"]
    digests = digest_files(manifest.product / name for name in names)
    for name, digest in zip(names, digests, strict=True):
        if manifest.files[name].sha256 != digest:
            raise StoreError(
                str(manifest.product / name), "these metadata are not what was published", _REMEDY
            )


def _table(root: Path, group: zarr.Group, place: str) -> np.ndarray:
    """A small array, read whole."""
    try:
        array: Any = group[place]
        held = sum(path.stat().st_size for path in (root / place).iterdir() if path.is_file())
        cells = max(math.prod(array.shape), math.prod(array.chunks))
        refuse_promise(f"array {place}: {root / place}", cells * array.dtype.itemsize, held)
        return np.asarray(array[...])
    except _DAMAGES as error:
        raise StoreError(
            f"array {place}: {root / place}", f"cannot be read ({error})", _REMEDY
        ) from error


def _recordings(root: Path, group: zarr.Group) -> tuple[RecordingRow, ...]:
    """The table of recordings."""
    names = [item.name for item in fields(RecordingRow)]
    columns = {name: _table(root, group, f"recordings/{name}").tolist() for name in names}
    for name in _JSON:
        columns[name] = [json.loads(line) for line in columns[name]]
    columns["notes"] = [tuple(notes) for notes in columns["notes"]]
    rows = zip(*columns.values(), strict=True)
    return tuple(RecordingRow(**dict(zip(names, row, strict=True))) for row in rows)


def _stream(root: Path, group: zarr.Group, name: str, recordings: int) -> StreamTable:
    """One stream: its tables, and its arrays ready to be read."""
    place = f"streams/{name}"
    table = {key: _table(root, group, f"{place}/{key}") for key in _COLUMNS}
    attributes: dict[str, Any] = dict(group[place].attrs)
    labels = sorted(
        path.name.removeprefix(LABEL) for path in (root / place).iterdir() if _is_label(path)
    )
    keys = [VALUE, *(LABEL + label for label in labels)]
    keys += [TIME] if (root / place / TIME).is_dir() else []
    arrays = {key: ShardedArray(root, f"{place}/{key}") for key in keys}
    rows, offset = table["row_size"], table["offset"]
    counts = {array.shape[0] for array in arrays.values()}
    if len(rows) != recordings or counts != {int(rows.sum())}:
        raise StoreError(str(root / place), "its arrays have unlike numbers of rows", _REMEDY)
    channels = tuple(channel_row(content) for content in attributes["channels"])
    return StreamTable(
        name,
        channels,
        np.dtype(np.float64) if offset.any() else arrays[VALUE].dtype,
        np.cumsum(rows) - rows,
        rows,
        table["start_ns"],
        table["rate_hz"],
        table["rate_u_hz"],
        table["nominal_hz"],
        _segments(table, recordings),
        {label: tuple(arrays[LABEL + label].attributes["names"]) for label in labels},
        TIME in arrays,
        offset,
        arrays,
    )


def _segments(table: dict[str, np.ndarray], recordings: int) -> tuple[tuple[Span, ...], ...]:
    """The spans of each recording."""
    spans: list[list[Span]] = [[] for _ in range(recordings)]
    for first, rows, recording in zip(*(table[key].tolist() for key in _SEGMENTS), strict=True):
        spans[recording].append(Span(first, first + rows))
    return tuple(tuple(part) for part in spans)


def _is_label(path: Path) -> bool:
    """Whether a folder of a stream is the array of a label."""
    return path.name.startswith(LABEL)
