"""Rows of one sharded array, to and from its shard files.

The files are those of Zarr v3's sharding codec, with an index at the end; Zarr reads and
writes the same bytes, which tests assert. This module exists because a chunk that is missing
or damaged must be an error, where Zarr returns the fill value; because it decompresses
into the result without a copy; and because writing needs one chunk of memory beside the
rows, where Zarr needs three shards.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
from typing import TYPE_CHECKING, Any, Final

import google_crc32c
import numpy as np
from numcodecs import blosc

from lumipipe.errors import StoreError
from lumipipe.timing import Timer

if TYPE_CHECKING:
    from pathlib import Path

# Threads inside blosc finish blocks in any order, so the bytes would differ from run to run.
blosc.use_threads = False

COMPRESSOR: Final = "lz4"  # these three as `lumipipe.store.writer` declares them
LEVEL: Final = 5
SHUFFLE: Final = "shuffle"
# LZ4 shrinks zeros by 255: what promises to unpack to more than this is no chunk of ours.
_ALWAYS_BYTES, _MOST_RATIO = 64 * 2**20, 300
_MISSING = 2**64 - 1  # offset and length of a chunk that is not in the shard
_CRC_BYTES = 4
_INNER = ["bytes", "blosc", "crc32c"]
_INDEX = ["bytes", "crc32c"]
_REMEDY = "run prepare again; it rebuilds what is damaged"
_DAMAGES = (RuntimeError, ValueError)  # what blosc raises


def refuse_promise(place: str, promised: int, held: int) -> None:
    """Refuse metadata that promise more than files can unpack to, before memory is taken.

    Parameters
    ----------
    place : str
        The array, for the message.
    promised, held : int, bytes
        What shape and type say, and the size of the files.

    Raises
    ------
    StoreError
        If the promise cannot be true, or is negative: prepare again.
    """
    if not 0 <= promised <= max(_ALWAYS_BYTES, _MOST_RATIO * held):
        raise StoreError(
            place, f"its metadata promise {promised} bytes, its files have {held}", _REMEDY
        )


def write_shard_file(path: Path, rows: np.ndarray, chunk_rows: int, chunks: int) -> str:
    """Write one shard, whole or not at all; returns its SHA-256.

    Parameters
    ----------
    path : Path
        The file.
    rows : ndarray
        Shape (row, ...), up to ``chunk_rows * chunks`` rows; fewer only in the last shard.
    chunk_rows : int
        Rows of a chunk.
    chunks : int
        Chunks of a shard.

    Returns
    -------
    str
        64 hexadecimal digits.

    Notes
    -----
    *Cost*: memory of two chunks beside `rows`.
    """
    index = np.full((chunks, 2), _MISSING, dtype="<u8")
    digest, position = hashlib.sha256(), 0
    part = path.with_name(f".{path.name}.part")
    with part.open("wb", buffering=0) as file:
        for chunk, first in enumerate(range(0, len(rows), chunk_rows)):
            payload = _encoded(rows[first : first + chunk_rows], chunk_rows)
            index[chunk] = position, len(payload)
            digest.update(payload)
            position += len(payload)
            file.write(payload)
        table = _with_crc(index.tobytes())
        digest.update(table)
        file.write(table)
        os.fsync(file.fileno())
    part.replace(path)
    return digest.hexdigest()


def _encoded(rows: np.ndarray, chunk_rows: int) -> bytes:
    """One compressed chunk with its check sum; the last of an array is filled up with zeros."""
    if len(rows) < chunk_rows:
        padding = np.zeros((chunk_rows - len(rows), *rows.shape[1:]), dtype=rows.dtype)
        rows = np.concatenate([rows, padding])
    return _with_crc(
        blosc.compress(np.ascontiguousarray(rows), COMPRESSOR.encode(), LEVEL, blosc.SHUFFLE)
    )


def _with_crc(content: bytes) -> bytes:
    """The bytes and their CRC-32C."""
    check: int = google_crc32c.value(content)
    return content + check.to_bytes(_CRC_BYTES, "little")


class ShardedArray:
    """Rows of one array of a dataset.

    Parameters
    ----------
    root : Path
        The dataset's folder.
    place : str
        The array's path in it.

    Attributes
    ----------
    shape : tuple of int
        Rows first.
    dtype : dtype
        Type of the stored numbers.
    chunk_rows, shard_rows : int
        Rows of a chunk and of a file.
    attributes : dict
        What is written beside the array.
    timer : Timer
        Takes the seconds of reading and of decoding.
    """

    def __init__(self, root: Path, place: str) -> None:
        self._folder = root / place
        self._place = f"array {place}"
        try:
            content = json.loads((self._folder / "zarr.json").read_text(encoding="utf-8"))
            sharding = content["codecs"][0]["configuration"]
            self.shape: tuple[int, ...] = tuple(content["shape"])
            self.dtype: np.dtype[Any] = np.dtype(content["data_type"]).newbyteorder("<")
            self.shard_rows: int = content["chunk_grid"]["configuration"]["chunk_shape"][0]
            self.chunk_rows: int = sharding["chunk_shape"][0]
            self.attributes: dict[str, Any] = content["attributes"]
            codecs = [codec["name"] for codec in sharding["codecs"]]
            index = [codec["name"] for codec in sharding["index_codecs"]]
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise StoreError(
                str(self._folder), f"its metadata cannot be read ({error!r})", _REMEDY
            ) from error
        if (codecs, index) != (_INNER, _INDEX) or sharding.get("index_location") != "end":
            raise StoreError(
                str(self._folder),
                f"is written with codecs {codecs}, not {_INNER}",
                "prepare it again with this version",
            )
        self._refuse_shapes()
        self._chunks = self.shard_rows // self.chunk_rows
        self._indices: dict[int, np.ndarray] = {}
        self._last: tuple[int, np.ndarray] | None = None
        self._lock = threading.Lock()
        self.timer = Timer()

    def _refuse_shapes(self) -> None:
        """Refuse shapes that are none, and chunks that no file of the array can hold."""
        shapes = (*self.shape, self.shard_rows, self.chunk_rows)
        if not all(type(length) is int and length >= 0 for length in shapes) or not (
            0 < self.chunk_rows <= self.shard_rows and self.shard_rows % self.chunk_rows == 0
        ):
            raise StoreError(
                str(self._folder), f"its metadata have the shapes {shapes}", "prepare it again"
            )
        row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        first = self.file(0)
        held = first.stat().st_size if first.is_file() else 0
        refuse_promise(self._place, self.chunk_rows * row_bytes, held)

    def read(self, first: int, stop: int) -> np.ndarray:
        """Rows of the array.

        Parameters
        ----------
        first, stop : int
            First row and row after the last.

        Returns
        -------
        ndarray
            Shape (stop - first, ...), the stored type.

        Raises
        ------
        StoreError
            If a shard is missing, cut short or damaged, naming array and file.
        """
        if not 0 <= first <= stop <= self.shape[0]:
            raise IndexError(
                f"{self._place}: rows {first} to {stop} are not within 0 to {self.shape[0]}"
            )
        rows = np.empty((stop - first, *self.shape[1:]), dtype=self.dtype)
        if first == stop:
            return rows
        for shard in range(first // self.shard_rows, (stop - 1) // self.shard_rows + 1):
            self._read_shard(shard, first, stop, rows)
        return rows

    def file(self, shard: int) -> Path:
        """The file of a shard."""
        return self._folder / ".".join(["c", str(shard)] + ["0"] * (len(self.shape) - 1))

    def _read_shard(self, shard: int, first: int, stop: int, rows: np.ndarray) -> None:
        """Fill the part of `rows`, which begins at row `first`, that lies in a shard."""
        path = self.file(shard)
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise self._damage(path, f"cannot be opened ({error.strerror})") from error
        try:
            index = self._index(shard, handle, path)
            start = shard * self.shard_rows
            low = max(first, start) // self.chunk_rows
            high = (min(stop, start + self.shard_rows) - 1) // self.chunk_rows
            for chunk in range(low, high + 1):
                span = index[chunk - shard * self._chunks]
                self._read_chunk(chunk, first, rows, (handle, path, int(span[0]), int(span[1])))
        finally:
            os.close(handle)

    def _index(self, shard: int, handle: int, path: Path) -> np.ndarray:
        """Offset and bytes of each chunk of a shard, read once."""
        if shard not in self._indices:
            length = 16 * self._chunks + _CRC_BYTES
            position = os.fstat(handle).st_size - length
            if position < 0:
                raise self._damage(path, "index: the file is cut short")
            table = self._checked(os.pread(handle, length, position), length, path, "index")
            self._indices[shard] = np.frombuffer(table, dtype="<u8").reshape(self._chunks, 2)
        return self._indices[shard]

    def _checked(self, content: bytes, length: int, path: Path, what: str) -> np.ndarray:
        """The bytes before the check sum at the end, which must be right."""
        whole = np.frombuffer(content, dtype=np.uint8)
        if len(whole) != length:
            raise self._damage(path, f"{what}: the file is cut short")
        payload, stored = whole[:-_CRC_BYTES], whole[-_CRC_BYTES:]
        if google_crc32c.value(payload) != int.from_bytes(stored.tobytes(), "little"):
            raise self._damage(path, f"{what}: the check sum is wrong")
        return payload

    def _read_chunk(
        self, chunk: int, first: int, rows: np.ndarray, span: tuple[int, Path, int, int]
    ) -> None:
        """Fill the part of `rows` that lies in a chunk."""
        start = chunk * self.chunk_rows
        low, high = max(first, start), min(first + len(rows), start + self.chunk_rows)
        part = rows[low - first : high - first]
        if high - low == self.chunk_rows:
            self._decompress(chunk, span, part)
            return
        with self._lock:
            last = self._last
        if last is None or last[0] != chunk:
            # Windows at the border of a chunk come back for its rest; one chunk is kept.
            last = (chunk, np.empty((self.chunk_rows, *self.shape[1:]), dtype=self.dtype))
            self._decompress(chunk, span, last[1])
            with self._lock:
                self._last = last
        part[...] = last[1][low - start : high - start]

    def _decompress(self, chunk: int, span: tuple[int, Path, int, int], part: np.ndarray) -> None:
        """Read a whole chunk into `part`."""
        handle, path, offset, length = span
        what = f"chunk {chunk}"
        if offset == _MISSING:
            raise self._damage(path, f"{what} is missing")
        if offset + length > os.fstat(handle).st_size:
            raise self._damage(path, f"{what}: the file is cut short")
        with self.timer.part("read", nbytes=length):
            content = os.pread(handle, length, offset)
        with self.timer.part("decode", nbytes=part.nbytes, rows=len(part)):
            payload = self._checked(content, length, path, what)
            try:
                blosc.decompress(payload, part)
            except _DAMAGES as error:
                raise self._damage(path, f"{what} cannot be decompressed ({error})") from error

    def _damage(self, path: Path, problem: str) -> StoreError:
        """An error that names array and file."""
        return StoreError(f"{self._place}: {path}", problem, _REMEDY)
