"""What the Slurm plugin (2.8.0) does badly, and that a run does not suffer from it."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.process import descendants
from slurm.heads import machine_folder, submissions
from slurm.trial import Trial, undisturbed

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The machine folder of the cluster."""
    return machine_folder(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The products of a run that nothing has disturbed."""
    return undisturbed(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def trial(cluster: Cluster, machine: Path, tmp_path: Path) -> Iterator[Trial]:
    """A run of its own."""
    made = Trial(cluster, machine, tmp_path / "run")
    yield made
    made.clear()


def test_a_cancelled_job_is_not_waited_for_and_not_sent_again_until_asked(
    trial: Trial, whole: dict[str, bytes]
) -> None:
    trial.hold("train", "node@3")
    head = trial.start()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.ask("scancel", rank.job)
    assert trial.end(head) == 130
    assert f"job {rank.job} (train, CANCELLED) was cancelled, not by this command" in trial.said()
    assert trial.left() == []
    trial.go()
    assert trial.end(trial.start()) == 0, trial.said()
    trial.check(whole, train=2)
    lines = [json.loads(line) for line in (trial.out / "jobs.jsonl").read_text().splitlines()]
    assert not any("--array" in line.get("line", "") for line in lines)


def _snakemake(head: subprocess.Popen[bytes]) -> int:
    """Id of the Snakemake of a head process."""
    return descendants(head.pid)[0]


def test_a_job_whose_snakemake_was_killed_is_not_doubled(
    trial: Trial, whole: dict[str, bytes]
) -> None:
    trial.hold("train", "node@3")
    head = trial.start()
    trial.held("train")
    trial.break_now()
    os.kill(_snakemake(head), signal.SIGKILL)
    trial.waits_for("waiting for jobs that an earlier start submitted")
    trial.go()
    assert trial.end(head) == 0, trial.said()
    trial.check(whole)


def test_a_job_that_snakemake_lost_sight_of_is_not_waited_for_without_end(
    trial: Trial, whole: dict[str, bytes]
) -> None:
    trial.hold("train", "node@3")
    head = trial.start()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.lab("kill-slurmctld")
    time.sleep(60)  # five questions without an answer: the plugin drops the job from its list
    trial.cluster.lab("start")
    trial.go()
    assert trial.end_of_job(rank.job) == "COMPLETED"
    assert trial.end(head) == 0, trial.said()
    assert "the workflow ended after train; it is started again" in trial.said()
    trial.check(whole)


def test_a_job_is_sent_while_the_controller_is_away(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("prepare", "shard@1")
    head = trial.start()
    (rank,) = trial.held("prepare")
    os.kill(_snakemake(head), signal.SIGSTOP)
    trial.go()
    assert trial.end_of_job(rank.job) == "COMPLETED"
    trial.break_now()
    trial.cluster.lab("kill-slurmctld")
    os.kill(_snakemake(head), signal.SIGCONT)
    time.sleep(30)
    trial.cluster.lab("start")
    assert trial.end(head) == 0, trial.said()
    trial.check(whole)


class Overwritten(Trial):
    """A run whose raw file somebody goes on writing to after it was planned."""

    @property
    def kernel(self) -> str:
        """A command that adds a row to the file before a job reads it."""
        script = self.folder / "kernel.sh"
        (file,) = (self.folder / "raw").glob("*.csv")
        more = f'[ "$1" != prepare ] || [ -z "$SLURM_JOB_ID" ] || echo 1,2,3,4,many >> "{file}"'
        script.write_text(f'#!/bin/sh\n{more}\nexec {super().kernel} "$@"\n')
        script.chmod(0o755)
        return str(script)


def test_wrong_input_is_not_tried_again(cluster: Cluster, machine: Path, tmp_path: Path) -> None:
    trial = Overwritten(cluster, machine, tmp_path / "run")
    assert trial.end(trial.start()) == 2
    assert trial.said().count("\nlumipipe: ") == 1
    assert len(submissions(trial.out, "prepare")) == 1
    assert trial.left() == []


def test_a_refusal_is_told_in_slurms_words_and_not_tried_again(
    cluster_with_accounting: Cluster, machine: Path, tmp_path: Path
) -> None:
    trial = Trial(cluster_with_accounting, machine, tmp_path / "run")
    account = "project_" + "1" * 9
    assert trial.end(trial.start("--account", account)) == 2, trial.said()
    assert "Invalid account or account/partition combination specified" in trial.said()
