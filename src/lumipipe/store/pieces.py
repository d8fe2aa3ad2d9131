"""Pieces: recordings that were read but do not stand in their place in a dataset yet.

A piece is a folder with the recordings of some items, such as raw files: one ``.npy`` file an
array and stream, and ``piece.json``. It appears in one step, so what is there is whole. Which
items share a piece is in `lumipipe.store.batches`, when one is used again in
`lumipipe.store.first_pass`, how pieces become shards in `lumipipe.store.assembly`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.store.entries import RecordingEntry, StreamEntry, entry_from_json
from lumipipe.store.files import digest_of, remove_tree, sizes_below, sync, sync_tree, write_json
from lumipipe.store.rows import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.store.entries import RecordingLike, StreamLike

_INDEX = "piece.json"


@dataclass(frozen=True)
class Piece:
    """What some items gave.

    Parameters
    ----------
    name : str
        Name of its folder.
    items : dict of str to list of RecordingEntry
        Key of each item to its recordings, in the order in which they were read.
    """

    name: str
    items: dict[str, list[RecordingEntry]]

    def as_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def piece_from_json(content: Mapping[str, Any]) -> Piece:
    """The piece in what `Piece.as_json` gave."""
    items = {
        key: [entry_from_json(entry) for entry in entries]
        for key, entries in content["items"].items()
    }
    return Piece(content["name"], items)


def read_piece(folder: Path) -> Piece | None:
    """The piece in `folder`, or None where there is none or a file of it is cut short."""
    try:
        content = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        sizes = sizes_below(folder)
        if any(sizes.get(name) != size for name, size in content["sizes"].items()):
            return None
        return piece_from_json(content["piece"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_piece(pool: Path, kind: str, items: Mapping[str, Sequence[RecordingLike]]) -> Piece:
    """Write one piece, whole or not at all.

    Parameters
    ----------
    pool : Path
        Folder of all pieces; made where it is not there.
    kind : str
        What the items are; the piece's name begins with it.
    items : mapping of str to sequence of RecordingLike
        Key of each item to what it holds: at least one recording, each stream with at least
        one row.

    Returns
    -------
    Piece
        What was written. Its name tells items and contents apart.
    """
    content = [[key, [one.sha256 for one in found]] for key, found in items.items()]
    folder = pool / f"{kind}-{digest_of(content)[:16]}"
    building = pool / f".{folder.name}.part"
    remove_tree(building)
    remove_tree(folder)
    building.mkdir(parents=True)
    recordings = [recording for found in items.values() for recording in found]
    streams: list[dict[str, StreamEntry]] = [{} for _ in recordings]
    for name in sorted({name for recording in recordings for name in recording.streams}):
        members = [i for i, recording in enumerate(recordings) if name in recording.streams]
        parts = [recordings[i].streams[name] for i in members]
        labels = _write_arrays(building / name, parts)
        for i, entry in zip(members, _stream_entries(folder.name, parts, labels), strict=True):
            streams[i][name] = entry
    entries = iter(map(_entry, recordings, streams))
    piece = Piece(folder.name, {key: [next(entries) for _ in items[key]] for key in items})
    sizes = sizes_below(building)
    write_json(building / _INDEX, {"piece": piece.as_json(), "sizes": sizes})
    sync_tree(building)
    building.rename(folder)
    sync(pool)
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


def _stream_entries(
    piece: str, streams: Sequence[StreamLike], labels: Sequence[dict[str, list[str]]]
) -> list[StreamEntry]:
    """Where each stream's rows and segments lie when they are written one after another."""
    entries, first, segment = [], 0, 0
    for stream, names in zip(streams, labels, strict=True):
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
                names,
            )
        )
        first += rows
        segment += len(stream.segments)
    return entries


def _finite(value: float) -> float | None:
    """The number for JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None


def _write_arrays(stem: Path, streams: Sequence[StreamLike]) -> list[dict[str, list[str]]]:
    """Write one stream of all recordings; returns what the label codes of each stand for."""
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
    names: list[dict[str, list[str]]] = [{} for _ in streams]
    for label in sorted({label for stream in streams for label in stream.labels}):
        coded = [_codes(stream, label) for stream in streams]
        _write_rows(
            stem, f"label.{label}", np.dtype(np.int32), (rows,), [codes for codes, _ in coded]
        )
        for stream, own, (_, found) in zip(streams, names, coded, strict=True):
            if label in stream.labels:
                own[label] = found
    return names


def _codes(stream: StreamLike, label: str) -> tuple[np.ndarray, list[str]]:
    """Codes of a label's names, and the names; the empty name is no label."""
    if label not in stream.labels:
        return np.full(len(stream.values), NO_LABEL, dtype=np.int32), []
    found, inverse = np.unique(stream.labels[label], return_inverse=True)
    names = [str(name) for name in found if name]
    # The empty name sorts first, so that with it each code is one less.
    return inverse.astype(np.int32) - np.int32(len(found) - len(names)), names


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
