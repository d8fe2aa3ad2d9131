"""Slurm without Slurm: its commands on the PATH, and a clock that only sleeping moves.

It can do what a real cluster does not do when a test wants it: be silent for some calls, refuse
a call or a job, forget a job, and show a state that lasts a moment. The commands are in
``pretended_commands.py``; tests with a real Slurm are in ``tests/slurm``.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lumipipe.scheduler.asking import Patience

COMMANDS = ("sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue")
ME = pwd.getpwuid(os.getuid()).pw_name
FOR_EVER = 10**9
_PROGRAM = Path(__file__).with_name("pretended_commands.py")


@dataclass
class PretendedSlurm:
    """A cluster that exists in a file."""

    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True)
        for command in COMMANDS:
            program = self.folder / "bin" / command
            program.write_text(f"#!{sys.executable} -ES\n{_PROGRAM.read_text()}")
            program.chmod(0o755)
        self.change(jobs={}, silent={}, brittle={}, stubborn=[], threads=1)

    def read(self) -> dict[str, Any]:
        """The state of the cluster."""
        return json.loads((self.folder / "cluster.json").read_text())

    def change(self, **entries: Any) -> None:
        """Change entries of the state of the cluster."""
        file = self.folder / "cluster.json"
        old = self.read() if file.exists() else {}
        file.write_text(json.dumps(old | entries))

    def job(self, id_: str, state: str, **entries: Any) -> None:
        """Add or change a job; `queue` and `accounted` say who knows it."""
        jobs = self.read()["jobs"]
        new = {"id": id_, "name": "", "user": ME, "comment": "", "queue": True, "accounted": False}
        jobs[id_] = {**new, **jobs.get(id_, {}), **entries, "state": state}
        self.change(jobs=jobs)

    def silence(self, *commands: str, calls: int = FOR_EVER) -> None:
        """Let commands fail as if nobody listened, for a number of calls."""
        self.change(silent=self.read()["silent"] | dict.fromkeys(commands, calls))

    def calls(self, command: str) -> list[list[str]]:
        """The arguments of each call of a command, in order."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [words[1:] for words in map(json.loads, lines) if words[0] == command]

    def cancelled(self) -> list[str]:
        """Ids of the jobs that `scancel` cancelled, once for each time."""
        return self.read().get("cancelled", [])


@dataclass
class Clock:
    """A clock that only sleeping moves; what is to happen meanwhile happens in `then`."""

    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    then: dict[int, Any] = field(default_factory=dict)

    def sleep(self, seconds: float) -> None:
        """Move on; the n-th sleep also does ``then[n]``."""
        self.time += seconds
        self.slept.append(seconds)
        self.then.get(len(self.slept), lambda: None)()

    def patience(self, **changes: Any) -> Patience:
        """Patience that takes no time."""
        return Patience(
            **{"attempts": 1, "sleep": self.sleep, "clock": lambda: self.time} | changes
        )


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PretendedSlurm:
    """A pretended cluster, whose commands are the first on the PATH."""
    cluster = PretendedSlurm(tmp_path / "cluster")
    monkeypatch.setenv("PATH", f"{cluster.folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return cluster
