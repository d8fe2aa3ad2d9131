"""All jobs of a run: its record, united with what the queue shows under its name.

A head process may be killed between a submission and the line with the job's id. Such a job
is found in the queue by its name, which begins with the name of the run.
"""

from __future__ import annotations

import re
import socket
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lumipipe.scheduler.asking import QUICK
from lumipipe.scheduler.process import started
from lumipipe.scheduler.queue import Job, State, jobs, jobs_named
from lumipipe.scheduler.record import (
    ENDING,
    PREFIX,
    entries,
    run_name,
    submissions,
    user_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.scheduler.asking import Patience
    from lumipipe.scheduler.record import Submission

# A submission whose sender is gone is in the queue or never will be, once a message that was
# under way has arrived. A sender on another machine cannot be looked at; sbatch gave up after
# 9 s where no controller listened (measured with 22.05), a busy one may keep it for longer.
_ARRIVED_S, _SENT_S = 10.0, 180.0


def jobs_of_run(out: Path, patience: Patience = QUICK) -> list[Job]:
    """The jobs of a run: those of its record, and those that the queue shows under its name.

    Parameters
    ----------
    out : Path
        Folder of the run.
    patience : Patience
        Time limits, attempts and pauses of each question to Slurm.

    Returns
    -------
    list of Job
        In the order of submission. Nothing is asked, and the list is empty, where nothing was
        ever submitted. A submission that may still become a job has no id.
    """
    sent = submissions(out)
    if not sent:
        return []
    names = tuple({run_name(out)} | {_run_of(one.name) for one in sent if one.name})
    users = sorted({one.user for one in sent if one.user} - {user_name()})
    listed = _listed(names, users, patience)
    shown = listed or {}
    ids = {one.id for one in sent if one.id}
    # What is not shown is asked for by its id: it ended, or the queue could not be shown.
    missing = [one.id for one in sent if one.id and one.id not in shown]
    asked = shown | jobs(missing, patience, ask_controller=listed is not None)
    known = ids | {str(entry.get("job")) for entry in entries(out) if entry.get("event") == "head"}
    strays = [job for id_, job in shown.items() if re.split(r"[_+]", id_)[0] not in known]
    found = []
    for one in sent:
        if one.id:
            found.append(_known(one, asked[one.id]))
        elif not one.is_refused:
            found += _without_id(one, strays, asked=listed is not None)
    return found + strays


def _run_of(job_name: str) -> str:
    """The name of a run, from the name of one of its jobs: another where its folder has moved."""
    return job_name.partition("_")[0] if job_name.startswith(PREFIX) else job_name


def _listed(
    names: Sequence[str], users: Sequence[str], patience: Patience
) -> dict[str, Job] | None:
    """The jobs in the queue under one of the names; None where the queue was not shown."""
    named = jobs_named("", patience, [*users, user_name()] if users else ())
    if named is None:
        return None
    return {job.id: job for job in named if job.name.startswith(tuple(names))}


def _known(one: Submission, job: Job) -> Job:
    """What record and queue together say of a job whose id is known."""
    if job.name and one.name and job.name != one.name:
        # Ids begin anew when a cluster is set up again.
        job = Job(one.id, State.ENDED, reason="its id belongs to another job now")
    if job.state is State.ENDED and not job.said and one.user not in {"", user_name()}:
        # A site may hide the jobs of others: not shown is not ended.
        job = replace(job, state=State.UNKNOWN, reason=f"{one.user} submitted it")
    if job.state is State.ENDED and not job.said and one.ended:
        job = Job(**{**asdict(job), **{name: one.ended.get(name) for name in ENDING}})
    return _described(one, job)


def _without_id(one: Submission, strays: list[Job], *, asked: bool) -> list[Job]:
    """The job of a submission whose id nobody wrote down; takes it out of `strays`."""
    for job in strays:
        if job.name == one.name and job.verb in {one.verb, ""}:
            strays.remove(job)
            return [_described(one, job)]
    if one.host == socket.gethostname() and started(one.pid):
        return [_described(one, Job("", State.PENDING, reason="it is being submitted"))]
    age_s = _age_s(one.time)
    if not asked:
        return [_described(one, Job("", State.UNKNOWN, reason="its id was not written down"))]
    if age_s < (_ARRIVED_S if one.host == socket.gethostname() else _SENT_S):
        return [_described(one, Job("", State.UNKNOWN, reason="it may be on its way"))]
    return []


def _described(one: Submission, job: Job) -> Job:
    """A job with what the record says of it."""
    log = one.log.replace("%j", job.id) if job.id else ""
    return replace(
        job,
        name=one.name or job.name,
        verb=one.verb or job.verb,
        user=one.user or job.user,
        log=log or job.log,
    )


def _age_s(time: str) -> float:
    """Seconds since a time of the record; without end where it cannot be read."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(time)).total_seconds()
    except (ValueError, TypeError):
        return float("inf")
