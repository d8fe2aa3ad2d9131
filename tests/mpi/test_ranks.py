"""One, two, three and four MPI ranks: the same dataset, model, scores and result, byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command import call, environment
from small_requests import DROP, FAMILIES

pytestmark = pytest.mark.mpi
MPIEXEC = Path(sys.executable).with_name("mpiexec")
JOB = Path(__file__).with_name("job_verbs.py")
DATES = {"train_first_s": DROP, "train_until": "2023-11-18", "calibrate_until": "2023-11-20"}
COSTS = {"cost_of_miss": 9, "cost_of_false_alarm": 1}
# Requests whose chunks, files and shards the ranks cannot share evenly, down to one for all.
SMALL = {
    "activity": ("activity", {}),
    "ambient": ("ambient", {}),
    "bearing": ("bearing", {}),
    "carbon": ("carbon", {}),
    "emission": ("emission", {}),
    "hrv": ("hrv", {}),
    "esports": ("esports", {}),
    "monitoring": ("monitoring", {}),
    "recipe": ("recipe", {}),
    "remaining life": ("remaining_life", {}),
    "session load": ("session_load", {}),
    "soft sensor": ("soft_sensor", {}),
    "technique": ("technique", {}),
    "costs of classes": (
        "activity",
        {"question": COSTS | {"event": {"classes": ["shake"]}}},
    ),
    "costs of a limit": ("emission", {"question": COSTS | {"event": {"above": 60}}}),
    "dates": ("ambient", {"evaluation": {"split": DATES}}),
    "one chunk": ("monitoring", {"train": {"rows_per_chunk": 64}}),
}
# Two shares, one for each of two workers; within a share each start of the ranks serves all.
SHARES = [list(SMALL)[share::2] for share in (0, 1)]


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
        timeout=600,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for request in requests:
        said = call("report", request, "--out", out / request.parent.name)
        assert said.code == 0, said


@pytest.mark.timeout(1200)  # four ranks on a loaded machine
@pytest.mark.parametrize("share", SHARES, ids=["first", "second"])
def test_ranks_change_no_byte(tmp_path: Path, share: list[str]) -> None:
    requests = []
    for name in share:
        (tmp_path / name).mkdir()
        family, changes = SMALL[name]
        requests.append(FAMILIES[family](tmp_path / name, **changes))
    for ranks in (1, 2, 3, 4):
        run(ranks, requests, tmp_path / str(ranks))
        for name in share:
            alone, shared = tmp_path / "1" / name, tmp_path / str(ranks) / name
            assert products(shared) == products(alone)
            assert result(shared) == result(alone)
            told = json.loads((shared / "result.json").read_text(encoding="utf-8"))["run"]
            assert told["ranks"] == ranks
