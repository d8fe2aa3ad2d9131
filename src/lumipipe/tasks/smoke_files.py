"""The steps of the smoke test about files: shards from all ranks, renames, locks, free space."""

from __future__ import annotations

import fcntl
import os
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.store.files import write_bytes
from lumipipe.store.layout import StreamLayout
from lumipipe.store.rows import NO_TIME, VALUE, ChannelRow, RecordingRow
from lumipipe.store.shard import ShardedArray
from lumipipe.store.writer import StreamTemplate, write_shard, write_template
from lumipipe.tasks.smoke_step import Told
from lumipipe.tasks.together import FoundWrongError, everywhere, on_first, shared_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.comm import Comm
    from lumipipe.tasks.smoke_step import Site

STREAM = "trial"
_ROWS, _CHUNKS, _CHANNELS = 4096, 4, 4  # of the shard of each rank
_TURNS = 200  # renames while all ranks read
_BYTES = 4096


def zarr_write(site: Site) -> Told:
    """One shard from each rank through the store's writer, read back by the rank before it."""
    comm, parent = site.comm, site.asked.folder
    rows = {VALUE: trial_rows(comm.rank, _ROWS, _CHANNELS)}
    with shared_folder(comm, parent, "smoke") as folder:
        layout = StreamLayout(_ROWS * comm.size, _CHANNELS, 4, _ROWS // _CHUNKS, _ROWS)
        on_first(comm, lambda: write_trial(folder, layout))
        everywhere(comm, lambda: write_shard(folder, STREAM, comm.rank * _ROWS, rows))
        everywhere(comm, lambda: _read_back(folder, (comm.rank + 1) % comm.size))
    written = comm.size * rows[VALUE].nbytes
    line = f"{comm.size} shard(s), {written} bytes, written and read back in {parent}"
    return Told([line], {"bytes": written})


def write_trial(folder: Path, layout: StreamLayout) -> None:
    """Write a dataset of one recording without its rows."""
    channels = tuple(ChannelRow(f"c{n}", "none", "1") for n in range(layout.channels))
    unknown = np.asarray([np.nan])
    stream = StreamTemplate(
        name=STREAM,
        channels=channels,
        dtype="float32",
        offset=np.zeros(layout.channels),
        layout=layout,
        row_size=np.asarray([layout.rows]),
        start_ns=np.asarray([NO_TIME]),
        rate_hz=unknown,
        rate_u_hz=unknown,
        nominal_hz=unknown,
        segments=np.asarray([[0, layout.rows, 0]]),
        labels={},
    )
    recording = RecordingRow(STREAM, "none", "none", "none", "0" * 64, {}, {})
    write_template(folder, [recording], [stream])


def trial_rows(rank: int, rows: int, channels: int) -> np.ndarray:
    """Rows that a rank writes: shape (rows, channels), float32, others on each rank."""
    draw = np.random.Generator(np.random.Philox(key=rank))
    return draw.standard_normal((rows, channels), dtype=np.float32)


def _read_back(folder: Path, rank: int) -> None:
    """Compare the shard of a rank with what it wrote."""
    array = ShardedArray(folder, f"streams/{STREAM}/{VALUE}")
    found = array.read(rank * _ROWS, (rank + 1) * _ROWS)
    if not np.array_equal(found, trial_rows(rank, _ROWS, _CHANNELS)):
        raise FoundWrongError(f"the shard of rank {rank} came back changed")


def file_system(site: Site) -> Told:
    """Renames that no reader sees half done, locks that all nodes see, and free space."""
    with shared_folder(site.comm, site.asked.folder, "smoke") as folder:
        _try_renames(site.comm, folder / "renamed")
        _try_locks(site.comm, folder / "locked")
    disk = os.statvfs(site.asked.folder)
    free, files = disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else None
    counted = "files are not counted" if files is None else f"{files} files"
    lines = [
        f"{_TURNS} renames were atomic; a lock held on all ranks",
        f"free: {free / 2**30:.1f} GiB, {counted} (a quota is not seen here)",
    ]
    problem = "" if free and files != 0 else f"nothing is free: {free} bytes, {counted}"
    return Told(lines, {"free_bytes": free, "free_files": files}, problem)


def _try_renames(comm: Comm, path: Path) -> None:
    """Rank 0 replaces a file while all ranks read it; each reading must be one whole version."""
    on_first(comm, lambda: write_bytes(path, _version(0)))
    writer = Thread(target=_replace_often, args=(path,))

    def read() -> None:
        if comm.rank == 0:
            writer.start()
        try:
            for _ in range(_TURNS):
                content = path.read_bytes()
                if content != _version(content[0] if content else 0):
                    raise FoundWrongError(f"a reader saw a rename of {path.name} half done")
        finally:
            if comm.rank == 0:
                writer.join()

    everywhere(comm, read)


def _version(turn: int) -> bytes:
    """Content that shows which version it is and whether it is whole."""
    return bytes([turn % 256]) * _BYTES


def _replace_often(path: Path) -> None:
    """Put one version after the other in the place of the file, without flushes."""
    part = path.with_suffix(".part")
    for turn in range(_TURNS):
        part.write_bytes(_version(turn))
        part.replace(path)


def _try_locks(comm: Comm, path: Path) -> None:
    """A lock of rank 0 must hold on all ranks, and be free when it is given back."""
    on_first(comm, path.touch)
    with path.open("rb+") as held:
        on_first(comm, lambda: fcntl.flock(held, fcntl.LOCK_EX))
        got = everywhere(comm, lambda: _gets_lock(path))
        # Some file systems lock within a node only, such as Lustre mounted with localflock.
        if any(got):
            raise FoundWrongError(f"rank {got.index(True)} got a lock that rank 0 holds")
        on_first(comm, held.close)
    last = comm.size - 1
    if not everywhere(comm, lambda: comm.rank == last and _gets_lock(path))[last]:
        raise FoundWrongError(f"rank {last} cannot have a lock that rank 0 gave back")


def _gets_lock(path: Path) -> bool:
    """Whether this rank can lock the file just now."""
    with path.open("rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
