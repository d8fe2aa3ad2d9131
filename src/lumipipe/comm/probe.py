"""Whether the MPI library takes device memory: tried in processes that may crash for it.

A library that is not built or not set up for it follows the pointer on the host and dies, so
the answer of a process that lives is worth nothing before another one has tried. ``python -m
lumipipe.comm.probe`` is that other one: alone it is one rank that sends to itself, under a
launcher it is all ranks together, which is the only way to try what lies between nodes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.backend import choose_backend
from lumipipe.comm.launch import local_rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Backend

# What launchers tell their ranks; without it a process is an MPI world of its own.
_LAUNCHER = ("HYDI_", "HYDRA_", "MPI_LOCAL", "OMPI_", "PALS_", "PMI", "SLURM_")
# An eager message and one that goes by rendezvous, or by peer access between devices.
_LENGTHS = (8, 2**18)
_LONGEST_S = 120.0


def without_launcher() -> dict[str, str]:
    """The environment of a process that is to be no rank of anybody's MPI program."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LAUNCHER)}


class Answer(NamedTuple):
    """Whether device memory may be handed to MPI, and why not or how that is known."""

    available: bool
    reason: str


def probe_alone(backend: str = "cupy", command: Sequence[str] | None = None) -> Answer:
    """What one process without partners found; call it before this process meets MPI.

    Parameters
    ----------
    backend : {"cupy", "numpy"}
        What holds the arrays.
    command : sequence of str, optional
        What is started; this module where absent.

    Returns
    -------
    Answer
        Not available where the process died, hung or computed something else.
    """
    line = command or [sys.executable, "-m", "lumipipe.comm.probe", backend]
    try:
        done = subprocess.run(
            line,
            env=without_launcher(),
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(available=False, reason=f"the probe did not end within {_LONGEST_S:g} s")
    if done.returncode < 0:
        return Answer(False, f"the probe died of {signal.Signals(-done.returncode).name}")
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        return Answer(False, f"the probe ended with {done.returncode} and said: {said[-1]}")
    return Answer(True, "a process of its own sent, broadcast and added device memory")


def read_answer(file: Path, ranks: int) -> Answer:
    """What ranks that were started together found and wrote into a file.

    Parameters
    ----------
    file : Path
        File that `main` was given; it is there only if all went well.
    ranks : int
        How many are to send device memory.

    Returns
    -------
    Answer
        Not available without a file, or with one of fewer ranks.
    """
    try:
        tried = int(json.loads(file.read_text(encoding="utf-8"))["ranks"])
    except (OSError, ValueError, KeyError, TypeError):
        return Answer(False, f"the ranks that tried it together left no {file}: crashed or wrong")
    if tried < ranks:
        return Answer(False, f"{file} tells of {tried} ranks, here are {ranks}")
    return Answer(True, f"{tried} ranks together sent, broadcast and added device memory")


def library() -> str:
    """Name and version of the MPI library, as it tells itself; importing it starts MPI."""
    text: str = _mpi().Get_library_version()
    return " ".join(text.partition("\n")[0].split())


def exchange(backend: Backend) -> None:
    """Send, broadcast and add arrays of the backend through MPI and compare with the host.

    Parameters
    ----------
    backend : Backend
        What holds the arrays.

    Raises
    ------
    RuntimeError
        If what arrives is not what was sent; stage through the host instead.
    """
    world = _mpi().COMM_WORLD
    rank, size = world.Get_rank(), world.Get_size()
    for length in _LENGTHS:
        ramps = [np.arange(length, dtype=np.float64) + other for other in range(size)]
        mine, received = backend.asarray(ramps[rank]), backend.asarray(np.zeros(length))
        _wait(backend)
        world.Sendrecv(mine, (rank + 1) % size, recvbuf=received, source=(rank - 1) % size)
        _compare(backend, received, ramps[rank - 1], "send")
        received = backend.asarray(ramps[0] if rank == 0 else np.zeros(length))
        _wait(backend)
        world.Bcast(received, root=0)
        _compare(backend, received, ramps[0], "broadcast")
        total = backend.asarray(np.zeros(length))
        _wait(backend)
        world.Allreduce(mine, total)
        # Whole numbers below 2**53: exact in any order.
        _compare(backend, total, np.sum(np.stack(ramps), axis=0), "sum")


def main(backend: str = "cupy", file: str | None = None) -> None:
    """Try it on the ranks that were started; the file is written only if all went well."""
    if file is not None:
        Path(file).unlink(missing_ok=True)
    chosen = choose_backend(backend, local_rank())
    world = _mpi().COMM_WORLD
    try:
        exchange(chosen)
    except Exception:
        if world.Get_size() > 1:  # the others wait for this rank
            traceback.print_exc()
            time.sleep(0.5)  # a launcher may drop what a rank says right before it ends all ranks
            world.Abort(1)
        raise
    world.Barrier()
    if file is not None and world.Get_rank() == 0:
        told = {"ranks": world.Get_size(), "library": library()}
        Path(file).write_text(json.dumps(told) + "\n", encoding="utf-8")


def _mpi() -> Any:
    """The module of MPI, through the one door to it."""
    return import_module("lumipipe.comm.mpi").MPI


def _wait(backend: Backend) -> None:
    """Return when the device has done what it was told."""
    if backend.name == "cupy":
        backend.xp.cuda.get_current_stream().synchronize()  # sync: MPI reads and writes at once


def _compare(backend: Backend, found: Any, expected: np.ndarray, what: str) -> None:
    """Raise if an array is not what it has to be."""
    if not np.array_equal(backend.to_host(found), expected):
        raise RuntimeError(f"a {what} of {len(expected)} numbers in device memory came out wrong")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is an answer, no core is wanted
    main(*sys.argv[1:])
