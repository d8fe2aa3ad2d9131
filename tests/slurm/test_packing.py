"""A thousand short recordings and three long ones are three jobs, however many files there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from slurm.heads import machine_folder, submissions
from slurm.trial import VERBS, Trial, undisturbed
from small_requests import activity, write_sines

if TYPE_CHECKING:
    from pathlib import Path

    from slurm.cluster import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.faults, pytest.mark.timeout(900)]
SHORT, LONG = 1000, 3  # recordings of 1 s and of 10 min
BROKEN = 17


def recording(number: int) -> tuple[str, float, float, tuple[int, ...]]:
    """Name, hertz, seconds and seed of a recording; the long ones come last."""
    person, exercise = number % 4, ("swing", "shake")[number // 4 % 2]
    hertz = 2.0 if exercise == "swing" else 6.0
    return f"p{person}_{exercise}_{number}.csv", hertz, 1 if number < SHORT else 600, (number,)


def write_recording(folder: Path, number: int) -> Path:
    """The file of a recording."""
    name, *what = recording(number)
    write_sines(folder / "raw" / name, *what)
    return folder / "raw" / name


def many(folder: Path, **changes: Any) -> Path:
    """The request for all of them."""
    pattern = r"(?P<person>p\d)_(?P<exercise>[a-z]+)_(?P<set>\d+)"
    request = activity(
        folder,
        data={0: {"recordings": {"pattern": pattern}}},
        prepare={"bad_recordings": "leave_out", "chunk_bytes": 2**16, "shard_bytes": 2**20},
        train={"window_s": 0.5, "hop_s": 0.25, "features": {"statistics": {}}},
        **changes,
    )
    for file in (folder / "raw").iterdir():
        file.unlink()
    for number in range(SHORT + LONG):
        write_recording(folder, number)
    return request


def test_a_broken_recording_among_many_is_listed_and_later_read_alone(
    cluster: Cluster, tmp_path: Path
) -> None:
    machine = machine_folder(tmp_path / "machine")
    trial = Trial(cluster, machine, tmp_path / "run", many)
    file = write_recording(trial.folder, BROKEN)
    file.write_text("x,y\n0.5,inf\n", encoding="utf-8")
    assert trial.end(trial.start("--ranks", "2")) == 3, trial.said()
    assert [len(submissions(trial.out, verb)) for verb in VERBS] == [1, 1, 1]
    answer = json.loads((trial.out / "result.json").read_text(encoding="utf-8"))
    assert len(answer["units"]) == SHORT + LONG - 1
    (left_out,) = answer["left_out"]
    assert file.name in json.dumps(left_out)

    write_recording(trial.folder, BROKEN)
    assert trial.end(trial.start("--ranks", "2")) == 0, trial.said()
    again = "raw files: 1002 of 1003 from an earlier reading, 1 to read in 1 batches"
    assert again in (trial.out / "logs" / "prepare.log").read_text(encoding="utf-8")
    trial.check(undisturbed(tmp_path / "whole", many), prepare=2, train=2, score=2)
