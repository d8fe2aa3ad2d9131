"""Whether an MPI launcher started this process, told from its environment alone."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# One variable that each launcher sets for its ranks: MPICH's Hydra and Cray MPICH under
# Slurm, PMIx, Open MPI. SLURM_PROCID alone does not do: sbatch sets it for a script as well.
_MARKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
# How many ranks it started. One alone needs no MPI; and where Snakemake stands between srun and
# this process, the connection that PMI_FD names is closed (seen with Slurm 22.05, MPICH 5).
_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
# Ranks of one machine start within a second or two of each other, nodes up to minutes apart.
_START_S, _SLURM_START_S = 14.0, 300.0


def is_launched_by_mpi() -> bool:
    """Whether this process is one of several ranks of an MPI program."""
    if {os.environ[name] for name in _SIZES if name in os.environ} == {"1"}:
        return False
    return any(mark in os.environ for mark in _MARKS)


@contextmanager
def limited_start() -> Iterator[None]:
    """End this process if the block, in which ranks meet for the first time, takes too long.

    MPICH's Hydra lets the others wait for ever for a rank that dies before it has met them
    (measured with MPICH 4 and 5). Slurm ends them, but under it MPICH's start itself hung now and
    then (docs/slurm.md), which would be billed to the job's time limit. Open MPI ends both.
    """
    # The default action of the signal ends the process also inside a call of the MPI library.
    signal.setitimer(signal.ITIMER_REAL, _longest_start_s())
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def _longest_start_s() -> float:
    """Seconds in which all ranks must have met; 0 where nothing is limited."""
    if "PMI_RANK" not in os.environ:
        return 0.0
    return _SLURM_START_S if "SLURM_PROCID" in os.environ else _START_S


def local_rank() -> int:
    """Number of this rank on its node, from 0; 0 where no launcher tells."""
    for name in ("SLURM_LOCALID", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return 0
