"""A running Slurm cluster as tests use it: ask it, submit to it, break it, wait for it.

How the cluster is started and stopped is in ``lab.sh``; the fixtures are in ``conftest.py``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Answer = TypeVar("Answer")

LAB = Path(__file__).with_name("lab.sh")
ACCOUNT = "project_" + "0" * 9  # has LUMI's form and cannot be anybody's
NOT_HERE = 77  # how lab.sh ends where Slurm is missing and cannot be installed
# What a job's or a launcher's environment holds; inherited, it would change what is submitted.
OF_SLURM = ("SLURM", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SACCT_", "PMI")


class MissingSlurmError(Exception):
    """Slurm is not here; the message says what is missing."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs."""

    folder: Path
    accounting: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, without what Slurm left in it, for this cluster."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_SLURM)}
        return {
            **kept,
            "LAB_FOLDER": str(self.folder),
            "LAB_ACCOUNT": ACCOUNT,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }

    def run(
        self,
        *words: object,
        cwd: Path | None = None,
        timeout_s: float = 120,
        extra: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """How a command ended for which this cluster is the one."""
        return subprocess.run(
            [str(word) for word in words],
            env={**self.environment, **(extra or {})},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def ask(self, *words: object, cwd: Path | None = None, timeout_s: float = 120) -> str:
        """What a command said; it must succeed."""
        done = self.run(*words, cwd=cwd, timeout_s=timeout_s)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def lab(self, *words: object) -> str:
        """What ``lab.sh`` said, such as for ``kill-node nid001001``."""
        done = self.run(LAB, *words)
        if done.returncode == NOT_HERE:
            raise MissingSlurmError(done.stderr.strip())
        assert done.returncode == 0, f"lab.sh {words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def submit(self, script: str, *options: object) -> str:
        """Id of a batch job whose shell runs `script`; its output goes nowhere unless asked."""
        words = ("sbatch", "--parsable", "--output=/dev/null", "--time=5", *options)
        return self.ask(*words, "--wrap", script, cwd=self.folder).split(";")[0]

    def squeue_ids(self, *options: object) -> set[str]:
        """Ids of the jobs that wait or run, of those that the options for squeue select."""
        return set(self.ask("squeue", "--noheader", "--format=%A", *options).split())

    def job(self, job: str) -> dict[str, str]:
        """All that slurmctld says of a job (``scontrol show job``), ended ones included."""
        said = self.ask("scontrol", "show", "--oneliner", "job", job)
        return dict(pair.split("=", 1) for pair in said.split() if "=" in pair)

    def state(self, job: str) -> str:
        """State of a job, such as ``RUNNING``."""
        return self.job(job)["JobState"]

    def wait_for_state(self, job: str, *states: str, timeout_s: float = 60) -> str:
        """The first of the states that the job was seen in."""

        def reached() -> str | None:
            now = self.state(job)
            return now if now in states else None

        found = wait_until(reached, f"job {job} is {' or '.join(states)}", timeout_s)
        assert found is not None
        return found

    def start_now(self, job: str) -> None:
        """Start a requeued job as soon as it fits, instead of after the fixed 120 seconds."""
        # A job is COMPLETING before it waits again; until then its start cannot be moved.
        self.wait_for_state(job, "PENDING")
        # slurmd refuses what is sent in the second in which it revoked the job's credential.
        time.sleep(2)
        self.ask("scontrol", "update", f"jobid={job}", "StartTime=now")

    def end_in(self, job: str, seconds: int) -> None:
        """Move the time limit of a running job; Slurm looks at limits every 30 seconds."""
        self.ask("scontrol", "update", f"jobid={job}", f"EndTime=now+{seconds}seconds")

    def processes(self) -> set[int]:
        """Ids of the processes of jobs and of the daemons of nodes."""
        return {int(word) for word in self.lab("processes").split()}

    def kill_below(self, folder: Path) -> None:
        """SIGKILL for the processes that name `folder` in their command line, but not for jobs.

        This is what the end of a login session does to a head process and its children.
        """
        of_jobs = {os.getpgid(process) for process in self.processes()}
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile
                named = str(folder).encode() in (process / "cmdline").read_bytes()
                pid = int(process.name)
                if named and os.getpgid(pid) not in of_jobs and pid != os.getpid():
                    os.kill(pid, signal.SIGKILL)

    def clear(self) -> None:
        """Cancel all jobs and mend what a test broke: the next test finds an idle cluster."""
        self.lab("start")
        for job in self.squeue_ids():
            self.run("scancel", job)
        wait_until(lambda: not self.squeue_ids(), "no job is left in the queue")


def wait_until(
    answer: Callable[[], Answer], what: str, timeout_s: float = 60, pause_s: float = 0.2
) -> Answer:
    """The first answer that is true."""
    until = time.monotonic() + timeout_s
    while not (found := answer()):
        assert time.monotonic() < until, f"not so after {timeout_s} s: {what}"
        time.sleep(pause_s)
    return found


def start(folder: Path, *, accounting: bool = False) -> Cluster:
    """A cluster in `folder`, installed if need be, that ends with this process at the latest."""
    cluster = Cluster(folder, accounting)
    kind = "dbd" if accounting else "none"
    cluster.lab("install", kind)
    done = cluster.run(LAB, "start", kind, extra={"LAB_OWNER": str(os.getpid())})
    assert done.returncode == 0, done.stderr
    return cluster
