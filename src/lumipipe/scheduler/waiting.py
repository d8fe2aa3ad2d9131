"""A new head process waits for what the old one left in the queue.

Snakemake does not take up jobs of an earlier process; with it, two jobs would write the same
product. So nothing is submitted while a job of the run can still run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.scheduler.asking import Patience
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import State, endings, jobs_named
from lumipipe.scheduler.record import note_ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.scheduler.queue import Job


def _never(_: str) -> bool:
    """Whether a stage is done, where nobody can tell."""
    return False


def wait_for_live_jobs(
    out: Path,
    log: Callable[[str], None],
    patience: Patience | None = None,
    is_done: Callable[[str], bool] = _never,
) -> None:
    """Return when no job of the run lives any more.

    Parameters
    ----------
    out : Path
        Folder of the run.
    log : callable of str
        Is told which jobs are waited for, whenever that changes.
    patience : Patience, optional
        Its `limit_s` bounds how long Slurm may stay silent; live jobs are waited for without
        a bound, since Slurm has one for them.
    is_done : callable of str
        Whether the product of a stage stands: then nothing of it would be submitted again, and
        what Slurm says of its job is no matter.

    Raises
    ------
    InputError
        If Slurm does not say for so long what became of a job.
    """
    patience = patience or Patience()
    pauses, told = patience.pauses(), ""
    answered = patience.clock()
    while True:
        found = jobs_of_run(out, patience)
        live = [job for job in found if job.is_live]
        unknown = [job for job in found if job.state is State.UNKNOWN and not is_done(job.verb)]
        if not live and not unknown:
            note_ended(out, endings(found, patience))
            return
        asked = patience.clock()
        answered = answered if unknown else asked
        if asked - answered > patience.limit_s:
            raise _silent(out, unknown)
        line = _line(live, unknown)
        if line != told:
            log(line)
            pauses, told = patience.pauses(), line
        patience.sleep(next(pauses))


def wait_for_controller(log: Callable[[str], None], patience: Patience | None = None) -> None:
    """Return when Slurm shows its queue.

    Parameters
    ----------
    log : callable of str
        Is told once that Slurm is silent.
    patience : Patience, optional
        Its `limit_s` bounds how long Slurm may stay silent.

    Raises
    ------
    InputError
        If it stays silent for longer.
    """
    patience = patience or Patience()
    until, told = patience.clock() + patience.limit_s, False
    for pause_s in patience.pauses():
        if jobs_named("", patience) is not None:
            return
        if patience.clock() > until:
            raise InputError(
                "squeue",
                f"Slurm has not answered for {patience.limit_s:.0f} s; nothing was submitted",
                "start the same command again when squeue answers",
            )
        if not told:
            log("Slurm does not answer; asking again")
        told = True
        patience.sleep(pause_s)


def _line(live: list[Job], unknown: list[Job]) -> str:
    """What is waited for."""
    parts = []
    if live:
        parts.append(f"waiting for jobs that an earlier start submitted: {_named(live)}")
    if unknown:
        parts.append(f"Slurm does not say what became of {_named(unknown)}; asking again")
    return "; ".join(parts)


def _silent(out: Path, unknown: list[Job]) -> InputError:
    """The error after the last question."""
    return InputError(
        str(out),
        f"Slurm does not say what became of {_named(unknown)}; nothing was submitted",
        "start the same command again when squeue answers",
    )


def _named(found: list[Job]) -> str:
    """Jobs in a line."""
    return ", ".join(str(job) for job in found)
