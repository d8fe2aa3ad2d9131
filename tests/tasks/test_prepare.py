from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lumipipe.comm.threads import run_ranks
from lumipipe.errors import InputError, RecordingError, StoreError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from preparing import digest, only_pieces, request, run, source, stage_of, write_csv


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Thirty files of unlike length below a folder that no test may touch."""
    base = tmp_path_factory.mktemp("base")
    for number in range(30):
        write_csv(base / "raw" / f"r{number:02d}.csv", 1 + 37 * number % 300, number)
    return base


@pytest.fixture
def own(raw, tmp_path) -> Path:
    """A copy of the thirty files."""
    shutil.copytree(raw, tmp_path / "base")
    return tmp_path / "base"


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """What the undisturbed run logged."""
    return []


@pytest.fixture(scope="module")
def whole(raw, lines, tmp_path_factory) -> Path:
    """The output of one undisturbed run, which no test may touch."""
    out = tmp_path_factory.mktemp("whole")
    assert run(request(), raw, out, log=lines.append) == 0
    return out


@pytest.fixture
def again(whole, tmp_path) -> Path:
    """A copy of that output."""
    shutil.copytree(whole, tmp_path / "again")
    return tmp_path / "again"


def test_files_become_recordings_in_the_order_of_their_names(whole, lines, tmp_path):
    dataset = open_dataset(stage_of(whole).manifest, checksums=True)
    stream = dataset.streams["main"]
    assert [row.id for row in dataset.recordings] == [f"r{n:02d}" for n in range(30)]
    for number in (0, 7, 29):
        first, rows = int(stream.first_row[number]), int(stream.rows[number])
        expected = write_csv(tmp_path / "again.csv", rows, number)
        np.testing.assert_array_equal(stream.read_rows(first, first + rows), expected)
    assert stream.channels[0].unit == "m/s2"
    assert {path.name for path in (whole / "prepare").iterdir()} == {"key.json", "key.zarr"}
    assert any("planned: " in line for line in lines)
    assert any("shard 1 of" in line for line in lines)


def test_the_record_says_what_was_done(whole, raw):
    manifest = read_manifest(stage_of(whole).manifest)
    record = manifest.record
    assert record["recordings"] == 30
    assert record["streams"]["main"]["rows"] == sum(1 + 37 * n % 300 for n in range(30))
    assert record["files_planned"] == len(manifest.files)
    assert len(record["inputs"]["log"]) == 30
    assert record["ingredients"] == {"code": "digest"}
    assert record["left_out"] == []
    assert str(raw) not in json.dumps(record)


def test_tiny_files_share_a_piece(whole, lines):
    batches = next(line for line in lines if "raw files" in line)
    assert 1 < int(batches.rsplit(" in ", 1)[1].split()[0]) < 30


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_change_no_byte(raw, whole, tmp_path, ranks):
    found = run_ranks(ranks, lambda comm: run(request(), raw, tmp_path, comm))
    assert found == [0] * ranks
    assert digest(tmp_path) == digest(whole)


def test_workers_change_no_byte(raw, whole, tmp_path):
    run(request(workers=4), raw, tmp_path)
    assert digest(tmp_path) == digest(whole)


def test_the_order_of_sources_changes_no_file(raw, tmp_path):
    halves = [source("a", "raw/r[01]*.csv"), source("b", "raw/r2*.csv")]
    run(request(*halves), raw, tmp_path / "ab")
    run(request(*halves[::-1]), raw, tmp_path / "ba")
    files = [read_manifest(stage_of(tmp_path / name).manifest).files for name in ("ab", "ba")]
    assert files[0] == files[1]


def test_time_stamps_of_files_change_no_byte(own, whole, tmp_path):
    for file in own.rglob("*.csv"):
        os.utime(file, (1, 1))
    run(request(), own, tmp_path / "out")
    assert digest(tmp_path / "out") == digest(whole)


def test_a_second_run_does_nothing(raw, again):
    before = stage_of(again).manifest.read_bytes()
    (again / "prepare/.key.staging").mkdir()
    log: list[str] = []
    run(request(), raw, again, log=log.append)
    assert stage_of(again).manifest.read_bytes() == before
    assert log == ["key.json: is published already; nothing to do"]
    assert {path.name for path in (again / "prepare").iterdir()} == {"key.json", "key.zarr"}


def test_a_damaged_dataset_is_built_again(raw, whole, again):
    (again / "prepare/key.zarr/streams/main/value/c.0.0").unlink()
    run(request(), raw, again)
    assert digest(again) == digest(whole)


# One process is started and its children are killed: importing takes longest.
KILLED = """
import os, signal, sys
from pathlib import Path
base, out, tests, *path = sys.argv[1:]
sys.path[:] = [tests, *path]
from preparing import request, run
from tasks.test_prepare import PLACES
for number, place in enumerate(PLACES):
    def log(line):
        if line.startswith(place):
            os.kill(os.getpid(), signal.SIGKILL)
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
    else:
        run(request(workers=1), Path(base), Path(out) / str(number), log=log)
        os._exit(0)
"""
# About 10 %, 50 % and 99 % of the way.
PLACES = ("piece 2 of", "shard 5 of", "key.zarr: ")


@pytest.mark.slow
def test_a_killed_run_is_finished_by_the_next(raw, whole, tmp_path):
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, str(raw), str(tmp_path), tests, *sys.path]
    subprocess.run(command, check=True)
    for number in range(len(PLACES)):
        out = tmp_path / str(number)
        assert not stage_of(out).manifest.exists()
        with pytest.raises(StoreError, match="no manifest"):
            open_dataset(stage_of(out).manifest)
        log: list[str] = []
        run(request(), raw, out, log=log.append)
        assert any("left by a killed run" in line for line in log)
        assert digest(out) == digest(whole)
        assert {path.name for path in (out / "prepare").iterdir()} == {"key.json", "key.zarr"}


def test_a_run_killed_between_the_last_two_steps_is_finished(raw, whole, again):
    stage_of(again).manifest.unlink()
    log: list[str] = []
    run(request(), raw, again, log=log.append)
    assert any("without a manifest" in line for line in log)
    assert digest(again) == digest(whole)


def test_a_cut_piece_is_read_again(raw, whole, tmp_path):
    def stop(line: str) -> None:
        if line.startswith("planned"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(request(), raw, tmp_path, log=stop)
    piece = next((tmp_path / "prepare/.pieces").glob("raw-*/main.value.npy"))
    piece.write_bytes(piece.read_bytes()[:-8])
    log: list[str] = []
    run(request(), raw, tmp_path, log=log.append)
    assert re.match(r"raw files: 2\d of 30 from an earlier reading, [1-9] to read in 1 b", log[1])
    assert digest(tmp_path) == digest(whole)


@pytest.mark.parametrize("ranks", [1, 3])
def test_the_first_bad_recording_stops_the_run_and_all_are_told(own, whole, tmp_path, ranks):
    good = {name: (own / f"raw/{name}.csv").read_text() for name in ("r21", "r04")}
    for name in good:
        (own / f"raw/{name}.csv").write_text("x,y\n1,2\ninf,4\n")
    log: list[str] = []
    with pytest.raises(RecordingError, match=r"raw/r04\.csv:3"):
        run_ranks(ranks, lambda comm: run(request(), own, tmp_path / "out", comm, log.append))
    assert only_pieces(tmp_path / "out")
    told = [line.split(": ")[1] for line in log if line.startswith("cannot be used either")]
    assert told == ["raw/r21.csv:3"]
    for name, text in good.items():
        (own / f"raw/{name}.csv").write_text(text)
    run(request(), own, tmp_path / "out", log=log.append)
    assert "raw files: 28 of 30 from an earlier reading, 2 to read in 2 batches" in log
    assert digest(tmp_path / "out") == digest(whole)
    assert not (tmp_path / "out/prepare/.pieces").exists()


@pytest.mark.parametrize("ranks", [1, 2])
def test_bad_recordings_are_listed_where_that_is_asked_for(own, tmp_path, ranks):
    for name in ("r21", "r04"):
        (own / f"raw/{name}.csv").write_text("x,y\n1,2\ninf,4\n")
    asked = request(bad_recordings="leave_out")
    assert run_ranks(ranks, lambda comm: run(asked, own, tmp_path / "out", comm)) == [2] * ranks
    manifest = read_manifest(stage_of(tmp_path / "out").manifest)
    left_out = manifest.record["left_out"]
    assert [item["file"] for item in left_out] == ["r04.csv", "r21.csv"]
    assert all(item["reason"] for item in left_out)
    assert str(own) not in json.dumps(left_out)
    assert len(open_dataset(stage_of(tmp_path / "out").manifest).recordings) == 28
    assert len(manifest.record["inputs"]["log"]) == 30
    assert run(asked, own, tmp_path / "out") == 2  # the second time it is read from the manifest


def test_no_usable_recording_is_an_error(tmp_path):
    write_csv(tmp_path / "raw/a.csv", 3)
    (tmp_path / "raw/a.csv").write_text("x,y\ninf,1\n")
    with pytest.raises(InputError, match="no recording can be used"):
        run(request(bad_recordings="leave_out"), tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_wrong_request_is_refused_even_if_recordings_may_be_left_out(raw, tmp_path):
    asked = source()
    asked["channels"][0]["column"] = "z"
    with pytest.raises(InputError, match="z") as caught:
        run(request(asked, bad_recordings="leave_out"), raw, tmp_path / "out")
    assert not isinstance(caught.value, RecordingError)
    assert not (tmp_path / "out").exists()


def test_one_identity_twice_names_both_files(raw, tmp_path):
    asked = source(recordings={"pattern": r"(?P<one>r0)\d", "id": "{one}"}, source="raw/r0*.csv")
    with pytest.raises(InputError, match=r"r00\.csv and r01\.csv.*recording r0 of stream main"):
        run(request(asked), raw, tmp_path / "out")
    assert only_pieces(tmp_path / "out")


def test_unlike_channels_of_one_stream_are_refused(raw, tmp_path):
    other = source("b", "raw/r2*.csv")
    other["channels"] = other["channels"][:1]
    with pytest.raises(InputError, match="source b: its channels differ from those of source a"):
        run(request(source("a", "raw/r1*.csv"), other), raw, tmp_path / "out")


def test_sensors_of_one_stream_may_differ(raw, tmp_path):
    other = source("b", "raw/r2*.csv")
    other["channels"][0]["sensor"] = "S2"
    run(request(source("a", "raw/r1*.csv"), other), raw, tmp_path)
    x, y = open_dataset(stage_of(tmp_path).manifest).streams["main"].channels
    assert (x.sensor, y.sensor) == ("not characterised; S2", "not characterised")


def two_streams(base: Path) -> list[dict[str, Any]]:
    write_csv(base / "fast/a.csv", 101, 1, "x,y")
    write_csv(base / "slow/a.csv", 11, 2, "t")
    slow = source(
        "slow",
        "slow/*.csv",
        stream="slow",
        time={"kind": "regular", "rate_hz": 10},
        channels=[{"name": "t", "quantity": "temperature", "unit": "degC"}],
    )
    return [source("fast", "fast/*.csv", stream="fast"), slow]


def test_streams_of_one_recording_are_joined(tmp_path):
    run(request(*two_streams(tmp_path)), tmp_path, tmp_path / "out")
    dataset = open_dataset(stage_of(tmp_path / "out").manifest)
    (row,) = dataset.recordings
    assert (row.id, row.source) == ("a", "fast slow")
    assert {name: stream.row_count for name, stream in dataset.streams.items()} == {
        "fast": 101,
        "slow": 11,
    }


def stamped(base: Path, *columns: str) -> list[dict[str, Any]]:
    """Two streams with time stamps each, of recordings a and b."""
    sources = []
    for name, rows, step in (("fast", 101, 0.01), ("slow", 11, 0.1)):
        for recording in ("a", "b"):
            column = "x" if name == "fast" else "t"
            lines = [f"time,{column}", *(f"{k * step:.2f},{k}" for k in range(rows))]
            file = base / name / f"{recording}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(lines) + "\n")
        sources.append(
            source(
                name,
                f"{name}/*.csv",
                stream=name,
                time={"kind": "column", "column": "time", "unit": "s"},
                channels=[{"name": column, "quantity": "count", "unit": "1"}],
            )
        )
    return sources


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_grid_brings_streams_together(tmp_path, ranks):
    asked = request(*stamped(tmp_path), grid={"rate_hz": 10, "longest_gap_s": 0.5})
    run_ranks(ranks, lambda comm: run(asked, tmp_path, tmp_path / "out", comm))
    dataset = open_dataset(stage_of(tmp_path / "out").manifest)
    assert set(dataset.manifest.record["inputs"]) == {"fast", "slow"}
    assert [row.id for row in dataset.recordings] == ["a", "b"]
    stream = dataset.streams["main"]
    assert [channel.name for channel in stream.channels] == ["x", "t"]
    assert stream.rows.tolist() == [11, 11]
    inner = stream.read_rows(2, 9)
    np.testing.assert_allclose(inner[:, 1], np.arange(2, 9), atol=1e-6)
    assert set(read_manifest(stage_of(tmp_path / "out").manifest).record["inputs"]) == {
        "fast",
        "slow",
    }


def test_a_recording_that_lacks_a_stream_of_the_grid_is_bad(tmp_path):
    sources = stamped(tmp_path)
    (tmp_path / "slow/b.csv").unlink()
    grid = {"rate_hz": 10, "longest_gap_s": 0.5}
    with pytest.raises(RecordingError, match=r"recording b.*no file gives it t"):
        run(request(*sources, grid=grid), tmp_path, tmp_path / "no")
    asked = request(*sources, grid=grid, bad_recordings="leave_out")
    assert run(asked, tmp_path, tmp_path / "yes") == 1
    (item,) = read_manifest(stage_of(tmp_path / "yes").manifest).record["left_out"]
    assert item["id"] == "b"


def test_more_files_than_allowed_are_refused_before_the_first(raw, tmp_path):
    with pytest.raises(InputError, match=r"would have \d+ files, 50 are allowed"):
        run(request(most_files=50), raw, tmp_path / "out")
    assert only_pieces(tmp_path / "out")
    log: list[str] = []
    run(request(most_files=500), raw, tmp_path / "out", log=log.append)
    assert "raw files: 30 of 30 from an earlier reading, 0 to read in 0 batches" in log


def test_names_in_other_scripts_are_kept_and_reported(tmp_path):
    for number, name in enumerate(["\u00e4", "a\u0308", "\u00df", "\U0001f3bf", "n" * 200]):
        write_csv(tmp_path / f"raw/{name}.csv", 2, number)
    log: list[str] = []
    run(request(), tmp_path, tmp_path / "out", log=log.append)
    found = open_dataset(stage_of(tmp_path / "out").manifest)
    assert {row.id for row in found.recordings} == {"ä", "a\u0308", "ß", "\U0001f3bf", "n" * 200}
    assert any("unit ä is spelled in 2 ways" in line for line in log)
    assert len(found.manifest.record["notes"]) == 2


def test_a_large_level_in_float32_keeps_its_spread(tmp_path):
    # NIST StRD, NumAcc4: mean 10000000.2, standard deviation exactly 0.1.
    series = ["10000000.2", *["10000000.1", "10000000.3"] * 500]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/numacc4.csv").write_text("\n".join(["x", *series]) + "\n")
    channel = {
        "name": "x",
        "quantity": "count",
        "unit": "1",
        "range": [9999999, 10000001],
        "resolution": 0.1,
    }
    run(request(source(channels=[channel]), dtype="float32"), tmp_path, tmp_path / "out")
    dataset = open_dataset(stage_of(tmp_path / "out").manifest)
    assert dataset.manifest.record["streams"]["main"]["dtype"] == "float32"
    stream = dataset.streams["main"]
    assert abs(np.std(stream.read_rows(0, 1001), ddof=1) / 0.1 - 1) < 1e-6
