"""A pool of datasets: published with cards, verified, staged, and within its number of files."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from command import call, one_line
from lumipipe.pool.card import read_card
from lumipipe.pool.log import entries
from pooled import RIGHTS, persons, run
from small_requests import change, monitoring

if TYPE_CHECKING:
    from pathlib import Path

COMPANY = {"policy": "company", "actor": "company", "purpose": "ServiceProvision", "pool": "pool"}


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The request of a finished run about a machine, beside its pool."""
    rights = {**COMPANY, "licence": "CC-BY-4.0", "delete_after": "2099-01-01"}
    request = monitoring(tmp_path, rights=rights)
    assert call("pool", "init", tmp_path / "pool").code == 0
    run(request)
    return request


def add(request: Path, *words: str) -> str:
    """What ``pool add`` says of the run of a request."""
    said = call(
        "pool", "add", request.parent / "pool", request.parent / "out", "--id", "plant", *words
    )
    assert said.code == 0, said
    return said.out


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_published_dataset_has_a_card_exports_and_a_citation(plant: Path) -> None:
    out = add(plant, "--title", "Our plant", "--attribution", "Plant Ltd")
    pool = plant.parent / "pool"
    folder = pool / "datasets" / "plant" / "1"
    card = read_card(folder / "card.json")
    assert (card.title, card.attribution, card.policy) == ("Our plant", "Plant Ltd", "company")
    assert (card.licence, str(card.valid_until)) == ("CC-BY-4.0", "2099-01-01")
    assert (card.recordings, card.streams["plant"].rows, len(card.units)) == (1, 60, 1)
    cited = (folder / "CITATION.txt").read_text(encoding="utf-8")
    assert cited.strip() in out
    assert card.digest in cited
    assert json.loads((folder / "croissant.json").read_text(encoding="utf-8"))["name"] == "plant"
    assert (
        json.loads((folder / "dcat.json").read_text(encoding="utf-8"))["dct:title"] == "Our plant"
    )
    assert "plant version 1: Our plant; 1 recordings of 1 units" in call("pool", "list", pool).out
    shown = call("pool", "show", pool, "plant").out
    assert "policy: company" in shown
    assert "stream plant: 60 rows of a (1), b (1)" in shown
    assert call("pool", "verify", pool).out.count("all") == 1
    assert {line["kind"] for line in entries(pool / "log.jsonl")} == {
        "access",
        "decision",
        "publication",
    }


def test_growth_is_a_new_version_and_the_same_is_none(plant: Path) -> None:
    add(plant)
    pool, out = plant.parent / "pool", plant.parent / "out"
    assert "is version 1 already" in one_line(call("pool", "add", pool, out, "--id", "plant"))
    run(change(plant, prepare={"dtype": "float32"}))
    assert "plant version 2" in add(plant)
    assert files(pool / "datasets" / "plant") > {"1", "2", "1/card.json", "2/card.json"}


def test_too_many_files_are_refused_before_one_is_written(plant: Path) -> None:
    pool = plant.parent / "pool"
    content = json.loads((pool / "pool.json").read_text(encoding="utf-8"))
    (pool / "pool.json").write_text(json.dumps(content | {"most_files": 12}), encoding="utf-8")
    before = files(pool)
    line = one_line(call("pool", "add", pool, plant.parent / "out", "--id", "plant"))
    assert "has 0 files and would get" in line
    assert "12 are allowed; raise prepare.shard_bytes" in line
    assert files(pool) == before


def test_a_changed_file_or_card_is_found(plant: Path) -> None:
    add(plant)
    pool = plant.parent / "pool"
    folder = next(pool.glob("datasets/plant/1/*.zarr")) / "streams" / "plant" / "value"
    shard = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    content = shard.read_bytes()
    shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert f"{shard}: the content of this file was changed" in one_line(
        call("pool", "verify", pool)
    )
    shard.write_bytes(content)
    card = pool / "datasets" / "plant" / "1" / "card.json"
    told = json.loads(card.read_text(encoding="utf-8")) | {"digest": "0" * 64}
    card.write_text(json.dumps(told), encoding="utf-8")
    assert "the manifest has another digest" in one_line(call("pool", "verify", pool))


def test_a_changed_log_is_found_and_stops_the_next_run(plant: Path) -> None:
    pool = plant.parent / "pool"
    log = pool / "log.jsonl"
    text = log.read_text(encoding="utf-8")
    log.write_text(text.replace('"permit"', '"deny"'), encoding="utf-8")
    assert f"{log}:1: this line is not as it was written" in one_line(call("pool", "verify", pool))
    said = call("prepare", plant, "--out", plant.parent / "out")
    assert f"{log}:1: this line is not" in one_line(said)


def test_only_data_of_nobody_are_staged(plant: Path, tmp_path: Path) -> None:
    add(plant)
    folder = plant.parent / "pool" / "datasets" / "plant" / "1"
    outside = tmp_path / "outside"
    said = call("pool", "stage", folder, "--to", outside)
    assert said.code == 0, said
    staged = outside / "plant-1"
    assert read_card(staged / "card.json").units == []
    manifest = staged / read_card(staged / "card.json").manifest
    assert call("info", manifest, "--checksums").code == 0
    assert "is there already" in one_line(call("pool", "stage", folder, "--to", outside))


@pytest.mark.parametrize("personal_data", ["pseudonymous", "personal"])
def test_a_dataset_of_persons_stays(tmp_path: Path, personal_data: str) -> None:
    rights = {**RIGHTS, "personal_data": personal_data}
    request = persons(tmp_path, ["oulu-dora", "oulu-eino", "oulu-fia"], rights=rights)
    run(request)
    add(request)
    folder = tmp_path / "pool" / "datasets" / "plant" / "1"
    line = one_line(call("pool", "stage", folder, "--to", tmp_path / "outside"))
    assert f"plant has personal_data: {personal_data}, which may not leave" in line
    assert not (tmp_path / "outside").exists()


def test_a_folder_without_a_card_stays(plant: Path, tmp_path: Path) -> None:
    (store,) = (plant.parent / "out").glob("prepare/*.zarr")
    line = one_line(call("pool", "stage", store, "--to", tmp_path / "outside"))
    assert "there is no card" in line
    assert not (tmp_path / "outside").exists()


def test_a_run_of_another_pool_is_refused(plant: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert call("pool", "init", other).code == 0
    line = one_line(call("pool", "add", other, plant.parent / "out", "--id", "plant"))
    assert f"does not name the pool {other}" in line
    assert files(other) == {"pool.json"}


def test_a_pool_keeps_its_secret_and_is_made_once(plant: Path) -> None:
    pool = plant.parent / "pool"
    assert stat.S_IMODE((pool / "pool.json").stat().st_mode) == 0o600
    assert "is a pool already" in one_line(call("pool", "init", pool))
    key = json.loads((pool / "pool.json").read_text(encoding="utf-8"))["key"]
    add(plant)
    told = [
        path
        for path in plant.parent.rglob("*")
        if path.is_file() and key.encode() in path.read_bytes()
    ]
    assert told == [pool / "pool.json"]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert "is no pool; make one: lumipipe pool init" in one_line(call("pool", "list", tmp_path))
    assert call("pool", "init", tmp_path / "pool").code == 0
    assert "no data sets yet" in call("pool", "list", tmp_path / "pool").out
    assert "has no data set x" in one_line(call("pool", "show", tmp_path / "pool", "x"))
