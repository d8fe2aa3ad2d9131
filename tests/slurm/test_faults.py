"""Nine faults of a machine: each run ends finished, with the bytes of an undisturbed one.

docs/slurm-faults.md says of each who notices it and when, and what was measured.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.process import started
from slurm.cluster import wait_until
from slurm.heads import machine_folder, submissions
from slurm.trial import PATIENCE_S, Trial, undisturbed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.faults, pytest.mark.timeout(1800)]
MID = {"prepare": "shard@1", "train": "node@3", "score": "node@3"}
DISABLED = "Requested operation is presently disabled"


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
    """A run that the test breaks."""
    made = Trial(cluster, machine, tmp_path / "run")
    yield made
    made.clear()


@pytest.mark.parametrize("verb", ["prepare", "train"])
def test_the_head_process_is_killed(trial: Trial, whole: dict[str, bytes], verb: str) -> None:
    trial.hold(verb, MID[verb])
    head = trial.start()
    (rank,) = trial.held(verb)
    (snakemake,) = _children(head.pid)
    trial.break_now()
    head.kill()
    head.wait()
    wait_until(lambda: not started(snakemake), "Snakemake has ended with its parent")
    assert trial.cluster.state(rank.job) == "RUNNING"
    again = trial.start()
    trial.waits_for("waiting for jobs that an earlier start submitted")
    trial.go()
    assert trial.end(again) == 0, trial.said()
    trial.check(whole)


def _children(pid: int) -> list[int]:
    """Ids of the processes that a process has started and that live."""
    said = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(word) for word in said.stdout.split()]


def test_the_head_process_of_a_batch_job_is_killed(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    job = trial.submit()
    trial.held("train")
    trial.break_now()
    os.kill(json.loads((trial.out / "head.json").read_text())["pid"], signal.SIGKILL)
    assert trial.end_of_job(job) == "FAILED"
    again = trial.submit()
    trial.go()
    assert trial.end_of_job(again) == "COMPLETED", trial.said()
    trial.check(whole)


@pytest.mark.parametrize("verb", ["prepare", "train"])
def test_one_rank_is_killed(trial: Trial, whole: dict[str, bytes], verb: str) -> None:
    trial.hold(verb, "piece@1" if verb == "prepare" else "node@1")
    trial.start("--ranks", "2")
    ranks = trial.held(verb)
    trial.break_now()
    os.kill(ranks[-1].process, signal.SIGKILL)
    assert trial.end_of_job(ranks[0].job) == "FAILED"
    trial.go()
    assert trial.end() == 0, trial.said()
    assert f"({verb}, FAILED) was lost; it is started once more" in trial.said()
    trial.check(whole, **{verb: 2})


def _node(trial: Trial, job: str) -> str:
    """The node that runs a job."""
    return trial.cluster.job(job)["BatchHost"]


def test_slurmd_is_killed_and_comes_back(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    trial.start()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.lab("kill-slurmd", _node(trial, rank.job))
    trial.cluster.lab("restart-slurmd", _node(trial, rank.job))
    trial.go()
    assert trial.end() == 0, trial.said()
    trial.check(whole)


def test_slurmd_is_killed_for_good(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    trial.start()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.lab("kill-slurmd", _node(trial, rank.job))
    assert trial.end_of_job(rank.job) == "NODE_FAIL"
    assert started(rank.process)  # Slurm calls it ended and cannot reach it
    wait_until(lambda: len(submissions(trial.out, "train")) == 2, "a second job", PATIENCE_S)
    trial.go()
    assert trial.end() == 0, trial.said()
    trial.check(whole, train=2)


def test_a_node_goes_dark_with_the_job_and_the_head_process(
    trial: Trial, whole: dict[str, bytes]
) -> None:
    trial.hold("train", MID["train"])
    job = trial.submit()
    (rank,) = trial.held("train")
    assert _node(trial, rank.job) == _node(trial, job)
    trial.break_now()
    trial.cluster.lab("kill-node", _node(trial, rank.job))
    assert trial.end_of_job(rank.job) == "NODE_FAIL"
    trial.go()
    trial.cluster.start_now(job)
    assert trial.end_of_job(job) == "COMPLETED", trial.said()
    trial.check(whole, train=2)


def test_the_head_process_is_requeued(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    job = trial.submit()
    (rank,) = trial.held("train")
    refused = trial.cluster.run("scontrol", "requeue", rank.job)
    assert (refused.returncode, refused.stderr) == (1, f"{DISABLED} for job {rank.job}\n")
    trial.break_now()
    trial.cluster.ask("scontrol", "requeue", job)
    trial.cluster.start_now(job)
    trial.cluster.wait_for_state(job, "RUNNING")
    trial.go()
    assert trial.end_of_job(job) == "COMPLETED", trial.said()
    assert trial.cluster.job(job)["Restarts"] == "1"
    trial.check(whole)


def test_a_node_is_set_down(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("score", MID["score"])
    trial.start()
    (rank,) = trial.held("score")
    trial.break_now()
    down = ("state=down", "reason=test")
    trial.cluster.ask("scontrol", "update", f"nodename={_node(trial, rank.job)}", *down)
    assert trial.end_of_job(rank.job) == "NODE_FAIL"
    trial.go()
    assert trial.end() == 0, trial.said()
    trial.check(whole, score=2)


def test_slurmdbd_is_stopped_for_a_minute(
    cluster_with_accounting: Cluster, machine: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    trial = Trial(cluster_with_accounting, machine, tmp_path / "run")
    trial.hold("train", MID["train"])
    trial.start()
    trial.held("train")
    trial.break_now()
    trial.cluster.lab("stop-dbd")
    trial.go()
    time.sleep(60)
    trial.cluster.lab("start-dbd")
    assert trial.end() == 0, trial.said()
    trial.check(whole)


def test_the_time_of_a_job_is_up(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    trial.start()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.end_in(rank.job, 1)
    assert trial.end_of_job(rank.job) == "TIMEOUT"
    trial.go()
    assert trial.end() == 0, trial.said()
    trial.check(whole, train=2)


def test_the_time_of_the_head_process_is_nearly_up(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.hold("train", MID["train"])
    job = trial.submit()
    (rank,) = trial.held("train")
    trial.break_now()
    trial.cluster.end_in(job, 200)  # told 300 s before
    assert trial.end_of_job(job) == "FAILED"
    assert trial.cluster.job(job)["ExitCode"] == "143:0"
    assert "go on with the same command, which waits for them first" in trial.said()
    assert trial.cluster.state(rank.job) == "RUNNING"
    again = trial.submit()
    trial.waits_for("waiting for jobs that an earlier start submitted")
    trial.go()
    assert trial.end_of_job(again) == "COMPLETED", trial.said()
    trial.check(whole)


def test_a_job_needs_more_memory_than_it_asked_for(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.take("train", 1_300_000_000)  # more than once, less than twice what each rank has
    trial.hold("train", MID["train"])
    trial.start()
    wait_until(lambda: submissions(trial.out, "train"), "submitted", PATIENCE_S)
    trial.break_now()
    (first,) = submissions(trial.out, "train")
    assert trial.end_of_job(first) in {"FAILED", "OUT_OF_MEMORY"}
    trial.go()
    assert trial.end() == 0, trial.said()
    trial.check(whole, train=2)
    asked = [trial.cluster.job(job)["MinMemoryNode"] for job in submissions(trial.out, "train")]
    assert asked == ["1324M", "2348M"]


def test_the_file_system_is_full(trial: Trial, whole: dict[str, bytes]) -> None:
    trial.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(trial.out)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    try:
        trial.hold("train", MID["train"])
        trial.start()
        trial.held("train")
        trial.break_now()
        filler = trial.out / "filler"
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}"], capture_output=True, check=False)
        trial.go()
        assert trial.end() == 2
        assert "no space is left, or the quota is used up; free some" in trial.said()
        filler.unlink()
        trial.start()
        assert trial.end() == 0, trial.said()
        trial.check(whole, train=2)
    finally:
        subprocess.run(["umount", "--lazy", str(trial.out)], check=True)
