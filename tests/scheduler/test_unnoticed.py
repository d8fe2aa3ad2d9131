"""When a run is idle although somebody waits for its jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.unnoticed import Watch
from scheduler.test_inventory import submitted

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import Clock, PretendedSlurm


@pytest.fixture
def watch(out: Path, clock: Clock) -> Watch:
    """A watch whose time only sleeping moves."""
    return Watch(out, lambda: clock.time)


def test_a_run_without_jobs_is_not_idle(watch: Watch, slurm: PretendedSlurm, clock: Clock) -> None:
    assert watch.idle_s() == 0
    clock.sleep(60)
    assert watch.idle_s() == 0


def test_idle_time_begins_when_the_last_job_was_seen_to_have_ended(
    watch: Watch, slurm: PretendedSlurm, clock: Clock
) -> None:
    name = submitted(watch.out, "12", "prepare")
    slurm.job("12", "RUNNING", name=name)
    seen = []
    for state in ("RUNNING", "RUNNING", "COMPLETED", "COMPLETED", "COMPLETED"):
        slurm.job("12", state)
        clock.sleep(60)
        seen.append(watch.idle_s())
    assert seen == [0, 0, 0, 60, 120]
    slurm.job("13", "COMPLETED", name=submitted(watch.out, "13", "train"))
    clock.sleep(60)
    assert watch.idle_s() == 0  # there was progress in between
    clock.sleep(60)
    assert watch.idle_s() == 60


def test_a_silent_slurm_makes_nobody_idle(
    watch: Watch, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("12", "COMPLETED", name=submitted(watch.out, "12"))
    assert watch.idle_s() == 0
    slurm.silence("squeue", "scontrol", "sacct")
    clock.sleep(60)
    assert watch.idle_s() == 0
    slurm.silence("squeue", calls=0)
    clock.sleep(60)
    assert watch.idle_s() == 0
