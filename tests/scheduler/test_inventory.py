"""Record and queue together: no job of a run is overlooked, none of another is taken for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import Job, State
from lumipipe.scheduler.record import JOBS, note_ended, run_name
from scheduler.pretended_slurm import ME

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.pretended_slurm import PretendedSlurm


def submitted(out: Path, id_: str, verb: str = "train", age_s: float = 3600, **more: object) -> str:
    """Write a submission into the record, without an id if that is empty; the job's name."""
    name = more.pop("name", f"{run_name(out)}_1")
    time = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat(timespec="seconds")
    host, pid = socket.gethostname(), gone()
    key = f"{id_}{verb}{len((out / JOBS).read_text()) if (out / JOBS).exists() else 0}"
    entry = {"event": "intent", "key": key, "time": time, "verb": verb, "name": name}
    entry |= {"log": "/logs/%j.log", "user": ME, "host": host, "pid": pid, **more}
    with (out / JOBS).open("a") as file:
        file.write(json.dumps(entry) + "\n")
        if id_:
            file.write(json.dumps({"event": "submitted", "key": key, "id": id_}) + "\n")
    return str(name)


def gone() -> int:
    """Id of a process that lives no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_nothing_is_asked_where_nothing_was_submitted(out: Path, slurm: PretendedSlurm) -> None:
    assert jobs_of_run(out) == []
    assert slurm.calls("squeue") == []


def test_jobs_come_in_the_order_of_submission_with_what_both_know(
    out: Path, slurm: PretendedSlurm
) -> None:
    name = submitted(out, "13", "prepare")
    submitted(out, "12", "train")
    slurm.job("12", "RUNNING", name=name, partition="small-g")
    slurm.job("13", "COMPLETED", name=name)
    slurm.job("14", "RUNNING", name="somebody's")
    first, second = jobs_of_run(out)
    assert (first.id, first.verb, first.state) == ("13", "prepare", State.ENDED)
    assert (second.id, second.verb, second.state) == ("12", "train", State.RUNNING)
    assert (second.log, second.partition) == ("/logs/12.log", "small-g")


def test_a_job_whose_id_was_not_written_down_is_found_by_its_name(
    out: Path, slurm: PretendedSlurm
) -> None:
    name = submitted(out, "")
    slurm.job("12", "PENDING", name=name, comment="rule_train")
    (job,) = jobs_of_run(out)
    assert (job.id, job.state, job.verb, job.log) == (
        "12",
        State.PENDING,
        "train",
        "/logs/12.log",
    )


def test_a_job_that_the_record_lost_whole_is_found_too(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "12")
    slurm.job("13", "RUNNING", name=f"{run_name(out)}_2", comment="rule_score")
    assert [(job.id, job.verb) for job in jobs_of_run(out)] == [("12", "train"), ("13", "score")]


def test_a_submission_that_slurm_refused_is_no_job(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "")
    key = json.loads((out / JOBS).read_text())["key"]
    with (out / JOBS).open("a") as file:
        file.write(json.dumps({"event": "refused", "key": key, "code": 1}) + "\n")
    slurm.silence("squeue", "scontrol", "sacct")
    assert jobs_of_run(out) == []


@pytest.mark.parametrize(
    ("age_s", "here", "state"),
    [
        (1, True, State.UNKNOWN),
        (60, True, None),
        (60, False, State.UNKNOWN),
        (600, False, None),
    ],
)
def test_a_submission_may_be_on_its_way_for_a_while(
    out: Path, slurm: PretendedSlurm, age_s: float, *, here: bool, state: State | None
) -> None:
    submitted(out, "", age_s=age_s, **({} if here else {"host": "elsewhere"}))
    assert [job.state for job in jobs_of_run(out)] == ([state] if state else [])


def test_a_submission_whose_sender_lives_is_pending(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "", age_s=300, pid=os.getpid())
    assert [job.state for job in jobs_of_run(out)] == [State.PENDING]


def test_a_submission_without_an_id_is_unknown_while_the_queue_is_not_shown(
    out: Path, slurm: PretendedSlurm
) -> None:
    submitted(out, "")
    slurm.silence("squeue", "scontrol", "sacct")
    assert [job.state for job in jobs_of_run(out)] == [State.UNKNOWN]


def test_an_id_that_another_job_has_now_is_not_ours(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "12")
    slurm.job("12", "RUNNING", name="the work of somebody")
    (job,) = jobs_of_run(out)
    assert (job.state, job.reason) == (State.ENDED, "its id belongs to another job now")


def test_a_job_of_somebody_else_that_is_not_shown_may_be_hidden(
    out: Path, slurm: PretendedSlurm
) -> None:
    name = submitted(out, "12", user="eve")
    assert [job.state for job in jobs_of_run(out)] == [State.UNKNOWN]
    slurm.job("12", "COMPLETED", name=name, user="eve")
    assert [job.state for job in jobs_of_run(out)] == [State.ENDED]


def test_a_folder_that_was_moved_keeps_its_jobs(
    out: Path, tmp_path: Path, slurm: PretendedSlurm
) -> None:
    name = submitted(out, "")
    slurm.job("12", "RUNNING", name=name)
    moved = out.rename(tmp_path / "elsewhere")
    assert run_name(moved) not in name
    assert [job.id for job in jobs_of_run(moved)] == ["12"]


def test_what_was_learned_is_told_when_slurm_has_forgotten(
    out: Path, slurm: PretendedSlurm
) -> None:
    submitted(out, "12")
    end = {"said": "TIMEOUT", "exit_code": "0:15", "elapsed_s": 60}
    note_ended(out, [Job("12", State.ENDED, **end)])
    (job,) = jobs_of_run(out)
    assert (job.said, job.exit_code, job.elapsed_s) == ("TIMEOUT", "0:15", 60)
    # A job that was put back into the queue after its end is not taken for ended.
    slurm.job("12", "PENDING", name=job.name)
    assert [job.state for job in jobs_of_run(out)] == [State.PENDING]


def test_the_job_of_the_head_process_is_none_of_its_jobs(out: Path, slurm: PretendedSlurm) -> None:
    submitted(out, "12")
    with (out / JOBS).open("a") as file:
        file.write(json.dumps({"event": "head", "job": "11"}) + "\n")
    slurm.job("11", "RUNNING", name=f"{run_name(out)}_head")
    assert [job.id for job in jobs_of_run(out)] == ["12"]
