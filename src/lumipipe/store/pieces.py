"""Pieces: recordings that were read but do not stand in their place in a dataset yet.

A piece is a folder with the recordings of one batch of raw files: one ``.npy`` file an array
and stream, and ``piece.json``. It appears in one step, so a killed preparation goes on from
whole pieces. How pieces become shards is in `lumipipe.store.assembly`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lumipipe.store.files import remove_tree, sizes_below, sync, sync_tree, write_json
from lumipipe.store.rows import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_INDEX = "piece.json"
_Vocabulary = dict[str, dict[str, list[str]]]


class StreamLike(Protocol):
    """What a reader gives for one stream; see `lumipipe.readers.recording.Stream`."""

    @property
    def values(self) -> np.ndarray: ...  # noqa: D102
    @property
    def time_ns(self) -> np.ndarray | None: ...  # noqa: D102
    @property
    def start_ns(self) -> int | None: ...  # noqa: D102
    @property
    def rate_hz(self) -> float: ...  # noqa: D102
    @property
    def rate_u_hz(self) -> float: ...  # noqa: D102
    @property
    def nominal_hz(self) -> float: ...  # noqa: D102
    @property
    def segments(self) -> np.ndarray: ...  # noqa: D102
    @property
    def labels(self) -> dict[str, np.ndarray]: ...  # noqa: D102
    @property
    def channels(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def units(self) -> tuple[str, ...]: ...  # noqa: D102


class RecordingLike(Protocol):
    """What a reader gives for one recording; see `lumipipe.readers.recording.Recording`."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def attributes(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def labels(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def streams(self) -> Mapping[str, StreamLike]: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True)
class StreamEntry:
    """Where the rows of one recording's stream lie in a piece, and how they were sampled."""

    piece: str
    first: int
    rows: int
    channels: list[str]
    units: list[str]
    dtype: str
    has_time: bool
    start_ns: int | None
    rate_hz: float | None
    rate_u_hz: float | None
    nominal_hz: float | None
    segment_first: int
    segment_count: int
    labels: list[str]


@dataclass(frozen=True)
class RecordingEntry:
    """One recording of a piece."""

    id: str
    unit: str
    source: str
    file: str
    sha256: str
    attributes: dict[str, str]
    labels: dict[str, str]
    notes: list[str]
    streams: dict[str, StreamEntry]


@dataclass(frozen=True)
class Failure:
    """One recording that cannot be used, or (fatal) a request that cannot be carried out."""

    id: str | None
    source: str
    file: str
    sha256: str | None
    place: str
    problem: str
    remedy: str
    fatal: bool


@dataclass(frozen=True)
class Piece:
    """What one batch gave.

    Parameters
    ----------
    recordings : list of RecordingEntry
        In the order in which they were read.
    failures : list of Failure
        What could not be used.
    vocabulary : dict
        Stream, then label, to the names that the codes of this piece stand for.
    """

    name: str
    recordings: list[RecordingEntry]
    failures: list[Failure]
    vocabulary: _Vocabulary

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def piece_from_json(content: Mapping[str, Any]) -> Piece:
    """The piece in what `Piece.as_json` gave."""
    recordings = [
        RecordingEntry(
            **(
                entry
                | {"streams": {name: StreamEntry(**s) for name, s in entry["streams"].items()}}
            )
        )
        for entry in content["recordings"]
    ]
    failures = [Failure(**failure) for failure in content["failures"]]
    return Piece(content["name"], recordings, failures, content["vocabulary"])


def read_piece(folder: Path) -> Piece | None:
    """The piece in `folder`, or None where there is none or a file of it is cut short."""
    try:
        content = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        sizes = sizes_below(folder)
        if any(sizes.get(name) != size for name, size in content["sizes"].items()):
            return None
        return piece_from_json(content["piece"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_piece(
    folder: Path, recordings: Sequence[RecordingLike], failures: Sequence[Failure]
) -> Piece:
    """Write one piece, whole or not at all.

    Parameters
    ----------
    folder : Path
        The piece; its last part is its name.
    recordings : sequence of RecordingLike
        What the batch's files hold, each stream with at least one row.
    failures : sequence of Failure
        What could not be used.

    Returns
    -------
    Piece
        What was written.
    """
    building = folder.with_name(f".{folder.name}.part")
    remove_tree(building)
    remove_tree(folder)
    building.mkdir(parents=True)
    entries: list[dict[str, StreamEntry]] = [{} for _ in recordings]
    vocabulary: _Vocabulary = {}
    for name in sorted({name for recording in recordings for name in recording.streams}):
        members = [i for i, recording in enumerate(recordings) if name in recording.streams]
        streams: list[StreamLike] = [recordings[i].streams[name] for i in members]
        vocabulary[name] = _write_arrays(building / name, streams)
        for i, entry in zip(members, _stream_entries(folder.name, streams), strict=True):
            entries[i][name] = entry
    piece = Piece(
        folder.name,
        [
            _entry(recording, streams)
            for recording, streams in zip(recordings, entries, strict=True)
        ],
        list(failures),
        vocabulary,
    )
    sizes = sizes_below(building)
    write_json(building / _INDEX, {"piece": piece.as_json(), "sizes": sizes})
    sync_tree(building)
    building.rename(folder)
    sync(folder.parent)
    return piece


def _entry(recording: RecordingLike, streams: dict[str, StreamEntry]) -> RecordingEntry:
    """The recording without its rows."""
    return RecordingEntry(
        recording.id,
        recording.unit,
        recording.source,
        recording.file,
        recording.sha256,
        dict(recording.attributes),
        dict(recording.labels),
        list(recording.notes),
        streams,
    )


def _stream_entries(piece: str, streams: Sequence[StreamLike]) -> list[StreamEntry]:
    """Where each stream's rows and segments lie when they are written one after another."""
    entries, first, segment = [], 0, 0
    for stream in streams:
        rows = len(stream.values)
        entries.append(
            StreamEntry(
                piece,
                first,
                rows,
                list(stream.channels),
                list(stream.units),
                stream.values.dtype.name,
                stream.time_ns is not None,
                None if stream.start_ns is None else int(stream.start_ns),
                _finite(stream.rate_hz),
                _finite(stream.rate_u_hz),
                _finite(stream.nominal_hz),
                segment,
                len(stream.segments),
                sorted(stream.labels),
            )
        )
        first += rows
        segment += len(stream.segments)
    return entries


def _finite(value: float) -> float | None:
    """The number for JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None


def _write_arrays(stem: Path, streams: Sequence[StreamLike]) -> dict[str, list[str]]:
    """Write the arrays of one stream of all recordings; returns the names of label codes."""
    rows = sum(len(stream.values) for stream in streams)
    dtype = np.result_type(*(stream.values.dtype for stream in streams))
    _write_rows(
        stem, "value", dtype, (rows, streams[0].values.shape[1]), [s.values for s in streams]
    )
    segments = np.concatenate([np.reshape(s.segments, (-1, 2)) for s in streams])
    np.save(_array_file(stem, "segments"), segments.astype(np.int64))
    if any(stream.time_ns is not None for stream in streams):
        times = [
            np.zeros(len(s.values), np.int64) if s.time_ns is None else s.time_ns for s in streams
        ]
        _write_rows(stem, "time", np.dtype(np.int64), (rows,), times)
    vocabulary: dict[str, list[str]] = {}
    for label in sorted({label for stream in streams for label in stream.labels}):
        names: dict[str, int] = {}
        codes = [_codes(stream, label, names) for stream in streams]
        _write_rows(stem, f"label.{label}", np.dtype(np.int32), (rows,), codes)
        vocabulary[label] = list(names)
    return vocabulary


def _codes(stream: StreamLike, label: str, names: dict[str, int]) -> np.ndarray:
    """Codes of a label's names, which are added to `names`; the empty name is no label."""
    if label not in stream.labels:
        return np.full(len(stream.values), NO_LABEL, dtype=np.int32)
    found, inverse = np.unique(stream.labels[label], return_inverse=True)
    known = [str(name) for name in found]
    codes = [names.setdefault(name, len(names)) if name else NO_LABEL for name in known]
    return np.asarray(codes, dtype=np.int32)[inverse]


def _array_file(stem: Path, array: str) -> Path:
    """The file of one array of a stream of a piece."""
    return stem.with_name(f"{stem.name}.{array}.npy")


def _write_rows(
    stem: Path,
    array: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    blocks: Sequence[np.ndarray],
) -> None:
    """Write blocks of rows one after another as one array, without joining them in memory."""
    # Version 1.0 of the header, as numpy.save writes it for plain numbers.
    header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    with _array_file(stem, array).open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype=dtype).data)


class PieceArrays:
    """Arrays of pieces, each mapped into memory when it is first asked for.

    Parameters
    ----------
    folder : Path
        Where the pieces are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, str, str], np.ndarray] = {}

    def array(self, piece: str, stream: str, array: str) -> np.ndarray:
        """All rows of ``value``, ``time``, ``segments`` or ``label.NAME`` of one piece."""
        key = (piece, stream, array)
        if key not in self._open:
            file = _array_file(self._folder / piece / stream, array)
            self._open[key] = np.load(file, mmap_mode="r")
        return self._open[key]

    def rows(self, entry: StreamEntry, stream: str, array: str) -> np.ndarray:
        """The rows of one recording."""
        return self.array(entry.piece, stream, array)[entry.first : entry.first + entry.rows]

    def segments(self, entry: StreamEntry, stream: str) -> np.ndarray:
        """The segments of one recording, shape (segment, 2): its first row and rows."""
        first = entry.segment_first
        return self.array(entry.piece, stream, "segments")[first : first + entry.segment_count]
