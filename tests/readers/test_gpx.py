"""GPX files: times, segments and extensions (cases C35, C38, C39)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.gpx import Options, read
from readers.activity_files import NEW_SEGMENT, START, gpx, iso, trkpt

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

pytest.importorskip("gpxpy", reason="GPX files are the extra activity-files")

GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension"


def tables(folder: Path, text: str | bytes, **options: object) -> list[Table]:
    raw = text if isinstance(text, bytes) else text.encode()
    (folder / "a.gpx").write_bytes(raw)
    return list(read(folder / "a.gpx", Options.model_validate(options)))


def test_positions_stay_inside_unless_asked_for(tmp_path: Path) -> None:
    text = gpx("".join(trkpt(t, latitude=60.0 + 1e-4 * t) for t in range(5)))
    (table,) = tables(tmp_path, text)
    assert not {"latitude", "longitude"} & set(table.columns)
    # 1e-4 degrees on a sphere of 6371008.8 m are 11.1195 m.
    np.testing.assert_allclose(table.columns["distance"], 11.1195 * np.arange(5), rtol=1e-5)
    assert table.attributes["distance_from"] == "positions"
    (table,) = tables(tmp_path, text, positions=True, hide_ends_m=0)
    np.testing.assert_allclose(table.columns["latitude"], 60.0 + 1e-4 * np.arange(5))


EXTENSIONS = {
    "usual": (
        f'xmlns:gpxtpx="{GARMIN}/v1"',
        "<gpxtpx:TPE><gpxtpx:hr>{}</gpxtpx:hr></gpxtpx:TPE>",
    ),
    "ns3": (f'xmlns:ns3="{GARMIN}/v1"', "<ns3:TPE><ns3:hr>{}</ns3:hr></ns3:TPE>"),
    "version 2": (f'xmlns:q="{GARMIN}/v2"', "<q:TPE><q:hr>{}</q:hr></q:TPE>"),
    "default namespace": ("", f'<TPE xmlns="{GARMIN}/v1"><hr>{{}}</hr></TPE>'),
}


@pytest.mark.parametrize("name", list(EXTENSIONS))
def test_extensions_are_known_by_namespace_not_by_prefix(tmp_path: Path, name: str) -> None:
    head, form = EXTENSIONS[name]
    points = [
        trkpt(t, f"<extensions>{form}</extensions>".format(140 + t)).replace(
            "TPE", "TrackPointExtension"
        )
        for t in range(4)
    ]
    (table,) = tables(tmp_path, gpx("".join(points), head))
    np.testing.assert_array_equal(table.columns["heart_rate"], 140 + np.arange(4))


def test_an_unknown_extension_is_named_and_power_without_namespace_read(tmp_path: Path) -> None:
    odd = '<extensions><power>{}</power><v:mood xmlns:v="http://vendor.example/1">9</v:mood></extensions>'
    (table,) = tables(tmp_path, gpx("".join(trkpt(t, odd.format(200 + t)) for t in range(3))))
    np.testing.assert_array_equal(table.columns["power"], [200, 201, 202])
    assert any("mood" in note for note in table.notes)


@pytest.mark.parametrize(
    ("times", "rows"),
    [
        ([None, *range(1, 39), None], 38),
        ([t if t % 25 else None for t in range(1, 101)], 96),
        ([*range(40)], 40),
    ],
)
def test_few_points_without_time_are_left_out(
    tmp_path: Path, times: list[int | None], rows: int
) -> None:
    (table,) = tables(tmp_path, gpx("".join(map(trkpt, times))))
    assert len(table.columns["time"]) == rows
    left_out = len(times) - rows
    told = f"{left_out} of {len(times)} points had no time that can be read and were left out"
    assert (told in table.notes) == (left_out > 0)


def test_a_time_that_is_none_is_no_time(tmp_path: Path) -> None:
    points = "".join(map(trkpt, range(5))).replace(iso(3), "half past nine")
    (table,) = tables(tmp_path, gpx(points))
    np.testing.assert_array_equal(table.columns["time"], START + np.array([0.0, 1, 2, 4]))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("".join(map(trkpt, [None] * 5)), "none of its points has a time"),
        ("".join(map(trkpt, [0, None, 2, None, 4, None])), "3 of 6 points have no time"),
        ("", "holds no track with points"),
        (trkpt(0, "<extensions><power>a lot</power></extensions>"), "a power is no number"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, points: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        tables(tmp_path, gpx(points))


def test_a_new_segment_is_a_break(tmp_path: Path) -> None:
    first, second = "".join(map(trkpt, range(5))), "".join(map(trkpt, range(8, 12)))
    (table,) = tables(tmp_path, gpx(first + NEW_SEGMENT + NEW_SEGMENT + second))
    assert table.breaks == {5: "new segment of the track"}
    assert (table.attributes["pauses"], table.attributes["paused_s"]) == ("1", "4")
    assert (table.attributes["elapsed_s"], table.attributes["timer_s"]) == ("11", "7")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = gpx("".join(map(trkpt, range(3))), name="Lämpö")
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    (table,) = tables(tmp_path, text.replace("UTF-8", declared).encode(encoding))
    assert len(table.columns["time"]) == 3


def test_a_cut_file_is_salvaged_to_its_last_whole_point(tmp_path: Path) -> None:
    whole = gpx("".join(map(trkpt, range(10))))
    cut = whole[: whole.index(iso(7)) + 10]
    with pytest.raises(RecordingError, match=r"is damaged or no XML.*read\.salvage: true"):
        tables(tmp_path, cut)
    (table,) = tables(tmp_path, cut, salvage=True)
    np.testing.assert_array_equal(table.columns["time"], START + np.arange(7.0))
    read_bytes = whole.index("</trkpt>", whole.index(iso(6))) + len("</trkpt>")
    assert table.attributes["salvaged"].startswith(f"{read_bytes} of {len(cut)} bytes read")


def test_the_library_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gpxpy", None)
    with pytest.raises(InputError, match=r"install lumipipe\[activity-files\]"):
        tables(tmp_path, gpx(trkpt(0)))
