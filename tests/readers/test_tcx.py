"""TCX files: laps, tracks, several activities, damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import RecordingError
from lumipipe.readers.tcx import Options, read
from readers.activity_files import START, iso, lap, tcx, trackpoint

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table


def tables(folder: Path, text: str, **options: object) -> list[Table]:
    (folder / "a.tcx").write_text(text, encoding="utf-8")
    return list(read(folder / "a.tcx", Options.model_validate(options)))


def points(first: int, stop: int) -> str:
    return "".join(trackpoint(t, power=200 + t) for t in range(first, stop))


def test_columns_by_standard_names(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, tcx(lap(0, 4.5, points(0, 5)) + lap(4.5, 4.5, points(5, 10))))
    np.testing.assert_array_equal(table.columns["time"], START + np.arange(10.0))
    np.testing.assert_array_equal(table.columns["power"], 200 + np.arange(10))
    assert np.isnan(table.columns["altitude"]).all()
    assert not {"latitude", "longitude"} & set(table.columns)
    said = table.attributes
    assert (said["sport"], said["timer_s"], said["elapsed_s"], said["distance_m"]) == (
        "biking",
        "9",
        "9",
        "72",
    )
    assert not table.breaks


def test_a_new_track_in_a_lap_is_a_break_and_a_new_lap_is_none(tmp_path: Path) -> None:
    laps = lap(0, 7, points(0, 4), points(20, 24)) + lap(24, 4, points(24, 28))
    (table,) = tables(tmp_path, tcx(laps))
    assert table.breaks == {4: "new track in a lap"}
    assert (table.attributes["pauses"], table.attributes["paused_s"]) == ("1", "17")
    assert (table.attributes["elapsed_s"], table.attributes["timer_s"]) == ("28", "11")


def test_each_activity_is_a_recording(tmp_path: Path) -> None:
    run = f'<Activity Sport="Running"><Id>{iso(50)}</Id>{lap(50, 4, points(50, 55))}</Activity>'
    text = tcx(lap(0, 9, points(0, 10))).replace("</Activities>", f"{run}</Activities>")
    found = tables(tmp_path, text)
    assert [(t.name, t.attributes["sport"], len(t.columns["time"])) for t in found] == [
        ("a-1", "biking", 10),
        ("a-2", "running", 5),
    ]


def test_positions_on_request(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, tcx(lap(0, 2, points(0, 3))), positions=True, hide_ends_m=0)
    np.testing.assert_allclose(table.columns["latitude"], np.full(3, 60.1234567))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (tcx(""), "holds no activity with points"),
        (tcx(lap(0, 2, "<Trackpoint/><Trackpoint/>")), "none of its points has a time"),
        (tcx(lap(0, 2, points(0, 2).replace("201", "much"))), "a power is no number"),
        ("no XML", "is damaged or no XML"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        tables(tmp_path, text)


def test_a_cut_file_is_salvaged_to_its_last_whole_point(tmp_path: Path) -> None:
    whole = tcx(lap(0, 9, points(0, 10)))
    cut = whole[: whole.index(iso(6)) + 4]
    with pytest.raises(RecordingError, match=r"read\.salvage: true"):
        tables(tmp_path, cut)
    (table,) = tables(tmp_path, cut, salvage=True)
    np.testing.assert_array_equal(table.columns["time"], START + np.arange(6.0))
    assert f"of {len(cut)} bytes read" in table.attributes["salvaged"]


def test_a_time_that_is_none_is_no_time(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, tcx(lap(0, 9, points(0, 10).replace(iso(4), "1 pm"))))
    assert len(table.columns["time"]) == 9
    assert "1 of 10 points had no time that can be read and were left out" in table.notes
