"""slurm/bench.sbatch as it is, on a running Slurm: its file is one that the quote can read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from conftest import ROOT
from lumipipe.machine.measured import load_measured

if TYPE_CHECKING:
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = pytest.mark.slurm


def test_constants_of_a_partition(cluster: Cluster, tmp_path: Path) -> None:
    machine = tmp_path / "lumi"
    machine.mkdir()
    (machine / "machine.yaml").symlink_to(ROOT / "slurm" / "lumi" / "machine.yaml")
    (tmp_path / "bind.sh").symlink_to(ROOT / "slurm" / "bind.sh")
    (machine / "environment.sh").write_text(
        f"export LUMIPIPE_HEAD={sys.prefix} LUMIPIPE_KERNEL={sys.prefix}/bin/lumipipe\n"
    )
    options = ("--partition=small", "--gpus-per-node=0", "--cpus-per-task=1", "--mem=3G")
    size = ("--nodes=2", "--ntasks-per-node=1")
    words = ("sbatch", "--parsable", *options, *size, ROOT / "slurm" / "bench.sbatch", "--quick")
    done = cluster.run(*words, cwd=tmp_path, extra={"LUMIPIPE_MACHINE": str(machine)})
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    state = cluster.wait_for_state(job, "COMPLETED", "FAILED", "TIMEOUT", timeout_s=240)
    assert state == "COMPLETED", (tmp_path / f"bench-{job}.log").read_text(encoding="utf-8")
    entries = {(entry.constant, entry.ranks): entry for entry in load_measured(machine, "lumi")}
    assert {entry.partition for entry in entries.values()} == {"small"}
    assert entries["start_s", 1].nodes == 1
    assert entries["job_s", 1].nodes == 1
    start = entries["start_mpi_s", 2]
    assert start.nodes == 2
    assert "since the launcher was called" in start.how
    assert entries["latency_s", 2].nodes == 2
