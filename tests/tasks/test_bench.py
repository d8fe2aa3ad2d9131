"""Constants are measured in turns, say where they come from, and can be read by the quote."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from command import call, launch, one_line
from conftest import ROOT
from lumipipe.backend import choose_backend
from lumipipe.comm.threads import run_ranks
from lumipipe.machine.measured import load_measured
from lumipipe.tasks import bench_measures, bench_storage
from lumipipe.tasks.bench import QUICK, bench, measured
from lumipipe.tasks.bench_measures import Measure, half_trip
from lumipipe.tasks.bench_start import job_seconds, seconds_since_start, start_seconds
from lumipipe.tasks.bench_storage import Place, prepare_files, storage_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm import Comm

MPIEXEC = Path(sys.executable).with_name("mpiexec")
ALONE = {
    "read_raw_bytes_s",
    "storage_bytes_s",
    "read_store_bytes_s",
    "write_store_bytes_s",
    "flops_s",
    "start_s",
}
TOGETHER = ALONE - {"start_s"} | {"start_mpi_s", "latency_s", "message_bytes_s"}


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often processes were started to measure that; none is."""
    asked: list[int] = []

    def pretend(repeats: int) -> list[float]:
        asked.append(repeats)
        return [3.0, 2.0, 4.0]

    monkeypatch.setattr("lumipipe.tasks.bench.start_seconds", pretend)
    return asked


def benched(folder: Path, ranks: int = 1, name: str = "measured.yaml") -> list[str]:
    """What measuring on threads that play ranks told."""
    lines: list[str] = []
    out = folder / name
    codes = run_ranks(ranks, lambda comm: bench(folder, out, QUICK, lines.append, lambda: comm))
    assert codes == [0] * ranks
    return lines


def test_one_rank(tmp_path: Path, starts: list[int]) -> None:
    lines = benched(tmp_path)
    assert starts == [1]
    assert lines[-1] == f"bench: wrote 6 constants to {tmp_path / 'measured.yaml'}"
    entries = {entry.constant: entry for entry in load_measured(tmp_path, "here")}
    assert entries.keys() == ALONE
    for entry in entries.values():
        assert entry.low is not None
        assert entry.high is not None
        assert 0 < entry.low <= entry.value <= entry.high
        assert (entry.ranks, entry.nodes, entry.partition) == (1, 1, None)
        assert entry.versions["numpy"]
    assert (entries["start_s"].value, entries["start_s"].repeats) == (3.0, 3)
    assert entries["flops_s"].repeats == 2
    assert "1 MiB" in entries["read_raw_bytes_s"].how
    assert [path.name for path in tmp_path.iterdir()] == ["measured.yaml"]


def test_several_ranks(tmp_path: Path, starts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMI_SIZE", "3")
    monkeypatch.setenv("LUMIPIPE_STARTED", str(time.time() - 100))
    lines = benched(tmp_path, 3)
    assert starts == []  # the other ranks would wait
    entries = {entry.constant: entry for entry in load_measured(tmp_path, "here")}
    assert entries.keys() == TOGETHER
    ranks = {name: entry.ranks for name, entry in entries.items()}
    assert {name for name, count in ranks.items() if count == 3} == {
        "storage_bytes_s",
        "flops_s",
        "start_mpi_s",
    }
    assert {name for name, count in ranks.items() if count == 2} == {"latency_s", "message_bytes_s"}
    start = entries["start_mpi_s"]
    assert 100 <= start.value < 200
    assert (start.low, start.high, start.repeats) == (None, None, 1)
    assert "since the launcher was called" in start.how
    assert any(line.startswith("merge tree over 3 ranks, ") for line in lines)
    assert any(line.startswith("fold of 64 columns") for line in lines)


def test_other_places_are_kept(
    tmp_path: Path, starts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "slurm" / "lumi" / "machine.yaml", tmp_path)
    for partition in ("small", "dev-g", "small"):
        monkeypatch.setenv("SLURM_JOB_PARTITION", partition)
        benched(tmp_path)
    entries = load_measured(tmp_path, "lumi")
    places = [(entry.constant, entry.partition) for entry in entries]
    assert len(set(places)) == len(places) == 2 * len(ALONE)
    assert {partition for _, partition in places} == {"small", "dev-g"}
    assert places[-1][1] == "small"  # the last measured is the last in the file


def test_dates_stay_text(tmp_path: Path, starts: list[int]) -> None:
    benched(tmp_path)
    content = yaml.safe_load((tmp_path / "measured.yaml").read_text(encoding="utf-8"))
    assert {type(entry["date"]) for entry in content["measured"]} == {str}
    assert content["machine"] == "here"


def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, starts: list[int]
) -> None:
    told = one_line(call("bench", "--quick", "--out", tmp_path / "other.yaml"))
    assert told.startswith(f"{tmp_path / 'other.yaml'}: the quote looks for measured.yaml; ")
    told = one_line(call("bench", "--quick", "--out", tmp_path / "none" / "measured.yaml"))
    assert told.startswith(f"{tmp_path / 'none' / 'measured.yaml'}: its folder is not there; ")
    shutil.copy(ROOT / "slurm" / "lumi" / "machine.yaml", tmp_path)
    (tmp_path / "measured.yaml").write_text("machine: other\nmeasured: []\n", encoding="utf-8")
    told = one_line(call("bench", "--quick", "--out", tmp_path / "measured.yaml"))
    assert "these are constants of other, not of lumi" in told
    assert starts == []


def test_a_rank_that_fails_is_told_and_nothing_is_written(
    tmp_path: Path, starts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench_storage, "sync", full)
    lines: list[str] = []
    out = tmp_path / "measured.yaml"
    codes = run_ranks(2, lambda comm: bench(tmp_path, out, QUICK, lines.append, lambda: comm))
    assert codes == [1, 1]
    assert lines == ["bench: rank 0 (and 1 more): [Errno 28] No space left on device"]
    assert not list(tmp_path.iterdir())


def on_ranks(size: int, folder: Path, work: Callable[[Place], Any]) -> list[Any]:
    """What `work` gave on threads that play ranks."""
    host = choose_backend("numpy")

    def job(comm: Comm) -> Any:
        return work(Place(comm, folder, 2**16, 0.001, host, None))

    return run_ranks(size, job)


def test_constants_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def run(name: str) -> Callable[[Place], float]:
        def value(place: Place) -> float:
            if place.comm.rank == 0:
                order.append(name)
            place.comm.barrier()
            return float(len(order))

        return value

    measures = (
        Measure("a", run("a"), ""),
        Measure("b", run("b"), ""),
        Measure("c", run("c"), "", 9),
    )
    monkeypatch.setattr("lumipipe.tasks.bench.MEASURES", measures)
    first, _ = on_ranks(2, tmp_path, lambda place: measured(place, 3))
    assert "".join(order) == "ab" * 4  # c needs nine ranks
    assert first == {"a": [3.0, 5.0, 7.0], "b": [4.0, 6.0, 8.0]}  # the first turn is not counted


def test_the_storage_is_as_fast_as_its_slowest_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def seconds(path: Path) -> float:
        read.append(path.name)
        return 1.0 + int(path.name.removeprefix("raw-"))

    monkeypatch.setattr(bench_storage, "_read_cold", seconds)
    rates = on_ranks(4, tmp_path, storage_rate)
    assert rates == [4 * 2**16 / 4.0] * 4
    assert sorted(read) == [f"raw-{rank}" for rank in range(4)]  # each by another than its writer


def test_files_are_as_large_as_they_are_said_to_be(tmp_path: Path) -> None:
    def sizes(place: Place) -> tuple[int, int]:
        prepare_files(place)
        raw = place.raw_file(place.comm.rank).stat().st_size
        return raw, place.layout.shard_rows * place.layout.channels * place.layout.itemsize

    assert on_ranks(2, tmp_path, sizes) == [(2**16, 2**16)] * 2


class _Clock:
    """A clock that only messages move on: each takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        """The time."""
        return self.now


class _Slow:
    """A network that takes time."""

    def __init__(self, comm: Comm, clock: _Clock) -> None:
        self._comm, self._clock = comm, clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._comm, name)

    def receive(self, source: int) -> bytes:
        """The next payload, a second after it was sent."""
        payload = self._comm.receive(source)
        self._clock.now += 1.0
        return payload


def test_half_a_trip_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(bench_measures, "time", clock)
    seconds = run_ranks(3, lambda comm: half_trip(_Slow(comm, clock), 8, 5))
    assert seconds == [1.0] * 3  # of two that a trip there and back takes


def test_seconds_since_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUMIPIPE_STARTED", raising=False)
    first = seconds_since_start()
    time.sleep(0.05)
    assert first > 0
    assert 0.04 < seconds_since_start() - first < 5
    monkeypatch.setenv("LUMIPIPE_STARTED", str(time.time() - 7))
    assert 7 <= seconds_since_start() < 8


@pytest.mark.slow
def test_a_start_is_that_of_a_verb_without_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    # With these a verb would look for the launcher, and end.
    for name in ("PMI_RANK", "PMI_SIZE", "PMI_FD"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv(
        "PYTHONPATH", str(ROOT / "src") + os.pathsep + os.environ.get("PYTHONPATH", "")
    )
    (seconds,) = start_seconds(1)
    assert 0.1 < seconds < 100


@pytest.mark.mpi
def test_ranks_that_mpi_started(tmp_path: Path) -> None:
    words = ("bench", "--quick", "--folder", tmp_path, "--out", tmp_path / "measured.yaml")
    said = launch(*words, before=(MPIEXEC, "-n", 2))
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1].startswith("bench: wrote 8 constants to ")
    assert {entry.constant for entry in load_measured(tmp_path, "here")} == TOGETHER


@pytest.mark.slow
def test_a_job_is_two_starts_of_the_workflow() -> None:
    pytest.importorskip("snakemake")
    (seconds,) = job_seconds(Path(sys.executable), 1)
    assert 0.5 < seconds < 200
