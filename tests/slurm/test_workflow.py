"""Requests through a real Slurm: the same bytes as on a laptop, whatever the number of ranks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import call
from slurm.cluster import wait_until
from slurm.heads import ROOT, head_environment, machine_folder, products, submissions
from slurm.trial import PATIENCE_S, Trial, undisturbed
from small_requests import activity, bearing, monitoring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]
DEMOS = ("demo-watch", "demo-process")
# Options of each run, and memory of each rank: 100 GiB leaves room for two ranks on a node.
PLACES: dict[str, tuple[tuple[str, ...], str]] = {
    "1": (("--ranks", "1"), "1 GiB"),
    "2": (("--ranks", "2"), "1 GiB"),
    "4": (("--ranks", "4"), "1 GiB"),
    "2x2": (("--ranks", "4"), "100 GiB"),
}
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


def test_the_demonstrations_by_sbatch(
    cluster: Cluster, machine: Path, tmp_path: Path, laptop_demos: dict[str, Path]
) -> None:
    script = ROOT / "slurm" / "workflow.sbatch"
    heads = {}
    for name in DEMOS:
        request = ROOT / "config" / "requests" / f"{name}.yaml"
        words = ["sbatch", "--wait", script, request, "--out", tmp_path / name]
        words += ["--target", "lumi-small", "--ranks", "2"]
        environment = head_environment(cluster.environment, machine)
        heads[name] = subprocess.Popen([*map(str, words)], cwd=tmp_path, env=environment)
    for name, head in heads.items():
        code = head.wait(timeout=PATIENCE_S)
        said = "".join(log.read_text() for log in tmp_path.glob("lumipipe-*.log"))
        assert code == 0, said
        assert products(tmp_path / name) == products(laptop_demos[name])
        assert f"report: {tmp_path / name / 'report.html'}" in said
        assert all(len(submissions(tmp_path / name, verb)) == 1 for verb in ("prepare", "train"))


class Nested(Trial):
    """A run that starts in a shell of somebody else's job, and that notes what its jobs see."""

    @property
    def environment(self) -> dict[str, str]:
        """An environment full of what Slurm set for another job."""
        return super().environment | NONSENSE

    @property
    def kernel(self) -> str:
        """A command that leaves its environment in a file for each verb and rank."""
        script = self.asks / "kernel.sh"
        note = f'env > "{self.asks}/$1-${{SLURM_PROCID:-none}}"'
        script.write_text(f'#!/bin/sh\n{note}\nexec {super().kernel} "$@"\n')
        script.chmod(0o755)
        return str(script)

    def seen(self, name: str) -> dict[str, str]:
        """The environment of a verb's rank."""
        lines = (self.asks / name).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture(scope="module")
def runs(
    session_cluster: Cluster, machine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Trial]]:
    """One request on 1, 2 and 4 ranks, and on two nodes, side by side; all have ended well."""
    folder = tmp_path_factory.mktemp("runs")
    made: dict[str, Trial] = {}
    for name, (options, memory) in PLACES.items():
        kind = Nested if name == "2" else Trial
        made[name] = kind(session_cluster, machine, folder / name, activity, {"memory": memory})
        begin = made[name].login if name == "1" else made[name].start
        begin(*options)
    try:
        for trial in made.values():
            assert trial.end() == 0, trial.said()
        yield made
    finally:
        for trial in made.values():
            trial.clear()


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The products of that request by ``lumipipe run`` on this machine."""
    folder = tmp_path_factory.mktemp("laptop")
    request = activity(folder, compute={"memory": "1 GiB"})
    assert call("run", request, "--out", folder / "out").code == 0
    return products(folder / "out")


@pytest.mark.parametrize("name", PLACES)
def test_any_number_of_ranks_and_nodes_gives_the_bytes_of_the_laptop(
    runs: dict[str, Trial], at_home: dict[str, bytes], name: str
) -> None:
    runs[name].check(at_home)


@pytest.mark.faults  # for its time: tests/mpi has all families, with other launchers
@pytest.mark.parametrize("write", [monitoring, bearing])
def test_other_families_on_two_nodes_give_the_same_bytes(
    cluster: Cluster, machine: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    options, memory = PLACES["2x2"]
    trial = Trial(cluster, machine, tmp_path / "there", write, {"memory": memory})
    trial.start(*options)
    assert trial.end() == 0, trial.said()
    trial.check(undisturbed(tmp_path / "here", write))


def _entries(trial: Trial, verb: str) -> list[dict[str, str]]:
    """What the record of the run has of a verb's submissions."""
    entries = [json.loads(line) for line in (trial.out / "jobs.jsonl").read_text().splitlines()]
    return [entry for entry in entries if entry.get("verb") == verb]


def test_four_large_ranks_are_on_two_nodes(runs: dict[str, Trial]) -> None:
    (entry,) = _entries(runs["2x2"], "train")
    assert "--nodes=2" in entry["argv"]
    assert "--ntasks-per-node=2" in entry["argv"]
    (job,) = submissions(runs["2x2"].out, "train")
    assert runs["2x2"].cluster.job(job)["NodeList"] == "nid00100[1-2]"


def test_nothing_of_an_outer_job_reaches_a_job_or_its_submission(runs: dict[str, Trial]) -> None:
    trial = runs["2"]
    assert isinstance(trial, Nested)
    (entry,), (job,) = _entries(trial, "train"), submissions(trial.out, "train")
    assert "-p small" in entry["argv"]
    assert "--ntasks=2" in entry["argv"]
    got = trial.cluster.job(job)
    assert (got["Partition"], got["NumCPUs"], got["TimeLimit"]) == ("small", "2", "00:10:00")
    assert got["MinMemoryNode"] == f"{2 * 1024 + 300}M"
    for rank in ("0", "1"):
        seen = trial.seen(f"train-{rank}")
        left = {name for name, value in NONSENSE.items() if seen.get(name) == value}
        assert left == set()
        assert (seen["SLURM_NTASKS"], seen["SLURM_JOB_ID"]) == ("2", job)


@pytest.mark.parametrize(
    ("launcher", "world"), [(("-n2",), 2), (("-n4", "--mpi=none"), 1)], ids=["two", "four of one"]
)
def test_another_world_than_planned_is_refused_before_anything_is_read(
    runs: dict[str, Trial], launcher: tuple[str, ...], world: int
) -> None:
    trial = runs["4"]
    words = [sys.executable, "-m", "lumipipe", "train", trial.request, "--out", trial.out]
    where = ("srun", *launcher, "--partition=small", "--time=2", "--kill-on-bad-exit=1")
    path = {"PYTHONPATH": str(ROOT / "src")}
    done = trial.cluster.run(*where, *words, "--plan", trial.out / "plan.json", extra=path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"4 rank(s) of train were planned and {world} started as one world" in done.stderr


@pytest.fixture
def trial(cluster: Cluster, machine: Path, tmp_path: Path) -> Iterator[Trial]:
    """A run of its own."""
    made = Trial(cluster, machine, tmp_path / "run")
    yield made
    made.clear()


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
