"""Second pass of a preparation: the plan is checked, then each shard is written by one rank.

The pieces come from `lumipipe.store.first_pass`.
"""

from __future__ import annotations

import os
import platform
import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lumipipe.partition import share
from lumipipe.store.assembly import recording_rows, segments, shard_rows
from lumipipe.store.layout import (
    check_file_count,
    check_memory,
    check_owners,
    peak_bytes,
    planned_files,
)
from lumipipe.store.sharing import achieved, gathered, in_parallel
from lumipipe.store.writer import write_shard, write_template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Prepare
    from lumipipe.store.assembly import StreamPlan
    from lumipipe.store.entries import RecordingEntry

    Log = Callable[[str], None]


def check_plan(comm: Comm, settings: Prepare, plans: Sequence[StreamPlan], log: Log) -> int:
    """Number of files that the dataset will have.

    Parameters
    ----------
    comm : Comm
        Ranks that will write; a collective call.
    settings : Prepare
        What is allowed.
    plans : sequence of StreamPlan
        What will be written.
    log : callable of str
        Is told the number.

    Returns
    -------
    int
        Files, metadata included.

    Raises
    ------
    InputError
        If they are more than allowed, or the shards that a node writes at a time do not fit
        into its memory.
    """
    layouts = [plan.template.layout for plan in plans]
    planned = planned_files(layouts)
    log(f"planned: {planned} files, {settings.most_files} are allowed")
    check_file_count(planned, settings.most_files)
    ranks = Counter(gathered(comm, [platform.node()]))
    writers = min(max(ranks.values()) * settings.workers, sum(p.shards for p in layouts))
    check_memory(peak_bytes(layouts, writers), min(gathered(comm, [_memory_bytes()])))
    return planned


def _memory_bytes() -> int:
    """Bytes of memory of this node."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def write_dataset(
    comm: Comm,
    workers: int,
    folders: tuple[Path, Path],
    recordings: Sequence[RecordingEntry],
    plans: Sequence[StreamPlan],
    log: Log,
) -> tuple[dict[str, str], dict[str, float]]:
    """Digests of all shards, written here, and how parallel that was.

    Parameters
    ----------
    comm : Comm
        Ranks that share the shards; a collective call.
    workers : int
        Shards at a time on each rank.
    folders : tuple of two Path
        The pieces to read, the Zarr group to write.
    recordings : sequence of RecordingEntry
        In the order of the dataset.
    plans : sequence of StreamPlan
        What to write.
    log : callable of str
        Is told about progress.

    Returns
    -------
    dict of str to str
        Path in the group to SHA-256, on all ranks.
    dict of str to float
        What `lumipipe.store.sharing.achieved` found.
    """
    pieces, staging = folders
    units = [(plan, shard) for plan in plans for shard in range(plan.template.layout.shards)]
    shares = [range(*share(len(units), comm.size, rank)) for rank in range(comm.size)]
    check_owners(shares, len(units))
    if comm.rank == 0:
        templates = [replace(p.template, segments=segments(p, pieces)) for p in plans]
        write_template(staging, recording_rows(recordings), templates)
    comm.barrier()
    lock = threading.Lock()
    done: list[int] = []

    def work(unit: int) -> dict[str, str]:
        plan, shard = units[unit]
        first, _ = plan.template.layout.shard_range(shard)
        rows = shard_rows(plan, shard, pieces)
        found = write_shard(staging, plan.template.name, first, rows)
        with lock:
            done.append(unit)
            log(f"shard {len(done)} of {len(shares[comm.rank])}")
        return found

    own, effort = in_parallel(workers, work, shares[comm.rank])
    digests = {file: digest for found in gathered(comm, own) for file, digest in found.items()}
    return digests, achieved(comm, effort)


def stream_record(plan: StreamPlan) -> dict[str, Any]:
    """What the manifest says about a stream."""
    layout, template = plan.template.layout, plan.template
    return {
        "rows": layout.rows,
        "recordings": len(plan.parts),
        "channels": [channel.as_json() for channel in template.channels],
        "dtype": template.dtype,
        "offset": template.offset.tolist(),
        "labels": {name: list(names) for name, names in template.labels.items()},
        "chunk_rows": layout.chunk_rows,
        "shard_rows": layout.shard_rows,
        "shards": layout.shards,
    }
