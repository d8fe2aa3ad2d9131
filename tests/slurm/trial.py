"""One run on the cluster that a test breaks, and what has to be true of it in the end.

Its verbs wait where the test tells them to (``held.py``), so that a fault hits the middle of a
stage and not a lucky moment.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from command import call
from lumipipe.scheduler.record import run_name
from slurm.cluster import wait_until
from slurm.heads import ROOT, head_command, head_environment, products, submissions
from slurm.held import GO, HOG, HOLD
from small_requests import monitoring

if TYPE_CHECKING:
    from collections.abc import Callable

    from slurm.cluster import Cluster

VERBS = ("prepare", "train", "score")
# Checkpoints after each chunk; memory that the machine of the tests can spare.
COMPUTE: dict[str, object] = {"checkpoint_s": 0, "memory": "1 GiB"}
PATIENCE_S = 600.0  # the machine may be busy with other things


@dataclass(frozen=True)
class Held:
    """A rank that waits for the test."""

    job: str
    rank: int
    process: int
    node: str


@dataclass
class Trial:
    """One run, its folder and its head processes."""

    cluster: Cluster
    machine: Path
    folder: Path
    write: Callable[..., Path] = monitoring
    compute: dict[str, object] = field(default_factory=dict)
    fault: float = field(default_factory=time.monotonic)
    _heads: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.request = self.write(self.folder, compute=COMPUTE | self.compute)
        self.asks.mkdir()

    @property
    def out(self) -> Path:
        """Folder of the run."""
        return self.folder / "out"

    @property
    def asks(self) -> Path:
        """The folder that tells the verbs where to wait."""
        return self.folder / "asks"

    @property
    def kernel(self) -> str:
        """Command line of the lumipipe that computes."""
        return f"{sys.executable} {Path(__file__).with_name('held.py')} {self.asks}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a head process."""
        known = head_environment(self.cluster.environment, self.machine)
        return known | {"LUMIPIPE_KERNEL": self.kernel}

    def hold(self, verb: str, point: str) -> None:
        """Have all ranks of a verb wait at a point of ``killed_verbs.py``."""
        (self.asks / HOLD).write_text(f"{verb} {point}")

    def take(self, verb: str, size: int) -> None:
        """Have each rank of a verb take so many bytes of memory."""
        (self.asks / HOG).write_text(f"{verb} {size}")

    def go(self) -> None:
        """Let all that waits go on, and nothing wait any more."""
        (self.asks / GO).touch()

    def start(self, *options: object) -> subprocess.Popen[bytes]:
        """A head process from a login shell."""
        kernel = ("--kernel", self.kernel)
        return self._started(head_command(self.request, self.out, self.machine, *kernel, *options))

    def submit(self, *options: object) -> str:
        """Id of a head process as a batch job."""
        script = ROOT / "slurm" / "workflow.sbatch"
        words = ["sbatch", "--parsable", script, self.request, "--out", self.out]
        words += ["--target", "lumi-small", *options]
        done = self.cluster.run(*words, cwd=self.folder, extra=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def login(self, *options: object) -> subprocess.Popen[bytes]:
        """A head process by the batch script, from a login shell."""
        words = ["bash", ROOT / "slurm" / "workflow.sbatch", self.request, "--out", self.out]
        return self._started([*map(str, words), "--target", "lumi-small", *map(str, options)])

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        """A process whose words go to a file of their own."""
        said = self.folder / f"said-{len(self._heads)}"
        with said.open("wb") as file:
            process = subprocess.Popen(
                # A shell's background job has been told to ignore Ctrl-C.
                ["env", "--default-signal=INT", *command],
                env=self.environment,
                stdout=file,
                stderr=file,
                cwd=self.folder,
            )
        self._heads.append(process)
        return process

    def said(self) -> str:
        """What all head processes said so far."""
        files = [*self.folder.glob("said-*"), *self.folder.glob("lumipipe-*.log")]
        return "".join(file.read_text() for file in sorted(files))

    def held(self, verb: str, ranks: int = 1) -> list[Held]:
        """The ranks of a verb, when all of them wait."""

        def found() -> list[Held]:
            # A rank that ended before it came to its point leaves the others waiting for ever.
            assert self._heads[-1:] == [] or self._heads[-1].poll() is None, self.said()
            return sorted(map(_held, self.asks.glob(f"at-{verb}-*")), key=lambda one: one.rank)

        wait_until(lambda: len(found()) >= ranks, f"{verb} waits", PATIENCE_S)
        return found()

    def waits_for(self, words: str) -> None:
        """Return when a head process has said something."""
        wait_until(lambda: words in self.said(), f"the head process says {words}", PATIENCE_S)

    def break_now(self) -> None:
        """Note the time of the fault."""
        self.fault = time.monotonic()

    def end(self, head: subprocess.Popen[bytes] | None = None) -> int:
        """Exit code of a head process, the last one where none is named."""
        return (head or self._heads[-1]).wait(timeout=PATIENCE_S)

    def end_of_job(self, job: str) -> str:
        """State in which a job has ended."""
        ends = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")
        return self.cluster.wait_for_state(job, *ends, timeout_s=PATIENCE_S)

    def check(self, undisturbed: dict[str, bytes], **jobs: int) -> None:
        """Fail unless the run is finished as if nothing had happened, by so many jobs a verb."""
        seconds = time.monotonic() - self.fault
        assert products(self.out) == undisturbed
        for verb in VERBS:
            ids = submissions(self.out, verb)
            assert len(ids) == jobs.get(verb, 1), (verb, ids, self.said())
            self._check_apart(ids)
        assert self.left() == []
        print(f"from the fault to the finished run: {seconds:.0f} s")

    def left(self) -> list[str]:
        """The jobs of the run that the queue still has."""
        named = self.cluster.ask("squeue", "--noheader", "--format=%j %A %T").splitlines()
        return [job for job in named if job.startswith(run_name(self.out))]

    def _check_apart(self, ids: list[str]) -> None:
        """Fail where two jobs of one verb ran at the same time, by Slurm's own clock."""
        jobs = [self.cluster.job(job) for job in ids]
        # ISO 8601 sorts as text; a job that never ran has "Unknown", after all others.
        for one, following in itertools.pairwise(jobs):
            assert one["EndTime"] <= following["StartTime"], jobs

    def clear(self) -> None:
        """End what the test has left."""
        self.go()
        for head in self._heads:
            with suppress(ProcessLookupError):
                head.kill()
            head.wait()


def undisturbed(folder: Path, write: Callable[..., Path] = monitoring) -> dict[str, bytes]:
    """What the same request comes to on this machine, where nothing goes wrong."""
    request = write(folder, compute=COMPUTE)
    for verb in (*VERBS, "report"):
        said = call(verb, request, "--out", folder / "out")
        assert said.code == 0, said
    return products(folder / "out")


def _held(file: Path) -> Held:
    """The rank that a file of ``held.py`` tells of."""
    *_, job, rank = file.name.split("-")
    process, _, node = file.read_text().partition(" ")
    return Held(job, int(rank), int(process), node)
