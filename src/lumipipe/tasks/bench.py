"""Measure the constants of the performance model where it runs, and keep them for the quote.

Repeats are interleaved: a disturbance of some seconds then touches every constant once and none
in all its repeats. What each constant is, and how the file is read, is in
`lumipipe.machine.measured`, what one repeat does in `lumipipe.tasks.bench_measures`, the file in
`lumipipe.tasks.bench_record`.
"""

from __future__ import annotations

import os
import platform
import statistics
import traceback
from datetime import UTC, datetime
from math import ceil, log2
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.backend import choose_backend
from lumipipe.comm import world as start_world
from lumipipe.comm.launch import local_rank
from lumipipe.machine.measured import Entry, Name
from lumipipe.tasks.bench_measures import (
    DEVICE_MEASURE,
    MEASURES,
    MIB,
    Measure,
    fold_rate,
    half_trip,
)
from lumipipe.tasks.bench_record import known_constants, write_measured
from lumipipe.tasks.bench_start import (
    HEAD,
    STARTED,
    job_seconds,
    seconds_since_start,
    start_seconds,
)
from lumipipe.tasks.bench_storage import Place, prepare_files
from lumipipe.tasks.together import (
    FoundWrongError,
    end_all,
    everywhere,
    shared_folder,
    started_ranks,
)
from lumipipe.timing import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.comm import Comm


class Effort(NamedTuple):
    """How much is measured."""

    repeats: int = 5
    starts: int = 3  # of processes; each takes seconds
    file_bytes: int = 64 * MIB
    seconds: float = 0.2


class _Found(NamedTuple):
    """The values of a constant."""

    constant: Name
    values: Sequence[float]
    ranks: int
    how: str


QUICK = Effort(2, 1, MIB, 0.02)


def bench(
    folder: Path,
    out: Path,
    effort: Effort,
    say: Callable[[str], None],
    start: Callable[[], Comm] = start_world,
) -> int:
    """The exit code of measuring on all ranks and writing what was found.

    Parameters
    ----------
    folder : Path
        Folder on the storage that is measured.
    out : Path
        The file ``measured.yaml``; entries of other places in it stay.
    effort : Effort
        How much is measured.
    say : callable of str
        Tells a line; called on rank 0.
    start : callable
        Gives the communicator.

    Returns
    -------
    int
        0; 1 if something did not work here, which is told.
    """
    known = known_constants(out)
    # Before MPI is met, and not while other ranks wait for this one.
    alone = _alone(effort.starts) if started_ranks() == 1 else []
    comm = start()
    tell = say if comm.rank == 0 else _keep_quiet
    try:
        entries = _entries(comm, folder, effort, alone, tell)
    except FoundWrongError as error:  # known to all ranks
        tell(f"bench: {error}")
        return 1
    except Exception as error:
        traceback.print_exc()
        end_all(comm, 1, f"bench: rank {comm.rank}: {error!r}")  # the others wait for this rank
        raise
    for entry in entries:
        tell(_in_words(entry))
    if comm.rank == 0:
        write_measured(out, known, entries)
    tell(f"bench: wrote {len(entries)} constants to {out}")
    return 0


def _entries(
    comm: Comm,
    folder: Path,
    effort: Effort,
    alone: Sequence[_Found],
    tell: Callable[[str], None],
) -> list[Entry]:
    """All that is measured, as the file holds it."""
    since = max(everywhere(comm, seconds_since_start))
    node = os.environ.get("SLURMD_NODENAME", platform.node())
    nodes = len(set(everywhere(comm, lambda: node)))
    with shared_folder(comm, folder, "bench") as inside:
        place = _place(comm, inside, effort)
        values = measured(place, effort.repeats)
        _tell_more(place, {name: statistics.median(each) for name, each in values.items()}, tell)
    found = [
        _Found(
            each.constant,
            values[each.constant],
            comm.size if each.together else each.least,
            each.how.format(size=_mib(place.file_bytes), message=_mib(place.message_bytes)),
        )
        for each in _measures(place)
    ]
    return [_entry(each, nodes) for each in [*found, *alone, *_together(since, comm.size)]]


def _place(comm: Comm, folder: Path, effort: Effort) -> Place:
    """What is measured; a device only where all ranks have one."""
    backend = choose_backend("auto", local_rank())
    devices = everywhere(comm, lambda: backend.name == "cupy")
    device = backend if all(devices) else None
    return Place(comm, folder, effort.file_bytes, effort.seconds, choose_backend("numpy"), device)


def _measures(place: Place) -> list[Measure]:
    """What can be measured with these ranks and devices."""
    extra = [] if place.device is None else [DEVICE_MEASURE]
    return [each for each in (*MEASURES, *extra) if place.comm.size >= each.least]


def measured(place: Place, repeats: int) -> dict[str, list[float]]:
    """The values of each constant, one a repeat; all constants take turns.

    Parameters
    ----------
    place : Place
        What is measured.
    repeats : int
        How often, after a first time that is not counted.

    Returns
    -------
    dict of str to list of float
        Constant to its values, the same on all ranks.
    """
    prepare_files(place)
    values: dict[str, list[float]] = {each.constant: [] for each in _measures(place)}
    for repeat in range(repeats + 1):
        for each in _measures(place):
            value = each.run(place)
            if repeat:
                values[each.constant].append(value)
    return values


def _alone(repeats: int) -> list[_Found]:
    """Seconds that one process takes to start, and a job around it where the head is known."""
    how = "`lumipipe prepare --plan` when all is done: process, imports, end"
    found = [_Found("start_s", start_seconds(repeats), 1, how)]
    if head := os.environ.get(HEAD):
        how = "Snakemake of the head environment, twice, as in each job: process, a rule, end"
        found.append(_Found("job_s", job_seconds(Path(head) / "bin" / "python", repeats), 1, how))
    return found


def _together(since: float, ranks: int) -> list[_Found]:
    """Seconds until several ranks have met."""
    if ranks == 1:
        return []
    begun = "the launcher was called" if STARTED in os.environ else "the first process began"
    how = f"until all ranks have met, since {begun}; the end is not in it"
    return [_Found("start_mpi_s", [since], ranks, how)]


def _tell_more(place: Place, medians: dict[str, float], tell: Callable[[str], None]) -> None:
    """Tell what is no constant but shows whether the model holds: a fold, a merge tree."""
    comm = place.comm
    where = "host" if place.device is None else place.device.device
    rate, state, _ = fold_rate(place, max(1, place.file_bytes // (8 * MIB)))
    tell(f"fold of 64 columns in pairs, {where}: {rate:.4g} bytes/s a rank")
    if comm.size == 1:
        return
    for size, trips in ((32 * 1024, 50), (MIB, 10)):
        seconds = half_trip(comm, size, trips)
        tell(f"message of {size} bytes: {seconds:.4g} s, {size / seconds:.4g} bytes/s")
    seconds = min(fold_rate(place, 0)[2] for _ in range(5))
    hop = medians["latency_s"] + state / medians["message_bytes_s"]
    tell(
        f"merge tree over {comm.size} ranks, state of {state} bytes: {seconds:.4g} s with two "
        f"rows a rank; its messages by the model {ceil(log2(comm.size)) * hop:.4g} s"
    )


def _entry(found: _Found, nodes: int) -> Entry:
    """A constant as the file holds it."""
    several = len(found.values) > 1  # else the quote takes a range of its own
    return Entry(
        constant=found.constant,
        value=_rounded(statistics.median(found.values)),
        low=_rounded(min(found.values)) if several else None,
        high=_rounded(max(found.values)) if several else None,
        repeats=len(found.values),
        partition=os.environ.get("SLURM_JOB_PARTITION"),
        nodes=1 if found.ranks == 1 else nodes,
        ranks=found.ranks,
        date=datetime.now(tz=UTC).strftime("%Y-%m-%d"),
        versions=versions(),
        how=found.how,
    )


def _mib(size: int) -> str:
    """Bytes in words."""
    return f"{size / MIB:g} MiB"


def _in_words(entry: Entry) -> str:
    """A line about a constant."""
    spread = "once"
    if entry.low is not None and entry.high is not None:
        spread = f"{entry.low:.4g} to {entry.high:.4g}, {entry.repeats} repeats"
    return f"{entry.constant}: {entry.value:.4g} ({spread}): {entry.how}"


def _rounded(value: float) -> float:
    """Four digits, which is more than a repeat gives again."""
    return float(f"{value:.4g}")


def _keep_quiet(line: str) -> None:
    """Ignore a line; rank 0 tells it."""
