"""The verb ``status``: where a run stands, also after its head process has died.

It looks at what is on disk and asks Slurm about the jobs; it changes nothing. A product that
stands is done, whatever became of its job.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError, StoreError
from lumipipe.scheduler.asking import QUICK
from lumipipe.scheduler.head import driver_of, read_head
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import Job, State, ending
from lumipipe.store.manifest import is_published
from lumipipe.tasks.shown import shown_first
from lumipipe.tasks.stages import VERBS, read_plan
from lumipipe.tasks.workflow import PLAN, last_exit, log_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.scheduler.asking import Patience
    from lumipipe.scheduler.head import Head

DONE, WAITING = "done", "waiting"
"""What a stage may be besides the states of a job."""
_AGAIN = "start the same command again"


@dataclass(frozen=True)
class StageStatus:
    """Where one stage stands.

    Parameters
    ----------
    verb : str
        The stage.
    state : str
        ``done``, ``waiting`` or the state of its job.
    job : Job, optional
        Its last job.
    log : str
        The log that tells most; empty where there is none yet.
    said : str
        What the stage itself said when it failed.
    """

    verb: str
    state: str
    job: Job | None
    log: str
    said: str

    def __str__(self) -> str:
        """One line for people."""
        parts = [*_words(self.job, self.state), self.log, self.said]
        return "  ".join([f"{self.verb:8}{self.state:8}", *filter(None, parts)]).rstrip()


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    Parameters
    ----------
    out : Path
        Folder of the run.
    head : Head, optional
        The head process that it had last.
    driver : Job, optional
        That head process as a job: whether it lives.
    stages : list of StageStatus
        In the order of stages.
    others : list of Job
        Further jobs of the run that have not ended.
    """

    out: Path
    head: Head | None
    driver: Job | None
    stages: list[StageStatus]
    others: list[Job]

    @property
    def next_step(self) -> str:
        """What to do next, in one line."""
        jobs = [stage.job for stage in self.stages if stage.job and stage.state != DONE]
        jobs += self.others
        live = ", ".join(str(job) for job in jobs if job.is_live)
        failed = [stage.verb for stage in self.stages if stage.said]
        is_done = all(stage.state == DONE for stage in self.stages)
        is_unknown = any(job.state is State.UNKNOWN for job in jobs)
        report = shown_first(self.out)
        head = self.driver.state if self.driver else State.ENDED
        choices = (
            (is_done and report.is_file(), f"read {report}"),
            (is_done, f"{_AGAIN}; it shows the report"),
            (head in {State.RUNNING, State.PENDING}, "nothing; the head process goes on"),
            (is_unknown, "ask again later; Slurm does not say what became of a job"),
            (head is State.UNKNOWN, f"if the head process has ended ({self.head}), {_AGAIN}"),
            (bool(live), f"{_AGAIN}; it waits for {live} (lumipipe cancel {self.out} ends it)"),
            (bool(failed), f"mend what {' and '.join(failed)} says, then {_AGAIN}"),
            (True, f"{_AGAIN}; it goes on where it was"),
        )
        return next(text for holds, text in choices if holds)

    def lines(self) -> list[str]:
        """What to tell people."""
        where = "no head process is known"
        if self.driver is not None:
            said = f", {self.driver.said}" if self.driver.said else ""
            where = f"head process: {self.driver.state}{said}, {self.head or 'not known'}"
        others = [f"also in the queue: {job}" for job in self.others]
        stages = [str(stage) for stage in self.stages]
        return [f"{self.out}: {where}", *stages, *others, f"next: {self.next_step}"]

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        head = asdict(self.head) if self.head else {}
        return {
            "out": str(self.out),
            "head": head | {"state": self.driver.state} if self.driver else None,
            "stages": [asdict(stage) for stage in self.stages],
            "others": [asdict(job) for job in self.others],
            "next": self.next_step,
        }


def status(
    out: Path,
    log: Callable[[str], None],
    *,
    as_json: bool = False,
    patience: Patience = QUICK,
) -> int:
    """Say where a run stands.

    Parameters
    ----------
    out : Path
        Folder of the run.
    log : callable of str
        Is told the lines.
    as_json : bool
        Whether to tell one JSON object.
    patience : Patience
        Time limits, attempts and pauses of each question to Slurm.

    Returns
    -------
    int
        0: it could be told.

    Raises
    ------
    InputError
        If the folder is not that of a run.
    """
    found = run_status(out, patience)
    if as_json:
        log(json.dumps(found.as_json(), indent=1))
    else:
        for line in found.lines():
            log(line)
    return 0


def run_status(out: Path, patience: Patience = QUICK) -> RunStatus:
    """Where a run stands; the parameters and errors are those of `status`."""
    check_folder(out)
    head = read_head(out)
    driver = driver_of(out, patience)
    jobs = jobs_of_run(out, patience)
    last = {job.verb: job for job in jobs}
    ended = {verb: ending(job, patience) for verb, job in last.items()}
    stages = [
        _stage(out, verb, manifest, ended.get(verb)) for verb, manifest in _manifests(out).items()
    ]
    todo = [stage for stage in stages if stage.state != DONE]
    if driver is not None and driver.state is State.RUNNING and todo and todo[0].state == WAITING:
        # Without a scheduler, and for the report, the head process itself starts it.
        stages[stages.index(todo[0])] = replace(todo[0], state=State.RUNNING)
    known = {job.id for job in last.values()}
    others = [job for job in jobs if job.state is not State.ENDED and job.id not in known]
    return RunStatus(out, head, driver, stages, others)


def check_folder(out: Path) -> None:
    """Refuse a folder that is not that of a run."""
    if not (out / PLAN).is_file():
        raise InputError(
            str(out), "is not the folder of a run", "name the one that lumipipe run writes to"
        )


def _manifests(out: Path) -> dict[str, Path]:
    """Where the manifest of each stage stands when it is done."""
    stages = read_plan(out / PLAN).stages
    # The folder may have moved since; only the last two parts of the path count.
    return {verb: out / verb / stages[verb].manifest.name for verb in VERBS if verb in stages}


def _stage(out: Path, verb: str, manifest: Path, job: Job | None) -> StageStatus:
    """Where one stage stands, as far as its job and its files tell."""
    path = log_path(out, verb)
    log = str(path) if path.is_file() else ""
    if _is_done(manifest):
        return StageStatus(verb, DONE, job, log, "")
    code, said = last_exit(path)
    if job is None:
        return StageStatus(verb, State.ENDED if said else WAITING, None, log, said)
    if job.state is not State.ENDED:
        return StageStatus(verb, job.state, job, log or job.log, "")
    # A job that Slurm ended wrote no last line; Slurm's log says more than its own then.
    return StageStatus(verb, job.state, job, job.log or log if code is None else log, said)


def _is_done(manifest: Path) -> bool:
    """Whether a whole product stands beside the manifest."""
    try:
        return is_published(manifest)
    except StoreError:
        return False


def _words(job: Job | None, state: str) -> list[str]:
    """What there is to say of a job."""
    if job is None or state == DONE:
        return []
    elapsed = f"{timedelta(seconds=job.elapsed_s)}" if job.elapsed_s else ""
    code = f"exit code {job.exit_code}" if state == State.ENDED and job.exit_code else ""
    reason = ", ".join(filter(None, (job.said, job.reason, code)))
    return [f"job {job.id}" if job.id else "", job.partition, elapsed, reason]
