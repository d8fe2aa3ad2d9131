"""A question to Slurm: one command with a time limit; "could not ask" is no answer.

What the answers mean is in `lumipipe.scheduler.queue`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHUNK = 50
"""Job ids in one command: a long line may be refused, a call an id loads the controller."""
_NO_SUCH_JOB = "Invalid job id"
# Where Slurm is and who asks; all else of the kind filters, formats or interrupts answers
# (SQUEUE_PARTITION, SACCT_FORMAT, SCANCEL_INTERACTIVE, SLURM_CLUSTERS, ...).
_KEPT = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
_DROPPED = ("SLURM_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_")


@dataclass(frozen=True)
class Patience:
    """How long Slurm may take.

    Parameters
    ----------
    answer_s : float
        Seconds for one command.
    attempts : int
        How often a question is put, or a request made, before Slurm counts as silent.
    pause_s : float
        Seconds before the second attempt; each later pause is twice as long.
    longest_pause_s : float
        Bound of the pauses.
    limit_s : float
        Seconds after which waiting for an answer, or for an effect, is given up.
    sleep : callable of float
        Waits some seconds.
    clock : callable
        Seconds since some moment.
    """

    answer_s: float = 30.0
    attempts: int = 3
    pause_s: float = 2.0
    longest_pause_s: float = 30.0
    limit_s: float = 900.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def pauses(self) -> Iterator[float]:
        """Seconds of one pause after the other, without end."""
        pause_s = self.pause_s
        while True:
            yield pause_s
            pause_s = min(2 * pause_s, self.longest_pause_s)


# Slurm's commands give up by themselves after 9 or 18 s where nothing listens on the
# controller's port (measured with 22.05); a person at a terminal waits for less.
QUICK = Patience(answer_s=10.0, attempts=1)


@dataclass(frozen=True)
class Answer:
    """What a command of Slurm said.

    Parameters
    ----------
    given : bool
        Whether Slurm answered; "there is no such job" is an answer, too.
    out : str
        Standard output.
    err : str
        Standard error, or why the command could not be run.
    """

    given: bool
    out: str
    err: str

    @property
    def knows_no_job(self) -> bool:
        """Whether the controller says that it does not know the job."""
        return _NO_SUCH_JOB in self.err


def ask(words: Sequence[str], patience: Patience = QUICK) -> Answer:
    """What Slurm answers to a command line.

    Parameters
    ----------
    words : sequence of str
        The command line.
    patience : Patience
        Time limit, attempts and pauses.

    Returns
    -------
    Answer
        The first answer, or the last failure.
    """
    answer = _ask_once(words, patience.answer_s)
    for _, pause_s in zip(range(patience.attempts - 1), patience.pauses(), strict=False):
        if answer.given:
            break
        patience.sleep(pause_s)
        answer = _ask_once(words, patience.answer_s)
    return answer


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """The ids, some at a time."""
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))


def _ask_once(words: Sequence[str], answer_s: float) -> Answer:
    """What one run of a command gives."""
    try:
        # A session of its own: Ctrl-C reaches us alone, and a time limit all that it started.
        process = subprocess.Popen(
            words,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Answer(given=False, out="", err=f"{words[0]}: {error.strerror}")
    with process:
        try:
            out, err = process.communicate(timeout=answer_s)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return Answer(given=False, out="", err=f"{words[0]}: no answer in {answer_s:.0f} s")
    return Answer(given=process.returncode == 0 or _NO_SUCH_JOB in err, out=out, err=err)


def _environment() -> dict[str, str]:
    """The environment without the variables that change what Slurm's commands do."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(_DROPPED)
    }
