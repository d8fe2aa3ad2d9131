"""slurm/smoke.sbatch as it is, on a running Slurm: it passes, or its last line says where not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conftest import ROOT

if TYPE_CHECKING:
    from slurm.cluster import Cluster

pytestmark = pytest.mark.slurm
SMOKE = ROOT / "slurm" / "smoke.sbatch"
CPU = ("--partition=debug", "--gpus-per-node=0", "--cpus-per-task=1", "--mem=3G")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine folder whose environments are this one."""
    folder = tmp_path / "slurm" / "lumi"
    folder.mkdir(parents=True)
    (folder / "machine.yaml").symlink_to(ROOT / "slurm" / "lumi" / "machine.yaml")
    (folder.parent / "bind.sh").symlink_to(ROOT / "slurm" / "bind.sh")
    head = Path(sys.prefix)
    (folder / "environment.sh").write_text(
        f"export LUMIPIPE_HEAD={head}\nexport LUMIPIPE_KERNEL='{head}/bin/lumipipe'\n"
    )
    return folder


def submitted(cluster: Cluster, machine: Path, *options: str) -> tuple[str, list[str], Path]:
    """How the job ended, its log, and the folder that it ran in."""
    folder = machine.parents[1] / "tried"
    folder.mkdir()
    words = ("sbatch", "--parsable", *options)
    done = cluster.run(*words, cwd=folder, extra={"LUMIPIPE_MACHINE": str(machine)})
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    state = cluster.wait_for_state(job, "COMPLETED", "FAILED", "TIMEOUT", timeout_s=240)
    lines = (folder / f"smoke-{job}.log").read_text(encoding="utf-8").splitlines()
    return state, lines, folder


def test_nodes_without_devices_pass(cluster: Cluster, machine: Path) -> None:
    size = ("--nodes=2", "--ntasks-per-node=2")
    state, lines, folder = submitted(cluster, machine, *CPU, *size, str(SMOKE))
    assert (state, lines[-1]) == ("COMPLETED", "smoke: all 6 steps passed"), lines
    assert "  no device asked for" in lines
    (record,) = folder.glob("smoke-*.json")
    found = json.loads(record.read_text(encoding="utf-8"))
    ranks = found["steps"][0]["ranks"]
    places = [(f"nid00100{node}", local) for node in (1, 2) for local in (0, 1)]
    assert [(rank["host"], rank["local"]) for rank in ranks] == places
    assert found["passed"] is True
    assert len(list(folder.iterdir())) == 2  # log and record; what was tried is gone


def test_a_node_with_devices_but_no_cupy_says_so(cluster: Cluster, machine: Path) -> None:
    # Two ranks instead of eight: on two cores eight take a minute to start.
    state, lines, folder = submitted(cluster, machine, "--ntasks-per-node=2", str(SMOKE))
    assert state == "FAILED", lines
    assert lines[-1].startswith("smoke: FAILED at step 2 device: rank 0 (and 1 more): cupy was ")
    assert sum(line.startswith("  rank ") for line in lines) == 2
    (told,) = folder.glob("smoke-*.probe.log")
    assert "cupy was asked for, but" in told.read_text(encoding="utf-8")
    assert f"device memory in MPI: see {told}" in lines


def test_ranks_that_do_not_find_each_other_are_found_out(cluster: Cluster, machine: Path) -> None:
    (machine / "machine.yaml").unlink()
    text = (ROOT / "slurm" / "lumi" / "machine.yaml").read_text(encoding="utf-8")
    plain = "  native: #"
    assert plain in text
    text = text.replace(plain, "  native:\n    launch: [--mpi=none] #")
    (machine / "machine.yaml").write_text(text, encoding="utf-8")
    size = ("--nodes=1", "--ntasks-per-node=2")
    state, lines, _ = submitted(cluster, machine, *CPU, *size, str(SMOKE))
    assert state == "FAILED", lines
    assert lines[-1].startswith(
        "smoke: FAILED at step 1 mpi: 2 rank(s) were asked for, 1 started as one world"
    )


def test_it_is_a_job_or_nothing(cluster: Cluster) -> None:
    done = cluster.run("bash", SMOKE)
    assert done.returncode == 2
    assert done.stderr.startswith("smoke.sbatch: this is no job; sbatch --account=PROJECT")
