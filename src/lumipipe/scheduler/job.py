"""One Slurm job: whether it can still run, and how Slurm's three tables are read.

Who is asked when is in `lumipipe.scheduler.queue`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class State(StrEnum):
    """What matters about a job: whether it can still run."""

    RUNNING = "running"
    PENDING = "pending"
    ENDED = "ended"
    UNKNOWN = "unknown"


# Job states of slurm.schedmd.com/squeue.html and sacct.html, 22.05 to 24.05. A job that is
# cleaning up or held back in the middle still has its nodes; one that was put back runs again.
_STATES = {
    State.RUNNING: "RUNNING COMPLETING CONFIGURING RESIZING SIGNALING STAGE_OUT STOPPED SUSPENDED",
    State.PENDING: "PENDING POWER_UP_NODE REQUEUED REQUEUE_FED REQUEUE_HOLD RESV_DEL_HOLD "
    "SPECIAL_EXIT",
    State.ENDED: "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED LAUNCH_FAILED NODE_FAIL "
    "OUT_OF_MEMORY PREEMPTED RECONFIG_FAIL TIMEOUT",
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words.split()}
# Slurm may put these back into the queue, and its database hears of that later than of the end.
_MAY_COME_BACK = ("BOOT_FAIL", "NODE_FAIL", "PREEMPTED")

# The comment is last: it alone may hold the separator. The plug-in writes rule_VERB there.
SQUEUE_FIELDS = "%i|%T|%r|%M|%P|%u|%j|%k"
SACCT_FIELDS = "JobID,State,Reason,ElapsedRaw,Partition,User,ExitCode,JobName"
_COLUMNS = 8
_DAY_S, _HOUR_S, _MINUTE_S = 86400, 3600, 60


@dataclass(frozen=True)
class Job:
    """What is known of one job.

    Parameters
    ----------
    id : str
        Slurm's id; empty for a submission whose id nobody knows yet.
    state : State
        Whether it can still run.
    name, verb : str
        Its name in Slurm, and the stage that it does.
    said, reason, exit_code : str
        Slurm's own words: state (such as OUT_OF_MEMORY), reason, CODE:SIGNAL.
    partition, user : str
        Where it was sent, and by whom.
    elapsed_s : int, optional
        Seconds that it ran.
    log : str
        Path of the log that Slurm writes.
    """

    id: str
    state: State
    name: str = ""
    verb: str = ""
    said: str = ""
    reason: str = ""
    exit_code: str = ""
    partition: str = ""
    elapsed_s: int | None = None
    user: str = ""
    log: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it runs, or will."""
        return self.state in {State.RUNNING, State.PENDING}

    def __str__(self) -> str:
        """Id, stage and state in Slurm's words."""
        what = ", ".join(filter(None, (self.verb, self.said or self.state)))
        return f"{self.id or 'a job without an id'} ({what})"


def seconds(text: str) -> int | None:
    """The seconds that Slurm writes as ``[days-][hours:]minutes:seconds``.

    Parameters
    ----------
    text : str
        Such as ``1-02:03:04`` or ``0:05``.

    Returns
    -------
    int or None
        None where it says no time, such as ``INVALID``.

    Examples
    --------
    >>> seconds("1-00:00:10"), seconds("2:05"), seconds("INVALID")
    (86410, 125, None)
    """
    parts = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text.strip())
    if parts is None:
        return None
    days, hours, minutes, rest = (int(part or 0) for part in parts.groups())
    return days * _DAY_S + hours * _HOUR_S + minutes * _MINUTE_S + rest


def squeue_jobs(text: str) -> list[Job] | None:
    """The jobs that `squeue` lists; None where none of its lines is one."""
    rows = [line.split("|", _COLUMNS - 1) for line in text.splitlines() if line.strip()]
    listed = [
        Job(
            id_,
            _state(said),
            name=name,
            verb=_verb(comment),
            said=said,
            reason=_word(reason),
            partition=partition,
            elapsed_s=seconds(elapsed),
            user=user,
        )
        for id_, said, reason, elapsed, partition, user, name, comment in (
            row for row in rows if len(row) == _COLUMNS and row[0][:1].isdigit()
        )
    ]
    # A banner, or a message of a site's wrapper, in place of the list is no empty list.
    return None if rows and not listed else listed


def scontrol_jobs(text: str) -> list[Job]:
    """The jobs that ``scontrol show job -o`` shows."""
    return [_scontrol_job(line) for line in text.splitlines() if line.startswith("JobId=")]


def scontrol_fields(record: str) -> dict[str, str]:
    """The entries of one line of ``scontrol show job -o``."""
    # The first of each key counts: free text (comment, command) follows what is used here.
    entries = re.findall(r"(?:^|\s)([\w/]+)=(\S*)", record)
    return {key: value for key, value in reversed(entries) if value != "(null)"}


def _scontrol_job(record: str) -> Job:
    """A job from one line of ``scontrol show job -o``."""
    field = scontrol_fields(record)
    said, id_ = field.get("JobState", ""), field["JobId"]
    if "ArrayJobId" in field:
        id_ = f"{field['ArrayJobId']}_{field.get('ArrayTaskId', '')}"
        id_ = id_ if id_.split("_")[1].isdigit() else id_.replace("_", "_[", 1)
    return Job(
        id_,
        _state(said),
        name=field.get("JobName", ""),
        verb=_verb(field.get("Comment", "")),
        said=said,
        reason=_word(field.get("Reason", "")),
        exit_code=field.get("ExitCode", ""),
        partition=field.get("Partition", ""),
        elapsed_s=seconds(field.get("RunTime", "")),
        user=field.get("UserId", "").split("(")[0],
        log=field.get("StdOut", ""),
    )


def sacct_jobs(text: str) -> list[Job]:
    """The jobs that `sacct` lists."""
    rows = [line.split("|", _COLUMNS - 1) for line in text.splitlines()]
    return [_sacct_job(row) for row in rows if len(row) == _COLUMNS]


def _sacct_job(row: Sequence[str]) -> Job:
    """A job from a line of `sacct`."""
    id_, said, reason, elapsed, partition, user, code, name = row
    word = said.split()[0].rstrip("+") if said else ""  # "CANCELLED by 1000"
    return Job(
        id_,
        State.UNKNOWN if word in _MAY_COME_BACK else _state(word),
        name=name,
        said=word,
        reason=_word(reason),
        exit_code=code,
        partition=partition,
        elapsed_s=int(elapsed) if elapsed.isdigit() else None,
        user=user,
    )


def _state(said: str) -> State:
    """The state behind Slurm's word for it; unknown for a word that is unknown."""
    return _STATE_OF.get(said, State.UNKNOWN)


def _word(reason: str) -> str:
    """A reason, or nothing where Slurm writes None."""
    return "" if reason.strip("()") in {"None", "null", ""} else reason


def _verb(comment: str) -> str:
    """The stage that a job does, from the comment that Snakemake's plug-in gives it."""
    rule = re.match(r"rule_(\w+)", comment)
    return rule[1].split("_wildcards_")[0] if rule else ""
