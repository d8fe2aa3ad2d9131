"""What an attempt of the workflow came to on a machine with Slurm, and whether another is due.

Looked at only where no stage has said by itself what is wrong: then nothing is repeated.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.scheduler.asking import Patience
from lumipipe.scheduler.inventory import jobs_of_run
from lumipipe.scheduler.queue import Job, State, ending
from lumipipe.scheduler.record import entries, submissions
from lumipipe.scheduler.waiting import wait_for_controller
from lumipipe.store.manifest import is_published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.tasks.stages import Plan

_MOST = 2  # jobs of one stage: on a machine of LUMI's size about one in a hundred is lost
# Ends that have nothing to do with memory, in Slurm's words; no second job costs more for them.
_NOT_MEMORY = {"BOOT_FAIL", "DEADLINE", "LAUNCH_FAILED", "NODE_FAIL", "PREEMPTED", "TIMEOUT"}
# What sbatch says when the controller did not answer, 22.05 to 24.05 (slurm_errno.c).
_SILENT = re.compile(
    "Unable to contact|timed out|Zero Bytes|temporarily un|standby mode|Connection refused"
)


class Cancelled(Exception):  # noqa: N818 - no error: somebody did not want the job any more
    """A job of the run was cancelled by somebody; the message says which."""


@dataclass
class Attempts:
    """The attempts of one run.

    Parameters
    ----------
    out : Path
        Folder of the run.
    """

    out: Path
    number: int = 1  # the second asks for twice the memory
    _lost: Counter[str] = field(default_factory=Counter)
    _sent: int = 0

    def begin(self) -> None:
        """Take what was submitted until now for that of earlier attempts."""
        self._sent = len(submissions(self.out))

    def is_due(self, plan: Plan, code: int, log: Callable[[str], None]) -> bool:
        """Whether the workflow is to be started once more, after it ended without all products.

        Parameters
        ----------
        plan : Plan
            What was to be done.
        code : int
            How the workflow ended; below 0 where a signal has ended it.
        log : callable of str
            Is told what was lost.

        Returns
        -------
        bool
            False where the same was lost before.

        Raises
        ------
        Cancelled
            If somebody has cancelled the job.
        InputError
            If Slurm refused the job, with its words.
        """
        sent = submissions(self.out)[self._sent :]
        if not sent:
            return code < 0 and self._count("", "the workflow was killed", log)
        last = sent[-1]
        if last.verb in plan.stages and is_published(plan.stages[last.verb].manifest):
            log(f"the workflow ended after {last.verb}; it is started again")
            return True
        if last.is_refused:
            words = self._words(last.key)
            if not _SILENT.search(words):
                raise _refused(last.verb, words)
            wait_for_controller(log)
            return self._count(last.verb, f"Slurm was silent ({words})", log)
        job = self._job(last.id)
        if job.state is not State.ENDED:
            return self._count("", f"the workflow ended before job {job}", log)
        if job.said == "CANCELLED":
            raise Cancelled(str(job))
        if job.said not in _NOT_MEMORY:
            self.number = 2
        return self._count(last.verb, f"job {job} was lost", log)

    def _count(self, verb: str, what: str, log: Callable[[str], None]) -> bool:
        """Whether a stage was not lost too often."""
        self._lost[verb] += 1
        if self._lost[verb] < _MOST:
            log(f"{what}; it is started once more")
            return True
        log(f"{what} again")
        return False

    def _words(self, key: str) -> str:
        """What Slurm said when it refused a submission, in one line."""
        said = [entry.get("said", "") for entry in entries(self.out) if entry.get("key") == key]
        lines = str(said[-1]).splitlines()
        return " ".join(line.removeprefix("sbatch: error: ").strip() for line in lines)

    def _job(self, id_: str) -> Job:
        """The job that was submitted last, with how it ended."""
        found = [job for job in jobs_of_run(self.out, Patience()) if job.id == id_]
        return ending(found[-1], Patience()) if found else Job(id_, State.UNKNOWN)


def _refused(verb: str, words: str) -> InputError:
    """The error when Slurm does not take a job."""
    problem = f"Slurm refused it ({words})"
    return InputError(f"job of {verb}", problem, "mend what it says; the same command goes on")
