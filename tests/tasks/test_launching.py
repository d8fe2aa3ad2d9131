"""What starts the ranks of a job that is there already: the same words as of a run's own jobs."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from command import call, one_line
from conftest import ROOT
from lumipipe.errors import InputError
from lumipipe.machine.facts import load_machine
from lumipipe.machine.resources import derive
from lumipipe.tasks.launching import launcher_here

LUMI = load_machine(ROOT / "slurm" / "lumi")
BIND = Path("/a folder/bind.sh")


def job(partition: str, nodes: int, tasks: int, cores: int, devices: int = 0) -> dict[str, str]:
    """What Slurm tells the script of a job."""
    given = {
        "SLURM_JOB_PARTITION": partition,
        "SLURM_JOB_NUM_NODES": str(nodes),
        "SLURM_NTASKS": str(tasks),
        "SLURM_CPUS_PER_TASK": str(cores),
    }
    return given | ({"SLURM_GPUS_ON_NODE": str(devices)} if devices else {})


@pytest.mark.parametrize(
    ("target", "nodes", "ranks"),
    [("lumi-dev-g", 1, 8), ("lumi-standard-g", 2, 16), ("lumi-small", 1, 4)],
)
def test_words_are_those_of_a_run(target: str, nodes: int, ranks: int) -> None:
    block = derive(
        LUMI,
        verb="train",
        target=target,
        ranks=ranks,
        minutes=10,
        memory_mib_per_rank=None,
        account="project_" + "0" * 9,
        needs_device=None,
        place="here",
        bind=BIND,
    )
    given = job(block.partition, nodes, ranks, block.cpus_per_task, block.devices_per_node)
    assert launcher_here(LUMI, given, BIND) == shlex.split(block.launcher)


def test_a_single_rank_is_started_as_well() -> None:
    words = launcher_here(LUMI, job("small-g", 1, 1, 7, 1), BIND)
    assert words == ["srun", "--nodes=1", "--ntasks=1", "env", "LUMIPIPE_DEVICES=1", str(BIND)]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "Slurm has not set SLURM_JOB_PARTITION, SLURM_JOB_NUM_NODES, SLURM_NTASKS, "),
        (job("debug", 1, 2, 1) | {"SLURM_CPUS_PER_TASK": ""}, "Slurm has not set SLURM_CPUS_PER"),
        (job("fast", 1, 2, 1), "LUMI has no partition fast"),
        (job("standard", 2, 3, 1), "3 ranks on 2 nodes"),
    ],
)
def test_a_job_that_is_none_is_refused(given: dict[str, str], problem: str) -> None:
    with pytest.raises(InputError) as refused:
        launcher_here(LUMI, given, BIND)
    assert refused.value.problem.startswith(problem)


def test_the_command_prints_a_word_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one_line(call("smoke", "--launcher", ROOT / "slurm" / "lumi")).startswith("this job: ")
    for name, value in job("debug", 1, 2, 1).items():
        monkeypatch.setenv(name, value)
    said = call("smoke", "--launcher", ROOT / "slurm" / "lumi")
    assert said.code == 0
    assert said.out.splitlines()[0] == "srun"
    assert said.out.splitlines()[-1] == str(ROOT / "slurm" / "bind.sh")
