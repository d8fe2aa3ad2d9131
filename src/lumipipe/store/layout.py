"""Where rows go: chunks, shards, numbers of files and bytes of memory, in integers only.

No file is touched here; `lumipipe.store.writer` does what is planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lumipipe.errors import InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Arrays that the writer makes whatever the data; a test counts them on disk.
STREAM_TABLES = 12
RECORDING_TABLES = 8
_TIME_BYTES = 8
_LABEL_BYTES = 2


@dataclass(frozen=True)
class StreamLayout:
    """How the rows of one stream are cut.

    Parameters
    ----------
    rows, channels, itemsize : int
        Shape of the samples and bytes of one number.
    chunk_rows : int
        Rows that are compressed together.
    shard_rows : int
        Rows of one file, a whole multiple of `chunk_rows`.
    labels : int
        Number of labels that each row has.
    has_time : bool
        Whether each row has a time stamp.
    """

    rows: int
    channels: int
    itemsize: int
    chunk_rows: int
    shard_rows: int
    labels: int = 0
    has_time: bool = False

    @property
    def shards(self) -> int:
        """Number of files of one array."""
        return _ceil(self.rows, self.shard_rows)

    @property
    def arrays(self) -> int:
        """Number of arrays that have one entry a row."""
        return 1 + self.labels + self.has_time

    @property
    def shard_bytes(self) -> int:
        """Bytes of one range of shards in all arrays, uncompressed."""
        extra = self.labels * _LABEL_BYTES + self.has_time * _TIME_BYTES
        return self.shard_rows * (self.channels * self.itemsize + extra)

    @property
    def files(self) -> int:
        """Number of files of the stream's group: metadata, tables, shards."""
        return 1 + 2 * STREAM_TABLES + self.arrays * (1 + self.shards)

    def shard_range(self, shard: int) -> tuple[int, int]:
        """First row and row after the last of a shard."""
        return shard * self.shard_rows, min((shard + 1) * self.shard_rows, self.rows)


def plan_stream(
    rows: int,
    channels: int,
    itemsize: int,
    chunk_bytes: int,
    shard_bytes: int,
    *,
    labels: int = 0,
    has_time: bool = False,
) -> StreamLayout:
    """How one stream is cut into chunks and shards.

    Parameters
    ----------
    rows, channels, itemsize : int
        Shape of the samples and bytes of one number; at least 1.
    chunk_bytes, shard_bytes : int
        Bytes of samples, before compression, that a chunk and a file should not exceed.
    labels : int
        Number of labels that each row has.
    has_time : bool
        Whether each row has a time stamp.

    Returns
    -------
    StreamLayout
        A chunk holds at least one row and a shard at least one chunk; neither is longer than
        the stream needs.

    Examples
    --------
    >>> plan = plan_stream(100_000, 6, 4, 2**16, 2**20)
    >>> plan.chunk_rows, plan.shard_rows, plan.shards
    (2730, 43680, 3)
    """
    row_bytes = channels * itemsize
    chunk_rows = min(max(1, chunk_bytes // row_bytes), rows)
    chunks = max(1, shard_bytes // (chunk_rows * row_bytes))
    shard_rows = chunk_rows * min(chunks, _ceil(rows, chunk_rows))
    return StreamLayout(rows, channels, itemsize, chunk_rows, shard_rows, labels, has_time)


def _ceil(count: int, size: int) -> int:
    """`count` divided by `size`, rounded up."""
    return -(-count // size)


def planned_files(streams: Sequence[StreamLayout]) -> int:
    """Number of files of a dataset with these streams, metadata included."""
    # The root, the group of streams, and the group of recordings have a metadata file each.
    return 3 + 2 * RECORDING_TABLES + sum(stream.files for stream in streams)


def check_file_count(files: int, most_files: int) -> None:
    """Refuse a plan with more files than allowed.

    Parameters
    ----------
    files, most_files : int
        Planned and allowed number.

    Raises
    ------
    InputError
        If there are more; raise prepare.shard_bytes so that a file holds more.
    """
    if files > most_files:
        raise InputError(
            "prepare.most_files",
            f"the dataset would have {files} files, {most_files} are allowed",
            "raise prepare.shard_bytes, or prepare.most_files if the file system can take it",
        )


def peak_bytes(streams: Sequence[StreamLayout], writers: int) -> int:
    """Bytes of memory that `writers` of shards at a time need at most on one node.

    Parameters
    ----------
    streams : sequence of StreamLayout
        What is written.
    writers : int
        Shards at a time: ranks on the node times workers of a rank.

    Returns
    -------
    int
        The largest shard for each writer, twice: once as it lies in mapped pieces, once put
        together; and two chunks of it, one raw and one encoded.
    """
    return writers * max(
        2 * stream.shard_bytes + 2 * stream.shard_bytes * stream.chunk_rows // stream.shard_rows
        for stream in streams
    )


def check_memory(peak: int, available: int) -> None:
    """Refuse a plan that needs more bytes of memory than the node has.

    Raises
    ------
    InputError
        If `peak` exceeds `available`; lower prepare.shard_bytes or prepare.workers.
    """
    if peak > available:
        raise InputError(
            "prepare.shard_bytes",
            f"writing would need {peak} bytes of memory, {available} are there",
            "lower prepare.shard_bytes or prepare.workers",
        )


def check_owners(shares: Sequence[Sequence[int]], units: int) -> None:
    """Refuse a plan in which a write unit has two owners or none.

    Parameters
    ----------
    shares : sequence of sequence of int
        Numbers of the shards of each rank.
    units : int
        Number of shards.

    Raises
    ------
    StoreError
        If the shares are no partition: two writers of one shard would lose rows silently.
    """
    claimed = sorted(unit for part in shares for unit in part)
    for before, after in pairwise(claimed):
        if before == after:
            raise StoreError(
                "write plan", f"shard {after} has two writers", "give each shard to one rank"
            )
    if claimed != list(range(units)):
        raise StoreError(
            "write plan", "not every shard has a writer", "give each shard to one rank"
        )
