"""Cancelling a run: in chunks, again where it failed, verified, and safe to repeat (C05)."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lumipipe.scheduler.cancelling import cancel_run
from lumipipe.scheduler.head import CANCELLED, HEAD, Head, record_head
from lumipipe.scheduler.process import started
from lumipipe.scheduler.record import JOBS, run_name
from scheduler.pretended_slurm import ME
from scheduler.test_inventory import submitted

if TYPE_CHECKING:
    import pytest

    from lumipipe.scheduler.asking import Patience
    from scheduler.pretended_slurm import Clock, PretendedSlurm


def cancel(out: Path, patience: Patience) -> tuple[int, list[str]]:
    """Exit code and lines of a cancellation."""
    lines: list[str] = []
    return cancel_run(out, lines.append, patience), lines


def run_of(out: Path, slurm: PretendedSlurm, count: int) -> list[str]:
    """A run with some running jobs; their ids."""
    ids = [str(1000 + number) for number in range(count)]
    name = f"{run_name(out)}_1"
    more = {"user": ME, "comment": "rule_train", "queue": True, "accounted": False}
    slurm.change(jobs={i: {"id": i, "name": name, "state": "RUNNING", **more} for i in ids})
    for id_ in ids:
        submitted(out, id_)
    return ids


def test_of_250_jobs_one_cannot_be_cancelled_and_is_named(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    ids = run_of(out, slurm, 250)
    # The call for the first chunk fails twice, and one job of another chunk always.
    slurm.change(brittle={ids[7]: 2}, stubborn=[ids[120]])
    code, lines = cancel(out, clock.patience(attempts=3))
    assert code == 1
    assert Counter(slurm.cancelled()) == Counter(id_ for id_ in ids if id_ != ids[120])
    assert lines[0].startswith("cancelled 249 job(s): 1000 1001")
    assert lines[1] == (
        "still alive (scancel: error: Kill job error on job id 1120: Access denied): "
        "1120 (train, RUNNING)"
    )
    assert lines[2] == "look at them with squeue, and run: scancel 1120"
    assert len(lines) == 3
    calls = slurm.calls("scancel")
    assert max(len([word for word in words if word.isdigit()]) for words in calls) == 50
    assert ["--quiet" in words for words in calls[:5]] == [True] * 5
    assert not any("--quiet" in words for words in calls[5:])
    assert len(calls) <= 5 + 2 + 51  # bounded: the chunk again, then job by job


def test_a_second_time_nothing_changes_for_what_has_ended(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    ids = run_of(out, slurm, 12)
    slurm.change(stubborn=[ids[3]])
    assert cancel(out, clock.patience())[0] == 1
    before = slurm.cancelled()
    assert cancel(out, clock.patience())[0] == 1
    assert slurm.cancelled() == before
    asked = [word for words in slurm.calls("scancel")[-2:] for word in words if word.isdigit()]
    assert asked == [ids[3]] * 2
    slurm.change(stubborn=[])
    assert cancel(out, clock.patience())[0] == 0
    calls, record = len(slurm.calls("scancel")), (out / JOBS).read_bytes()
    assert cancel(out, clock.patience()) == (
        0,
        ["nothing of this run is alive; nothing was changed"],
    )
    assert len(slurm.calls("scancel")) == calls
    assert (out / JOBS).read_bytes() == record


def test_a_wrapper_without_the_optional_flag_is_called_without_it(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    ids = run_of(out, slurm, 3)
    slurm.change(strict=True)
    code, lines = cancel(out, clock.patience())
    assert (code, sorted(slurm.cancelled())) == (0, ids)
    assert lines[-1] == "nothing of this run is in the queue any more"


def test_a_job_of_another_run_is_left_alone(out: Path, slurm: PretendedSlurm, clock: Clock) -> None:
    run_of(out, slurm, 2)
    slurm.job("1001", "RUNNING", name="the id is somebody else's now")
    slurm.job("1002", "RUNNING", name="lumipipe-000000000000_1")
    assert cancel(out, clock.patience())[0] == 0
    assert slurm.cancelled() == ["1000"]


def test_a_job_without_a_written_id_is_cancelled_too(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("12", "PENDING", name=submitted(out, ""), comment="rule_train")
    assert cancel(out, clock.patience())[0] == 0
    assert slurm.cancelled() == ["12"]


def test_jobs_that_are_ending_are_waited_for_and_not_asked_twice(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 2)
    slurm.change(after="COMPLETING")
    clock.then[4] = lambda: [slurm.job(id_, "CANCELLED") for id_ in ("1000", "1001")]
    code, lines = cancel(out, clock.patience())
    assert (code, len(slurm.calls("scancel")), len(clock.slept)) == (0, 1, 4)
    assert lines[0] == "cancelled 2 job(s): 1000 1001"


def test_jobs_that_do_not_end_are_named_after_a_while(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 2)
    slurm.change(after="COMPLETING")
    code, lines = cancel(out, clock.patience(limit_s=180))
    assert code == 1
    assert 180 < clock.time < 400
    assert lines == [
        "still alive: 1000 (train, COMPLETING), 1001 (train, COMPLETING)",
        "look at them with squeue, and run: scancel 1000 1001",
    ]


def test_nothing_is_called_cancelled_while_slurm_is_silent(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 1)
    slurm.silence("squeue", "scontrol", "sacct")
    code, lines = cancel(out, clock.patience(attempts=3))
    assert code == 1
    assert lines == [
        "Slurm does not say what became of 1000 (train, unknown); run the same command again later"
    ]
    assert slurm.calls("scancel") == []  # unknown is never cancelled


def test_a_short_silence_is_waited_out(out: Path, slurm: PretendedSlurm, clock: Clock) -> None:
    run_of(out, slurm, 1)
    slurm.silence("scontrol", "sacct")
    slurm.silence("squeue", calls=3)
    assert cancel(out, clock.patience(attempts=3))[0] == 0
    assert slurm.cancelled() == ["1000"]


def test_no_more_is_submitted_from_the_beginning_on(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 1)
    slurm.change(stubborn=["1000"])
    assert cancel(out, clock.patience())[0] == 1
    assert (out / CANCELLED).exists()


def head(pid: int, start: str, *, host: str = "", job: str = "") -> str:
    """A head process, as its file says it."""
    return json.dumps(asdict(Head(host or socket.gethostname(), ME, pid, start, job, "")))


def test_a_head_process_of_this_machine_ends_first(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 1)
    with subprocess.Popen(["sleep", "600"]) as process:
        (out / HEAD).write_text(head(process.pid, started(process.pid)))
        code, lines = cancel(out, clock.patience(sleep=lambda _: None, answer_s=1e6))
        process.wait()
    assert code == 0
    assert (
        lines[0] == f"the head process has ended: process {process.pid} on {socket.gethostname()}"
    )
    assert slurm.cancelled() == ["1000"]


def test_a_laptop_run_is_ended_without_slurm(
    out: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "600"]) as process:
        monkeypatch.setenv("PATH", "/nowhere")
        (out / HEAD).write_text(head(process.pid, started(process.pid)))
        code, _ = cancel(out, clock.patience(sleep=lambda _: None, answer_s=1e6))
        process.wait()
    assert code == 0
    assert cancel(out, clock.patience())[0] == 0


def test_a_head_process_that_is_a_batch_job_is_cancelled_with_its_jobs(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 1)
    slurm.job("999", "RUNNING", name="lumipipe")
    (out / HEAD).write_text(head(1, "", host="elsewhere", job="999"))
    code, lines = cancel(out, clock.patience())
    assert code == 0
    assert slurm.calls("scancel") == [["--quiet", "999", "1000"]]
    assert lines[0] == "cancelled 2 job(s): 1000 999"


def test_a_head_job_alone_is_cancelled_before_it_has_submitted(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("999", "PENDING", name="lumipipe")
    (out / HEAD).write_text(head(1, "", host="elsewhere", job="999"))
    assert cancel(out, clock.patience())[0] == 0
    assert slurm.cancelled() == ["999"]


def test_a_head_process_elsewhere_keeps_nothing_from_being_cancelled(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    run_of(out, slurm, 1)
    (out / HEAD).write_text(head(1, "", host="elsewhere"))
    code, lines = cancel(out, clock.patience())
    assert (code, slurm.cancelled()) == (0, ["1000"])
    assert lines[0].startswith("the head process cannot be ended from here: process 1 on elsewhere")


def test_the_head_process_itself_may_cancel_its_jobs(
    out: Path, slurm: PretendedSlurm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "999")
    monkeypatch.setenv("ENVIRONMENT", "BATCH")
    slurm.job("999", "RUNNING", name="lumipipe")
    record_head(out)
    slurm.job("1000", "RUNNING", name=submitted(out, "1000"))
    assert started(os.getpid())
    assert cancel(out, clock.patience())[0] == 0
    assert slurm.cancelled() == ["1000"]


def test_a_full_disk_keeps_nothing_from_being_cancelled(
    out: Path, slurm: PretendedSlurm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_of(out, slurm, 1)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr("lumipipe.scheduler.record.os.fsync", refuse)
    assert cancel(out, clock.patience())[0] == 0
    assert slurm.cancelled() == ["1000"]
