"""The run's own record of its jobs, one JSON object a line, and its other small files.

``workflow/bin/sbatch`` writes a line before each submission and one with the job's id right
after it. How the record is united with what the queue shows is in `lumipipe.scheduler.inventory`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.scheduler.job import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lumipipe.scheduler.job import Job

JOBS = "jobs.jsonl"
PREFIX = "lumipipe-"
_NAME_DIGITS = 12
ENDING = ("said", "reason", "exit_code", "partition", "elapsed_s")
_INTENT = ("verb", "name", "log", "host", "user", "pid")


@dataclass(frozen=True)
class Submission:
    """One line pair of the record.

    Parameters
    ----------
    key : str
        What ties the two lines together.
    time : str
        When it was begun, ISO 8601.
    verb, name, log : str
        The stage, the name of the job, the log that was asked for.
    host, user : str
        Where and by whom.
    pid : int
        The process that called sbatch.
    id : str
        Slurm's job id; empty where none was given, or nobody wrote it down.
    is_refused : bool
        Whether Slurm refused it.
    ended : dict
        What was learned of its end.
    """

    key: str
    time: str
    verb: str = ""
    name: str = ""
    log: str = ""
    host: str = ""
    user: str = ""
    pid: int = 0
    id: str = ""
    is_refused: bool = False
    ended: dict[str, Any] | None = None


def run_name(out: Path) -> str:
    """The beginning of the names of a run's jobs.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    str
        Letters, digits and a hyphen, the same from whichever folder it is asked.
    """
    path = os.fsencode(out.resolve())
    return PREFIX + hashlib.sha256(path).hexdigest()[:_NAME_DIGITS]


def submissions(out: Path) -> list[Submission]:
    """What the record of a run says, in the order of submission.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    list of Submission
        Empty where nothing was ever submitted. Torn lines are left out: of an intent that was
        torn nothing was submitted, and a job whose outcome was torn is found by its name.
    """
    found: dict[str, Submission] = {}
    for entry in entries(out):
        key, event = str(entry.get("key", "")), entry.get("event")
        if event == "intent":
            known = {name: entry[name] for name in _INTENT if name in entry}
            found[key] = Submission(key, str(entry.get("time", "")), **known)
        elif key in found and event == "submitted":
            found[key] = replace(found[key], id=str(entry.get("id", "")))
        elif key in found and event == "refused":
            found[key] = replace(found[key], is_refused=True)
        elif key in found and event == "ended":
            found[key] = replace(found[key], ended=entry)
    return list(found.values())


def entries(out: Path) -> list[dict[str, Any]]:
    """The lines of the record of a run that are whole."""
    try:
        text = (out / JOBS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                found.append(entry)
    return found


def note_ended(out: Path, ended: Iterable[Job]) -> None:
    """Write down how jobs ended, for the time when Slurm has forgotten them.

    Parameters
    ----------
    out : Path
        Folder of the run.
    ended : iterable of Job
        Jobs; those that have not ended, or of which nothing new is known, are passed over.
        On a full disk nothing is written: no decision hangs on it.
    """
    keys = {one.id: one.key for one in submissions(out) if one.id and not one.ended}
    for job in ended:
        if job.state is State.ENDED and job.said and job.id in keys:
            known = {name: getattr(job, name) for name in ENDING}
            with suppress(InputError):
                add_line(out, {"event": "ended", "key": keys[job.id], **known})


def add_line(out: Path, entry: dict[str, Any]) -> None:
    """Add a line to the record of a run and flush it to the disk.

    Parameters
    ----------
    out : Path
        Folder of the run.
    entry : dict
        What to write; the time is added.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    line = json.dumps({**entry, "time": now()}) + "\n"
    path = out / JOBS
    try:
        with path.open("a+b") as file:
            if size := file.seek(0, os.SEEK_END):
                file.seek(size - 1)
                line = line if file.read(1) == b"\n" else f"\n{line}"  # after a torn line
            file.write(line.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error})", "make room there") from error


def replace_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON file whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    content : dict
        What to write.

    Raises
    ------
    InputError
        If it cannot be written; what was there stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise InputError(str(path), f"cannot be written ({error})", "make room there") from error


def user_name() -> str:
    """Name of the user of this process, or the number where it is unknown."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
