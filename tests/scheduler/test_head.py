"""Who drives a run: told also after the head process has died, and never two at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.scheduler.head import (
    CANCELLED,
    HEAD,
    LOCK,
    Head,
    driver_of,
    head_job,
    read_head,
    record_head,
    stop_processes,
)
from lumipipe.scheduler.process import started
from lumipipe.scheduler.queue import State
from lumipipe.scheduler.record import entries
from scheduler.pretended_slurm import ME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.pretended_slurm import Clock, PretendedSlurm


@pytest.fixture(autouse=True)
def _in_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_JOB_ID", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """Another process of this machine."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def head(pid: int, *, host: str = "", job: str = "", start: str | None = None) -> Head:
    """A head process of this machine, or of another."""
    start = started(pid) if start is None else start
    return Head(host or socket.gethostname(), ME, pid, start, job, "2026-01-01T00:00:00+00:00")


def write(out: Path, who: Head) -> None:
    """Write down a head process."""
    (out / HEAD).write_text(json.dumps(asdict(who)))


def test_this_process_is_written_down(out: Path) -> None:
    (out / CANCELLED).touch()
    record_head(out)
    found = read_head(out)
    assert found is not None
    assert found.is_this_process
    assert (found.user, found.job) == (ME, "")
    assert head_job(found).state is State.RUNNING
    assert not (out / CANCELLED).exists()
    record_head(out)  # the same process again: a second request of one shell loop


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', None])
def test_without_a_whole_record_no_head_is_known(out: Path, content: str | None) -> None:
    if content is not None:
        (out / HEAD).write_text(content)
    assert read_head(out) is None


def test_a_dead_process_has_ended_and_so_has_one_whose_id_is_used_again(
    sleeper: subprocess.Popen[bytes],
) -> None:
    assert head_job(head(sleeper.pid)).state is State.RUNNING
    assert head_job(head(sleeper.pid, start="another start")).state is State.ENDED
    sleeper.kill()
    sleeper.wait()
    assert head_job(head(sleeper.pid, start="what it was")).state is State.ENDED


def test_a_process_on_another_machine_is_unknown() -> None:
    assert head_job(head(1, host="elsewhere")).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("said", "state"),
    [("RUNNING", State.RUNNING), ("PENDING", State.PENDING), ("TIMEOUT", State.ENDED)],
)
def test_a_batch_job_is_asked_for(slurm: PretendedSlurm, said: str, state: State) -> None:
    slurm.job("11", said)
    assert head_job(head(1, host="elsewhere", job="11")).state is state
    assert head_job(head(1, job="11", start="gone")).state is state  # put back into the queue


def test_a_batch_job_is_unknown_while_slurm_is_silent(slurm: PretendedSlurm) -> None:
    slurm.silence("squeue", "scontrol", "sacct")
    assert head_job(head(1, host="elsewhere", job="11")).state is State.UNKNOWN


def test_a_batch_job_is_written_into_the_record_of_jobs(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "11")
    monkeypatch.setenv("ENVIRONMENT", "BATCH")
    record_head(out)
    found = read_head(out)
    assert found is not None
    assert found.job == "11"
    assert [entry["job"] for entry in entries(out)] == ["11"]


def test_a_shell_on_a_node_is_no_batch_job(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "11")  # salloc sets it, too
    record_head(out)
    found = read_head(out)
    assert found is not None
    assert found.job == ""
    assert entries(out) == []


def test_a_second_head_process_is_refused(out: Path, sleeper: subprocess.Popen[bytes]) -> None:
    write(out, head(sleeper.pid))
    with pytest.raises(InputError, match="another head process drives this run: process") as error:
        record_head(out)
    assert f"lumipipe cancel {out}" in str(error.value)
    sleeper.kill()
    sleeper.wait()
    record_head(out)


def test_a_head_job_that_waits_in_the_queue_is_not_overtaken(
    out: Path, slurm: PretendedSlurm
) -> None:
    slurm.job("11", "PENDING")
    write(out, head(1, host="elsewhere", job="11"))
    with pytest.raises(InputError, match=r"job 11 .*, PENDING"):
        record_head(out)


def test_a_head_job_that_was_put_back_takes_up_its_own_run(
    out: Path, slurm: PretendedSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    slurm.job("11", "RUNNING")
    write(out, head(1, host="elsewhere", job="11"))
    monkeypatch.setenv("SLURM_JOB_ID", "11")
    monkeypatch.setenv("ENVIRONMENT", "BATCH")
    record_head(out)
    found = read_head(out)
    assert found is not None
    assert found.is_this_process


def test_a_head_job_that_is_ending_is_waited_for(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("11", "COMPLETING")
    write(out, head(1, host="elsewhere", job="11"))
    clock.then[3] = lambda: slurm.job("11", "TIMEOUT")
    record_head(out, clock.patience(limit_s=120))
    assert len(clock.slept) == 3


def test_a_head_job_that_does_not_end_is_not_waited_for_without_end(
    out: Path, slurm: PretendedSlurm, clock: Clock
) -> None:
    slurm.job("11", "COMPLETING")
    write(out, head(1, host="elsewhere", job="11"))
    with pytest.raises(InputError, match="COMPLETING"):
        record_head(out, clock.patience(limit_s=120))
    assert 120 < clock.time < 240


def test_a_silent_slurm_does_not_keep_a_run_from_its_head(out: Path, slurm: PretendedSlurm) -> None:
    # The lock on the folder, and the wait for live jobs, guard what is written.
    slurm.silence("squeue", "scontrol", "sacct")
    write(out, head(1, host="elsewhere", job="11"))
    record_head(out)


def test_a_process_of_this_machine_is_stopped(
    out: Path, sleeper: subprocess.Popen[bytes], clock: Clock
) -> None:
    patience = clock.patience(sleep=lambda _: None, answer_s=1e6)
    write(out, head(sleeper.pid))
    assert stop_processes(out, patience) == [f"the head process has ended: {read_head(out)}"]
    assert sleeper.wait() != 0
    assert stop_processes(out, patience) == []


def test_what_cannot_or_must_not_be_stopped_from_here_is_left(
    out: Path, sleeper: subprocess.Popen[bytes], clock: Clock
) -> None:
    write(out, head(sleeper.pid, host="elsewhere"))
    (line,) = stop_processes(out, clock.patience())
    assert line.startswith("the head process cannot be ended from here: process")
    write(out, head(sleeper.pid, start="another start"))
    assert stop_processes(out, clock.patience()) == []
    write(out, head(sleeper.pid, job="11"))
    assert stop_processes(out, clock.patience()) == []
    record = head(os.getpid())
    write(out, record)
    assert stop_processes(out, clock.patience()) == []
    assert started(sleeper.pid)


@pytest.fixture
def workflow(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock on the folder, as Snakemake does."""
    code = (
        f"import fcntl, time; held = open({str(out / LOCK)!r}, 'w')\n"
        "fcntl.flock(held, fcntl.LOCK_EX); print('held', flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_snakemake_may_outlive_the_head_process(
    out: Path, workflow: subprocess.Popen[str], clock: Clock
) -> None:
    if not Path("/proc/locks").exists():
        pytest.skip("this system has no /proc/locks")
    write(out, head(2**22 + 1))
    job = driver_of(out)
    assert job is not None
    assert job.state is State.RUNNING
    assert job.said == f"gone, but Snakemake goes on as process {workflow.pid}"
    patience = clock.patience(sleep=lambda _: None, answer_s=1e6)
    assert stop_processes(out, patience) == [f"Snakemake has ended: process {workflow.pid}"]
    workflow.wait()
    ended = driver_of(out)
    assert ended is not None
    assert ended.state is State.ENDED
