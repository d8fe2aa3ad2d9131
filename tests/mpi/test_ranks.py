"""One, two, three and four MPI ranks: the same dataset, model, scores and result, byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command import environment
from small_requests import FAMILIES

pytestmark = pytest.mark.mpi
MPIEXEC = Path(sys.executable).with_name("mpiexec")
JOB = Path(__file__).with_name("job_verbs.py")
# Requests whose chunks, files and shards the ranks cannot share evenly, down to one for all.
SMALL = {
    "activity": ("activity", {}),
    "bearing": ("bearing", {}),
    "monitoring": ("monitoring", {}),
    "one chunk": ("monitoring", {"train": {"rows_per_chunk": 64}}),
}


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Small requests, each in a folder of its name."""
    made = []
    for name, (family, changes) in SMALL.items():
        folder = tmp_path_factory.getbasetemp() / "requests" / name
        folder.mkdir(parents=True)
        made.append(FAMILIES[family](folder, **changes))
    return made


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


def ranks_told(out: Path) -> int:
    """The number of ranks that ``result.json`` says it was made on."""
    return json.loads((out / "result.json").read_text(encoding="utf-8"))["run"]["ranks"]


@pytest.fixture(scope="module")
def runs(requests: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The folders of runs by their number of ranks."""
    made = {}
    for ranks in (1, 2, 3, 4):
        made[ranks] = tmp_path_factory.mktemp(f"ranks{ranks}")
        done = subprocess.run(
            [MPIEXEC, "-n", str(ranks), sys.executable, JOB, made[ranks], *requests],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return made


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_ranks_change_no_byte(runs: dict[int, Path], name: str, ranks: int) -> None:
    alone, shared = runs[1] / name, runs[ranks] / name
    assert products(shared) == products(alone)
    assert result(shared) == result(alone)
    assert ranks_told(shared) == ranks
