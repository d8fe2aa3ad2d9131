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
# Ranks of one machine start within a second or two of each other.
_START_S = 14.0


def is_launched_by_mpi() -> bool:
    """Whether this process is one of several ranks of an MPI program."""
    if {os.environ[name] for name in _SIZES if name in os.environ} == {"1"}:
        return False
    return any(mark in os.environ for mark in _MARKS)


@contextmanager
def limited_start() -> Iterator[None]:
    """End this process if the block, in which ranks meet for the first time, takes too long.

    MPICH's Hydra lets the others wait for ever for a rank that dies before it has met them
    (measured with MPICH 4 and 5). Slurm and Open MPI end them, and nodes may start minutes
    apart, so nothing is limited there.
    """
    waits = "PMI_RANK" in os.environ and "SLURM_PROCID" not in os.environ
    # The default action of the signal ends the process also inside a call of the MPI library.
    signal.setitimer(signal.ITIMER_REAL, _START_S if waits else 0.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def local_rank() -> int:
    """Number of this rank on its node, from 0; 0 where no launcher tells."""
    for name in ("SLURM_LOCALID", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return 0
