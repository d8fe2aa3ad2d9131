"""FIT files: legs, pauses, developer fields, clocks and damage (cases C33 to C37, C40, C42)."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.config import Prepare, Source
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers import READERS
from lumipipe.readers.fit import Options, read
from lumipipe.readers.grid import on_grid
from lumipipe.readers.recording import read_recordings
from readers.activity_files import (
    ACTIVITY,
    DEVELOPER_DATA_ID,
    FIELD_DESCRIPTION,
    FIT_EPOCH,
    RECORD,
    START,
    STRING,
    UINT8,
    UINT32,
    Message,
    file_id,
    fit_file,
    fit_time,
    gpx,
    hrm,
    hrv,
    lap,
    record,
    ride,
    sealed,
    session,
    tcx,
    timer,
    trackpoint,
    trkpt,
)

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.readers.tables import Table

pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")


def tables(folder: Path, content: bytes | list[Message], **options: object) -> list[Table]:
    raw = content if isinstance(content, bytes) else fit_file(content)
    (folder / "a.fit").write_bytes(raw)
    return list(read(folder / "a.fit", Options.model_validate(options)))


def test_columns_by_standard_names(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, ride())
    assert table.name == "a"
    np.testing.assert_array_equal(table.columns["time"], START + np.arange(60.0))
    np.testing.assert_array_equal(table.columns["power"], 200 + np.arange(60) % 11)
    np.testing.assert_array_equal(table.columns["speed"], np.full(60, 8.0))
    assert np.isnan(table.columns["temperature"]).all()
    said = table.attributes
    assert (said["sport"], said["manufacturer"], said["start"]) == (
        "cycling",
        "garmin",
        "2020-09-13T12:26:40Z",
    )
    assert (said["elapsed_s"], said["timer_s"], said["span_s"]) == ("59", "59", "59")
    assert not table.breaks
    assert not table.notes


def damaged(kind: str) -> bytes:
    whole = fit_file([file_id(), *[record(t, power=t % 200) for t in range(345)]])
    per_record = 1 + 6 + 2 * 3 + 6  # two header bytes shared by definition (12) and data (7)
    cut = 14 + (len(whole) - 16) - (345 - 300) * per_record - 3
    return {
        "length 0": sealed(whole[:4] + bytes(4) + whole[8:12], b"")[:14] + whole[14:],
        "no checksum": whole[:-2],
        "cut": whole[:cut],
        "flipped": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
        "header checksum 0": whole[:12] + bytes(2) + _tail(whole),
    }[kind]


def _tail(whole: bytes) -> bytes:
    """Body and checksum of a file whose header's checksum is 0."""
    return sealed(whole[:12], whole[14:-2])[14:-2] + _crc_with_zero(whole)


def _crc_with_zero(whole: bytes) -> bytes:
    from fitdecode.utils import compute_crc  # noqa: PLC0415

    return struct.pack("<H", compute_crc(whole[:12] + bytes(2) + whole[14:-2]))


@pytest.mark.parametrize(
    ("kind", "rows", "fault"),
    [
        ("length 0", 345, "bytes read"),
        ("no checksum", 345, "expected 2 bytes, got 0"),
        ("cut", 299, "expected"),
        ("flipped", 345, "its checksum is wrong: any value may be"),
    ],
)
def test_damage_is_refused_or_salvaged_with_byte_counts(
    tmp_path: Path, kind: str, rows: int, fault: str
) -> None:
    raw = damaged(kind)
    with pytest.raises(RecordingError, match=r"is damaged or no FIT file.*read\.salvage: true"):
        tables(tmp_path, raw)
    (table,) = tables(tmp_path, raw, salvage=True)
    assert len(table.columns["time"]) == rows
    assert f"of {len(raw)} bytes read" in table.attributes["salvaged"]
    assert fault in table.attributes["salvaged"]
    assert table.notes[0] == f"salvaged: {table.attributes['salvaged']}"


def test_a_header_without_checksum_is_whole(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, damaged("header checksum 0"))
    assert len(table.columns["time"]) == 345
    assert "salvaged" not in table.attributes


DESCRIBED = [
    Message(DEVELOPER_DATA_ID, [(3, UINT8, 0)]),
    Message(
        FIELD_DESCRIPTION,
        [
            (0, UINT8, 0),
            (1, UINT8, 4),
            (2, UINT8, UINT8),
            (3, STRING, "Form Power"),
            (8, STRING, "W"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("before", "field", "column", "note"),
    [
        (DESCRIBED, (4, b"\x37", 0), "developer/Form Power", None),
        (DESCRIBED, (4, b"\x37\x38\x39", 0), None, "hold no single number"),
        ([], (4, b"\x37\x38", 0), None, "nothing describes"),
        (DESCRIBED, (9, b"\x01\x02\x03\x04\x05", 0), None, "nothing describes"),
    ],
)
def test_developer_fields_shift_nothing(
    tmp_path: Path,
    before: list[Message],
    field: tuple[int, bytes, int],
    column: str | None,
    note: str | None,
) -> None:
    plain = record(1, heart_rate=141, power=250)
    with_field = Message(RECORD, plain.fields, [field])
    after = record(2, heart_rate=142, power=251)
    first = record(0, heart_rate=140, power=249)
    (table,) = tables(tmp_path, [file_id(), *before, first, with_field, after])
    np.testing.assert_array_equal(table.columns["heart_rate"], [140, 141, 142])
    np.testing.assert_array_equal(table.columns["power"], [249, 250, 251])
    found = [name for name in table.columns if name.startswith("developer/")]
    assert found == ([] if column is None else [column])
    if column is not None:
        np.testing.assert_array_equal(table.columns[column], [np.nan, 0x37, np.nan])
        assert table.attributes[f"unit:{column}"] == "W"
    assert note is None or any(note in line for line in table.notes)


def test_a_developer_field_of_no_length_is_refused_by_name(tmp_path: Path) -> None:
    odd = Message(RECORD, record(1, heart_rate=141).fields, [(4, b"", 0)])
    content = [file_id(), *DESCRIBED, record(0, heart_rate=140), odd, record(2, heart_rate=142)]
    with pytest.raises(RecordingError, match="is damaged or no FIT file"):
        tables(tmp_path, content)
    (table,) = tables(tmp_path, content, salvage=True)
    np.testing.assert_array_equal(table.columns["heart_rate"], [140])


def paused(*, with_events: bool) -> list[Message]:
    """An hour at 1 s with a pause of 5 minutes in which a ferry went 3 km."""
    seconds = [*range(1201), *range(1500, 3601)]
    rows = [
        record(
            t, speed=5.0, distance=5.0 * min(t, 1200) + max(0, 5.0 * (t - 1500) + 3000) * (t > 1200)
        )
        for t in seconds
    ]
    stop = [timer(1200, starts=False), timer(1500, starts=True)] if with_events else []
    head = [file_id(), timer(0, starts=True)] if with_events else [file_id()]
    return [*head, *rows[:1201], *stop, *rows[1201:]]


def test_a_pause_is_no_riding_and_no_window_crosses_it(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, paused(with_events=True))
    said = table.attributes
    assert (said["elapsed_s"], said["timer_s"], said["moving_s"]) == ("3600", "3300", "3300")
    assert (said["pauses"], said["paused_s"]) == ("1", "300")
    assert said["distance_m"] == "16500.0"  # 5 m/s for 3300 s, without the ferry
    assert table.breaks == {1201: "timer pause (manual)"}


def test_a_gap_without_events_is_no_pause(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, paused(with_events=False))
    assert (table.attributes["timer_s"], table.attributes["pauses"]) == ("3600", "0")
    assert not table.breaks


def test_rows_in_a_pause_are_marked_and_stand_alone(tmp_path: Path) -> None:
    rows = [record(t, heart_rate=120) for t in range(10)]
    stop, start = timer(3, starts=False, trigger=1), timer(6, starts=True)
    (table,) = tables(
        tmp_path, [timer(0, starts=True), *rows[:4], stop, *rows[4:6], start, *rows[6:]]
    )
    np.testing.assert_array_equal(table.columns["timer"], [1, 1, 1, 1, 0, 0, 1, 1, 1, 1])
    assert table.breaks == dict.fromkeys((4, 6), "timer pause (auto)")


LEGS = [
    ("swimming", 0, 10),
    ("transition", 10, 5),
    ("cycling", 15, 30),
    ("transition", 45, 5),
    ("running", 50, 20),
]


@pytest.mark.parametrize("order", ["first", "last", "after each"])
def test_legs_are_told_by_time_wherever_their_summary_is(tmp_path: Path, order: str) -> None:
    summaries = [session(*leg) for leg in LEGS]
    rows = []
    for leg, summary in zip(LEGS, summaries, strict=True):
        places = {} if leg[0] == "swimming" else {"latitude": 60.0, "longitude": 25.0}
        rows += [record(t, heart_rate=100 + t, **places) for t in range(leg[1], leg[1] + leg[2])]
        rows += [summary] if order == "after each" else []
    content = {
        "first": [file_id(), *summaries, *rows],
        "last": [file_id(), *rows, *summaries],
        "after each": [file_id(), *rows],
    }[order]
    found = tables(tmp_path, content, positions=True, hide_ends_m=0)
    assert [(t.name, t.attributes["sport"], len(t.columns["time"])) for t in found] == [
        (f"a-{n}", sport, rows) for n, (sport, _, rows) in enumerate(LEGS, start=1)
    ]
    np.testing.assert_array_equal(found[2].columns["heart_rate"], 100 + np.arange(15, 45))
    assert np.isnan(found[0].columns["latitude"]).all()
    assert not np.isnan(found[1].columns["latitude"]).any()


def test_chained_files_and_chosen_sports(tmp_path: Path) -> None:
    run = [
        file_id(),
        *[record(100 + t, heart_rate=150) for t in range(5)],
        session("running", 100, 4),
    ]
    chained = fit_file(ride(20)) + fit_file(run)
    found = tables(tmp_path, chained)
    assert [(t.name, len(t.columns["time"])) for t in found] == [("a-1", 20), ("a-2", 5)]
    (only,) = tables(tmp_path, chained, sports=["running"])
    assert (only.name, only.attributes["leg"], only.attributes["legs"]) == ("a-2", "2", "2")
    with pytest.raises(RecordingError, match=r"has no leg of rowing; .* it has: cycling, running"):
        tables(tmp_path, chained, sports=["rowing"])


def test_several_records_in_a_second(tmp_path: Path) -> None:
    halves = [record(t // 2, power=t, time128=0.5 * (t % 2)) for t in range(10)]
    (table,) = tables(tmp_path, halves)
    np.testing.assert_array_equal(np.diff(table.columns["time"]), np.full(9, 0.5))
    plain = [record(t // 2, power=t) for t in range(10)]
    (table,) = tables(tmp_path, [*plain, plain[-1]])
    assert len(table.columns["time"]) == 10
    assert "1 rows that repeat another were left out" in table.notes


def test_clocks(tmp_path: Path) -> None:
    offset = Message(ACTIVITY, [(253, UINT32, fit_time(60)), (5, UINT32, fit_time(60 + 3 * 3600))])
    (table,) = tables(tmp_path, [*ride(), offset])
    assert table.attributes["utc_offset"] == "+03:00"
    (table,) = tables(tmp_path, ride())
    assert table.attributes["utc_offset"] == "unknown"
    unset = [record(FIT_EPOCH - START + 5000 + t, power=100 + t) for t in range(4)]
    (table,) = tables(tmp_path, unset)
    np.testing.assert_array_equal(table.columns["time"], [0, 1, 2, 3])
    assert "start" not in table.attributes
    assert any("clock was not set" in note for note in table.notes)


def test_rows_that_go_back_in_time_are_left_out_when_salvaging(tmp_path: Path) -> None:
    rows = [record(t, power=t) for t in (0, 1, 2, 3, 2, 3, 4)]
    (table,) = tables(tmp_path, rows)
    assert len(table.columns["time"]) == 7  # it is the time base that refuses them
    (table,) = tables(tmp_path, rows, salvage=True)
    np.testing.assert_array_equal(table.columns["power"], [0, 1, 2, 3, 3, 4])
    assert table.attributes["salvaged"] == "1 of 7 rows go back in time, left out"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Helsinki", "Pacific/Kiritimati"])
def test_the_zone_of_the_machine_does_not_matter(
    tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        (table,) = tables(tmp_path, ride())
        (tmp_path / "a.tcx").write_text(tcx(lap(0, 2, trackpoint(0) + trackpoint(1))))
        (tmp_path / "a.gpx").write_text(gpx(trkpt(0).replace("Z</time>", "</time>")))
        (tmp_path / "a.hrm").write_text(hrm("80\n" * 4, "000000000"))
        others = [
            next(READERS[form].read(tmp_path / f"a.{form}", READERS[form].Options(**options)))
            for form, options in {"tcx": {}, "gpx": {}, "hrm": {"utc_offset_h": 3}}.items()
        ]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert {item.columns["time"][0] for item in (table, *others)} == {START}
    assert {item.attributes["start"] for item in (table, *others)} == {"2020-09-13T12:26:40Z"}


def test_windows_do_not_cross_a_pause(tmp_path: Path) -> None:
    (tmp_path / "a.fit").write_bytes(fit_file(paused(with_events=True)))
    source = Source.model_validate(
        {
            "id": "watch",
            "source": "a.fit",
            "format": "fit",
            "time": {"kind": "column", "column": "time", "unit": "s"},
            "channels": [{"name": "speed", "quantity": "speed", "unit": "m/s"}],
        }
    )
    grid = {"rate_hz": 1, "longest_gap_s": 1000}
    settings = Prepare.model_validate({"grid": grid})
    (found,) = read_recordings(source, tmp_path / "a.fit", settings, "r.yaml:1", tmp_path)
    assert found.streams["main"].segments.tolist() == [[0, 1201], [1201, 2101]]
    assert "1 breaks: timer pause (manual)" in found.notes
    assert found.attributes["timer_s"] == "3300"
    assert settings.grid is not None
    joined = on_grid([found], settings.grid).streams["main"]
    assert joined.segments.tolist() == [[0, 1201], [1500, 2101]]


def test_no_reading_is_no_number(tmp_path: Path) -> None:
    rows = [
        record(0, heart_rate=140, power=0, cadence=0),
        record(1, heart_rate=255, power=65535, cadence=255),
        record(2, heart_rate=0, power=200, cadence=90),
    ]
    (table,) = tables(tmp_path, rows)
    np.testing.assert_array_equal(table.columns["heart_rate"], [140, np.nan, np.nan])
    np.testing.assert_array_equal(table.columns["power"], [0, np.nan, 200])
    np.testing.assert_array_equal(table.columns["cadence"], [0, np.nan, 90])
    assert "heart_rate: 1 zero: no reading" in table.notes


def test_times_between_beats(tmp_path: Path) -> None:
    content: list[Message] = [file_id(), timer(0, starts=True)]
    for second in [*range(10), *range(40, 50)]:
        content += [record(second, heart_rate=75), hrv(0.8, 0.2)]
    (table,) = tables(tmp_path, content, table="rr")
    assert len(table.columns["rr"]) == 40
    np.testing.assert_allclose(table.columns["rr"][:2], [800, 200])
    np.testing.assert_allclose(table.columns["time"][:3] - START, [0.8, 1.0, 1.8])
    assert table.breaks == {20: "missing beats"}
    with pytest.raises(RecordingError, match="holds no times between heartbeats"):
        tables(tmp_path, ride(), table="rr")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"not a FIT file, but some text", "damaged or no FIT file"),
        (fit_file([file_id()]), r"holds no records \(file type activity\)"),
    ],
)
def test_what_is_no_activity_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        tables(tmp_path, content)


def test_the_library_is_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fitdecode", None)
    with pytest.raises(InputError, match=r"install lumipipe\[activity-files\]"):
        tables(tmp_path, ride())


def test_start_and_end_can_be_cut(tmp_path: Path) -> None:
    (table,) = tables(tmp_path, ride(), cut_start_s=10, cut_end_s=5)
    np.testing.assert_array_equal(table.columns["time"], START + np.arange(10.0, 55.0))
    assert table.columns["distance"][0] == 0.0
    assert table.attributes["elapsed_s"] == "44"
    assert table.attributes["start"] == "2020-09-13T12:26:50Z"
    with pytest.raises(RecordingError, match=r"has no rows; .*cut or hide less"):
        tables(tmp_path, ride(), cut_start_s=100)
