"""Cancelling a run: the head process, then its jobs, then a look whether they are gone.

`scancel` alone is no proof: it may fail for a whole call, for one job, or time out, and a job
may need a while to end. Nothing is called cancelled that the queue still shows, or that
nobody could ask about.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lumipipe.scheduler.asking import CHUNK, Patience, ask
from lumipipe.scheduler.head import CANCELLED, HEAD_VERB, driver_of, read_head, stop_processes
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import Job, State, endings
from lumipipe.scheduler.record import note_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Log = Callable[[str], None]

# Slurm sends SIGKILL KillWait (30 s by default) after SIGTERM; nodes then clean up.
CANCELLING = Patience(answer_s=30.0, attempts=3, pause_s=1.0, longest_pause_s=5.0, limit_s=180.0)
_ALL_GONE, _SOME_ALIVE = 0, 1
# How scancel is called, attempt by attempt: with an option that some sites' wrappers lack, then
# without, then job by job, so that one job cannot keep its neighbours alive.
_CALLS = ((("--quiet",), CHUNK), ((), CHUNK), ((), 1))


@dataclass
class _Requests:
    """Which jobs `scancel` was called for, and what came of it."""

    calls: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    last_words: str = ""

    def open(self, ids: Sequence[str]) -> list[str]:
        """Jobs for which another call is due."""
        return [id_ for id_ in ids if id_ not in self.accepted and self.calls[id_] < len(_CALLS)]


def cancel_run(out: Path, log: Log, patience: Patience = CANCELLING) -> int:
    """Stop the head process of a run and cancel its jobs.

    Parameters
    ----------
    out : Path
        Folder of the run.
    log : callable of str
        Is told what was done, and what is still alive.
    patience : Patience
        Time limits, attempts and pauses; `limit_s` bounds the whole.

    Returns
    -------
    int
        0 when the queue shows none of the jobs any more, also when nothing was to be done;
        1 when some are alive, or Slurm did not answer.

    Notes
    -----
    A head process that is a batch job is cancelled with the others. Should the process that
    asks be the head process, it goes on.
    """
    once = replace(patience, attempts=1)  # what is not answered is asked again in the next round
    if all(job.state is State.ENDED for job in _all_jobs(out, once)):
        log("nothing of this run is alive; nothing was changed")
        return _ALL_GONE
    with suppress(OSError):  # on a full disk all else is done just the same
        (out / CANCELLED).touch()
    for line in stop_processes(out, patience):
        log(line)
    requests = _Requests()
    left = _cancel_until_gone(out, requests, patience)
    return _report(left, requests, log)


def _all_jobs(out: Path, patience: Patience) -> list[Job]:
    """What drives the run, unless it is this process, and the jobs of the run."""
    head = read_head(out)
    driver = None if head is not None and head.is_this_process else driver_of(out, patience)
    return [*([driver] if driver is not None else []), *jobs_of_run(out, patience)]


def _cancel_until_gone(out: Path, requests: _Requests, patience: Patience) -> list[Job]:
    """The jobs that are not known to have ended when all are gone, or patience is."""
    until, silent = patience.clock() + patience.limit_s, 0
    once = replace(patience, attempts=1)
    for pause_s in patience.pauses():
        found = _all_jobs(out, once)
        left = [job for job in found if job.state is not State.ENDED and not _is_elsewhere(job)]
        if not left:
            note_ended(out, endings(found, patience))
            return left
        ids = [job.id for job in left if job.is_live and job.id]
        _request(requests, requests.open(ids), patience)
        # Unknown is never cancelled: an id may be another job's by now.
        silent = silent + 1 if all(job.state is State.UNKNOWN for job in left) else 0
        refused = len(ids) == len(left) and not _hope(requests, ids)
        if refused or silent >= patience.attempts or patience.clock() > until:
            return left
        patience.sleep(pause_s)
    raise AssertionError("pauses do not end")


def _is_elsewhere(job: Job) -> bool:
    """Whether it is a head process that nobody here can see; it can submit nothing any more."""
    return job.verb == HEAD_VERB and not job.id and job.state is State.UNKNOWN


def _hope(requests: _Requests, ids: Sequence[str]) -> bool:
    """Whether one of the jobs may still go: it is ending, or can be asked to once more."""
    return bool(requests.open(ids)) or any(id_ in requests.accepted for id_ in ids)


def _request(requests: _Requests, ids: Sequence[str], patience: Patience) -> None:
    """Call `scancel` once for each of the jobs, in the way that is its turn."""
    once = replace(patience, attempts=1)
    for flags, chunk in list(_calls(requests, ids)):
        answer = ask(("scancel", *flags, *chunk), once)
        requests.calls.update(chunk)
        if answer.given:
            requests.accepted.update(chunk)
        else:
            requests.last_words = answer.err.strip().splitlines()[-1] if answer.err.strip() else ""


def _calls(
    requests: _Requests, ids: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    """Flags and jobs of each call of `scancel` that is due."""
    for number, (flags, size) in enumerate(_CALLS):
        due = [id_ for id_ in ids if requests.calls[id_] == number]
        yield from ((flags, due[at : at + size]) for at in range(0, len(due), size))


def _report(left: Sequence[Job], requests: _Requests, log: Log) -> int:
    """The exit code, after a line for what was done and what was not."""
    gone = sorted(set(requests.calls) - {job.id for job in left})
    if gone:
        log(f"cancelled {len(gone)} job(s): {' '.join(gone)}")
    alive = [job for job in left if job.is_live]
    if alive:
        why = f" ({requests.last_words})" if requests.last_words else ""
        log(f"still alive{why}: {', '.join(str(job) for job in alive)}")
    if ids := [job.id for job in alive if job.id]:
        log(f"look at them with squeue, and run: scancel {' '.join(ids)}")
    unknown = [job for job in left if job.state is State.UNKNOWN]
    if unknown:
        named = ", ".join(str(job) for job in unknown)
        log(f"Slurm does not say what became of {named}; run the same command again later")
    if not left:
        log("nothing of this run is in the queue any more")
    return _SOME_ALIVE if left else _ALL_GONE
