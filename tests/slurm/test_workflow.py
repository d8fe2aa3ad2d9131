"""Requests through a real Slurm: the same bytes as on a laptop, whatever the number of ranks."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from slurm.cluster import ACCOUNT, wait_until
from slurm.heads import KERNEL, ROOT, head_environment, machine_folder, products, submissions
from slurm.trial import PATIENCE_S, VERBS, Trial, undisturbed
from small_requests import activity, bearing, monitoring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]
# Ranks and memory of each rank: 100 GiB leaves room for two ranks on a node.
DEMOS = {"demo-watch": (4, "100 GiB"), "demo-process": (1, "1 GiB")}
PLACES = {"1": (1, "1 GiB"), "2": (2, "1 GiB"), "4": (4, "1 GiB"), "2x2": (4, "100 GiB")}
# What an outer job may have set for its own steps; nothing of it is right for another job.
NONSENSE = {
    "SBATCH_MEM_PER_CPU": "3",
    "SBATCH_PARTITION": "debug",
    "SBATCH_TIMELIMIT": "2",
    "SLURM_CPUS_PER_TASK": "77",
    "SLURM_CPU_BIND": "map_cpu:3",
    "SLURM_JOB_NUM_NODES": "7",
    "SLURM_MEM_PER_CPU": "5",
    "SLURM_MEM_PER_NODE": "4",
    "SLURM_NTASKS": "66",
    "SLURM_NTASKS_PER_NODE": "33",
    "SLURM_STEP_ID": "12",
    "SLURM_TASKS_PER_NODE": "33(x2)",
    "SRUN_DEBUG": "9",
    "PMI_RANK": "5",
    "PMI_SIZE": "6",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The machine folder of the cluster."""
    return machine_folder(tmp_path_factory.mktemp("machine"))


def noting(folder: Path, kernel: str) -> str:
    """A command that leaves its environment in ``FOLDER/VERB-RANK`` and becomes the kernel."""
    script = folder / "kernel.sh"
    note = f'env > "{folder}/$1-${{SLURM_PROCID:-0}}"'
    script.write_text(f'#!/bin/sh\n{note}\nexec {kernel} "$@"\n')
    script.chmod(0o755)
    return str(script)


def noted(folder: Path, verb: str, rank: int = 0) -> dict[str, str]:
    """The environment that a rank of a verb had."""
    lines = (folder / f"{verb}-{rank}").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture(scope="module")
def demos(
    session_cluster: Cluster, machine: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders of both demonstrations, which ran side by side through ``workflow.sbatch``."""
    folders = {name: tmp_path_factory.mktemp(name) for name in DEMOS}
    heads = {}
    for name, folder in folders.items():
        ranks, memory = DEMOS[name]
        form = yaml.safe_load((ROOT / "config" / "requests" / f"{name}.yaml").read_text())
        form["compute"] = form.get("compute", {}) | {"memory": memory}
        (folder / "request.yaml").write_text(yaml.safe_dump(form, sort_keys=False))
        known = head_environment(session_cluster.environment, machine)
        known["LUMIPIPE_KERNEL"] = noting(folder, KERNEL)
        words = ["sbatch", "--wait", ROOT / "slurm" / "workflow.sbatch", "request.yaml"]
        words += ["--out", "out", "--target", "lumi-small", "--ranks", ranks]
        heads[folder] = subprocess.Popen([*map(str, words)], cwd=folder, env=known)
    for folder, head in heads.items():
        code = head.wait(timeout=PATIENCE_S)
        assert code == 0, [log.read_text() for log in folder.glob("lumipipe-*.log")]
    return folders


@pytest.mark.parametrize("name", DEMOS)
def test_a_demonstration_by_sbatch_gives_the_bytes_of_the_laptop(
    demos: dict[str, Path], laptop_demos: dict[str, Path], name: str
) -> None:
    (log,) = demos[name].glob("lumipipe-*.log")
    assert log.read_text().endswith("report: out/report.html\n")
    assert products(demos[name] / "out") == products(laptop_demos[name])
    assert [len(submissions(demos[name] / "out", verb)) for verb in VERBS] == [1, 1, 1]


def entry(out: Path, verb: str) -> dict[str, str]:
    """What the record of a run has of the only submission of a verb."""
    entries = [json.loads(line) for line in (out / "jobs.jsonl").read_text().splitlines()]
    (one,) = [entry for entry in entries if entry.get("verb") == verb]
    return one


def test_four_large_ranks_are_on_two_nodes(
    demos: dict[str, Path], session_cluster: Cluster
) -> None:
    out = demos["demo-watch"] / "out"
    assert "--nodes=2" in entry(out, "train")["line"]
    assert "--ntasks-per-node=2" in entry(out, "train")["line"]
    (job,) = submissions(out, "train")
    assert session_cluster.job(job)["NumNodes"] == "2"
    nodes = {noted(demos["demo-watch"], "train", rank)["SLURMD_NODENAME"] for rank in range(4)}
    assert nodes == {"nid001001", "nid001002"}


@pytest.mark.parametrize("name", DEMOS)
def test_a_job_of_a_head_process_that_is_a_job_has_its_own_resources(
    demos: dict[str, Path], session_cluster: Cluster, name: str
) -> None:
    ranks, memory = DEMOS[name]
    for verb in VERBS:
        (job,) = submissions(demos[name] / "out", verb)
        got, seen = session_cluster.job(job), noted(demos[name], verb)
        assert (got["Partition"], got["NumTasks"]) == ("small", str(ranks))
        here = min(ranks, 2)
        assert got["MinMemoryNode"] == f"{here * int(memory.split()[0]) * 1024 + 300}M"
        assert seen["SLURM_JOB_ID"] == job
        assert not any(name.startswith("SBATCH_") for name in seen)


@pytest.mark.parametrize(
    ("launcher", "world"), [(("-n2",), 2), (("-n4", "--mpi=none"), 1)], ids=["two", "four of one"]
)
def test_another_world_than_planned_is_refused_before_anything_is_read(
    demos: dict[str, Path],
    session_cluster: Cluster,
    tmp_path: Path,
    launcher: tuple[str, ...],
    world: int,
) -> None:
    folder, log = demos["demo-watch"], tmp_path / "log"
    words = [sys.executable, "-m", "lumipipe", "train", folder / "request.yaml"]
    words += ["--out", folder / "out", "--plan", folder / "out" / "plan.json", "--log", log]
    where = ("--partition=small", "--time=2")
    path = {"PYTHONPATH": str(ROOT / "src")}
    done = session_cluster.run("srun", *launcher, *where, *words, extra=path)
    assert done.returncode != 0
    assert done.stdout == ""
    said = f"4 rank(s) of train were planned and {world} started as one world"
    assert said in done.stderr
    assert re.search(rf"^exit 2: .*{re.escape(said)}", log.read_text(), re.MULTILINE)


@pytest.fixture
def trial(cluster: Cluster, machine: Path, tmp_path: Path) -> Iterator[Trial]:
    """A run of its own."""
    made = Trial(cluster, machine, tmp_path / "run")
    yield made
    made.clear()


def test_a_queue_that_is_full_for_this_user_is_found_before_anything_is_submitted(
    trial: Trial, tmp_path: Path
) -> None:
    trial.machine = machine_folder(tmp_path / "machine")
    facts = trial.machine / "machine.yaml"
    facts.write_text(re.sub(r"(jobs_\w+): \d+", r"\1: 1", facts.read_text()))
    known = ("--partition=small", "--time=5", "--mem=100", "--wrap=sleep 300")
    words = ("sbatch", "--parsable", f"--account={ACCOUNT}", *known)
    other = trial.cluster.ask(*words, cwd=tmp_path)  # its log goes there
    assert trial.end(trial.start()) == 2
    assert "jobs planned=1, of yours in the queue=1, partition=small" in trial.said()
    assert not trial.out.exists()
    trial.cluster.ask("scancel", other)


class Nested(Trial):
    """A run from a shell that is full of what Slurm set for another job."""

    @property
    def environment(self) -> dict[str, str]:
        """An environment in which nothing about resources is right."""
        return super().environment | NONSENSE

    @property
    def kernel(self) -> str:
        """A command that leaves its environment in a file for each verb."""
        return noting(self.asks, super().kernel)


@pytest.mark.faults  # for its time, as all that follows; tests/mpi has other launchers
def test_nothing_of_an_outer_job_reaches_a_job_or_its_submission(
    cluster: Cluster, machine: Path, tmp_path: Path
) -> None:
    trial = Nested(cluster, machine, tmp_path / "run")
    trial.login("--ranks", "2")
    assert trial.end() == 0, trial.said()
    trial.check(undisturbed(tmp_path / "here"))
    for verb in VERBS:
        (job,) = submissions(trial.out, verb)
        assert "-p small" in entry(trial.out, verb)["line"]
        got = trial.cluster.job(job)
        assert (got["Partition"], got["NumTasks"]) == ("small", "2")
        assert got["MinMemoryNode"] == f"{2 * 1024 + 300}M"
        seen = noted(trial.asks, verb)
        assert {name for name, value in NONSENSE.items() if seen.get(name) == value} == set()
        assert seen["SLURM_JOB_ID"] == job


@pytest.mark.faults
@pytest.mark.parametrize("write", [activity, bearing, monitoring])
def test_any_number_of_ranks_and_nodes_gives_the_same_bytes(
    cluster: Cluster, machine: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    same = undisturbed(tmp_path / "here", write)
    trials = []
    for name, (ranks, memory) in PLACES.items():
        trials.append(Trial(cluster, machine, tmp_path / name, write, {"memory": memory}))
        trials[-1].start("--ranks", ranks)
    for trial in trials:
        assert trial.end() == 0, trial.said()
        trial.check(same)


@pytest.mark.faults
def test_a_head_process_is_alone_lets_go_when_told_to_end_and_cancels_when_interrupted(
    trial: Trial, tmp_path: Path
) -> None:
    trial.hold("prepare", "shard@1")
    first = trial.start()
    (rank,) = trial.held("prepare")
    assert trial.end(trial.start()) == 2
    assert "another run writes to this folder; wait for it or end it" in trial.said()
    first.send_signal(signal.SIGTERM)
    assert trial.end(first) == 143
    assert "told to end: jobs that run go on" in trial.said()
    assert trial.cluster.state(rank.job) == "RUNNING"
    second = trial.start()
    trial.waits_for(f"waiting for jobs that an earlier start submitted: {rank.job}")
    second.send_signal(signal.SIGINT)
    assert trial.end(second) == 130
    assert f"interrupted: cancelling the jobs of this run\ncancelled 1 job(s): {rank.job}" in (
        trial.said()
    )
    wait_until(lambda: trial.left() == [], "nothing of the run is in the queue")
    trial.go()
    assert trial.end(trial.start()) == 0, trial.said()
    trial.check(undisturbed(tmp_path / "here"), prepare=2)
