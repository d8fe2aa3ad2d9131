"""The schema of a request is in step with the settings, and the ready requests keep to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from command import call
from lumipipe.errors import InputError, StoreError
from lumipipe.tasks.request import load_request, placing
from small_requests import FAMILIES, activity

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "config" / "schema" / "request.json"
READY = sorted((ROOT / "config" / "requests").glob("*.yaml"))


def test_the_schema_is_what_the_settings_say() -> None:
    said = call("request", "schema")
    # As values: versions of pydantic write a bound as 0 or as 0.0.
    assert json.loads(said.out) == json.loads(SCHEMA.read_text(encoding="utf-8")), (
        f"write it anew: lumipipe request schema > {SCHEMA.relative_to(ROOT)}"
    )


@pytest.mark.parametrize("file", READY, ids=lambda file: file.stem)
def test_ready_requests_are_well_formed(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    load_request(file)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(file.read_text("utf-8")))


def test_the_schema_refuses_keys_of_other_families_and_readers(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    valid = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).is_valid
    for family in FAMILIES.values():
        form = yaml.safe_load(family(tmp_path).read_text())
        assert valid(form)
        assert not valid(form | {"train": form["train"] | {"blocs": 3}})
        form["data"][0]["read"] = {"variables": {"v": "v"}}
        assert not valid(form)


@pytest.mark.parametrize(
    ("place", "problem", "where"),
    [
        ("source watch", "files differ", "id: watch"),
        ("source watch: channel acc_y", "is text", "name: acc_y"),
        ("source watch: label exercise", "has no name", "exercise:"),
        ("source watch: recordings.unit", "asks for x", "unit: '{person}'"),
        ("evaluation.split.by", "no such thing", "by: unit"),
        ("train.hop_s", "is too long", "hop_s:"),
        ("prepare", "train.window_s is too long", "window_s:"),
    ],
)
def test_errors_about_the_request_get_its_line(
    tmp_path: Path, place: str, problem: str, where: str
) -> None:
    request = activity(tmp_path)
    with pytest.raises(InputError) as caught, placing(load_request(request)):
        raise InputError(place, problem, "mend it")
    number = int(caught.value.place.split(":")[1])
    assert request.read_text().splitlines()[number - 1].lstrip(" -").startswith(where)
    assert caught.value.place == f"{request}:{number}: {place}"


@pytest.mark.parametrize("place", ["p0.csv: channel x", "out/prepare/a.json", "raw/a.csv:3"])
def test_errors_about_other_files_stay_as_they_are(tmp_path: Path, place: str) -> None:
    with pytest.raises(StoreError) as caught, placing(load_request(activity(tmp_path))):
        raise StoreError(place, "is damaged", "mend it")
    assert caught.value.place == place


def test_errors_about_a_recording_name_the_request(tmp_path: Path) -> None:
    request = activity(tmp_path)
    with pytest.raises(InputError) as caught, placing(load_request(request)):
        raise InputError("recording p0-swing-0", "has another rate", "mend it")
    assert caught.value.place == f"{request}: recording p0-swing-0"
