"""Stamps of local clocks on the nights of the clock change (case C41)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lumipipe.config import Source
from lumipipe.errors import RecordingError
from lumipipe.readers.tables import Table
from lumipipe.readers.timebase import TimeBase, time_base
from lumipipe.readers.zones import in_utc

HELSINKI = ZoneInfo("Europe/Helsinki")
AUTUMN = datetime(2025, 10, 25, 23, 0, tzinfo=UTC)  # 02:00 of summer time
QUARTER = timedelta(minutes=15)


def source(zone: str, **more: object) -> Source:
    time = {"kind": "column", "column": "t", "format": "%Y-%m-%d %H:%M:%S", "zone": zone}
    return Source.model_validate(
        {
            "id": "s",
            "source": "x",
            "format": "csv",
            "time": time | more.pop("time", {}),  # type: ignore[operator]
            "channels": [{"name": "x", "quantity": "force", "unit": "N"}],
            **more,
        }
    )


def written(moments: list[datetime], zone: ZoneInfo = HELSINKI) -> list[str]:
    return [f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in moments]


def quarters(count: int, start: datetime = AUTUMN) -> list[datetime]:
    return [start + at * QUARTER for at in range(count)]


def read(stamps: list[str], asked: Source) -> tuple[Table, TimeBase]:
    """The table in the order of time, and its time base."""
    columns = {"t": np.array(stamps, dtype=object), "x": np.arange(len(stamps), dtype=np.float64)}
    table, stated = in_utc(Table("x", columns, {}, 2), asked, "x.csv")
    rows = slice(0, len(table.columns["x"]))
    return table, time_base(table, rows, stated, None, "x.csv")


def ns(moments: list[datetime]) -> list[int]:
    return [int(moment.timestamp()) * 10**9 for moment in moments]


def test_the_doubled_hour_in_the_order_of_the_file() -> None:
    moments = quarters(20)
    table, base = read(written(moments), source("Europe/Helsinki"))
    assert base.time_ns is not None
    assert base.time_ns.tolist() == ns(moments)
    assert base.segments.tolist() == [[0, 20]]
    assert base.start_ns == ns(moments)[0]
    assert table.columns["x"].tolist() == list(range(20))


def test_the_doubled_hour_interleaved_by_a_sort() -> None:
    moments = quarters(20)
    lines = written(moments)
    order = sorted(range(20), key=lambda at: lines[at])  # stable: first pass before second
    assert order != list(range(20))
    table, base = read([lines[at] for at in order], source("Europe/Helsinki"))
    assert base.time_ns is not None
    assert base.time_ns.tolist() == ns(moments)
    assert [order[int(at)] for at in table.columns["x"]] == list(range(20))
    assert table.row_place(5) == f"line {2 + order.index(5)}"


@pytest.mark.parametrize("cut", ["one pass alone", "two stamps in the hour", "pairs everywhere"])
def test_an_hour_that_nothing_tells_apart_is_left_out(cut: str) -> None:
    moments = quarters(20)
    lines = written(moments)
    if cut == "one pass alone":
        del lines[8:12]  # 03:00 to 03:45 once: of which pass?
    elif cut == "two stamps in the hour":
        lines = [*lines[:4], lines[4], lines[6], *lines[12:]]
    else:  # half a second apart, written in whole ones: each stamp stands twice anyway
        del lines[8:12]
        lines = [line for line in lines for _ in range(2)]
    hour = [line for line in lines if " 03:" in line]
    table, base = read(lines, source("Europe/Helsinki"))
    assert len(table.columns["x"]) == len(lines) - len(hour)
    (note,) = table.notes
    assert note.startswith(f"{len(hour)} rows are of an hour of a clock change")
    # The hour is a break, so that no window spans it.
    before = sum(" 02:" in line for line in lines)
    assert base.segments.tolist() == [[0, before], [before, len(lines) - len(hour) - before]]


def test_an_hour_that_never_was_is_an_error_with_its_rows() -> None:
    lines = ["2025-03-30 02:45:00", "2025-03-30 03:00:00", "2025-03-30 03:30:00"]
    with pytest.raises(RecordingError) as error:
        read(lines, source("Europe/Helsinki"))
    assert "2 stamps are of an hour that Europe/Helsinki never had (line 3, line 4)" in str(
        error.value
    )
    assert "offset, such as +02:00" in str(error.value)


def test_a_logger_that_never_switches_has_an_offset() -> None:
    for start in (AUTUMN, datetime(2025, 3, 29, 23, 0, tzinfo=UTC)):
        moments = quarters(20, start)
        lines = [f"{moment + timedelta(hours=2):%Y-%m-%d %H:%M:%S}" for moment in moments]
        for zone in ("+02:00", "Etc/GMT-2"):
            _, base = read(lines, source(zone))
            assert base.time_ns is not None
            assert base.time_ns.tolist() == ns(moments)
    west = read(["2025-01-01 00:00:00"], source("-03:30"))[1]
    assert west.start_ns == ns([datetime(2025, 1, 1, 3, 30, tzinfo=UTC)])[0]


def test_rows_of_the_request_are_counted_in_the_file() -> None:
    moments = quarters(20)
    table, base = read(written(moments), source("Europe/Helsinki", rows=[2, 16]))
    assert base.time_ns is not None
    assert base.time_ns.tolist() == ns(moments)[2:16]
    assert table.columns["x"][0] == 2
    assert table.row_place(0) == "line 4"


def test_breaks_stay_before_their_rows() -> None:
    stamps = written(quarters(12, AUTUMN + timedelta(days=3)))
    columns = {"t": np.array(stamps, dtype=object), "x": np.arange(12.0)}
    table = Table("x", columns, {}, 2, breaks={5: "pause", 0: "start"})
    asked = source("Europe/Helsinki", rows=[2, 12])
    assert in_utc(table, asked, "x.csv")[0].breaks == {3: "pause"}


@given(
    start=st.integers(0, 8760 * 4),
    count=st.integers(1, 60),
    zone=st.sampled_from(["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_what_is_kept_is_right(start: int, count: int, zone: str) -> None:
    moments = quarters(count, datetime(2025, 1, 1, tzinfo=UTC) + start * QUARTER)
    table, base = read(written(moments, ZoneInfo(zone)), source(zone))
    assert base.time_ns is not None
    expected = np.array(ns(moments))[table.columns["x"].astype(int)]
    np.testing.assert_array_equal(base.time_ns, expected)


@pytest.mark.parametrize(
    ("zone", "time", "message"),
    [
        ("Europe/Vuokatti", {}, "no zone is called Europe/Vuokatti"),
        ("../etc/passwd", {}, "no zone is called"),
        ("+15:00", {}, "no zone is called"),
        ("Europe/Helsinki", {"format": "%Y-%m-%dT%H:%M:%S%z"}, "text stamps without an offset"),
        ("Europe/Helsinki", {"format": None, "unit": "s"}, "text stamps without an offset"),
    ],
)
def test_wrong_zones(zone: str, time: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        source(zone, time=time)
