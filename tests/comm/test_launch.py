from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from lumipipe.comm import launch

MEET = """
import time
from lumipipe.comm import launch
launch._START_S = launch._SLURM_START_S = 0.2
with launch.limited_start():
    time.sleep(0.5)
time.sleep(0.5)
"""
LATER = MEET.replace("    time.sleep(0.5)", "    pass")


@pytest.mark.parametrize(
    ("environment", "limit_s"),
    [
        ({"PMI_RANK": "0"}, launch._START_S),
        ({"PMI_RANK": "0", "SLURM_PROCID": "0"}, launch._SLURM_START_S),
        ({"OMPI_COMM_WORLD_RANK": "0"}, 0.0),
    ],
)
def test_ranks_that_do_not_meet_are_ended(environment: dict[str, str], limit_s: float) -> None:
    clean = {"PYTHONPATH": ":".join(sys.path)}
    met = subprocess.run([sys.executable, "-c", LATER], env=clean | environment, check=False)
    hung = subprocess.run([sys.executable, "-c", MEET], env=clean | environment, check=False)
    assert met.returncode == 0
    assert hung.returncode == (-signal.SIGALRM if limit_s else 0)
