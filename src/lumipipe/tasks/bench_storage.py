"""What `bench` measures of the storage: raw files and shards, read and written.

All functions are collective and give their values on every rank.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.store.files import sync
from lumipipe.store.layout import StreamLayout
from lumipipe.store.rows import VALUE
from lumipipe.store.shard import ShardedArray
from lumipipe.store.writer import write_shard
from lumipipe.tasks.smoke_files import STREAM, trial_rows, write_trial
from lumipipe.tasks.together import everywhere, on_first

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.backend import Backend
    from lumipipe.comm import Comm

_READ_BYTES = 4 * 2**20
_CHANNELS, _CHUNK_BYTES = 8, 2**20
_MESSAGE_BYTES = 16 * 2**20  # between 1 and 64 MiB, the states of the families


@dataclass(frozen=True)
class Place:
    """What is measured.

    Parameters
    ----------
    comm : Comm
        All ranks.
    folder : Path
        Folder of all ranks, on the storage that is measured.
    file_bytes : int
        Bytes of each file, before compression.
    seconds : float, s
        How long one repeat of arithmetic takes.
    host : Backend
        NumPy.
    device : Backend, optional
        CuPy, where there is a device.
    """

    comm: Comm
    folder: Path
    file_bytes: int
    seconds: float
    host: Backend
    device: Backend | None

    @property
    def layout(self) -> StreamLayout:
        """A stream with one shard for each rank."""
        chunk = min(self.file_bytes, _CHUNK_BYTES) // (4 * _CHANNELS)
        shard = chunk * (self.file_bytes // (4 * _CHANNELS * chunk))
        return StreamLayout(shard * self.comm.size, _CHANNELS, 4, chunk, shard)

    @property
    def message_bytes(self) -> int:
        """Bytes of a message as large as a state."""
        return min(_MESSAGE_BYTES, self.file_bytes)

    @property
    def other(self) -> int:
        """A rank that is on another node where there are two: files it wrote are not cached."""
        return (self.comm.rank + self.comm.size // 2) % self.comm.size

    def raw_file(self, rank: int) -> Path:
        """The raw file that a rank wrote."""
        return self.folder / f"raw-{rank}"

    def shard_rows(self, rank: int) -> np.ndarray:
        """Rows of a shard: noise of eight bits below its unit, as of an instrument."""
        rows = trial_rows(rank, self.layout.shard_rows, _CHANNELS)
        return np.asarray(np.round(rows * 256) / 256, dtype=np.float32)


def prepare_files(place: Place) -> None:
    """Write what is read later: each rank a raw file and a shard."""
    comm, layout = place.comm, place.layout
    on_first(comm, lambda: write_trial(place.folder / "store", layout))
    rows = place.shard_rows(comm.rank)

    def write() -> None:
        first = comm.rank * layout.shard_rows
        write_shard(place.folder / "store", STREAM, first, {VALUE: rows})
        path = place.raw_file(comm.rank)
        path.write_bytes(np.random.Generator(np.random.Philox(key=1)).bytes(place.file_bytes))
        sync(path)

    everywhere(comm, write)


def raw_rate(place: Place) -> float:
    """Bytes a second of reading a raw file on one rank."""
    seconds = on_first(place.comm, lambda: _read_cold(place.raw_file(place.other)))
    return place.file_bytes / seconds


def storage_rate(place: Place) -> float:
    """Bytes a second of all ranks that read a raw file each at the same time."""
    place.comm.barrier()
    seconds = everywhere(place.comm, lambda: _read_cold(place.raw_file(place.other)))
    return place.comm.size * place.file_bytes / max(seconds)


def _read_cold(path: Path) -> float:
    """Seconds of reading a file of which this node holds nothing in memory."""
    buffer = bytearray(_READ_BYTES)
    with path.open("rb", buffering=0) as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = time.perf_counter()
        while file.readinto(buffer):
            pass
        return time.perf_counter() - start


def store_read_rate(place: Place) -> float:
    """Decoded bytes a second of reading a shard on one rank."""

    def read() -> float:
        array = ShardedArray(place.folder / "store", f"streams/{STREAM}/{VALUE}")
        with array.file(place.other).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        first = place.other * array.shard_rows
        start = time.perf_counter()
        rows = array.read(first, first + array.shard_rows)
        return rows.nbytes / (time.perf_counter() - start)

    return on_first(place.comm, read)


def store_write_rate(place: Place) -> float:
    """Decoded bytes a second of writing a shard on one rank, until it is on the storage."""

    def write() -> float:
        rows = place.shard_rows(0)
        start = time.perf_counter()
        write_shard(place.folder / "store", STREAM, 0, {VALUE: rows})
        return rows.nbytes / (time.perf_counter() - start)

    return on_first(place.comm, write)
