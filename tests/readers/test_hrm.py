"""Polar's .hrm files: columns by SMode, units, local time, damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers.hrm import Options, read
from readers.activity_files import START, hrm

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

ROWS = "95\t166\t76\t285\n99\t157\t0\t285\n0\t0\t0\t284\n96\t150\t80\t283\n"


def table(folder: Path, text: str, **options: object) -> Table:
    (folder / "a.hrm").write_text(text, encoding="latin-1")
    (found,) = read(folder / "a.hrm", Options.model_validate(options))
    return found


@pytest.mark.parametrize(
    ("mode", "metres_per_second", "metres"),
    [("111000100", 1 / 3.6, 1.0), ("111000110", 0.44704, 0.3048)],
)
def test_columns_in_si(tmp_path: Path, mode: str, metres_per_second: float, metres: float) -> None:
    found = table(tmp_path, hrm(ROWS, mode))
    np.testing.assert_array_equal(found.columns["time"], [0, 5, 10, 15])
    np.testing.assert_array_equal(found.columns["heart_rate"], [95, 99, np.nan, 96])
    np.testing.assert_allclose(
        found.columns["speed"], np.array([16.6, 15.7, 0, 15]) * metres_per_second
    )
    np.testing.assert_allclose(found.columns["altitude"], np.array([285, 285, 284, 283]) * metres)
    np.testing.assert_array_equal(found.columns["cadence"], [76, 0, 0, 80])


def test_heart_rate_only_power_and_balance(tmp_path: Path) -> None:
    only = table(tmp_path, hrm("80\n81\n82\n83\n", "000000000"))
    np.testing.assert_array_equal(only.columns["heart_rate"], [80, 81, 82, 83])
    both = table(tmp_path, hrm("80\t210\t50\n" * 4, "000110100"))
    np.testing.assert_array_equal(both.columns["power"], [210] * 4)
    np.testing.assert_array_equal(both.columns["power_balance"], [50] * 4)


def test_local_time_is_utc_only_with_an_offset(tmp_path: Path) -> None:
    assert "start" not in table(tmp_path, hrm(ROWS)).attributes
    found = table(tmp_path, hrm(ROWS), utc_offset_h=3)
    assert found.columns["time"][0] == START
    assert found.attributes["start"] == "2020-09-13T12:26:40Z"


def test_times_between_beats(tmp_path: Path) -> None:
    found = table(tmp_path, hrm("800\n1000\n900\n", interval=238, length="00:00:02.7"))
    np.testing.assert_allclose(found.columns["time"], [0.8, 1.8, 2.7])
    np.testing.assert_array_equal(found.columns["rr"], [800, 1000, 900])


def test_notes_and_names_stay_inside(tmp_path: Path) -> None:
    assert "Aino" not in repr(table(tmp_path, hrm(ROWS)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (hrm(ROWS).replace("SMode=111000100", "Mode=111"), "is no .hrm file of version 1.06"),
        (hrm(ROWS, mode="12"), "its SMode is no row of 8 or 9 bits"),
        (hrm(ROWS).replace("Date=20200913", "Date=tomorrow"), "Date or StartTime is none"),
        (hrm(ROWS, length="a while"), "its Length is no duration"),
        (hrm(ROWS, interval=0), "its Interval is no number of seconds"),
        (hrm(""), "has no rows"),
        ("", "is no .hrm file"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        table(tmp_path, text)


def test_damage_is_refused_or_salvaged(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"is cut short: 4 rows, they end 40 s before"):
        table(tmp_path, hrm(ROWS, length="00:01:00.0"))
    with pytest.raises(RecordingError, match=r"row 3 of \[HRData\] is no row of 4"):
        table(tmp_path, hrm(ROWS.replace("\t284", "")))
    found = table(tmp_path, hrm(ROWS.replace("\t284", "")), salvage=True)
    assert len(found.columns["time"]) == 2
    assert found.notes[0].startswith("salvaged: 2 rows read, row 3 of")
