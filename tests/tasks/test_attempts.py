"""What is started once more after a workflow ended without its products, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.scheduler.record import add_line, submissions
from lumipipe.tasks.attempts import Attempts, Cancelled
from lumipipe.tasks.status import read_plan
from scheduler.test_inventory import submitted
from tasks.test_status import out, publish

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.tasks.stages import Plan
    from scheduler.pretended_slurm import PretendedSlurm

__all__ = ["out"]
KILLED, FAILED = -9, 1
ONCE_MORE = "it is started once more"


@pytest.fixture
def plan(out: Path) -> Plan:
    """The plan of a run of which nothing is done."""
    return read_plan(out / "plan.json")


@pytest.fixture
def attempts(out: Path) -> Attempts:
    """The attempts of that run, the first of which has begun."""
    made = Attempts(out)
    made.begin()
    return made


def test_a_lost_job_is_started_once_more_and_no_more(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    said: list[str] = []
    for job, due in (("12", True), ("13", False)):
        slurm.job(job, "NODE_FAIL", name=submitted(plan.out, job))
        assert attempts.is_due(plan, FAILED, said.append) is due
        attempts.begin()
    assert said == [
        f"job 12 (train, NODE_FAIL) was lost; {ONCE_MORE}",
        "job 13 (train, NODE_FAIL) was lost again",
    ]


def test_each_stage_may_be_lost_once(plan: Plan, attempts: Attempts, slurm: PretendedSlurm) -> None:
    for job, verb in (("12", "prepare"), ("13", "train"), ("14", "score")):
        slurm.job(job, "TIMEOUT", name=submitted(plan.out, job, verb))
        assert attempts.is_due(plan, FAILED, [].append)
        attempts.begin()


@pytest.mark.parametrize(
    ("state", "number"),
    [("NODE_FAIL", 1), ("TIMEOUT", 1), ("PREEMPTED", 1), ("OUT_OF_MEMORY", 2), ("FAILED", 2)],
)
def test_more_memory_is_asked_for_where_it_may_have_been_the_reason(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm, state: str, number: int
) -> None:
    slurm.job("12", state, name=submitted(plan.out, "12"))
    assert attempts.is_due(plan, FAILED, [].append)
    assert attempts.number == number


def test_what_somebody_cancelled_stays_cancelled(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    slurm.job("12", "CANCELLED", name=submitted(plan.out, "12"))
    with pytest.raises(Cancelled, match=r"12 \(train, CANCELLED\)"):
        attempts.is_due(plan, FAILED, [].append)


def test_jobs_of_earlier_attempts_do_not_count(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    slurm.job("12", "CANCELLED", name=submitted(plan.out, "12"))
    attempts.begin()
    assert not attempts.is_due(plan, FAILED, [].append)


def test_a_workflow_that_was_killed_is_started_once_more(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    said: list[str] = []
    assert attempts.is_due(plan, KILLED, said.append)
    slurm.job("12", "RUNNING", name=submitted(plan.out, "12"))
    assert not attempts.is_due(plan, KILLED, said.append)
    assert said == [
        f"the workflow was killed; {ONCE_MORE}",
        "the workflow ended before job 12 (train, RUNNING) again",
    ]


def test_a_workflow_that_did_not_see_a_good_end_is_started_again(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    publish(plan.out, "prepare", "train")
    said: list[str] = []
    for job, verb in (("12", "prepare"), ("13", "train")):
        slurm.job(job, "COMPLETED", name=submitted(plan.out, job, verb))
        assert attempts.is_due(plan, KILLED, said.append)
    assert said[-1] == "the workflow ended after train; it is started again"
    assert attempts.number == 1


def refused(out: Path, said: str) -> None:
    """Write a refusal into the record."""
    submitted(out, "")
    add_line(out, {"event": "refused", "key": submissions(out)[-1].key, "code": 1, "said": said})


def test_a_refusal_is_told_in_slurms_words(plan: Plan, attempts: Attempts) -> None:
    refused(plan.out, "sbatch: error: Too bad\nsbatch: error: Batch job submission failed: no")
    with pytest.raises(InputError) as error:
        attempts.is_due(plan, FAILED, [].append)
    assert str(error.value) == (
        "job of train: Slurm refused it (Too bad Batch job submission failed: no); "
        "mend what it says; the same command goes on"
    )


def test_a_silent_controller_is_no_refusal(
    plan: Plan, attempts: Attempts, slurm: PretendedSlurm
) -> None:
    failed = "Unable to contact slurm controller (connect failure)"
    refused(plan.out, f"sbatch: error: Batch job submission failed: {failed}")
    said: list[str] = []
    assert attempts.is_due(plan, FAILED, said.append)
    words = f"Slurm was silent (Batch job submission failed: {failed})"
    assert said == [f"{words}; {ONCE_MORE}"]
    assert len(slurm.calls("squeue")) == 1
