"""A published dataset is the data of a request: the same answer, and no raw file is read."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from command import call, one_line
from lumipipe.store.manifest import read_manifest
from pooled import persons, run
from small_requests import DROP, change

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NAMES = [f"oulu-{name}" for name in ("ada", "bo", "cai", "dee")]
CARD = "pool/datasets/watch/1/card.json"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the request and the run of raw files, whose dataset is published."""
    request = persons(tmp_path_factory.mktemp("published"), NAMES)
    out = run(request)
    assert call("pool", "add", request.parent / "pool", out, "--id", "watch").code == 0
    return request.parent


def adopting(published: Path, folder: Path, **changes: Any) -> Path:
    """A request for the published data, in a copy of the folder without any raw file."""
    shutil.copytree(published, folder, ignore=shutil.ignore_patterns("raw", "out", "runs.json"))
    source = {"source": CARD, "format": "lumipipe", "read": DROP}
    return change(folder / "request.yaml", **{"data": {0: source}, **changes})


def test_the_answer_is_that_of_the_raw_files(published: Path, tmp_path: Path) -> None:
    out = run(adopting(published, tmp_path / "here"))
    raw = published / "out"
    for name in ("model.npz", "model.json", "leaves.npz"):
        (new,), (old,) = (list(folder.glob(f"train/*/{name}")) for folder in (out, raw))
        assert new.read_bytes() == old.read_bytes()
    answers = [json.loads((folder / "result.json").read_text("utf-8")) for folder in (out, raw)]
    for answer in answers:
        del answer["run"]
        # The card of what was published is a source that is named.
        answer["terms"].pop("attributions")
    assert answers[0] == answers[1]
    for table in raw.glob("tables/*.parquet"):
        assert (out / "tables" / table.name).read_bytes() == table.read_bytes()
    # Nothing is stored twice.
    manifest = read_manifest(next(out.glob("prepare/*.json")))
    store = next((tmp_path / "here" / "pool" / "datasets" / "watch" / "1").glob("*.zarr"))
    for name in manifest.files:
        assert (manifest.product / name).stat().st_ino == (store / name).stat().st_ino


def test_who_withdraws_leaves_a_run_on_published_data(published: Path, tmp_path: Path) -> None:
    request = adopting(published, tmp_path / "here")
    out, pool = run(request), tmp_path / "here" / "pool"
    said = call("pool", "withdraw", pool, "watch", NAMES[0])
    assert f"in {out}: removed" in said.out
    line = one_line(call("prepare", request, "--out", out))
    assert "(rule urn:lumipipe:rule:withdrawn)" in line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rights": {"purpose": "CommercialResearch"}}, "(rule urn:lumipipe:policy:club:not"),
        ({"rights": {"personal_data": "none"}}, "and the request says none"),
        ({"rights": {"pool": None}}, "a withdrawal would not find this run"),
        ({"prepare": {"dtype": "float32"}}, "were decided when the data were published"),
        ({"data": {0: {"read": {"decimal": ","}}}}, "read and rows are for raw files"),
        ({"data": {0: {"id": "wrist"}}}, "the published data have a source watch"),
        ({"data": {0: {"channels": {0: {"name": "acc_z"}}}}}, "has no channel acc_z"),
        (
            {"data": {0: {"channels": {0: {"quantity": "speed", "unit": "m/s"}}}}},
            "channel acc_x is acceleration in m/s2",
        ),
        (
            {"data": {0: {"labels": {"mood": {"attribute": "mood", "meaning": "told"}}}}},
            "no label mood was published",
        ),
    ],
)
def test_what_the_published_data_are_not_is_refused(
    changes: dict[str, Any], said: str, published: Path, tmp_path: Path
) -> None:
    request = change(adopting(published, tmp_path / "here"), **changes)
    line = one_line(call("prepare", request, "--out", tmp_path / "out"))
    assert said in line
    assert not list((tmp_path / "out").glob("prepare/*"))


def test_terms_of_the_card_are_inherited(published: Path, tmp_path: Path) -> None:
    request = adopting(published, tmp_path / "here", rights={"policy": "public-body"})
    request = change(request, rights={"commercial": True})
    line = one_line(call("request", "check", request))
    assert "denied by the terms of the data set watch (rule urn:lumipipe:policy:club:" in line


def test_a_changed_store_is_found(published: Path, tmp_path: Path) -> None:
    request = adopting(published, tmp_path / "here")
    store = next((tmp_path / "here" / "pool" / "datasets" / "watch" / "1").glob("*.zarr"))
    chunk = max((p for p in store.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    said = call("prepare", request, "--out", tmp_path / "out")
    assert said.code == 2
    assert chunk.name in said.err


def test_raw_files_and_published_data_do_not_mix(published: Path, tmp_path: Path) -> None:
    request = adopting(published, tmp_path / "here")
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    form["data"].append(form["data"][0] | {"id": "more", "format": "csv", "source": "raw/*.csv"})
    form["data"][1]["read"] = {"delimiter": ",", "decimal": "."}
    request.write_text(yaml.safe_dump(form, sort_keys=False), encoding="utf-8")
    line = one_line(call("request", "check", request))
    assert "is not of the same published data set as the others" in line
