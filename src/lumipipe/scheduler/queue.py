"""The state of Slurm jobs, from three sources and with three honest answers.

`squeue` is asked first, then ``scontrol show job`` (the same controller by another command),
then `sacct` (the accounting database). A controller that answers and does not know a job says
that the job has ended. A source that could not be asked says nothing: *unknown* is never read
as ended. How the tables are read is in `lumipipe.scheduler.job`, which jobs belong to a run in
`lumipipe.scheduler.record`.

All options are known to Slurm 22.05 (Debian 12, the tests) and to 24.05 (LUMI,
LUMI-training-materials, User-Updates/Update-202601, read in June 2026).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.scheduler.asking import QUICK, ask, chunks
from lumipipe.scheduler.job import (
    SACCT_FIELDS,
    SQUEUE_FIELDS,
    Job,
    State,
    sacct_jobs,
    scontrol_jobs,
    squeue_jobs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lumipipe.scheduler.asking import Patience

__all__ = ["Job", "State", "ending", "endings", "jobs", "jobs_named", "states"]

_SQUEUE = ("squeue", "-h", "-a", "-t", "all", "-o", SQUEUE_FIELDS)
_SACCT = ("sacct", "-n", "-P", "-X", "-o", SACCT_FIELDS)
_ID = re.compile(r"\d+(_\d+)?")


def states(ids: Iterable[str], patience: Patience = QUICK) -> dict[str, State]:
    """The state of each job.

    Parameters
    ----------
    ids : iterable of str
        Slurm's job ids, such as ``123`` or ``123_4``.
    patience : Patience
        Time limits, attempts and pauses of each question.

    Returns
    -------
    dict of str to State
        For every id.
    """
    return {id_: job.state for id_, job in jobs(ids, patience).items()}


def jobs(
    ids: Iterable[str], patience: Patience = QUICK, *, ask_controller: bool = True
) -> dict[str, Job]:
    """What Slurm says of each job.

    Parameters
    ----------
    ids : iterable of str
        Slurm's job ids. One that is no plain id, such as ``12;cluster``, is not asked for.
    patience : Patience
        Time limits, attempts and pauses of each question.
    ask_controller : bool
        False where it was silent a moment ago: one more question would take 20 s.

    Returns
    -------
    dict of str to Job
        For every id. Its state is `UNKNOWN` where no source could be asked.
    """
    found = {id_: Job(id_, State.UNKNOWN) for id_ in ids}
    plain = [id_ for id_ in found if _ID.fullmatch(id_)]
    for chunk in chunks(plain if ask_controller else []):
        known = _from_controller(chunk, patience)
        if known is None:
            break  # a controller that is silent now would be silent for each chunk
        found |= known
    silent = [id_ for id_ in plain if found[id_].state is State.UNKNOWN]
    return found | _from_accounting(silent, patience)


def jobs_named(
    prefix: str, patience: Patience = QUICK, users: Sequence[str] = ()
) -> list[Job] | None:
    """The jobs in the queue whose names begin with `prefix`.

    Parameters
    ----------
    prefix : str
        Beginning of the names.
    patience : Patience
        Time limit, attempts and pauses.
    users : sequence of str
        Whose jobs; the own ones where empty.

    Returns
    -------
    list of Job or None
        Also jobs that ended a short while ago; None where Slurm could not be asked.
    """
    whose = ("-u", ",".join(users)) if users else ("--me",)
    answer = ask((*_SQUEUE, *whose), patience)
    listed = squeue_jobs(answer.out) if answer.given else None
    if listed is None:
        return None
    return [job for job in listed if job.name.startswith(prefix)]


def ending(job: Job, patience: Patience = QUICK) -> Job:
    """A job that ended, with how it ended where Slurm still knows.

    Parameters
    ----------
    job : Job
        A job.
    patience : Patience
        Time limits, attempts and pauses.

    Returns
    -------
    Job
        With reason, exit code and elapsed seconds, from the controller while it remembers
        (MinJobAge), then from the accounting database.
    """
    if job.state is not State.ENDED or job.exit_code or not _ID.fullmatch(job.id):
        return job
    known = _from_scontrol(job.id, patience)
    if known is None or not known.said:
        known = _from_accounting([job.id], patience)[job.id]
    if not known.said:
        return job
    kept = {name: getattr(job, name) for name in ("name", "verb", "partition", "user", "log")}
    return replace(known, state=job.state, **{name: old for name, old in kept.items() if old})


def endings(found: Iterable[Job], patience: Patience = QUICK) -> list[Job]:
    """The jobs that ended, with how they ended; asks no further once Slurm has forgotten one.

    Parameters
    ----------
    found : iterable of Job
        Jobs.
    patience : Patience
        Time limits, attempts and pauses.

    Returns
    -------
    list of Job
        Those of which something is known.
    """
    ended = [job for job in found if job.state is State.ENDED]
    known: list[Job] = []
    for job in reversed(ended):
        more = ending(job, patience)
        if not more.exit_code:
            break
        known.append(more)
    return known[::-1]


def _from_controller(ids: Sequence[str], patience: Patience) -> dict[str, Job] | None:
    """What the controller says of some jobs; None where it is silent."""
    answer = ask((*_SQUEUE, "-j", ",".join(ids)), patience)
    listed = squeue_jobs(answer.out) if answer.given else None
    if listed is not None:
        return {id_: _gathered(id_, listed) for id_ in ids}
    found: dict[str, Job] = {}
    for id_ in ids:
        job = _from_scontrol(id_, replace(patience, attempts=1))
        if job is None:
            break
        found[id_] = job
    return found or None


def _from_scontrol(id_: str, patience: Patience) -> Job | None:
    """What ``scontrol show job`` says of a job; None where it could not be asked."""
    answer = ask(("scontrol", "show", "job", "-o", id_), patience)
    listed = scontrol_jobs(answer.out) if answer.given else []
    return _gathered(id_, listed) if listed or answer.knows_no_job else None


def _from_accounting(ids: Sequence[str], patience: Patience) -> dict[str, Job]:
    """What the accounting database says of jobs."""
    found = {id_: Job(id_, State.UNKNOWN) for id_ in ids}
    for chunk in chunks(ids):
        answer = ask((*_SACCT, "-j", ",".join(chunk)), patience)
        if not answer.given:
            break
        listed = sacct_jobs(answer.out)
        for id_ in chunk:
            # The database is written later than the queue: what it lacks has not ended for that.
            if any(job.id == id_ or _concerns(job.id, id_) for job in listed):
                found[id_] = _gathered(id_, listed)
    return found


def _gathered(id_: str, listed: Sequence[Job]) -> Job:
    """One job from the lines that concern it: an array and a job of parts have several."""
    exact = [job for job in listed if job.id == id_]
    own = exact or [job for job in listed if _concerns(job.id, id_)]
    if not own:
        return Job(id_, State.ENDED)  # the controller answered, and does not know it
    order = (State.RUNNING, State.PENDING, State.UNKNOWN, State.ENDED)
    # Of several ends, one that is not COMPLETED tells more.
    own.sort(key=lambda job: (order.index(job.state), job.said == "COMPLETED"))
    return replace(own[0], id=id_)


def _concerns(listed: str, id_: str) -> bool:
    """Whether a listed id, such as ``12_3``, ``12_[4-9]`` or ``12+1``, is a part of `id_`."""
    if re.split(r"[_+]", listed)[0] == id_:
        return True
    # Elements of an array that have not started share a line.
    return "[" in listed and listed.partition("_")[0] == id_.partition("_")[0]
