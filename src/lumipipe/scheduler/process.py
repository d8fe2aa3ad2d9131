"""Processes of this machine: whether one lives, what it started, and how to end it.

A process is known by its id and the moment of its start, since ids are used again.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lumipipe.scheduler.asking import Patience

_PROC = Path("/proc")
_STATE, _PARENT, _START = 0, 1, 19  # fields of /proc/PID/stat after the name; proc(5)
_DEAD = {"Z", "X", "x"}


def started(pid: int) -> str:
    """When a process of this machine was started, as one word; empty where none lives.

    Parameters
    ----------
    pid : int
        Id of the process.

    Returns
    -------
    str
        Ticks since the start of the machine with the identity of that start, or a date where
        there is no /proc. A zombie is no living process.
    """
    if pid <= 0:
        return ""
    if not (_PROC / "self" / "stat").exists():
        return _started_by_ps(pid)
    fields = _stat(pid)
    if not fields or fields[_STATE] in _DEAD:
        return ""
    with suppress(OSError):
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        return f"{boot}:{fields[_START]}"
    return fields[_START]


def descendants(pid: int) -> list[int]:
    """Ids of the processes that `pid` started, and so on, the nearest first."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        if fields := _stat(int(folder.name)):
            children.setdefault(int(fields[_PARENT]), []).append(int(folder.name))
    found = [pid]
    for parent in found:
        found += children.get(parent, [])
    return found[1:]


def lock_holders(file: Path) -> list[int]:
    """Ids of the processes of this machine that hold a file by flock, as far as is known."""
    try:
        info, text = file.stat(), (_PROC / "locks").read_text()
    except OSError:
        return []
    place = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    rows = [line.split() for line in text.splitlines()]
    held = [row for row in rows if row[1] == "FLOCK" and row[5] == place]  # proc(5): /proc/locks
    return [pid for row in held if started(pid := int(row[4]))]


def end_process(pid: int, patience: Patience, asked_by: signal.Signals = signal.SIGTERM) -> bool:
    """End a process and all that it started: asked first, then by force.

    Parameters
    ----------
    pid : int
        Id of the process.
    patience : Patience
        Its `answer_s` is the time for a good end, and again after the second signal.
    asked_by : Signals
        The first signal. A head process lets go of its jobs on SIGTERM.

    Returns
    -------
    bool
        Whether none of them lives any more.

    Notes
    -----
    What the process started gets SIGINT first: Snakemake ends by that at once and removes
    partial outputs, while it waits for its jobs after SIGTERM.
    """
    family: dict[int, str] = {}
    for to_head, to_others in (
        (asked_by, signal.SIGINT),
        (signal.SIGKILL, signal.SIGKILL),
    ):
        family |= {one: start for one in (pid, *descendants(pid)) if (start := started(one))}
        for one in _alive(family):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one, to_head if one == pid else to_others)
        until = patience.clock() + patience.answer_s
        while _alive(family) and patience.clock() < until:
            patience.sleep(0.1)
    return not _alive(family)


def _alive(family: dict[int, str]) -> list[int]:
    """Those of the processes that are still the ones they were."""
    return [pid for pid, start in family.items() if started(pid) == start]


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, which may hold blanks; none where it is gone."""
    with suppress(OSError):
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return []


def _started_by_ps(pid: int) -> str:
    """When a process was started, where there is no /proc."""
    words = ["ps", "-o", "lstart=", "-o", "state=", "-p", str(pid)]
    with suppress(OSError):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        *date, state = done.stdout.split() or [""]
        return "" if state[:1] in {"", *_DEAD} else "-".join(date)
    return ""
