"""A person leaves (C69): models as without them, a whole list of what is stale, no trace."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from command import call, one_line
from lumipipe.pool.log import entries
from lumipipe.store.dataset import open_dataset
from lumipipe.tasks.stages import VERBS
from pooled import RIGHTS, persons, run
from sites import BUILT, SITES, finished
from small_requests import FAMILIES, change, monitoring, remaining_life

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NAMES = [f"oulu-{name}" for name in ("dora", "eino", "fia", "gus", "hei")]
GONE = "oulu-fia"


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The request of a finished and published run, with a packet; no test may touch it."""
    request = persons(tmp_path_factory.mktemp("before"), NAMES)
    out = run(request)
    pool = request.parent / "pool"
    assert call("pool", "add", pool, out, "--id", "watch").code == 0
    packet = request.parent / "oulu.packet"
    assert call("packet", "make", out, "--site", "oulu", "--out", packet).code == 0
    return request


def moved(request: Path, folder: Path) -> Path:
    """A copy of all that a request has, whose plan and pool know where they are now."""
    shutil.copytree(request.parent, folder)
    for file in (folder / "out" / "plan.json", *(folder / "pool").glob("[rd]*.json")):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(str(request.parent), str(folder)), encoding="utf-8")
    return folder / request.name


def model_of(out: Path) -> dict[str, bytes]:
    """The files of the one model of a run."""
    (manifest,) = out.glob("train/*.json")
    return {path.name: path.read_bytes() for path in sorted(manifest.with_suffix("").iterdir())}


def told(files: list[Path]) -> set[str]:
    """Those of the files that tell a withdrawn person's pseudonym, in text or in a table."""
    found = set()
    for file in files:
        content = file.read_bytes()
        if file.suffix == ".parquet":
            content += str(pq.read_table(file).to_pydict()).encode()
        if file.suffix == ".npz":
            with np.load(file) as arrays:
                content += str(arrays.files).encode()
        if GONE.encode() in content or GONE in str(file):
            found.add(str(file))
    return found


def files_of(*folders: Path) -> list[Path]:
    """All files below folders."""
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_the_merged_model_is_that_of_the_others(before: Path, tmp_path: Path) -> None:
    request = moved(before, tmp_path / "here")
    out, pool = request.parent / "out", request.parent / "pool"
    assert told(files_of(out))
    said = call("pool", "withdraw", pool, "watch", GONE)
    assert said.code == 0, said
    merged = model_of(out)
    assert set(merged) == {"leaves.json", "leaves.npz", "model.json", "model.npz"}

    # The same command as ever, from the raw files: it takes the merged model as done ...
    assert run(request) == out
    assert model_of(out) == merged
    # ... and one that trains by itself, and one of others who have never met, come to the same.
    shutil.rmtree(out / "train")
    run(request)
    assert model_of(out) == merged
    others = persons(tmp_path / "others", [name for name in NAMES if name != GONE])
    assert model_of(run(others)) == merged


def test_what_was_made_with_them_is_named_and_gone(before: Path, tmp_path: Path) -> None:
    request = moved(before, tmp_path / "here")
    out, pool = request.parent / "out", request.parent / "pool"
    products = {verb: next(out.glob(f"{verb}/*.json")).stem for verb in VERBS}
    (packet,) = [line["packet"] for line in entries(pool / "log.jsonl") if line["kind"] == "packet"]
    assert call("bundle", out, "--valid-until", "2999-12-31").code == 0
    said = call("pool", "withdraw", pool, "watch", GONE)
    stale = [line for line in said.out.splitlines() if line.startswith("stale: ")]
    assert [line.split()[1] for line in stale[:5]] == [*VERBS, "data"]
    assert {line.split()[1] for line in stale[5:]} == {"bundle", "packet"}
    assert all(f"{verb} {key} in {out}: removed" in said.out for verb, key in products.items())
    assert f"packet {packet[:16]}" in said.out
    assert "data set watch version 1" in said.out
    listed = json.loads((out / "stale.json").read_text(encoding="utf-8"))["stale"]
    assert {item["product"]: item["key"] for item in listed} == products
    assert all(not (out / verb / f"{key}.json").exists() for verb, key in products.items())
    assert not (out / "report.html").exists()
    assert not (out / "bundle").exists()
    assert "stale: report" in call("info", out).out

    # In no output, then and after a new run; the raw file is its owner's.
    assert told(files_of(out, pool)) == set()
    run(request)
    assert told(files_of(out, pool)) == set()
    assert told(files_of(request.parent / "raw"))
    (tombstone,) = [e for e in entries(pool / "log.jsonl") if e["kind"] == "withdrawal"]
    assert set(tombstone) == {"kind", "unit", "day"}
    assert "withdrawn" in call("pool", "list", pool).out
    assert call("pool", "verify", pool).code == 0


def test_a_second_withdrawal_and_a_repeated_one(before: Path, tmp_path: Path) -> None:
    request = moved(before, tmp_path / "here")
    out, pool = request.parent / "out", request.parent / "pool"
    for _ in range(2):
        assert call("pool", "withdraw", pool, "watch", GONE).code == 0
    withdrawals = [line for line in entries(pool / "log.jsonl") if line["kind"] == "withdrawal"]
    assert len(withdrawals) == 1
    said = call("pool", "withdraw", pool, "watch", NAMES[0])
    assert "the model is not merged again" in said.out  # no dataset of the four was made yet
    assert not list(out.glob("train/*.json"))
    run(request)
    others = persons(tmp_path / "others", [n for n in NAMES if n not in {GONE, NAMES[0]}])
    assert model_of(run(others)) == model_of(out)


def test_where_leaves_cannot_merge_the_next_run_trains(before: Path, tmp_path: Path) -> None:
    request = change(moved(before, tmp_path / "here"), train={"penalties": [2.0]})
    pool = request.parent / "pool"
    said = call("pool", "withdraw", pool, "watch", GONE)
    assert "the model is not merged again (request, files or code of train changed)" in said.out
    assert run(request)


def test_who_is_not_there_changes_nothing(before: Path, tmp_path: Path) -> None:
    request = moved(before, tmp_path / "here")
    pool = request.parent / "pool"
    content = {path: path.read_bytes() for path in files_of(request.parent)}
    assert "no data set watch holds such a unit" in one_line(
        call("pool", "withdraw", pool, "watch", "nobody")
    )
    assert "has no walk" in one_line(call("pool", "withdraw", pool, "walk", GONE))
    assert {path: path.read_bytes() for path in files_of(request.parent)} == content


def test_states_that_depend_on_all_rows_are_trained_anew(tmp_path: Path) -> None:
    request = remaining_life(tmp_path, rights=RIGHTS | {"personal_data": "none"})
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = run(request)
    assert call("pool", "add", tmp_path / "pool", out, "--id", "fleet").code == 0
    unit = open_dataset(next(out.glob("prepare/*.json"))).recordings[0].unit
    said = call("pool", "withdraw", tmp_path / "pool", "fleet", unit)
    assert said.code == 0, said
    assert "the model is not merged again (instants that calibrate are drawn" in said.out


@pytest.mark.parametrize(
    "family", [*BUILT, "technique", "session_load", "hrv", "esports", "carbon"]
)
def test_the_merged_model_of_each_family_is_that_of_the_others(family: str, tmp_path: Path) -> None:
    if family in BUILT:
        out = finished(tmp_path, family, ["kemi"] if family == "monitoring" else SITES, site=None)
        request = tmp_path / "request.yaml"
    else:
        request = FAMILIES[family](tmp_path, rights=RIGHTS | {"personal_data": "none"})
        assert call("pool", "init", tmp_path / "pool").code == 0
        out = run(request)
    units = [row.unit for row in open_dataset(next(out.glob("prepare/*.json"))).recordings]
    assert len(set(units)) > 1
    assert call("pool", "add", tmp_path / "pool", out, "--id", "data").code == 0
    # Not the last one: numbers of those after them would change.
    said = call("pool", "withdraw", tmp_path / "pool", "data", units[0])
    assert said.code == 0, said
    assert "the model was merged again without them" in said.out, said.out
    merged = model_of(out)
    shutil.rmtree(out / "train")
    run(request)
    assert model_of(out) == merged


def test_the_last_unit_leaves_nothing(tmp_path: Path) -> None:
    request = monitoring(tmp_path, rights=RIGHTS | {"personal_data": "none"})
    assert call("pool", "init", tmp_path / "pool").code == 0
    out = run(request)
    assert call("pool", "add", tmp_path / "pool", out, "--id", "plant").code == 0
    said = call("pool", "withdraw", tmp_path / "pool", "plant", "plant")
    assert "nobody else is in the data" in said.out
    line = one_line(call("prepare", request, "--out", out))
    assert "no recording can be used" in line


def test_labels_by_order_do_not_slip(tmp_path: Path) -> None:
    request = persons(tmp_path, NAMES)
    lines = ["swing\n" if n % 2 else "shake\n" for n in range(2 * len(NAMES))]
    (tmp_path / "told.csv").write_text("".join(lines), encoding="utf-8")
    label = {"file": "told.csv", "meaning": "told", "spare": "leave_out"}
    request = change(request, data={0: {"labels": {"mood": label}}})
    out = run(request)
    assert call("pool", "add", tmp_path / "pool", out, "--id", "watch").code == 0
    assert call("pool", "withdraw", tmp_path / "pool", "watch", GONE).code == 0
    line = one_line(call("prepare", request, "--out", out))
    assert "goes by the order of recordings, and somebody has withdrawn theirs" in line
    assert GONE not in line
