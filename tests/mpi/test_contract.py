"""The contract of communicators on real MPI ranks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MPIEXEC = Path(sys.executable).parent / "mpiexec"
HERE = Path(__file__).parent


@pytest.mark.mpi
@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_mpi_keeps_the_contract(ranks: int) -> None:
    done = subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, HERE / "job_contract.py"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kept the contract") == 2 * ranks
