"""Skeletons of requests: valid YAML for every family, placeholders that a check refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from command import call, one_line
from lumipipe.errors import InputError
from lumipipe.families import FAMILIES
from lumipipe.readers.sc2events import ACTIONS
from lumipipe.tasks.request import TO_FILL, checked
from lumipipe.tasks.skeleton import (
    ChannelToUse,
    SourceToUse,
    fault_of,
    request_text,
    to_fill,
)
from lumipipe.yamlfile import parse_yaml

ORDER = {"kind": "order", "row": "one hour"}
LEVEL, FLOW = ChannelToUse("Level", "length", "m"), ChannelToUse("Flow", "volume_flow", "l/min")


def source(*channels: ChannelToUse, **changes: object) -> SourceToUse:
    known = {
        "id": "tank",
        "patterns": ("tank.csv",),
        "format": "csv",
        "read": {"decimal": ","},
        "time": ORDER,
        "channels": channels or (LEVEL, FLOW),
        "rows": 100,
        "personal": False,
    }
    return SourceToUse(**known | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_one(family: str) -> None:
    text = request_text(source(), family, "it is a test")
    content = yaml.safe_load(text)
    assert content["question"]["family"] == family
    assert f"# Family {family}: it is a test." in text
    model = FAMILIES[family].train_section.model_fields
    for name in model:  # each setting is there, set or as a comment
        assert f"  {name}:" in text or f"# {name}:" in text
    if keys := to_fill(text):
        with pytest.raises(InputError, match=f"{keys[0]} is still"):
            checked(parse_yaml(Path("request.yaml"), text))


POWER, PULSE = ChannelToUse("power", "power", "W"), ChannelToUse("heart_rate", "heart_rate", "bpm")
STAMPED = {"kind": "column", "column": "time", "unit": "s", "origin": "1970"}


def test_training_load_has_the_measures_of_the_file() -> None:
    distance = ChannelToUse("distance", "distance", "m")
    ride = source(POWER, PULSE, time=STAMPED, sport="cycling", personal=True)
    text = request_text(ride, "session_load")
    assert fault_of(text) is None
    train = yaml.safe_load(text)["train"]
    assert train == {"power": {"channel": "power"}, "heart_rate": {"channel": "heart_rate"}}
    run = source(distance, time=STAMPED, step_s=4.0, personal=True)
    text = request_text(run, "session_load")
    assert to_fill(text) == ["asset.sport"]
    train = yaml.safe_load(text)["train"]
    assert train == {"speed": {"channel": "distance"}, "longest_hold_s": 12.0}
    assert fault_of(text.replace('sport: "?"', "sport: running")) is None


def test_intervals_without_a_time_are_summed_up() -> None:
    beats = source(ChannelToUse("c1", "time", "ms"), personal=True)
    text = request_text(beats, "hrv")
    assert fault_of(text) is None
    content = yaml.safe_load(text)
    time = {"kind": "column", "column": "c1", "unit": "ms", "origin": "row_before"}
    assert content["data"][0]["time"] == time
    assert content["train"] == {"channel": "c1"}
    clocked = source(ChannelToUse("rr", "time", "ms"), time={**STAMPED, "origin": "recording"})
    assert yaml.safe_load(request_text(clocked, "hrv"))["data"][0]["time"]["column"] == "time"
    unknown = request_text(source(ChannelToUse("c1")), "hrv")
    assert "data.0.time.unit" in to_fill(unknown)


def test_annotations_of_beats_are_a_label() -> None:
    rr = ChannelToUse("rr", "time", "ms")
    noted = source(rr, time=STAMPED, format="wfdb", read={}, labels={"symbol": "column"})
    text = request_text(noted, "hrv")
    assert to_fill(text) == ["data.0.labels.beat.meaning"]
    assert fault_of(text.replace('meaning: "?"', "meaning: two readers")) is None


def poles(*more: ChannelToUse, **changes: object) -> SourceToUse:
    found = [
        ChannelToUse(f"{name}_{side}", quantity, unit)
        for name, quantity, unit in (
            ("thrust", "time", "ms"),
            ("impulse", "impulse", "N*s"),
            ("force", "force", "N"),
        )
        for side in ("left", "right")
    ]
    return source(*found, *more, **{"time": STAMPED, **changes})


def test_technique_is_asked_for_with_a_label_and_cycles_without() -> None:
    rate = ChannelToUse("cycle rate", "cadence", "1/min")
    plain = request_text(poles(rate), "technique")
    assert fault_of(plain) is None
    content = yaml.safe_load(plain)
    assert content["train"]["cycles"]["sides"]["left"]["force"] == "force_left"
    assert "classifier" not in content["train"]
    forces = yaml.safe_load(request_text(poles(rate_hz=100.0), "technique"))["train"]["cycles"]
    sides = {"left": "force_left", "right": "force_right"}
    assert forces == {"kind": "forces", "sides": sides}
    text = request_text(poles(rate, labels={"Gear": "column"}), "technique")
    assert to_fill(text) == ["data.0.labels.technique.meaning"]
    assert fault_of(text.replace('meaning: "?"', "meaning: seen on video")) is None
    # Without both poles, only a label is left to ask for.
    asked = to_fill(request_text(source(POWER, time=STAMPED), "technique"))
    assert asked == ["data.0.labels.technique.column", "data.0.labels.technique.meaning"]


def test_replays_say_what_an_action_is() -> None:
    kind = ChannelToUse("kind", "index", "1")
    found = source(kind, format="sc2replay", read={}, time={**STAMPED, "origin": "recording"})
    text = request_text(found, "esports")
    assert fault_of(text) is None
    events = yaml.safe_load(text)["train"]["events"]
    classes = [kind for name in events["actions"] for kind in events["classes"][name]]
    assert sorted(classes) == sorted(ACTIONS)
    assert to_fill(request_text(source(PULSE, time=STAMPED), "esports")) == [
        "train.intensity.zones.heart_rate.bounds"
    ]


def test_a_local_clock_has_a_line_that_says_what_to_do() -> None:
    time = {"kind": "column", "column": "t", "format": "%Y-%m-%d %H:%M"}
    text = request_text(source(time=time), "monitoring")
    (line,) = [line for line in text.splitlines() if line.startswith("    time:")]
    comment = line.partition("#")[2]
    zone = comment.partition("zone: ")[2].partition(",")[0]
    with_zone = text.replace(f"{comment}", "").replace("%H:%M'}", f"%H:%M', zone: {zone}}}")
    assert yaml.safe_load(with_zone)["data"][0]["time"]["zone"] == zone
    assert fault_of(with_zone) is None
    offset = request_text(source(time={**time, "format": "%Y-%m-%d %H:%M%z"}), "monitoring")
    assert "zone:" not in offset


def test_one_channel_is_too_few_to_monitor() -> None:
    assert to_fill(request_text(source(LEVEL), "monitoring")) == ["train.models.main.components"]


def test_what_is_known_needs_nothing_more() -> None:
    text = request_text(source(), "monitoring")
    assert to_fill(text) == []
    assert fault_of(text) is None


def test_a_placeholder_is_refused_with_its_line(tmp_path: Path) -> None:
    unknown = ChannelToUse("Level", "length", None, comment="quantity guessed from the name")
    text = request_text(source(unknown, FLOW, personal=None), "monitoring")
    assert to_fill(text) == ["data.0.channels.0.unit", "rights.personal_data"]
    file = tmp_path / "request.yaml"
    file.write_text(text, encoding="utf-8")
    line = 1 + next(n for n, found in enumerate(text.splitlines()) if 'unit: "?"' in found)
    said = one_line(call("request", "check", file))
    assert said.startswith(f"{file}:{line}: data.0.channels.0.unit is still ?; ")
    (tmp_path / "tank.csv").write_text("Level;Flow\n1,5;2\n2,5;3\n", encoding="utf-8")
    filled = text.replace('unit: "?"', "unit: m").replace('data: "?"', "data: none")
    file.write_text(filled, encoding="utf-8")
    assert call("request", "check", file).code == 0


def test_a_question_mark_among_the_options_of_a_reader_is_none() -> None:
    text = request_text(source(read={"missing": ["", TO_FILL]}), "monitoring")
    assert to_fill(text) == []
    assert fault_of(text) is None


def test_channels_that_are_not_used_are_comments() -> None:
    state = ChannelToUse("valve", None, None, comment="2 different values", is_used=False)
    text = request_text(source(LEVEL, state, FLOW), "monitoring")
    assert '# - {name: valve, quantity: "?", unit: "?"}' in text
    assert [item["name"] for item in yaml.safe_load(text)["data"][0]["channels"]] == [
        "level",
        "flow",
    ]


def test_names_are_words_and_none_stands_twice() -> None:
    found = source(ChannelToUse("X (g)"), ChannelToUse("x-g"), ChannelToUse("°")).names()
    assert found == ["x_g", "x_g_2", "channel"]
    assert source(ChannelToUse("Steam flow [kg/s]", "mass_flow", "kg/s")).names() == ["steam_flow"]


def test_many_columns_called_by_numbers_are_one_line() -> None:
    waves = [ChannelToUse(str(at)) for at in range(400, 500)]
    text = request_text(source(*waves, LEVEL), "soft_sensor")
    channels = yaml.safe_load(text)["data"][0]["channels"]
    assert [item.get("columns") for item in channels] == [r"[0-9]+(\.[0-9]+)?", None]


@pytest.mark.parametrize(
    "name",
    ["a: b", "# none", "{x}", "- y", "quote ' and \"", "line\nbreak", "é °C", "null", "\x1b[2J"],
)
def test_names_of_a_file_never_break_the_yaml(name: str) -> None:
    odd = ChannelToUse(name, "length", "m", comment=f"the file says {name}\nrights: mine")
    text = request_text(source(odd, FLOW, comments=(f"table {name}",)), "monitoring")
    content = yaml.safe_load(text)
    assert content["data"][0]["channels"][0].get("column", name) == name
    assert set(content["rights"]) == {"owner", "personal_data"}
    assert "\x1b" not in text


def test_other_times_and_several_files() -> None:
    other = {"kind": "column", "column": "t", "format": "%m/%d/%Y"}
    time = {**other, "format": "%d/%m/%Y"}
    found = source(time=time, other_times=(other,), patterns=("a.csv", "b.csv"))
    text = request_text(found, "monitoring")
    assert "# or: {kind: column, column: t, format: '%m/%d/%Y'}" in text
    assert [item["id"] for item in yaml.safe_load(text)["data"]] == ["tank-1", "tank-2"]
    assert fault_of(text) is None


def test_bands_fit_the_rate() -> None:
    shaft = ChannelToUse("a", "acceleration", "g")
    slow = yaml.safe_load(request_text(source(shaft, rate_hz=2500.0), "bearing"))
    assert slow["train"]["band_hz"] == [250, 1000]
    fast = yaml.safe_load(request_text(source(shaft, rate_hz=25_600.0), "bearing"))
    assert "band_hz" not in fast["train"]
