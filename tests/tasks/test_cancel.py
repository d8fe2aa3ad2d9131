"""Ending a run with its own command; what it does to Slurm is in ``tests/scheduler``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from command import call, environment
from lumipipe.scheduler.asking import Patience
from lumipipe.scheduler.head import HEAD, read_head
from lumipipe.scheduler.process import descendants, started
from lumipipe.tasks.cancel import cancel
from scheduler.test_inventory import submitted
from small_requests import monitoring

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import PretendedSlurm


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of a run."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "plan.json").write_text("{}")
    return tmp_path / "out"


def test_a_run_that_is_over_is_left_as_it_is(out: Path) -> None:
    for _ in range(2):
        said = call("cancel", out)
        assert (said.code, said.err) == (0, "")
        assert said.out == "nothing of this run is alive; nothing was changed\n"
    assert [path.name for path in out.iterdir()] == ["plan.json"]


def test_jobs_are_cancelled_with_code_0_and_a_second_time_nothing_is_done(
    out: Path, slurm: PretendedSlurm
) -> None:
    slurm.job("12", "RUNNING", name=submitted(out, "12"))
    said = call("cancel", out)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("cancelled 1 job(s): 12\n")
    assert call("cancel", out).out.startswith("nothing of this run is alive")
    assert slurm.cancelled() == ["12"]


def test_a_silent_slurm_gives_code_1_and_one_line(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "12")
    slurm.silence("squeue", "scontrol", "sacct")
    lines: list[str] = []
    assert cancel(out, lines.append, Patience(pause_s=0.01, longest_pause_s=0.01)) == 1
    assert len(lines) == 1
    assert "Slurm does not say what became of 12 (train, unknown)" in lines[0]


@pytest.mark.slow
def test_a_run_on_this_machine_ends_with_all_that_it_started_and_goes_on_later(
    tmp_path: Path,
) -> None:
    request, out = monitoring(tmp_path), tmp_path / "out"
    words = [sys.executable, "-m", "lumipipe", "run", str(request), "--out", str(out)]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as head:
        while not (out / HEAD).exists() or not descendants(head.pid):
            assert head.poll() is None, head.communicate()
            time.sleep(0.02)
        family = descendants(head.pid)
        said = call("cancel", out)
        known = read_head(out)
        assert known is not None
        assert said.out.startswith(f"the head process has ended: {known}\n")
        assert said.code == 0
        assert not any(started(pid) for pid in (head.pid, *family))
        assert head.wait() != 0
    assert call(*words[3:]).code == 0
    assert json.loads((out / "result.json").read_text())["verdict"] == "inconclusive"
