"""GoldenCheetah's JSON: standard names, zeros that are no reading, nothing that somebody wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers.goldencheetah import Options, read

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

SAMPLE = {"SECS": 0, "KM": 0.5, "WATTS": 200, "KPH": 36, "HR": 120, "CAD": 90, "ALT": 100}


def ride(*samples: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """The content of a file."""
    tags = {"Athlete": "Aino Example", "Sport": "Bike", "Notes": "Kotikuja 7"}
    head = {"STARTTIME": "2020/09/13 12:26:40 UTC ", "RECINTSECS": 1, "TAGS": tags}
    return {"RIDE": {**head, "SAMPLES": list(samples), **keys}}


def load(folder: Path, content: object, *, mark: bool = False, **options: Any) -> Table:
    """The one table of a file."""
    file = folder / "a.json"
    text = content if isinstance(content, str) else json.dumps(content)
    file.write_text(text, encoding="utf-8-sig" if mark else "utf-8")
    (table,) = read(file, Options.model_validate(options))
    return table


@pytest.mark.parametrize("mark", [False, True])
def test_columns_by_standard_names(tmp_path: Path, *, mark: bool) -> None:
    second = {**SAMPLE, "SECS": 1.5, "TEMP": 21, "NM": 30, "LRBALANCE": 51}
    content = ride(SAMPLE, second, STARTTIME="2020/09/13 12:26:40 UTC")
    table = load(tmp_path, content, mark=mark)
    np.testing.assert_array_equal(table.columns["time"], [1_600_000_000, 1_600_000_001.5])
    assert table.columns["speed"][0] == pytest.approx(10.0, rel=1e-15)
    assert table.columns["distance"][0] == 500.0
    np.testing.assert_array_equal(table.columns["temperature"], [np.nan, 21])
    assert (table.attributes["unit:torque"], table.attributes["unit:lrbalance"]) == ("N*m", "%")
    assert table.attributes["sport"] == "cycling"
    assert table.attributes["start"] == "2020-09-13T12:26:40Z"


def test_zeros_that_are_no_reading(tmp_path: Path) -> None:
    nothing = {**SAMPLE, "SECS": 1, "HR": 0, "WATTS": 0, "TEMP": -255, "LAT": 0, "LON": 0}
    there = {**SAMPLE, "TEMP": 20, "LAT": 60.1234567, "LON": 25.7654321}
    content = ride(there, nothing, STARTTIME="2020/09/13 12:26:40 UTC")
    table = load(tmp_path, content, positions=True, hide_ends_m=0)
    for name in ("heart_rate", "temperature", "latitude", "longitude"):
        assert np.isnan(table.columns[name]).tolist() == [False, True]
    assert table.columns["power"].tolist() == [200, 0]  # who coasts has no power


def test_nothing_that_somebody_wrote_leaves(tmp_path: Path) -> None:
    sample = {**SAMPLE, "LAT": 60.1234567, "LON": 25.7654321, "GPS": 1, "Aino Example": 3}
    content = ride(
        sample,
        STARTTIME="2020/09/13 12:26:40 UTC",
        DEVICETYPE="Aino's Edge",
        INTERVALS=[{"NAME": "Kotikuja", "START": 0, "STOP": 1}],
    )
    table = load(tmp_path, content)
    said = str((table.name, list(table.columns), table.attributes, table.notes)).lower()
    for word in ("aino", "kotikuja", "60.12", "25.76", "gps", "latitude"):
        assert word not in said
    assert set(load(tmp_path, content, positions=True, hide_ends_m=0).columns) >= {
        "latitude",
        "longitude",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged or no JSON"),
        ("[" * 100_000, "is nested too deep"),
        ('{"RIDE": NaN}', "NaN is no number of JSON"),
        ('{"RIDE": ' + "9" * 5000 + "}", "is damaged or no JSON"),
        ([1, 2], "is no ride of GoldenCheetah"),
        ({"RIDE": {"SAMPLES": [1]}}, "is no ride of GoldenCheetah"),
        ({"RIDE": {"SAMPLES": []}}, "has no rows"),
        (ride(SAMPLE, STARTTIME="yesterday"), "STARTTIME is none like"),
        (ride({"HR": 120}, STARTTIME="2020/09/13 12:26:40 UTC"), "sample 0 has no SECS"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(RecordingError, match=message) as error:
        load(tmp_path, content)
    assert "\n" not in str(error.value)


def test_numbers_that_are_none_are_no_reading(tmp_path: Path) -> None:
    strange = {**SAMPLE, "WATTS": "200", "HR": True, "KPH": 10**400, "CAD": None}
    content = ride(strange, {**SAMPLE, "SECS": 1}, STARTTIME="2020/09/13 12:26:40 UTC")
    table = load(tmp_path, content)
    for name in ("power", "heart_rate", "speed", "cadence"):
        assert np.isnan(table.columns[name]).tolist() == [True, False]


@pytest.mark.real
def test_a_ride_of_the_real_data(real_data: Path) -> None:
    file = real_data / "activity-misc/goldencheetah_ride_2013.json"
    (table,) = read(file, Options())
    samples = json.loads(file.read_text(encoding="utf-8-sig"))["RIDE"]["SAMPLES"]
    assert table.columns["power"].tolist() == [item["WATTS"] for item in samples]
    assert not {"latitude", "longitude"} & {*table.columns}
