"""One rank goes wrong: all ranks end soon, the reason is told, and nothing half-written opens."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from command import Said, call, environment
from small_requests import activity

pytestmark = pytest.mark.mpi
MPIEXEC = Path(sys.executable).with_name("mpiexec")
JOB = Path(__file__).with_name("job_error.py")
RANKS = 3
LONGEST_S = 60.0  # starting four interpreters on a busy machine takes most of it
# Point and verb; the rank is the one that gets there (only rank 0 publishes).
POINTS = {
    "before the first collective": ("prepare", 2),
    "between collectives": ("prepare", 1),
    "write of a shard": ("prepare", 2),
    "import": ("train", 2),
    "measure": ("train", 1),
    "write of a checkpoint": ("train", 2),
    "fit": ("train", 1),
    "publish": ("train", 0),
}


def run(point: str, rank: int, verb: str, request: Path, out: Path) -> Said:
    """How the ranks ended, soon enough."""
    command = [MPIEXEC, "-n", RANKS, sys.executable, JOB, point, rank, verb, request, "--out", out]
    started = time.monotonic()
    done = subprocess.run(
        list(map(str, command)),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=2 * LONGEST_S,
        check=False,
    )
    assert time.monotonic() - started < LONGEST_S
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def request_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A request that saves each finished node, prepared in the folder ``out``."""
    request = activity(tmp_path_factory.mktemp("errors"), compute={"checkpoint_s": 0})
    assert call("prepare", request, "--out", request.parent / "out").code == 0
    return request


def folder_for(request: Path, verb: str, tmp_path: Path) -> Path:
    """A folder in which what `verb` needs is done."""
    out = tmp_path / "out"
    if verb == "train":
        shutil.copytree(request.parent / "out" / "prepare", out / "prepare")
    return out


@pytest.mark.parametrize("point", POINTS)
def test_a_defect_on_one_rank_ends_all(request_file: Path, tmp_path: Path, point: str) -> None:
    verb, rank = POINTS[point]
    out = folder_for(request_file, verb, tmp_path)
    said = run(point, rank, verb, request_file, out)
    assert said.code == 1, said
    assert f"rank {rank} of {RANKS}, {verb}:\nTraceback (most recent call last):" in said.err
    assert "broken on purpose" in said.err
    assert not list((out / verb).glob("*.json"))  # nothing that opens
    again = call(verb, request_file, "--out", out)
    assert again.code == 0, again


def test_a_rank_that_does_not_even_start_ends_all(request_file: Path, tmp_path: Path) -> None:
    said = run("start", 1, "prepare", request_file, tmp_path / "out")
    assert said.code != 0
    assert "RuntimeError: broken on purpose" in said.err


def test_a_rank_that_the_system_kills_ends_all(request_file: Path, tmp_path: Path) -> None:
    out = folder_for(request_file, "train", tmp_path)
    said = run("kill", 1, "train", request_file, out)
    assert said.code != 0
    assert call("train", request_file, "--out", out).code == 0


def test_wrong_input_on_one_rank_is_one_line(request_file: Path, tmp_path: Path) -> None:
    said = run("input", 2, "train", request_file, folder_for(request_file, "train", tmp_path))
    assert said.code == 2
    assert "lumipipe: data.csv: broken on purpose; mend it" in said.err
    assert "Traceback" not in said.err
