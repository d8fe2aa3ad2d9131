"""The smoke test: whether ranks, devices, messages and files work, before data are at stake.

A table of steps; each is one function that all ranks call together, in
`lumipipe.tasks.smoke_ranks` and `lumipipe.tasks.smoke_files`. The first that fails ends the
test and is named in the last line.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from lumipipe.backend import choose_backend
from lumipipe.comm import world as start_world
from lumipipe.comm.launch import local_rank
from lumipipe.comm.probe import probe_alone
from lumipipe.errors import DeviceError, InputError
from lumipipe.store.files import write_json
from lumipipe.tasks.smoke_files import file_system, zarr_write
from lumipipe.tasks.smoke_ranks import device, gpu_aware_sum, staged_sum, world
from lumipipe.tasks.smoke_step import Site, Told
from lumipipe.tasks.together import FoundWrongError, end_all
from lumipipe.timing import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm import Comm
    from lumipipe.tasks.smoke_step import Asked

    Step = Callable[[Site], Told]

FAILED = 1
BROKEN_DEVICE = DeviceError.exit_code  # a code of its own: another node may do
LONGEST_S = 120.0  # in one step; the first import from a busy file system is what takes longest

STEPS: tuple[tuple[str, Step], ...] = (
    ("mpi", world),
    ("device", device),
    ("staged sum", staged_sum),
    ("gpu-aware sum", gpu_aware_sum),
    ("zarr write", zarr_write),
    ("file system", file_system),
)


def smoke(
    asked: Asked,
    say: Callable[[str], None],
    start: Callable[[], Comm] = start_world,
    steps: tuple[tuple[str, Step], ...] = STEPS,
    longest_s: float = LONGEST_S,
) -> int:
    """The exit code of the smoke test, run by all ranks together.

    Parameters
    ----------
    asked : Asked
        What is to be found.
    say : callable of str
        Tells a line; called on rank 0.
    start : callable
        Gives the communicator.
    steps : tuple of (str, callable)
        Name and function of each step.
    longest_s : float
        Seconds after which a rank that waits in a step ends all, naming it.

    Returns
    -------
    int
        0 if all steps passed, 4 if a device does not compute, 1 if another step failed.
    """
    site = _site(asked, start)
    tell = say if site.comm.rank == 0 else _keep_quiet
    record: list[dict[str, Any]] = []
    last, code = f"all {len(steps)} steps passed", 0
    for number, (name, step) in enumerate(steps, 1):
        place = f"FAILED at step {number} {name}"
        started = time.perf_counter()
        told = _run(site, step, place, longest_s)
        seconds = round(time.perf_counter() - started, 3)
        record.append({"name": name, "problem": told.problem, "seconds": seconds, **told.values})
        tell(f"step {number} {name}: {'failed' if told.problem else 'passed'}")
        for line in told.lines:
            tell(f"  {line}")
        if told.problem:
            last, code = f"{place}: {told.problem}", BROKEN_DEVICE if name == "device" else FAILED
            break
    if asked.json is not None and site.comm.rank == 0:
        write_json(asked.json, {"passed": not code, "steps": record, "versions": versions()})
    tell(f"smoke: {last}")
    # A launcher ends the other ranks when one ends badly; rank 0 has told all by now.
    site.comm.barrier()
    return code


def _site(asked: Asked, start: Callable[[], Comm]) -> Site:
    """What the steps share."""
    # Before MPI is met: starting a process afterwards is not safe on every network.
    tries = asked.devices and asked.probed is None and local_rank() == 0
    alone = probe_alone() if tries else None
    comm = start()
    try:
        backend = choose_backend("cupy" if asked.devices else "numpy", local_rank())
    except InputError as error:  # told by the step that is about devices
        return Site(asked, comm, None, f"{error.problem}; {error.remedy}", alone)
    return Site(asked, comm, backend, alone=alone)


def _run(site: Site, step: Step, place: str, longest_s: float) -> Told:
    """What a step found; a rank that is lost in it ends all."""
    comm = site.comm

    def give_up() -> None:
        try:
            end_all(comm, FAILED, f"smoke: {place}: rank {comm.rank} waited {longest_s:g} s")
        finally:
            os._exit(FAILED)  # only this ends the main thread, which waits

    watch = threading.Timer(longest_s, give_up)
    watch.daemon = True
    watch.start()
    try:
        return step(site)
    except FoundWrongError as error:
        return Told([], {}, str(error))
    except Exception as error:
        # Not agreed between ranks, so the others are waiting.
        traceback.print_exc()
        end_all(comm, FAILED, f"smoke: {place}: rank {comm.rank}: {error!r}")
        raise
    finally:
        watch.cancel()


def _keep_quiet(line: str) -> None:
    """Ignore a line; rank 0 tells it."""
