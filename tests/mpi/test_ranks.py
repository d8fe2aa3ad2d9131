"""One, two, three and four MPI ranks: the same dataset, model, scores and result, byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command import call, environment
from small_requests import FAMILIES

pytestmark = pytest.mark.mpi
MPIEXEC = Path(sys.executable).with_name("mpiexec")
JOB = Path(__file__).with_name("job_verbs.py")
# Requests whose chunks, files and shards the ranks cannot share evenly, down to one for all.
SMALL = {
    "activity": ("activity", {}),
    "ambient": ("ambient", {}),
    "bearing": ("bearing", {}),
    "carbon": ("carbon", {}),
    "emission": ("emission", {}),
    "monitoring": ("monitoring", {}),
    "recipe": ("recipe", {}),
    "remaining life": ("remaining_life", {}),
    "soft sensor": ("soft_sensor", {}),
    "one chunk": ("monitoring", {"train": {"rows_per_chunk": 64}}),
}


def products(out: Path) -> dict[str, bytes]:
    """The content of all published files of the three verbs that compute."""
    return {
        file.relative_to(out).as_posix(): file.read_bytes()
        for verb in ("prepare", "train", "score")
        for file in sorted((out / verb).glob("*/**/*"))
        if file.is_file()
    }


def result(out: Path) -> dict[str, object]:
    """What ``result.json`` says, but how it was run."""
    content = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "run"}


def run(ranks: int, requests: list[Path], out: Path) -> None:
    """Run all verbs of all requests, those that compute on some ranks."""
    done = subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, JOB, out, *requests],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for request in requests:
        said = call("report", request, "--out", out / request.parent.name)
        assert said.code == 0, said


def test_ranks_change_no_byte(tmp_path: Path) -> None:
    requests = []
    for name, (family, changes) in SMALL.items():
        (tmp_path / name).mkdir()
        requests.append(FAMILIES[family](tmp_path / name, **changes))
    for ranks in (1, 2, 3, 4):  # one test: each start of the ranks serves all requests
        run(ranks, requests, tmp_path / str(ranks))
        for name in SMALL:
            alone, shared = tmp_path / "1" / name, tmp_path / str(ranks) / name
            assert products(shared) == products(alone)
            assert result(shared) == result(alone)
            told = json.loads((shared / "result.json").read_text(encoding="utf-8"))["run"]
            assert told["ranks"] == ranks
