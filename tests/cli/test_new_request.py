"""``lumipipe request new``: for every family, with files or without; never over a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from command import call, one_line
from lumipipe.families import FAMILIES
from lumipipe.tasks.request import TO_FILL, places_to_fill
from lumipipe.yamlfile import parse_yaml
from small_requests import FAMILIES as SMALL

if TYPE_CHECKING:
    from pathlib import Path

UNITS = {
    "acceleration": "m/s2",
    "density": "kg/m3",
    "energy": "kWh",
    "force": "N",
    "fraction": "1",
    "heart_rate": "1/min",
    "mass_concentration": "mg/m3",
    "mass_flow": "kg/s",
    "power": "MW",
    "pressure": "bar",
    "response": "1",
    "speed": "m/s",
    "temperature": "degC",
    "time": "ms",
}
WORDS: dict[str, Any] = {
    "source": "raw/data.csv",
    "rate_hz": 100,
    "row": "one hour",
    "decision": "let it run, or look",
    "personal_data": "pseudonymous",
    "column": "doing",
    "meaning": "noted by a watcher",
    "not_to_be_used_for.0": "anything but tests",
    "data.0.time.unit": "ms",
    # Families.
    "asset.bearing.type": "6205",
    "asset.bearing.n": 9,
    "asset.bearing.ratio_d_D": 0.2,
    "asset.speed.attribute": "name",
    "asset.boundary": "the works",
    "asset.installation": "turbine",
    "asset.pollutant": "NOx",
    "asset.reference.method": "an analyser",
    "asset.sport": "cycling",
    "kind": "primary",
    "origin": "works",
    "train.interval_s": 900,
    "train.stamp": "ends",
    "train.cap": 100,
    "train.life.unit": "days",
    "train.intensity.zones.heart_rate.bounds": [110, 130],
    "train.targets.0": "quality",
    "train.activities.activity.kind": "amount",
    "train.factors.factor.unit": "kg/kWh",
    "train.factors.factor.year": 2026,
    "train.factors.factor.scope": 2,
    "boundary": "a test",
    "expanded": 0.1,
    "k": 2,
    "value": 0.4,
    "train.meters.meter.source": "made up",
    "train.factors.factor.source": "made up",
    "train.sensor": "sensor",
    "score.largest_bias": 0.5,
    "score.specification.at_least": 40,
}
TARGETS = {"ambient": "reference", "emission": "nox", "recipe": "strength"}


def filled(text: str, family: str) -> str:
    """A skeleton whose "?" were filled in; comments and what was there stay as they are."""
    content = yaml.safe_load(text)
    for place in places_to_fill(parse_yaml(__file__, text)):  # type: ignore[arg-type]
        node = content
        for part in place[:-1]:
            node = node[part]
        node[place[-1]] = _value(content, place, family)
    return yaml.safe_dump(content, sort_keys=False)


def _value(content: dict[str, Any], place: tuple[str | int, ...], family: str) -> Any:
    """What a user would write at a place."""
    if place[:2] == ("data", 0) and place[2] == "channels":
        return UNITS[content["data"][0]["channels"][place[3]]["quantity"]]
    if place == ("train", "target"):
        return TARGETS[family]
    path = ".".join(str(part) for part in place)
    names = [name for name in WORDS if path == name or path.endswith(f".{name}")]
    return WORDS[max(names, key=len)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_skeleton_that_a_check_accepts_once_it_is_filled(
    tmp_path: Path, family: str
) -> None:
    out = tmp_path / "mine.yaml"
    said = call("request", "new", "--family", family, "--out", out)
    assert (said.code, said.err) == (0, "")
    text = out.read_text(encoding="utf-8")
    places = places_to_fill(parse_yaml(out, text))
    assert f"{len(places)} places to fill in" in said.out
    line = one_line(call("request", "check", out))
    key = ".".join(str(part) for part in places[0])
    number = parse_yaml(out, text).lines[places[0]]
    assert line.startswith(f"{out}:{number}: {key} is still {TO_FILL}; ")
    assert f'"{TO_FILL}"' in text.splitlines()[number - 1]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "data.csv").write_text("time,x\n1,2\n2,3\n", encoding="utf-8")
    out.write_text(filled(text, family), encoding="utf-8")
    said = call("request", "check", out)
    assert (said.code, said.err) == (0, ""), said


def test_it_is_printed_where_no_file_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("request", "new", "--family", "monitoring")
    assert said.code == 0
    assert yaml.safe_load(said.out)["question"]["family"] == "monitoring"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["file", "link"])
def test_no_file_is_overwritten(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "mine.yaml"
    if kind == "file":
        out.write_text("mine", encoding="utf-8")
    else:
        out.symlink_to(tmp_path / "nowhere")
    said = one_line(call("request", "new", "--family", "carbon", "--out", out))
    assert said == f"--out {out}: is there already; name another file, or remove it"
    assert kind == "link" or out.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_files_say_what_they_can(tmp_path: Path) -> None:
    SMALL["monitoring"](tmp_path)
    file, out = tmp_path / "raw" / "plant.csv", tmp_path / "begun" / "mine.yaml"
    said = call("request", "new", file, "--family", "monitoring", "--out", out)
    assert said.code == 0, said
    source = yaml.safe_load(out.read_text(encoding="utf-8"))["data"][0]
    assert (out.parent / source["source"]).resolve() == file.resolve()
    assert [channel["name"] for channel in source["channels"]] == list("abcde")
    assert all(channel["unit"] == TO_FILL for channel in source["channels"])


def test_a_file_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    bad, out = tmp_path / "bad.csv", tmp_path / "mine.yaml"
    bad.write_text("a,b\n1\n", encoding="utf-8")
    one_line(call("request", "new", bad, "--family", "monitoring", "--out", out))
    assert not out.exists()


def test_an_unknown_family_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    said = one_line(call("request", "new", "--family", "pumps", "--out", out))
    assert said.startswith("--family pumps: is not known; use one of activity, ")
    assert not out.exists()
