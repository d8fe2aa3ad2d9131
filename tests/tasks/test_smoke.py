"""The smoke test passes where all is well and names the step where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from command import call, environment, launch
from lumipipe.comm import SerialComm
from lumipipe.comm.probe import Answer
from lumipipe.comm.threads import run_ranks
from lumipipe.tasks import smoke_files, smoke_ranks
from lumipipe.tasks.smoke import BROKEN_DEVICE, FAILED, STEPS, smoke
from lumipipe.tasks.smoke_step import Asked
from tasks.fake_device import BROKEN, fake_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm import Comm

MPIEXEC = Path(sys.executable).with_name("mpiexec")
NAMES = [name for name, _ in STEPS]
LIVED = Answer(available=True, reason="it lived")
PASSED = f"smoke: all {len(STEPS)} steps passed"


@dataclass
class Heard:
    """Exit codes of all ranks and the lines that they told."""

    codes: list[int]
    lines: list[str]

    def failed_at(self, name: str, code: int = FAILED) -> str:
        """The problem of the step that failed, which is the last one told."""
        place = f"smoke: FAILED at step {NAMES.index(name) + 1} {name}: "
        assert self.lines[-1].startswith(place), self.lines
        assert set(self.codes) == {code}
        told = [line for line in self.lines if line.startswith("step ")]
        verdicts = [line.rpartition(": ")[2] for line in told]
        assert verdicts == ["passed"] * NAMES.index(name) + ["failed"]
        return self.lines[-1].removeprefix(place)


def heard(
    asked: Asked, ranks: int = 1, wrapped: Callable[[Comm], Any] = lambda comm: comm
) -> Heard:
    """A smoke test on threads that play ranks."""
    lines: list[str] = []
    if ranks > 1 and asked.ranks is None:  # no launcher says how many threads it started
        asked = asked._replace(ranks=ranks)
    codes = run_ranks(ranks, lambda comm: smoke(asked, lines.append, lambda: wrapped(comm)))
    return Heard(codes, lines)


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of MPI, which threads have not."""
    monkeypatch.setattr(smoke_ranks, "library", lambda: "threads")


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that pretends a device for each rank, and what a probe says of it."""

    def pretend(*, alone: Answer = LIVED, **how: Any) -> None:
        monkeypatch.setattr("lumipipe.tasks.smoke.choose_backend", fake_choice(**how))
        monkeypatch.setattr("lumipipe.tasks.smoke.probe_alone", lambda: alone)

    return pretend


@pytest.mark.parametrize("ranks", [1, 3])
def test_all_steps_pass_on_the_host(tmp_path: Path, ranks: int) -> None:
    said = heard(Asked(tmp_path, ranks=ranks), ranks)
    assert (said.codes, said.lines[-1]) == ([0] * ranks, PASSED)
    assert [line for line in said.lines if line.startswith("step ")] == [
        f"step {number} {name}: passed" for number, name in enumerate(NAMES, 1)
    ]
    assert said.lines.count("  no device asked for") == 2
    assert sum(line.startswith("  rank ") for line in said.lines) == ranks
    assert not list(tmp_path.iterdir())


def test_all_steps_pass_on_devices(tmp_path: Path, devices: Callable[..., None]) -> None:
    devices()
    asked = Asked(tmp_path, ranks=4, devices=4, json=tmp_path / "found.json")
    said = heard(asked, 4)
    assert (said.codes, said.lines[-1]) == ([0] * 4, PASSED)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["passed"] is True
    steps = {step["name"]: step for step in found["steps"]}
    assert list(steps) == NAMES
    assert {rank["bus"] for rank in steps["mpi"]["ranks"]} == {f"0000:0{n}:00.0" for n in range(4)}
    assert steps["device"]["devices"][3]["architecture"] == "gfx90a:sramecc+:xnack-"
    assert steps["zarr write"]["bytes"] == 4 * 4096 * 4 * 4
    assert found["versions"]["numpy"]


@pytest.mark.parametrize(("asked", "started"), [(2, 3), (4, 1)])
def test_a_world_of_another_size_fails(tmp_path: Path, asked: int, started: int) -> None:
    problem = heard(Asked(tmp_path, ranks=asked), started).failed_at("mpi")
    assert problem.startswith(f"{asked} rank(s) were asked for, {started} started as one world; ")


@pytest.mark.parametrize("name", ["SLURM_STEP_NUM_TASKS", "PMI_SIZE"])
def test_what_the_launcher_started_must_be_one_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "4")  # as four worlds of one rank would see it
    problem = heard(Asked(tmp_path)).failed_at("mpi")
    assert problem.startswith("4 rank(s) were asked for, 1 started")


def test_two_ranks_on_one_device_fail(tmp_path: Path, devices: Callable[..., None]) -> None:
    devices(bus="0000:c1:00.0")
    problem = heard(Asked(tmp_path, devices=2), 2).failed_at("mpi")
    assert problem.startswith("ranks 0 and 1 on ")
    assert "share device 0000:c1:00.0; start them below slurm/bind.sh" in problem


def test_equal_devices_on_two_nodes_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"host": f"nid{n}", "bus": "c1"} for n in range(2)]
    assert smoke_ranks._shared_device(rows) == ""
    rows.append({"host": "nid1", "bus": "c1"})
    assert smoke_ranks._shared_device(rows).startswith("ranks 1 and 2 on nid1 share device c1;")


@pytest.mark.parametrize(
    ("planned", "ranks", "visible", "told"),
    [
        (8, 8, 1, None),  # each rank is bound to its own
        (8, 2, 1, None),  # two of eight are used
        (8, 1, 8, None),  # not bound
        (8, 1, 2, "8 devices planned, 2 visible"),
        (1, 2, 1, "1 devices planned, 2 visible"),
    ],
)
def test_visible_devices_are_compared_with_the_plan(
    tmp_path: Path,
    devices: Callable[..., None],
    planned: int,
    ranks: int,
    visible: int,
    told: str | None,
) -> None:
    devices(visible=visible)
    said = heard(Asked(tmp_path, devices=planned), ranks)
    if told is None:
        assert said.lines[-1] == PASSED
    else:
        assert said.failed_at("device", BROKEN_DEVICE).endswith(f": {told}")


def test_eight_planned_and_one_visible_is_an_error() -> None:
    rows = [{"node": "nid1", "visible": 1, "bus": "c1"} for _ in range(8)]
    told = smoke_ranks._missing_device(8, "nid1", rows)
    assert told == "nid1: 8 devices planned, 1 visible"


def test_a_broken_fft_is_named_with_a_code_of_its_own(
    tmp_path: Path, devices: Callable[..., None]
) -> None:
    devices(fft=BROKEN)
    problem = heard(Asked(tmp_path, devices=2), 2).failed_at("device", BROKEN_DEVICE)
    assert problem.startswith("rank 0 (and 1 more): FFT: RuntimeError")
    assert "HIPFFT_INTERNAL_ERROR" in problem
    assert BROKEN_DEVICE not in {0, 1, 2, 3, 130}


def test_without_the_library_a_device_job_fails(tmp_path: Path) -> None:
    said = call("smoke", "--folder", tmp_path, "--devices-per-node", 1)
    if "passed" in said.out.splitlines()[-1]:
        pytest.skip("a device answers here")
    assert said.code == BROKEN_DEVICE
    last = said.out.splitlines()[-1]
    assert last.startswith("smoke: FAILED at step 2 device: rank 0: cupy was asked for, but ")


class _Flipping:
    """A network that changes a number of what a rank receives."""

    def __init__(self, comm: Comm) -> None:
        self._comm = comm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._comm, name)

    def receive(self, source: int) -> bytes:
        """The next payload, with a bit of its last number changed."""
        payload = self._comm.receive(source)
        return payload[:-3] + bytes([payload[-3] ^ 1]) + payload[-2:]


def test_a_sum_with_one_wrong_number_fails(tmp_path: Path) -> None:
    problem = heard(Asked(tmp_path), 2, _Flipping).failed_at("staged sum")
    assert problem == "the sum over ranks has other bytes than on one rank"


CRASHED = Answer(available=False, reason="the probe died of SIGSEGV")


@pytest.mark.parametrize(
    ("alone", "ranks", "probed", "told"),
    [
        (CRASHED, 1, None, "not available: the probe died of SIGSEGV"),
        (CRASHED, 2, None, "not available: the probe died of SIGSEGV"),
        (LIVED, 1, None, "available: it lived"),
        (LIVED, 2, None, "not available: ranks together have not"),
        (CRASHED, 2, '{"ranks": 2}', "available: 2 ranks together sent"),
        (CRASHED, 2, '{"ranks": 1}', "not available: "),
        (CRASHED, 2, "", "not available: the ranks that tried it together left no "),
    ],
)
def test_device_memory_in_mpi_fails_only_where_it_is_demanded(
    tmp_path: Path,
    devices: Callable[..., None],
    alone: Answer,
    ranks: int,
    probed: str | None,
    told: str,
) -> None:
    devices(alone=alone)
    file = None if probed is None else tmp_path / "probe"
    if file and probed:
        file.write_text(probed, encoding="utf-8")
    asked = Asked(tmp_path, devices=ranks, probed=file)
    said = heard(asked, ranks)
    assert said.lines[-1] == PASSED
    assert any(line.startswith(f"  {told}") for line in said.lines)
    said = heard(asked._replace(gpu_aware=True), ranks)
    if told.startswith("available"):
        assert said.lines[-1] == PASSED
    else:
        assert said.failed_at("gpu-aware sum").startswith(told)


def test_the_probe_runs_before_mpi_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: Callable[..., None]
) -> None:
    devices()
    order: list[str] = []

    def note(what: str, answer: Any) -> Any:
        order.append(what)
        return answer

    alone = Answer(available=True, reason="")
    monkeypatch.setattr("lumipipe.tasks.smoke.probe_alone", partial(note, "probe", alone))
    asked = Asked(tmp_path, devices=1)
    assert smoke(asked, lambda _: None, partial(note, "MPI", SerialComm())) == 0
    assert order == ["probe", "MPI"]
    smoke(asked._replace(probed=tmp_path / "x"), lambda _: None, partial(note, "MPI", SerialComm()))
    assert order == ["probe", "MPI", "MPI"]


def test_a_changed_shard_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = smoke_files.write_shard

    def wrong(folder: Path, stream: str, first: int, rows: dict) -> None:
        write(folder, stream, first, {name: block + bool(first) for name, block in rows.items()})

    monkeypatch.setattr(smoke_files, "write_shard", wrong)
    problem = heard(Asked(tmp_path), 3).failed_at("zarr write")
    assert problem == "rank 0 (and 1 more): the shard of rank 1 came back changed"
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    problem = heard(Asked(tmp_path / "none"), 2).failed_at("zarr write")
    assert problem.startswith("rank 0: [Errno 2]")
    assert str(tmp_path / "none") in problem


class _AtOnce(threading.Thread):
    """A thread that has ended when it is started."""

    def start(self) -> None:
        """Do the work here."""
        self.run()

    def join(self, timeout: float | None = None) -> None:
        """Return."""


def test_a_rename_in_two_steps_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_files, "Thread", _AtOnce)
    monkeypatch.setattr(smoke_files, "_replace_often", lambda path: path.write_bytes(b"\x07" * 100))
    problem = heard(Asked(tmp_path)).failed_at("file system")
    assert problem == "rank 0: a reader saw a rename of renamed half done"


def test_locks_that_do_not_lock_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke_files.fcntl, "flock", lambda *_: None)
    problem = heard(Asked(tmp_path), 2).failed_at("file system")
    assert problem == "rank 0 got a lock that rank 0 holds"


def test_a_file_system_without_locks_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(smoke_files.fcntl, "flock", missing)
    problem = heard(Asked(tmp_path), 2).failed_at("file system")
    assert problem == "rank 0: [Errno 38] Function not implemented"


def test_a_full_file_system_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = smoke_files.os.statvfs

    class Full:
        def __init__(self, path: Path) -> None:
            self.f_frsize, self.f_bavail, self.f_files = real(path).f_frsize, 5, 100
            self.f_favail = 0

    monkeypatch.setattr(smoke_files.os, "statvfs", Full)
    problem = heard(Asked(tmp_path)).failed_at("file system")
    assert problem == f"nothing is free: {5 * real(tmp_path).f_frsize} bytes, 0 files"


@pytest.mark.mpi
def test_ranks_that_mpi_started(tmp_path: Path) -> None:
    said = launch("smoke", "--folder", tmp_path, "--ranks", 3, before=(MPIEXEC, "-n", 3))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == PASSED
    said = launch("smoke", "--folder", tmp_path, "--ranks", 3, before=(MPIEXEC, "-n", 2))
    assert said.code == FAILED
    assert said.out.splitlines()[-1].startswith(
        "smoke: FAILED at step 1 mpi: 3 rank(s) were asked for, 2 started as one world; "
    )


LOST = """
import sys, time
from pathlib import Path
from lumipipe.tasks.smoke import smoke
from lumipipe.tasks.smoke_step import Asked, Told

def stuck(site):
    if site.comm.rank == 1:
        {does}
    site.comm.barrier()
    return Told([])

def tell(line):
    print(line, flush=True)

sys.exit(smoke(Asked(Path()), tell, steps=(("fine", lambda site: Told([])), ("stuck", stuck)),
               longest_s=2.0))
"""


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("time.sleep(60)", ("rank 0 waited 2 s", "rank 1 waited 2 s")),
        ("raise ValueError('on purpose')", ("rank 1: ValueError('on purpose')",)),
    ],
)
def test_a_rank_that_is_lost_ends_all_and_the_step_is_named(
    does: str, told: tuple[str, ...]
) -> None:
    started = time.monotonic()
    done = subprocess.run(
        [MPIEXEC, "-n", "2", sys.executable, "-c", LOST.format(does=does)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert time.monotonic() - started < 20
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("smoke: ")]
    assert lines
    assert set(lines) <= {f"smoke: FAILED at step 2 stuck: {text}" for text in told}
