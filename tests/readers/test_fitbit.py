"""Fitbit's export: what a file holds is told by its form, time by nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.fitbit import Options, read
from lumipipe.readers.monitors import LOCAL_ONLY

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table


def load(folder: Path, content: object, **options: Any) -> list[Table]:
    """The tables of a file."""
    (folder / "a.json").write_text(json.dumps(content), encoding="utf-8")
    return list(read(folder / "a.json", Options.model_validate(options)))


def pulse(*rates: int) -> list[dict[str, Any]]:
    return [
        {"dateTime": f"09/13/20 10:00:{5 * at:02d}", "value": {"bpm": rate, "confidence": at % 3}}
        for at, rate in enumerate(rates)
    ]


def night(*levels: tuple[str, str, int], **more: Any) -> dict[str, Any]:
    data = [{"dateTime": when, "level": level, "seconds": s} for when, level, s in levels]
    return {"logId": 987654, "levels": {"data": data, **more}}


def test_heart_rate_counts_from_the_start(tmp_path: Path) -> None:
    (table,) = load(tmp_path, pulse(60, 61, 62))
    np.testing.assert_array_equal(table.columns["time"], [0, 5, 10])
    assert table.columns["bpm"].tolist() == [60, 61, 62]
    assert table.columns["confidence"].tolist() == [0, 1, 2]
    assert (table.attributes["unit:bpm"], table.notes) == ("1/min", (LOCAL_ONLY,))
    (known,) = load(tmp_path, pulse(60, 61), utc_offset_h=3)
    assert known.attributes["start"] == "2020-09-13T07:00:00Z"
    assert known.notes == ()


def test_counts_may_be_text(tmp_path: Path) -> None:
    rows = [{"dateTime": "09/13/20 10:00:00", "value": value} for value in ("12", 3, "x")]
    (table,) = load(tmp_path, rows[:2])
    assert table.columns["value"].tolist() == [12, 3]
    with pytest.raises(RecordingError, match="entry 2 is no heart rate, count or stage"):
        load(tmp_path, rows)


def test_each_log_of_sleep_is_a_recording(tmp_path: Path) -> None:
    first = night(("2020-09-13T01:00:00.000", "light", 60), ("2020-09-13T01:01:00.000", "deep", 90))
    second = night(("2020-09-13T13:00:00.000", "asleep", 600), shortData=[{}, {}])
    one, two = load(tmp_path, [first, second])
    assert (one.name, two.name) == ("a-1", "a-2")
    assert one.columns["level"].tolist() == ["light", "deep"]
    assert one.columns["seconds"].tolist() == [60, 90]
    assert one.columns["time"].tolist() == [0, 60]
    assert "2 short wakes" in two.notes[-1]
    assert "987654" not in str((one.attributes, one.notes, two.attributes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "is no list of readings"),
        ([], "is no list of readings"),
        ([3], "entry 0 is no heart rate"),
        ([{"dateTime": "13.9.2020", "value": 1}], "entry 0 has no dateTime like"),
        ([{"dateTime": "13/09/20 10:00:00", "value": 1}], "entry 0 has no dateTime like"),
        ([{"dateTime": "09/13/20 10:00:00"}], "entry 0 is no heart rate"),
        ([night()], "has no rows"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        load(tmp_path, content)


def test_a_night_that_was_cut_short_keeps_its_whole_stages(tmp_path: Path) -> None:
    stages = [(f"2020-09-13T01:{at:02d}:00.000", "light", 60) for at in range(9)]
    file = tmp_path / "a.json"
    file.write_text(json.dumps([night(*stages)])[:-50], encoding="utf-8")
    with pytest.raises(RecordingError, match="is damaged or no JSON"):
        list(read(file, Options()))
    (table,) = READERS["fitbit"].read(file, Options(salvage=True))
    assert table.columns["time"].tolist() == [60.0 * at for at in range(8)]
    assert "bytes read, what follows is cut short" in table.attributes["salvaged"]


@pytest.mark.parametrize("content", ['[{"a": 1}, oops, {"a": 2}]' * 3, "{}", "[3}", "no"])
def test_a_fault_in_the_middle_is_not_cut_away(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(RecordingError, match=r"finds no part|is refused, too"):
        list(READERS["fitbit"].read(file, Options(salvage=True)))
