"""The head process of a run: which one drives it, whether it lives, and how it is stopped.

A head process is known by host, process and start, and by its own Slurm job where it is one.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.scheduler.asking import QUICK, Patience
from lumipipe.scheduler.process import end_process, lock_holders, started
from lumipipe.scheduler.queue import Job, State, jobs
from lumipipe.scheduler.record import add_line, now, replace_json, user_name

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "head.json"
HEAD_VERB = "head"
"""What a head process does, where it is told among jobs."""
LOCK = ".lock"
"""File in the folder of a run that Snakemake holds while it works (workflow/rules/common.smk)."""
CANCELLED = "cancelled"
"""Mark in the folder of a run; while it stands, ``workflow/bin/sbatch`` submits nothing."""
_CLEANING_UP = "COMPLETING"


@dataclass(frozen=True)
class Head:
    """Who drives, or drove, a run.

    Parameters
    ----------
    host, user : str
        Where and by whom.
    pid : int
        Id of the process.
    started : str
        When that process was started, as `lumipipe.scheduler.process.started` says it.
    job : str
        Id of the batch job that the process is; empty in a shell, also in one on a node.
    time : str
        When it began, ISO 8601.
    """

    host: str
    user: str
    pid: int
    started: str
    job: str
    time: str

    @property
    def is_this_process(self) -> bool:
        """Whether it is the process that asks."""
        return self.pid == os.getpid() and self.is_alive_here

    @property
    def is_alive_here(self) -> bool:
        """Whether it is a living process of this machine."""
        return self.host == _host() and bool(start := started(self.pid)) and start == self.started

    def __str__(self) -> str:
        """Where it is."""
        process = f"process {self.pid} on {self.host}"
        return f"job {self.job} ({process})" if self.job else process


def record_head(out: Path, patience: Patience | None = None) -> None:
    """Write down that this process drives the run from now on.

    Parameters
    ----------
    out : Path
        Folder of the run.
    patience : Patience, optional
        Its `limit_s` is the time for a head process that is just ending.

    Raises
    ------
    InputError
        If another head process of this run lives, or the folder cannot be written.
    """
    _wait_for_other(out, patience or Patience(attempts=1, limit_s=120.0))
    # A shell on a node (salloc, srun --pty) has a job, too, but does not end with the run.
    is_batch = os.environ.get("ENVIRONMENT") == "BATCH"
    job = os.environ.get("SLURM_JOB_ID", "") if is_batch else ""
    head = Head(_host(), user_name(), os.getpid(), started(os.getpid()), job, now())
    replace_json(out / HEAD, asdict(head))
    if job:
        add_line(out, {"event": "head", "job": job})  # what it cost is accounted for, too
    (out / CANCELLED).unlink(missing_ok=True)


def read_head(out: Path) -> Head | None:
    """The head process that a run had last; None where none was written down.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Head or None
        Also one that ended long ago.
    """
    with suppress(OSError, ValueError, TypeError):
        return Head(**json.loads((out / HEAD).read_text(encoding="utf-8")))
    return None


def driver_of(out: Path, patience: Patience = QUICK) -> Job | None:
    """What drives a run, as a job: the head process, or what has outlived it.

    Parameters
    ----------
    out : Path
        Folder of the run.
    patience : Patience
        Time limits, attempts and pauses where Slurm is asked.

    Returns
    -------
    Job or None
        None where nobody is known.
    """
    head = read_head(out)
    job = head_job(head, patience) if head is not None else None
    if job is None or job.state is State.ENDED:
        for pid in lock_holders(out / LOCK):
            said = f"gone, but Snakemake goes on as process {pid}"
            return Job("", State.RUNNING, verb=HEAD_VERB, said=said)
    return job


def head_job(head: Head, patience: Patience = QUICK) -> Job:
    """The head process as a job: whether it lives.

    Parameters
    ----------
    head : Head
        A head process.
    patience : Patience
        Time limits, attempts and pauses where Slurm is asked.

    Returns
    -------
    Job
        Its state is `UNKNOWN` for a process on another machine that is no batch job.
    """
    if head.is_alive_here:
        return Job(head.job, State.RUNNING, verb=HEAD_VERB, user=head.user)
    if head.job:
        # Slurm may start it again, on another node: its process alone does not tell.
        job = jobs([head.job], patience)[head.job]
        return Job(head.job, job.state, verb=HEAD_VERB, said=job.said, reason=job.reason)
    state = State.ENDED if head.host == _host() else State.UNKNOWN
    return Job("", state, verb=HEAD_VERB, user=head.user)


def stop_processes(out: Path, patience: Patience) -> list[str]:
    """End the processes of this machine that drive a run; jobs are left as they are.

    Parameters
    ----------
    out : Path
        Folder of the run.
    patience : Patience
        Its `answer_s` is the time for a good end.

    Returns
    -------
    list of str
        What was done, and what could not be done, in a line each. A head process on another
        machine cannot be reached from here, and one that is a batch job is left to Slurm.
    """
    head, told = read_head(out), []
    if head is not None and not head.job and not head.is_this_process:
        if head.host != _host():
            told = [f"the head process cannot be ended from here: {head}; it submits nothing more"]
        elif head.is_alive_here:
            gone = end_process(head.pid, patience)
            told = [f"the head process {'has ended' if gone else 'does not end'}: {head}"]
    for pid in lock_holders(out / LOCK):
        gone = end_process(pid, patience, signal.SIGINT)
        told.append(f"Snakemake {'has ended' if gone else 'does not end'}: process {pid}")
    return told


def _wait_for_other(out: Path, patience: Patience) -> None:
    """Refuse to drive a run that another process drives; wait for one that is ending."""
    until = patience.clock() + patience.limit_s
    head = read_head(out)
    own_job = os.environ.get("SLURM_JOB_ID", "")
    for pause_s in patience.pauses():
        if head is None or head.is_this_process or (head.job and head.job == own_job):
            return
        job = head_job(head, patience)
        if not job.is_live:
            return
        if job.said != _CLEANING_UP or patience.clock() > until:
            raise InputError(
                str(out),
                f"another head process drives this run: {head}, {job.said or job.state}",
                f"wait for it, or end it with lumipipe cancel {out}",
            )
        patience.sleep(pause_s)


def _host() -> str:
    """Name of this machine."""
    return socket.gethostname()
