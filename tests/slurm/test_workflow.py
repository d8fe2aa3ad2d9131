"""Requests through a real Slurm: the same bytes as on a laptop, whatever the number of ranks."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from command import call
from slurm.cluster import wait_until
from slurm.heads import (
    ROOT,
    head_command,
    head_environment,
    machine_folder,
    products,
    submissions,
)
from small_requests import activity, bearing, monitoring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = pytest.mark.slurm
DEMOS = ("demo-watch", "demo-process")
# Ranks of each job, and memory of each rank: 100 GiB leaves room for two ranks on a node.
PLACES = {"1": (1, "1 GiB"), "2": (2, "1 GiB"), "4": (4, "1 GiB"), "2x2": (4, "100 GiB")}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The machine folder of the cluster."""
    return machine_folder(tmp_path_factory.mktemp("machine"))


def ended(heads: dict[str, subprocess.Popen[str]]) -> dict[str, tuple[int, str]]:
    """Exit code and words of head processes that ran side by side."""
    said = {name: head.communicate(timeout=280)[0] for name, head in heads.items()}
    return {name: (head.returncode, said[name]) for name, head in heads.items()}


def test_the_demonstrations_by_sbatch(
    cluster: Cluster, machine: Path, tmp_path: Path, laptop_demos: dict[str, Path]
) -> None:
    environment = head_environment(cluster.environment, machine)
    heads = {}
    for name in DEMOS:
        request = ROOT / "config" / "requests" / f"{name}.yaml"
        script = ROOT / "slurm" / "workflow.sbatch"
        place = ("--target", "lumi-small", "--ranks", "2")
        words = ("sbatch", "--wait", script, request, "--out", tmp_path / name, *place)
        heads[name] = subprocess.Popen(
            [*map(str, words)],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    for name, (code, said) in ended(heads).items():
        logs = [log.read_text() for log in tmp_path.glob("lumipipe-*.log")]
        assert code == 0, (said, logs)
        assert products(tmp_path / name) == products(laptop_demos[name])
        assert all(len(submissions(tmp_path / name, verb)) == 1 for verb in ("prepare", "train"))
    assert any("verdict: SUPPORTED" in log.read_text() for log in tmp_path.glob("lumipipe-*.log"))


@pytest.mark.parametrize("write", [activity, monitoring, bearing])
def test_any_number_of_ranks_and_nodes_gives_the_bytes_of_the_laptop(
    cluster: Cluster, machine: Path, tmp_path: Path, write: Callable[..., Path]
) -> None:
    heads = {}
    for name, (ranks, memory) in PLACES.items():
        request = write(tmp_path / name, compute={"memory": memory})
        command = head_command(request, tmp_path / name / "out", machine, "--ranks", ranks)
        heads[name] = subprocess.Popen(
            command,
            env=head_environment(cluster.environment, machine),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    here = write(tmp_path / "here", compute={"memory": "1 GiB"})
    assert call("run", here, "--out", tmp_path / "here" / "out").code == 0
    for name, (code, said) in ended(heads).items():
        assert code == 0, said
        assert products(tmp_path / name / "out") == products(tmp_path / "here" / "out"), name
    (line,) = _train_lines(tmp_path / "2x2" / "out")
    assert "--nodes=2" in line
    assert "--ntasks-per-node=2" in line


def _train_lines(out: Path) -> list[str]:
    """The sbatch lines that left for the verb train."""
    entries = [json.loads(line) for line in (out / "jobs.jsonl").read_text().splitlines()]
    return [entry["line"] for entry in entries if entry.get("verb") == "train"]


def test_a_second_head_process_is_refused_and_a_killed_one_is_taken_over(
    cluster: Cluster, machine: Path, tmp_path: Path
) -> None:
    request = monitoring(tmp_path / "there")
    out = tmp_path / "there" / "out"
    environment = head_environment(cluster.environment, machine)
    command = head_command(request, out, machine, "--ranks", "2")
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as head:
        wait_until(
            lambda: (out / "jobs.jsonl").exists() and submissions(out, "prepare"), "submitted"
        )
        second = cluster.run(*command, extra=environment)
        head.kill()
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    cluster.kill_below(out)  # Snakemake outlives its parent; a lost login session takes both
    third = cluster.run(*command, extra=environment)
    assert third.returncode == 0, third.stderr
    here = monitoring(tmp_path / "here")
    assert call("run", here, "--out", tmp_path / "here" / "out").code == 0
    assert products(out) == products(tmp_path / "here" / "out")
    assert all(len(submissions(out, verb)) == 1 for verb in ("prepare", "train", "score"))
