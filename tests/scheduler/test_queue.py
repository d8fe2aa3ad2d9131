"""Three sources, three answers: what cannot be asked is unknown and nothing else (C04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.job import seconds
from lumipipe.scheduler.queue import Job, State, ending, endings, jobs, jobs_named, states

if TYPE_CHECKING:
    from scheduler.pretended_slurm import Clock, PretendedSlurm

STATES = {
    State.RUNNING: ("RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "STAGE_OUT"),
    State.PENDING: ("PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"),
    State.ENDED: ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"),
    State.UNKNOWN: ("REVOKED", "A_WORD_OF_NEXT_YEAR"),
}


@pytest.mark.parametrize(
    ("said", "state"), [(word, state) for state, words in STATES.items() for word in words]
)
def test_the_words_of_slurm(slurm: PretendedSlurm, said: str, state: State) -> None:
    slurm.job("12", said)
    assert states(["12"]) == {"12": state}


def test_a_job_in_the_queue_is_told_with_all_that_squeue_knows(slurm: PretendedSlurm) -> None:
    more = {"comment": "rule_train_wildcards_a", "name": "n_1", "reason": "Resources"}
    slurm.job("12", "PENDING", partition="small-g", time="1-02:03:04", user="eve", **more)
    assert jobs(["12"])["12"] == Job(
        "12",
        State.PENDING,
        name="n_1",
        verb="train",
        said="PENDING",
        reason="Resources",
        partition="small-g",
        elapsed_s=93784,
        user="eve",
    )


def test_a_controller_that_does_not_know_a_job_says_that_it_ended(slurm: PretendedSlurm) -> None:
    slurm.job("12", "RUNNING")
    assert states(["12", "13"]) == {"12": State.RUNNING, "13": State.ENDED}
    assert states(["13"]) == {"13": State.ENDED}
    assert slurm.calls("sacct") == []


def test_scontrol_is_asked_where_squeue_fails(slurm: PretendedSlurm) -> None:
    slurm.silence("squeue")
    slurm.job("12", "RUNNING", name="n_1", comment="rule_score")
    found = jobs(["12", "13"])
    assert (found["12"].state, found["12"].verb) == (State.RUNNING, "score")
    assert found["13"].state is State.ENDED


def test_the_database_is_asked_where_the_controller_is_silent(slurm: PretendedSlurm) -> None:
    slurm.silence("squeue", "scontrol")
    slurm.job("12", "CANCELLED by 1000", accounted=True, code="0:15")
    slurm.job("13", "RUNNING", accounted=True)
    found = jobs(["12", "13", "14"])
    assert (found["12"].state, found["12"].said) == (State.ENDED, "CANCELLED")
    assert found["13"].state is State.RUNNING
    assert found["14"].state is State.UNKNOWN  # the database is written late


@pytest.mark.parametrize("said", ["NODE_FAIL", "PREEMPTED", "BOOT_FAIL"])
def test_the_database_alone_does_not_end_what_may_come_back(
    slurm: PretendedSlurm, said: str
) -> None:
    slurm.silence("squeue", "scontrol")
    slurm.job("12", said, accounted=True)
    assert states(["12"]) == {"12": State.UNKNOWN}


def test_silence_is_unknown(slurm: PretendedSlurm) -> None:
    slurm.silence("squeue", "scontrol", "sacct")
    slurm.job("12", "COMPLETED", accounted=True)
    assert states(["12"]) == {"12": State.UNKNOWN}
    assert jobs_named("n") is None


@pytest.mark.parametrize("command", ["squeue", "scontrol"])
def test_a_banner_in_place_of_an_answer_is_no_answer(slurm: PretendedSlurm, command: str) -> None:
    slurm.silence("squeue", "scontrol", "sacct")
    slurm.silence(command, calls=0)
    slurm.change(banner=[command])
    assert states(["12"]) == {"12": State.UNKNOWN}


def test_a_silent_database_is_asked_again_in_bounds(slurm: PretendedSlurm, clock: Clock) -> None:
    slurm.silence("squeue", "scontrol")
    slurm.silence("sacct", calls=5)
    slurm.job("12", "COMPLETED", accounted=True)
    assert states(["12"], clock.patience(attempts=5)) == {"12": State.UNKNOWN}
    assert states(["12"], clock.patience(attempts=5)) == {"12": State.ENDED}


def test_many_jobs_are_asked_for_in_bounded_chunks(slurm: PretendedSlurm) -> None:
    ids = [str(number) for number in range(1000, 1120)]
    slurm.change(jobs={})
    slurm.job("1110", "RUNNING")
    found = states(ids)
    assert [id_ for id_, state in found.items() if state is not State.ENDED] == ["1110"]
    asked = [words[words.index("-j") + 1].split(",") for words in slurm.calls("squeue")]
    assert [len(part) for part in asked] == [50, 50, 20]


def test_a_silent_controller_is_not_asked_for_every_chunk(slurm: PretendedSlurm) -> None:
    slurm.silence("squeue", "scontrol", "sacct")
    found = states([str(number) for number in range(1000, 1200)])
    assert set(found.values()) == {State.UNKNOWN}
    assert [len(slurm.calls(name)) for name in ("squeue", "scontrol", "sacct")] == [1, 1, 1]


def test_an_array_lives_while_one_of_its_elements_does(slurm: PretendedSlurm) -> None:
    slurm.job("12_0", "COMPLETED")
    slurm.job("12_1", "RUNNING")
    slurm.job("12_[2-5%1]", "PENDING")
    assert states(["12", "12_0", "12_1", "12_4"]) == {
        "12": State.RUNNING,
        "12_0": State.ENDED,
        "12_1": State.RUNNING,
        "12_4": State.PENDING,
    }


def test_an_array_of_which_one_failed_has_failed(slurm: PretendedSlurm) -> None:
    slurm.job("12_0", "COMPLETED")
    slurm.job("12_1", "FAILED")
    job = jobs(["12"])["12"]
    assert (job.id, job.state, job.said) == ("12", State.ENDED, "FAILED")


@pytest.mark.parametrize("id_", ["12;other-cluster", "", "12 13", "--me"])
def test_what_is_no_plain_id_is_not_asked_for(slurm: PretendedSlurm, id_: str) -> None:
    assert states([id_]) == {id_: State.UNKNOWN}
    assert slurm.calls("squeue") == slurm.calls("sacct") == []


def test_jobs_are_found_by_the_beginning_of_their_names(slurm: PretendedSlurm) -> None:
    slurm.job("12", "RUNNING", name="lumipipe-1_a", comment="rule_train|with|bars")
    slurm.job("13", "COMPLETED", name="lumipipe-1_b")
    slurm.job("14", "RUNNING", name="lumipipe-2_a")
    slurm.job("15", "RUNNING", name="lumipipe-1_c", user="eve")
    named = jobs_named("lumipipe-1")
    assert named is not None
    assert {job.id: job.state for job in named} == {"12": State.RUNNING, "13": State.ENDED}
    assert named[0].verb == "train"
    others = jobs_named("lumipipe-1", users=["eve"])
    assert others is not None
    assert [job.id for job in others] == ["15"]


def test_how_a_job_ended_is_asked_of_controller_and_database(slurm: PretendedSlurm) -> None:
    slurm.job("12", "FAILED", code="3:0", reason="NonZeroExitCode", comment="rule_train")
    slurm.job("13", "OUT_OF_MEMORY", queue=False, accounted=True, code="0:125")
    found = jobs(["12", "13", "14"])
    first, second, third = (ending(found[id_]) for id_ in ("12", "13", "14"))
    assert (first.exit_code, first.reason, first.verb) == ("3:0", "NonZeroExitCode", "train")
    assert (second.state, second.said, second.exit_code) == (
        State.ENDED,
        "OUT_OF_MEMORY",
        "0:125",
    )
    assert third == Job("14", State.ENDED)


def test_nothing_is_asked_about_the_end_of_what_lives(slurm: PretendedSlurm) -> None:
    job = Job("12", State.RUNNING)
    assert ending(job) is job
    assert slurm.calls("scontrol") == []


def test_ends_are_asked_for_until_slurm_has_forgotten(slurm: PretendedSlurm) -> None:
    for id_ in ("14", "15"):
        slurm.job(id_, "COMPLETED")
    ended = [Job(id_, State.ENDED) for id_ in ("11", "12", "13", "14", "15")]
    assert [job.id for job in endings(ended)] == ["14", "15"]
    assert len(slurm.calls("scontrol")) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [("0:07", 7), ("1:00:00", 3600), ("2-00:00:01", 172801), ("INVALID", None), ("", None)],
)
def test_seconds(text: str, value: int | None) -> None:
    assert seconds(text) == value
