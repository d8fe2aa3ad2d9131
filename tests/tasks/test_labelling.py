"""Tables that hold many recordings, and labels that stand in files of their own, in datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from command import call
from lumipipe.comm.threads import run_ranks
from lumipipe.errors import InputError, RecordingError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.plan import plan_run
from lumipipe.tasks.request import load_request
from preparing import digest, files, request, run, source, stage_of, write_csv
from small_requests import change, fleet

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.store.dataset import Dataset

UNITS = 12
ORDER = {"file": "told.csv", "meaning": "m"}
KEYED = {"file": "told.csv", "by": "pump", "column": "left", "meaning": "m"}


def write_fleet(base: Path, bad: int | None = None) -> None:
    """The rows of some recordings, each in a file of its own and all in one table."""
    lines = ["pump,x,y"]
    for unit in range(UNITS):
        write_csv(base / f"apart/{unit}.csv", 3 + 50 * unit % 70, unit)
        rows = (base / f"apart/{unit}.csv").read_text().splitlines()[1:]
        lines += [f"{unit},{row if unit != bad else '1e9,0'}" for row in rows]
    (base / "raw").mkdir(exist_ok=True)
    (base / "raw/fleet.csv").write_text("\n".join(lines) + "\n")
    told = [f"{unit},{100 - unit}" for unit in reversed(range(UNITS))]
    (base / "keyed.csv").write_text("\n".join(["pump,left", *told]) + "\n")
    (base / "told.csv").write_text("".join(f"{100 - unit}\n" for unit in range(UNITS)))


def one(**more: object) -> dict[str, Any]:
    """The source with all recordings in one table."""
    keys: dict[str, Any] = {"recordings": {"column": "pump"}, "read": {"delimiter": ","}}
    return source(**(keys | more))


def opened(out: Path) -> Dataset:
    return open_dataset(stage_of(out).manifest, checksums=True)


def labels(out: Path) -> dict[str, str]:
    return {row.id: row.labels["left"] for row in opened(out).recordings}


EXPECTED = {str(unit): str(100 - unit) for unit in range(UNITS)}


def test_one_table_gives_what_a_file_for_each_recording_gives(tmp_path: Path) -> None:
    write_fleet(tmp_path)
    run(request(one()), tmp_path, tmp_path / "one")
    run(request(source(pattern="apart/*.csv")), tmp_path, tmp_path / "apart")
    one_, apart = opened(tmp_path / "one"), opened(tmp_path / "apart")
    assert [(row.id, row.unit) for row in one_.recordings] == [
        (row.id, row.unit) for row in apart.recordings
    ]
    assert {row.file for row in one_.recordings} == {"fleet.csv"}
    found, expected = one_.streams["main"], apart.streams["main"]
    assert found.rows.tolist() == expected.rows.tolist()
    total = int(found.rows.sum())
    np.testing.assert_array_equal(found.read_rows(0, total), expected.read_rows(0, total))


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_change_no_byte(tmp_path: Path, ranks: int) -> None:
    write_fleet(tmp_path)
    asked = request(one(labels={"left": ORDER}))
    run(asked, tmp_path, tmp_path / "one")
    run_ranks(ranks, lambda comm: run(asked, tmp_path, tmp_path / "many", comm))
    assert digest(tmp_path / "many") == digest(tmp_path / "one")


def test_labels_in_order_or_by_name_are_those_of_the_recordings(tmp_path: Path) -> None:
    write_fleet(tmp_path)
    keyed = KEYED | {"file": "keyed.csv"}
    for name, label in (("order", ORDER), ("keyed", keyed)):
        run(request(one(labels={"left": label})), tmp_path, tmp_path / name)
        # Text sorts 10 before 2; the order in which labels are told is that of the file.
        assert labels(tmp_path / name) == EXPECTED
    inputs = opened(tmp_path / "keyed").manifest.record["inputs"]["log"]
    assert sorted(inputs) == ["fleet.csv", "keyed.csv"]
    assert {len(sha256) for sha256 in inputs.values()} == {64}


def test_labels_of_files_go_by_the_order_of_files(tmp_path: Path) -> None:
    for number in range(3):
        write_csv(tmp_path / f"raw/r{number}.csv", 5, number)
    (tmp_path / "told.csv").write_text("a\nb\nc\n")
    run(request(source(labels={"left": ORDER})), tmp_path, tmp_path / "out")
    assert labels(tmp_path / "out") == {"r0": "a", "r1": "b", "r2": "c"}


def test_labels_reach_recordings_on_a_grid(tmp_path: Path) -> None:
    rows = [f"{t},{t},{pump}" for pump in "ab" for t in range(5)]
    (tmp_path / "fast.csv").write_text("\n".join(["t,x,pump", *rows]) + "\n")
    (tmp_path / "slow.csv").write_text("\n".join(["t,y,pump", *rows]) + "\n")
    (tmp_path / "told.csv").write_text("left,pump\n1,b\n2,a\n")
    stamps = {"kind": "column", "column": "t", "unit": "s"}
    sources = [
        one(
            name=name,
            pattern=f"{name}.csv",
            stream=name,
            time=stamps,
            channels=[{"name": channel, "quantity": "count", "unit": "1"}],
            labels={"left": KEYED} if name == "slow" else {},
        )
        for name, channel in (("fast", "x"), ("slow", "y"))
    ]
    asked = request(*sources, grid={"rate_hz": 2, "longest_gap_s": 2})
    run(asked, tmp_path, tmp_path / "out")
    assert labels(tmp_path / "out") == {"a": "2", "b": "1"}


def test_a_bad_recording_leaves_the_others_of_its_file(tmp_path: Path) -> None:
    write_fleet(tmp_path, bad=4)
    channels = [
        {"name": name, "quantity": "acceleration", "unit": "m/s2", "range": [-999, 999]}
        for name in "xy"
    ]
    told = {"left": KEYED | {"file": "keyed.csv"}}
    plain = one(channels=channels, labels=told)
    with pytest.raises(RecordingError, match=r"fleet\.csv#4: channel x: line \d+ has 1000000000"):
        run(request(plain), tmp_path, tmp_path / "no")
    lenient = request(plain, bad_recordings="leave_out")
    assert run(lenient, tmp_path, tmp_path / "out") == 1
    (item,) = read_manifest(stage_of(tmp_path / "out").manifest).record["left_out"]
    assert (item["id"], item["file"]) == ("4", "fleet.csv")
    # A row about the one that was left out is no mistake.
    assert labels(tmp_path / "out") == {unit: EXPECTED[unit] for unit in EXPECTED if unit != "4"}
    # What was read in part is read again, until it is whole.
    log: list[str] = []
    run(lenient, tmp_path, tmp_path / "out", log=log.append, key="again")
    assert "raw files: 0 of 1 from an earlier reading, 1 to read in 1 batches" in log
    assert set(files(tmp_path / "out", "again").values()) == set(files(tmp_path / "out").values())
    write_fleet(tmp_path)
    assert run(lenient, tmp_path, tmp_path / "out", key="mended") == 0
    ordered = request(one(channels=channels, labels={"left": ORDER}), bad_recordings="leave_out")
    assert run(ordered, tmp_path, tmp_path / "ordered") == 0
    write_fleet(tmp_path, bad=4)
    with pytest.raises(InputError, match="goes by the order of recordings, but 4 cannot be used"):
        run(ordered, tmp_path, tmp_path / "ordered", key="bad")


def test_labels_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "raw/a.csv", 5)
    (tmp_path / "told.csv").write_text("left\n")
    (tmp_path / "other.csv").write_text("right\n")

    def both(one_: dict[str, str], other: dict[str, str]) -> Any:
        streams = [("s", {"left": one_}), ("t", {"left": other})]
        return request(*(source(name, stream=name, labels=label) for name, label in streams))

    run(both(ORDER, ORDER), tmp_path, tmp_path / "same")
    assert labels(tmp_path / "same") == {"a": "left"}
    with pytest.raises(InputError, match="source t: label left: is left and right for recording a"):
        run(both(ORDER, ORDER | {"file": "other.csv"}), tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="label left of recording a is right and left"):
        run(both(ORDER, {"value": "right", "meaning": "m"}), tmp_path, tmp_path / "out")


def test_a_changed_file_of_labels_prepares_anew(tmp_path: Path) -> None:
    path = fleet(tmp_path)
    before = plan_run(load_request(path), tmp_path / "out", lambda _: None)
    (tmp_path / "told.csv").write_text((tmp_path / "told.csv").read_text().replace("k", "K"))
    after = plan_run(load_request(path), tmp_path / "out", lambda _: None)
    changed = {
        name
        for name, digest_ in before["prepare"].ingredients.items()
        if after["prepare"].ingredients[name] != digest_
    }
    assert changed == {"files of watch"}


def test_a_family_learns_from_a_fleet(tmp_path: Path) -> None:
    path = fleet(tmp_path)
    for verb in ("prepare", "train", "score"):
        said = call(verb, path, "--out", tmp_path / "out")
        assert said.code == 0, said


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ({"file": "nowhere.csv"}, "exercise: no file matches nowhere.csv"),
        ({"column": "what"}, "told.csv: has no column what"),
        ({"by": "plant", "column": "what"}, "recording u00 has no plant to find its label by"),
    ],
)
def test_wrong_labels_are_one_line_with_the_line_of_the_request(
    tmp_path: Path, label: dict[str, str], message: str
) -> None:
    path = change(fleet(tmp_path), data={0: {"labels": {"exercise": label}}})
    said = call("prepare", path, "--out", tmp_path / "out")
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
