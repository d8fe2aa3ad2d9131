"""Whether an MPI launcher started this process, told from its environment alone."""

from __future__ import annotations

import os

# One variable that each launcher sets for its ranks: MPICH's Hydra and Cray MPICH under
# Slurm, PMIx, Open MPI. SLURM_PROCID alone does not do: sbatch sets it for a script as well.
_MARKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")


def is_launched_by_mpi() -> bool:
    """Whether this process is a rank of an MPI program."""
    return any(mark in os.environ for mark in _MARKS)


def local_rank() -> int:
    """Number of this rank on its node, from 0; 0 where no launcher tells."""
    for name in ("SLURM_LOCALID", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"):
        if name in os.environ:
            return int(os.environ[name])
    return 0
