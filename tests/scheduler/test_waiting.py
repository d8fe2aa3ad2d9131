"""A new head process waits; a silent Slurm leads to no second submission (C04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.scheduler.record import submissions
from lumipipe.scheduler.waiting import wait_for_controller, wait_for_live_jobs
from scheduler.test_inventory import submitted

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import Clock, PretendedSlurm


def nothing(_: str) -> None:
    """Ignore a line of progress."""


def test_a_run_that_never_submitted_goes_on_at_once(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    wait_for_live_jobs(out, nothing, clock.patience())
    assert clock.slept == []
    assert slurm.calls("squeue") == []


def test_jobs_that_live_are_waited_for_and_named_whenever_they_change(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    name, lines = submitted(out, "12"), []
    slurm.job("12", "PENDING", name=name)
    clock.then[2] = lambda: slurm.job("12", "RUNNING")
    clock.then[5] = lambda: slurm.job("12", "FAILED", code="3:0")
    wait_for_live_jobs(out, lines.append, clock.patience(pause_s=1, longest_pause_s=3))
    waited = "waiting for jobs that an earlier start submitted"
    assert lines == [f"{waited}: 12 (train, PENDING)", f"{waited}: 12 (train, RUNNING)"]
    assert clock.slept == [1, 2, 1, 2, 3]
    (one,) = submissions(out)
    assert one.ended is not None
    assert one.ended["exit_code"] == "3:0"


def test_a_live_job_is_waited_for_without_a_bound(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("12", "RUNNING", name=submitted(out, "12"))
    clock.then[20] = lambda: slurm.job("12", "COMPLETED")
    wait_for_live_jobs(out, nothing, clock.patience(limit_s=60))
    assert clock.time > 300


def test_a_database_that_is_silent_five_times_and_then_answers(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("12", "COMPLETED", name=submitted(out, "12"), accounted=True)
    slurm.silence("squeue", "scontrol")
    slurm.silence("sacct", calls=5)
    wait_for_live_jobs(out, nothing, clock.patience())
    assert len(clock.slept) == 5


def test_a_product_that_appears_ends_the_wait_for_a_silent_slurm(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    submitted(out, "12")
    slurm.silence("squeue", "scontrol", "sacct")
    wait_for_live_jobs(
        out, nothing, clock.patience(), is_done=lambda verb: verb == "train" and clock.time > 100
    )
    assert 100 < clock.time < 200


def test_a_slurm_that_stays_silent_stops_the_run_with_the_ids(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    submitted(out, "12")
    submitted(out, "", "score")
    slurm.silence("squeue", "scontrol", "sacct")
    with pytest.raises(InputError) as error:
        wait_for_live_jobs(
            out, nothing, clock.patience(pause_s=100, longest_pause_s=100, limit_s=900)
        )
    assert str(error.value) == (
        f"{out}: Slurm does not say what became of 12 (train, unknown), a job without an id "
        "(score, unknown); nothing was submitted; start the same command again when squeue answers"
    )
    assert clock.time == 1000
    assert slurm.calls("sbatch") == []


def test_silence_counts_anew_after_an_answer(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("12", "RUNNING", name=submitted(out, "12"))
    slurm.silence("scontrol", "sacct")
    for at, silent in ((1, 10**9), (5, 0), (7, 10**9), (11, 0)):
        clock.then[at] = lambda calls=silent: slurm.silence("squeue", calls=calls)
    clock.then[12] = lambda: slurm.job("12", "COMPLETED")
    wait_for_live_jobs(out, nothing, clock.patience(pause_s=10, longest_pause_s=10, limit_s=60))
    assert clock.time == 120


def test_a_controller_that_answers_again_is_waited_for(slurm: PretendedSlurm, clock: Clock) -> None:
    slurm.silence("squeue", calls=3)
    lines: list[str] = []
    wait_for_controller(lines.append, clock.patience())
    assert len(clock.slept) == 3
    assert lines == ["Slurm does not answer; asking again"]


def test_a_controller_is_not_waited_for_without_end(slurm: PretendedSlurm, clock: Clock) -> None:
    slurm.silence("squeue")
    with pytest.raises(InputError, match="has not answered for 60 s; nothing was submitted"):
        wait_for_controller(nothing, clock.patience(limit_s=60))
