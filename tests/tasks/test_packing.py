"""Many small recordings and a few long ones: few batches, one bad file, and only that read again.

The first part is the check of the issue, on real files and with the keys of a real plan.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import lumipipe.store.sharing
import lumipipe.tasks.reading
from command import call
from lumipipe.comm.threads import run_ranks
from lumipipe.errors import InputError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.prepare import prepare
from lumipipe.tasks.request import load_request
from preparing import digest, files, only_pieces, request, run, source, stage_of, write_csv
from small_requests import DROP, activity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lumipipe.tasks.stages import Stage

SHORT, LONG = 1000, 3  # recordings of 1 s and of 10 min, at 100 Hz
BROKEN = "short-0017.csv"
KEPT = "raw files: 1002 of 1003 from an earlier reading, 1 to read in 1 batches"


def write_sines(file: Path, rows: int, number: int) -> None:
    values = np.round(np.sin(np.arange(rows)[:, None] * (0.1, 0.2) + number), 3)
    lines = ["x,y", *(f"{x},{y}" for x, y in values.tolist())]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The request for 1,003 files, of which item 17 is broken."""
    source = {"recordings": DROP, "labels": {"exercise": {"attribute": DROP, "value": "rest"}}}
    changes = {"data": {0: source}, "prepare": {"chunk_bytes": 2**16, "shard_bytes": 2**20}}
    file = activity(tmp_path_factory.mktemp("many"), **changes)
    for path in (file.parent / "raw").iterdir():
        path.unlink()
    for number in range(SHORT):
        write_sines(file.parent / "raw" / f"short-{number:04d}.csv", 100, number)
    for number in range(LONG):
        write_sines(file.parent / "raw" / f"long-{number}.csv", 60_000, number)
    text = file.read_text(encoding="utf-8").replace(
        "shard_bytes", "bad_recordings: leave_out\n  shard_bytes"
    )
    file.write_text(text, encoding="utf-8")
    return file


def break_one(many: Path) -> None:
    (many.parent / "raw" / BROKEN).write_text("x,y\n0.5,inf\n", encoding="utf-8")


def mend_one(many: Path) -> None:
    write_sines(many.parent / "raw" / BROKEN, 100, 17)


def stage(many: Path, out: Path) -> Stage:
    return plan_run(load_request(many), out, lambda _: None)["prepare"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read."""
    found: list[str] = []
    read = lumipipe.tasks.reading.usable_recordings

    def counted(source: Any, file: Path, *more: Any) -> Any:
        found.append(file.name)
        return read(source, file, *more)

    monkeypatch.setattr(lumipipe.tasks.reading, "usable_recordings", counted)
    return found


@pytest.fixture(scope="module")
def whole(many: Path) -> str:
    """The digest of the dataset of a run for which no file was ever broken."""
    mend_one(many)
    out = many.parent / "whole"
    assert call("prepare", many, "--out", out).code == 0
    return read_manifest(stage(many, out).manifest, checksums=True).digest


@pytest.mark.slow
def test_the_second_run_reads_the_mended_file_alone(
    many: Path, whole: str, reads: list[str], tmp_path: Path
) -> None:
    break_one(many)
    said = call("prepare", many, "--out", tmp_path)
    assert (said.code, said.err) == (3, "")
    assert len(reads) == SHORT + LONG
    assert "raw files: 0 of 1003 from an earlier reading, 1003 to read in" in said.out
    broken = read_manifest(stage(many, tmp_path).manifest)
    assert [item["file"] for item in broken.record["left_out"]] == [BROKEN]
    assert broken.record["recordings"] == SHORT + LONG - 1
    assert len(open_dataset(stage(many, tmp_path).manifest).recordings) == SHORT + LONG - 1
    pieces = list((tmp_path / "prepare" / ".pieces").iterdir())
    assert len(pieces) < 64
    kept = re.search(r"^kept: ([0-9.]+) MB in \S+/prepare/.pieces, so that", said.out, re.MULTILINE)
    assert kept is not None
    # 279,900 rows of two numbers in 8 bytes, and what is known of each recording.
    assert 4.4 < float(kept[1]) < 9

    reads.clear()
    said = call("prepare", many, "--out", tmp_path)  # nothing changed: nothing is tried again
    assert (said.code, reads) == (3, [])
    assert "nothing to do" in said.out

    mend_one(many)
    for file in (many.parent / "raw").iterdir():
        os.utime(file, (1, 1))  # time stamps decide nothing
    said = call("prepare", many, "--out", tmp_path)
    assert (said.code, said.err) == (0, "")
    assert reads == [BROKEN]
    assert KEPT in said.out
    assert read_manifest(stage(many, tmp_path).manifest, checksums=True).digest == whole
    assert not (tmp_path / "prepare" / ".pieces").exists()


@pytest.mark.slow
def test_ranks_share_what_is_kept(many: Path, whole: str, reads: list[str], tmp_path: Path) -> None:
    log: list[str] = []
    loaded = load_request(many)
    for change, left_out in ((break_one, 1), (mend_one, 0)):
        change(many)
        reads.clear()
        planned = stage(many, tmp_path)
        found = run_ranks(
            2,
            lambda comm: prepare(loaded.request, loaded.base, planned, comm, log.append),  # noqa: B023
        )
        assert found == [left_out] * 2
    assert reads == [BROKEN]
    assert KEPT in log
    manifest = read_manifest(stage(many, tmp_path).manifest, checksums=True)
    assert manifest.digest == whole
    assert manifest.run["parallelism"]["read"]["workers"] == 2  # one of each rank


# What is kept, on few files.


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Six files, of which the third is broken."""
    for number in range(6):
        write_csv(tmp_path / "base/raw" / f"r{number}.csv", 40 + 30 * number, number)
    (tmp_path / "base/raw/r2.csv").write_text("x,y\ninf,4\n")
    return tmp_path / "base"


def test_a_file_that_cannot_be_read_is_no_bad_recording(
    base: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = lumipipe.tasks.reading.usable_recordings

    def fail_once(source: Any, file: Path, *more: Any) -> Any:
        if file.name == "r4.csv":
            raise OSError(5, "Input/output error")
        return read(source, file, *more)

    out, asked = tmp_path / "out", request(bad_recordings="leave_out")
    with monkeypatch.context() as broken:
        broken.setattr(lumipipe.tasks.reading, "usable_recordings", fail_once)
        with pytest.raises(InputError, match=r"r4\.csv: cannot be read \(Input/output error\); r"):
            run(asked, base, out)
    assert only_pieces(out)
    log: list[str] = []
    assert run(asked, base, out, log=log.append) == 1
    # The bad recording is tried again as well: what failed is never taken for known.
    assert log[0].startswith("raw files: 4 of 6 from an earlier reading, 2 to read")


def test_other_settings_of_reading_read_all_again(
    base: Path, reads: list[str], tmp_path: Path
) -> None:
    asked = request(bad_recordings="leave_out")
    run(asked, base, tmp_path / "out", key="one")
    before = set((tmp_path / "out/prepare/.pieces").iterdir())
    reads.clear()
    # Sizes of the dataset are no part of reading; the number type is.
    run(request(bad_recordings="leave_out", shard_bytes=8192), base, tmp_path / "out", key="two")
    assert reads == ["r2.csv"]
    reads.clear()
    other = request(bad_recordings="leave_out", dtype="float32")
    run(other, base, tmp_path / "out", key="three")
    assert len(reads) == 6
    assert not before & set((tmp_path / "out/prepare/.pieces").iterdir())


def test_one_more_source_reads_that_source_alone(
    base: Path, reads: list[str], tmp_path: Path
) -> None:
    (base / "raw/r2.csv").unlink()
    write_csv(base / "more/s0.csv", 20, 9)
    (base / "more/s1.csv").write_text("x,y\ninf,4\n")
    both = [source(), source("more", "more/*.csv")]
    with pytest.raises(InputError, match=r"s1\.csv"):
        run(request(*both), base, tmp_path / "out")
    reads.clear()
    write_csv(base / "more/s1.csv", 20, 10)
    run(request(*both), base, tmp_path / "out")
    assert reads == ["s1.csv"]


def test_names_of_labels_that_are_gone_leave_no_trace(base: Path, tmp_path: Path) -> None:
    def write(name: str, *labels: str) -> None:
        rows = [f"{n},{n},{label}" for n, label in enumerate(labels * 5)]
        (base / "raw" / f"{name}.csv").write_text("\n".join(["x,y,doing", *rows]) + "\n")

    labels = {"doing": {"column": "doing", "meaning": "seen"}}
    asked = request(source(labels=labels), bad_recordings="leave_out", shard_bytes=2**20)
    for number in range(6):
        write(f"r{number}", "walk", "rest")
    write("r3", "aquaplaning", "walk")
    (base / "raw/r2.csv").write_text("x,y,doing\ninf,4,walk\n")
    log: list[str] = []
    run(asked, base, tmp_path / "out", key="one")
    write("r2", "walk", "")
    write("r3", "rest", "walk")
    run(asked, base, tmp_path / "out", log=log.append, key="two")
    assert log[0].startswith("raw files: 4 of 6 from an earlier reading, 2 to read in 1 ")
    run(asked, base, tmp_path / "fresh")
    assert files(tmp_path / "out", "two") == files(tmp_path / "fresh")
    (stream,) = read_manifest(stage_of(tmp_path / "out", "two").manifest).record["streams"].values()
    assert stream["labels"] == {"doing": ["rest", "walk"]}


def test_a_grid_uses_what_was_brought_to_it(base: Path, reads: list[str], tmp_path: Path) -> None:
    for name, rows, rate_hz in (("fast", 101, 100), ("slow", 11, 10)):
        for recording in "abc":
            column = "x" if name == "fast" else "y"
            lines = [f"time,{column}", *(f"{k / rate_hz:.2f},{k}" for k in range(rows))]
            file = base / name / f"{recording}.csv"
            file.parent.mkdir(exist_ok=True)
            file.write_text("\n".join(lines) + "\n")
    time_column = {"kind": "column", "column": "time", "unit": "s"}
    sources = [
        source(
            name,
            f"{name}/*.csv",
            stream=name,
            time=time_column,
            channels=[{"name": channel, "quantity": "count", "unit": "1"}],
        )
        for name, channel in (("fast", "x"), ("slow", "y"))
    ]
    grid = {"rate_hz": 10, "longest_gap_s": 0.5}
    asked = request(*sources, grid=grid, bad_recordings="leave_out")
    good = (base / "slow/b.csv").read_text()
    (base / "slow/b.csv").write_text("time,y\n0.0,inf\n")
    # Its file is bad, and so the recording lacks a channel on the grid: one cause, two entries.
    assert run(asked, base, tmp_path / "out", key="one") == 2
    reads.clear()
    (base / "slow/b.csv").write_text(good)
    log: list[str] = []
    assert run(asked, base, tmp_path / "out", log=log.append, key="two") == 0
    assert reads == ["b.csv"]
    assert log[0] == "raw files: 5 of 6 from an earlier reading, 1 to read in 1 batches"
    told = "recordings for the grid: 2 of 3 from an earlier reading, 1 to read in 1 batches"
    assert told in log
    run(asked, base, tmp_path / "fresh")
    assert files(tmp_path / "out", "two") == files(tmp_path / "fresh")


# Achieved parallelism. The seconds are those that the issue sets.


@pytest.fixture
def slow_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., dict[str, float]]]:
    """A function that reads eight files of 0.5 s each and gives what the run recorded."""
    for number in range(8):
        write_csv(tmp_path / "raw" / f"r{number}.csv", 5, number)
    read = lumipipe.tasks.reading.usable_recordings

    def slow(*arguments: Any) -> Any:
        time.sleep(0.5)
        return read(*arguments)

    monkeypatch.setattr(lumipipe.tasks.reading, "usable_recordings", slow)
    monkeypatch.setattr(lumipipe.store.sharing, "_own_cores", lambda: list(range(4)))

    def measured(ranks: int, workers: int) -> dict[str, float]:
        asked, out = request(workers=workers, shard_bytes=2**20), tmp_path / "out"
        run_ranks(ranks, lambda comm: run(asked, tmp_path, out, comm))
        found: dict[str, float] = read_manifest(stage_of(out).manifest).run["parallelism"]["read"]
        return found

    yield measured
    assert digest(tmp_path / "out")


@pytest.mark.parametrize(("ranks", "workers"), [(1, 4), (2, 2)])
def test_eight_slow_files_keep_four_workers_busy(
    slow_files: Callable[..., dict[str, float]], ranks: int, workers: int
) -> None:
    # So small that their estimated cost puts them into one batch a rank.
    found = slow_files(ranks, workers)
    assert found["wall_s"] < 2
    assert found["efficiency"] > 0.5
    assert found["busy_s"] >= 4
    assert found["cpu_s"] < 2  # they slept
    assert (found["workers"], found["cores"]) == (4, 4)


def test_one_worker_on_four_cores_shows_in_the_record(
    slow_files: Callable[..., dict[str, float]],
) -> None:
    found = slow_files(1, 1)
    assert found["wall_s"] >= 4
    assert found["efficiency"] <= 0.25
    assert (found["workers"], found["cores"]) == (1, 4)
