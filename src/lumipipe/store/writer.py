"""Writing a dataset: its template through xarray, its rows as whole shards.

A dataset is one Zarr v3 group. Each stream is a group ``streams/NAME`` in the form of a CF
contiguous ragged array; ``recordings`` is the table of recordings. How rows are cut is in
`lumipipe.store.layout`, reading in `lumipipe.store.dataset`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask.array
import numpy as np
import xarray
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from lumipipe.errors import StoreError
from lumipipe.store.rows import FORM, LABEL, TIME, VALUE
from lumipipe.store.shard import COMPRESSOR, LEVEL, SHUFFLE, ShardedArray, write_shard_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.store.layout import StreamLayout
    from lumipipe.store.rows import ChannelRow, RecordingRow

# Ten requests at a time in each of eight ranks would be 80 open files on a node.
zarr.config.set({"async.concurrency": 4})

TEXT: Any = np.dtypes.StringDType() if hasattr(np.dtypes, "StringDType") else np.dtype(object)
_CONVENTIONS = "CF-1.11"
# One file a shard and no folder around it: folders count against the quota of files as well.
_KEYS = {"name": "default", "configuration": {"separator": "."}}


@dataclass(frozen=True)
class StreamTemplate:
    """All of a stream but its rows.

    Parameters
    ----------
    name : str
        Name of the stream.
    channels : tuple of ChannelRow
        Channels in the order of columns.
    dtype : str
        Type of the stored numbers, float32 or float64.
    offset : ndarray
        Shape (channel,), float64, unit of the channel; what was taken off the stored numbers.
    layout : StreamLayout
        How rows are cut.
    row_size, start_ns : ndarray
        Shape (recording,), int64; rows, and ns since 1970 UTC or `NO_TIME`.
    rate_hz, rate_u_hz, nominal_hz : ndarray
        Shape (recording,), float64, Hz; NaN where not known.
    segments : ndarray
        Shape (segment, 3), int64: first row in the stream, rows, number of the recording.
    labels : dict of str to tuple of str
        Label of each row to the names that its codes stand for.
    """

    name: str
    channels: tuple[ChannelRow, ...]
    dtype: str
    offset: np.ndarray
    layout: StreamLayout
    row_size: np.ndarray
    start_ns: np.ndarray
    rate_hz: np.ndarray
    rate_u_hz: np.ndarray
    nominal_hz: np.ndarray
    segments: np.ndarray
    labels: dict[str, tuple[str, ...]]


def write_template(
    folder: Path, recordings: Sequence[RecordingRow], streams: Sequence[StreamTemplate]
) -> None:
    """Write all metadata and tables of a dataset, without the rows of its streams.

    Parameters
    ----------
    folder : Path
        The Zarr group to make.
    recordings : sequence of RecordingRow
        At least one, in the order of the tables of all streams.
    streams : sequence of StreamTemplate
        At least one.
    """
    root = xarray.Dataset(attrs={"Conventions": _CONVENTIONS, "lumipipe_dataset": FORM})
    root.to_zarr(folder, mode="w", consolidated=False, zarr_format=3)
    _write_group(folder, "recordings", _recordings_table(recordings), {})
    for stream in streams:
        table = _stream_table(stream)
        _write_group(folder, f"streams/{stream.name}", table, _row_encoding(stream))


def _write_group(
    folder: Path, group: str, table: xarray.Dataset, encoding: dict[str, dict[str, Any]]
) -> None:
    """Write small arrays and the metadata of lazy ones as one group."""
    for name, variable in table.variables.items():
        if name not in encoding:
            encoding[str(name)] = _coding(variable.shape)
    table.to_zarr(
        folder,
        group=group,
        mode="w",
        consolidated=False,
        zarr_format=3,
        encoding=encoding,
        compute=False,
        write_empty_chunks=True,
    )


def _coding(chunks: tuple[int, ...], shards: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Encoding of one array: compressed chunks with a check sum each."""
    return {
        "chunks": chunks,
        "compressors": (
            BloscCodec(cname=COMPRESSOR, clevel=LEVEL, shuffle=SHUFFLE),
            Crc32cCodec(),
        ),
        "chunk_key_encoding": _KEYS,
    } | ({} if shards is None else {"shards": shards})


def _text(values: Sequence[str]) -> np.ndarray:
    """Text of any length as an array."""
    return np.array(list(values), dtype=TEXT)


def _recordings_table(rows: Sequence[RecordingRow]) -> xarray.Dataset:
    """The table of recordings; mappings and notes are JSON."""
    columns = {
        name: [getattr(row, name) for row in rows]
        for name in ("id", "unit", "source", "file", "sha256")
    }
    for name in ("attributes", "labels", "notes"):
        columns[name] = [
            json.dumps(getattr(row, name), sort_keys=True, ensure_ascii=False) for row in rows
        ]
    return xarray.Dataset(
        {
            name: ("recording", _text(values), {"cf_role": "timeseries_id"} if name == "id" else {})
            for name, values in columns.items()
        }
    )


def _stream_table(stream: StreamTemplate) -> xarray.Dataset:
    """All arrays of a stream; those with one entry a row are lazy and hold nothing."""
    layout = stream.layout
    shape, shards = (layout.rows, layout.channels), (layout.shard_rows, layout.channels)
    rows: dict[str, Any] = {
        VALUE: (
            ("sample", "channel"),
            dask.array.zeros(shape, chunks=shards, dtype=stream.dtype),
            {"long_name": "stored number; the reading is value + offset"},
        )
    }
    if layout.has_time:
        rows[TIME] = (
            "sample",
            dask.array.zeros(layout.rows, chunks=layout.shard_rows, dtype=np.int64),
            {"units": "ns", "long_name": "time since 1970 UTC, or since an unknown start"},
        )
    for name, names in stream.labels.items():
        rows[LABEL + name] = (
            "sample",
            dask.array.zeros(layout.rows, chunks=layout.shard_rows, dtype=np.int16),
            _flags(names),
        )
    channels = [channel.as_json() for channel in stream.channels]
    return xarray.Dataset(
        rows | _recording_arrays(stream),
        coords={
            "channel": ("channel", _text([channel.name for channel in stream.channels])),
            "quantity": ("channel", _text([channel.quantity for channel in stream.channels])),
            "unit": ("channel", _text([channel.unit for channel in stream.channels])),
            "offset": ("channel", stream.offset),
        },
        attrs={
            "Conventions": _CONVENTIONS,
            "featureType": "timeSeries",
            "channels": channels,
        },
    )


def _recording_arrays(stream: StreamTemplate) -> dict[str, Any]:
    """Arrays with one entry a recording or segment."""
    time = {"units": "ns", "long_name": "time of the first row since 1970 UTC", "unknown": "min"}
    return {
        "row_size": (
            "recording",
            stream.row_size,
            {"sample_dimension": "sample", "long_name": "rows of each recording"},
        ),
        "start_ns": ("recording", stream.start_ns, time),
        "rate_hz": ("recording", stream.rate_hz, {"units": "Hz", "long_name": "measured rate"}),
        "rate_u_hz": (
            "recording",
            stream.rate_u_hz,
            {"units": "Hz", "long_name": "standard uncertainty of rate_hz"},
        ),
        "nominal_hz": ("recording", stream.nominal_hz, {"units": "Hz"}),
        "segment_first": ("segment", stream.segments[:, 0], {"long_name": "row in the stream"}),
        "segment_rows": ("segment", stream.segments[:, 1], {"long_name": "rows between gaps"}),
        "segment_recording": (
            "segment",
            stream.segments[:, 2],
            {"instance_dimension": "recording"},
        ),
    }


def _flags(names: tuple[str, ...]) -> dict[str, Any]:
    """CF attributes of codes; `names` keeps what CF's blank-separated words cannot say."""
    words = ["_".join(name.split()) or "_" for name in names]
    return {
        "flag_values": list(range(len(names))),
        "flag_meanings": " ".join(words),
        "names": list(names),
    }


def _row_encoding(stream: StreamTemplate) -> dict[str, dict[str, Any]]:
    """Encoding of the arrays with one entry a row."""
    layout = stream.layout
    line = _coding((layout.chunk_rows,), (layout.shard_rows,))
    encoding = {LABEL + name: line for name in stream.labels}
    if layout.has_time:
        encoding[TIME] = line
    encoding[VALUE] = _coding(
        (layout.chunk_rows, layout.channels), (layout.shard_rows, layout.channels)
    )
    return encoding


def write_shard(
    folder: Path, stream: str, first: int, rows: Mapping[str, np.ndarray]
) -> dict[str, str]:
    """Write one whole shard of each array of a stream that has one entry a row.

    Parameters
    ----------
    folder : Path
        The Zarr group.
    stream : str
        Name of the stream.
    first : int
        First row of the shard.
    rows : mapping of str to ndarray
        Array to its rows, shape (row, ...).

    Returns
    -------
    dict of str to str
        Each file written, as a path in `folder`, with its SHA-256.

    Raises
    ------
    StoreError
        If the rows are no whole shard: two writers of one shard would lose rows.
    """
    written: dict[str, str] = {}
    for name, block in rows.items():
        place = f"streams/{stream}/{name}"
        array = ShardedArray(folder, place)
        stop = first + len(block)
        if first % array.shard_rows or stop != min(first + array.shard_rows, array.shape[0]):
            raise StoreError(
                f"{folder.name}: array {place}",
                f"rows {first} to {stop} are no whole shard of {array.shard_rows} rows",
                "write whole shards only",
            )
        if (block.dtype, block.shape[1:]) != (array.dtype, array.shape[1:]):
            raise StoreError(
                f"{folder.name}: array {place}",
                f"rows are {block.dtype} {block.shape[1:]}, stored are {array.dtype}",
                "convert them first",
            )
        file = array.file(first // array.shard_rows)
        chunks = array.shard_rows // array.chunk_rows
        written[file.relative_to(folder).as_posix()] = write_shard_file(
            file, block, array.chunk_rows, chunks
        )
    return written
