"""Time stamps without loss, measured rates with uncertainty, gaps."""

from __future__ import annotations

import re

import numpy as np
import pytest
from pydantic import ValidationError

from lumipipe.config import Source
from lumipipe.errors import RecordingError
from lumipipe.readers.tables import Table
from lumipipe.readers.timebase import TimeBase, measured_rate, time_base

MS = 1_000_000


def base(
    stamps: np.ndarray,
    gap_s: float | None = None,
    breaks: dict[int, str] | None = None,
    rows: slice | None = None,
    **time: object,
) -> TimeBase:
    """Time base of a column of stamps."""
    source = Source.model_validate(
        {
            "id": "s",
            "source": "x",
            "format": "csv",
            "time": time
            if "kind" in time
            else {"kind": "column", "column": "t", "unit": "ms"} | time,
            "channels": [{"name": "x", "quantity": "force", "unit": "N"}],
        }
    )
    notes = ("of the file",) if breaks else ()
    columns = {"t": np.asarray(stamps)}
    table = Table("x", columns, {}, None, breaks=breaks or {}, notes=notes)
    return time_base(table, rows or slice(0, len(stamps)), source, gap_s, "x.csv")


def test_whole_milliseconds_are_exact_to_2_53() -> None:
    # 2**53 ms are past int64 ns: the largest stamp that fits is used, and 2**53 us.
    stamps = np.array([9_223_372_036_853, 9_223_372_036_854], dtype=np.int64)
    assert base(stamps).time_ns.tolist() == [s * MS for s in stamps.tolist()]
    exact = np.array([2**53 - 1, 2**53], dtype=np.float64)
    assert base(exact, unit="us").time_ns.tolist() == [(2**53 - 1) * 1000, 2**53 * 1000]
    with pytest.raises(RecordingError, match="no time in ms"):
        base(np.array([2**53]))
    with pytest.raises(RecordingError, match="row 1 holds nan"):
        base(np.array([1.0, np.nan]))


def test_nanoseconds_beyond_float64() -> None:
    stamps = np.array([1657533977810123457, 1657533977810123458])
    assert base(stamps, unit="ns").time_ns.tolist() == stamps.tolist()


@pytest.mark.parametrize("decimals", [1, 3, 6])
def test_fractions_of_seconds_come_back_as_written(decimals: int) -> None:
    whole = 1657533977
    fractions = np.random.default_rng(decimals).integers(0, 10**decimals, 50)
    fractions.sort()
    written = np.array([float(f"{whole}.{fraction:0{decimals}d}") for fraction in fractions])
    expected = [whole * 10**9 + int(f) * 10 ** (9 - decimals) for f in fractions]
    assert base(written, unit="s").time_ns.tolist() == expected


@pytest.mark.parametrize(("unit", "seconds"), [("d", 86400), ("h", 3600), ("min", 60), ("s", 1)])
def test_longer_units(unit: str, seconds: int) -> None:
    found = base(np.array([0.0, 0.25, 2.5]), unit=unit, origin="recording")
    assert found.time_ns.tolist() == [0, seconds * 250 * MS, seconds * 2500 * MS]


def test_time_from_the_start_has_no_start() -> None:
    found = base(np.array([0.0, 0.08, 0.16]), unit="s", origin="recording")
    assert found.start_ns is None
    assert found.time_ns.tolist() == [0, 80 * MS, 160 * MS]


def test_intervals_from_the_row_before_add_up() -> None:
    found = base(np.array([800.0, 812.5, 790.0]), unit="ms", origin="row_before")
    assert found.start_ns is None
    assert found.time_ns.tolist() == [800 * MS, 1612 * MS + MS // 2, 2402 * MS + MS // 2]
    assert base(np.array([2, 3]), unit="s", origin="row_before").time_ns.tolist() == [
        2000 * MS,
        5000 * MS,
    ]
    with pytest.raises(RecordingError, match="time goes back"):
        base(np.array([800.0, -1.0]), unit="ms", origin="row_before")


def test_order_of_time() -> None:
    with pytest.raises(RecordingError, match=r"column t: time goes back by 0.002 s at row 2"):
        base(np.array([1, 4, 2]))
    found = base(np.array([1, 1, 2, 2, 2]))
    assert "3 rows have the time stamp of the row before; all are kept" in found.notes
    assert len(found.time_ns) == 5


def test_gaps_by_five_typical_steps_or_declared() -> None:
    stamps = np.array([0, 10, 20, 70, 121, 131])  # a step of 50 is at the limit, 51 past it
    assert base(stamps).segments.tolist() == [[0, 4], [4, 2]]
    assert base(stamps, gap_s=0.02).segments.tolist() == [[0, 3], [3, 1], [4, 2]]
    assert base(stamps, gap_s=1.0).segments.tolist() == [[0, 6]]
    assert base(np.array([7, 7])).segments.tolist() == [[0, 2]]


def test_measured_rate_and_nominal() -> None:
    rng = np.random.default_rng(3)
    ideal = np.arange(2000) * (1000.0 / 98.7) + rng.normal(size=2000)
    stamps = np.maximum.accumulate(np.rint(ideal).astype(np.int64))
    found = base(stamps, rate_hz=100.0)
    # 98.7 Hz within three of the stated standard uncertainties, and these are small.
    assert abs(found.rate_hz - 98.7) < 3 * found.rate_u_hz
    assert 0 < found.rate_u_hz < 0.01
    assert any(note.startswith("measured rate 98.7") for note in found.notes)
    quiet = base(np.arange(100) * 10, rate_hz=100.0)
    assert not quiet.notes


def test_uncertainty_covers() -> None:
    # Of 200 series about 95 % must lie within 2 u; 4 binomial standard deviations allow 0.88.
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        stamps = np.rint(np.arange(300) * 1e7 + rng.normal(size=300) * 1e6).astype(np.int64)
        rate, u_rate = measured_rate(stamps, np.array([[0, 300]]))
        inside += abs(rate - 100.0) < 2 * u_rate
    assert inside > 0.88 * 200


def test_gaps_do_not_change_the_rate() -> None:
    stamps = np.concatenate([np.arange(50), 1000 + np.arange(50)]) * 20 * MS
    rate, _ = measured_rate(stamps, np.array([[0, 50], [50, 50]]))
    assert rate == pytest.approx(50.0, rel=1e-12)
    assert np.isnan(measured_rate(stamps[:1], np.array([[0, 1]]))[0])
    assert np.isnan(measured_rate(np.zeros(3, dtype=np.int64), np.array([[0, 3]]))[0])


def test_midnight_may_end_its_day() -> None:
    """Meters that write 24:00 as 00:00 under the date of the day that it ends."""
    stamps = np.array(["1/2/2026 23:45", "1/2/2026 00:00", "2/2/2026 00:15"], dtype=object)
    text = {"unit": None, "format": "%d/%m/%Y %H:%M"}
    found = base(stamps, **text, midnight="ends_day")
    assert np.diff(found.time_ns).tolist() == [900 * 10**9, 900 * 10**9]
    assert found.time_ns[1] == np.datetime64("2026-02-02T00:00", "ns").astype(np.int64)
    with pytest.raises(RecordingError, match="time goes back"):
        base(stamps, **text)
    for wrong in ({"unit": "s", "format": None}, {"unit": None, "format": "%H:%M %z"}):
        with pytest.raises(ValueError, match="midnight ends_day is for text stamps"):
            base(stamps, **wrong, midnight="ends_day")


def test_a_stamp_in_two_columns() -> None:
    time = {"kind": "column", "column": ["Date", "Time"], "format": "%Y-%m-%d %H:%M:%S"}
    source = Source.model_validate(
        {
            "id": "s",
            "source": "x",
            "format": "csv",
            "time": time,
            "channels": [{"name": "x", "quantity": "force", "unit": "N"}],
        }
    )
    columns = {
        "Date": np.array(["2004-03-10", "2004-03-11"], dtype=object),
        "Time": np.array(["23:00:00", "0:00:00"], dtype=object),  # one digit, as files write it
    }
    found = time_base(Table("x", columns, {}, None), slice(0, 2), source, None, "x.csv")
    assert np.diff(found.time_ns).tolist() == [3_600_000 * MS]
    assert found.start_ns == 1_078_959_600_000 * MS
    columns["Time"][1] = ""
    with pytest.raises(RecordingError, match=r"column Date and Time: .* holds '2004-03-11 '"):
        time_base(Table("x", columns, {}, None), slice(0, 2), source, None, "x.csv")
    with pytest.raises(ValidationError, match="several columns make text stamps"):
        Source.model_validate(
            source.model_dump() | {"time": {"kind": "column", "column": ["a", "b"], "unit": "s"}}
        )


@pytest.mark.parametrize(
    "time",
    [{}, {"kind": "regular", "rate_hz": 10}, {"kind": "order", "row": "beat"}],
    ids=["column", "regular", "order"],
)
def test_no_segment_goes_over_a_break(time: dict[str, object]) -> None:
    found = base(np.arange(10) * 100, breaks={4: "timer pause", 7: "timer pause"}, **time)
    assert found.segments.tolist() == [[0, 4], [4, 3], [7, 3]]
    assert found.notes[:2] == ("of the file", "2 breaks: timer pause")


def test_breaks_and_gaps_are_told_apart() -> None:
    # A pause of 1 s, a gap of 2 s; the pause does not tell what a usual step is.
    stamps = np.concatenate([np.arange(5), 14 + np.arange(5), 38 + np.arange(5)]) * 100
    found = base(stamps, breaks={5: "timer pause"})
    assert found.segments.tolist() == [[0, 5], [5, 5], [10, 5]]
    assert "1 gaps in time of unknown cause" in found.notes
    assert found.rate_hz == pytest.approx(10.0)


def test_breaks_outside_the_kept_rows_do_no_harm() -> None:
    breaks = dict.fromkeys((2, 3, 5, 8, 9), "pause")
    found = base(np.arange(10) * 100, breaks=breaks, rows=slice(3, 8))
    assert found.segments.tolist() == [[0, 2], [2, 3]]
    only = base(np.arange(2) * 100, breaks={1: "pause"})
    assert only.segments.tolist() == [[0, 1], [1, 1]]


def dates(form: str, *, hours: int = 24, count: int = 12) -> np.ndarray:
    """The first days of September 2024, as text."""
    start = np.datetime64("2024-09-01T00:00", "h")
    moments = (start + hours * np.arange(count)).astype("datetime64[s]").tolist()
    return np.array([f"{moment:{form}}" for moment in moments], dtype=object)


@pytest.mark.parametrize(("hours", "rate_hz"), [(24, 1 / 86400), (6, None), (6, 1 / 21600)])
def test_day_and_month_swapped_is_told_by_the_steps(hours: int, rate_hz: float | None) -> None:
    stamps = dates("%d.%m.%Y %H:%M", hours=hours, count=11 * 24 // hours)
    right = base(stamps, unit=None, format="%d.%m.%Y %H:%M", rate_hz=rate_hz)
    assert right.segments.tolist() == [[0, len(stamps)]]
    with pytest.raises(RecordingError, match=r"day and month swapped all are") as error:
        base(stamps, unit=None, format="%m.%d.%Y %H:%M", rate_hz=rate_hz)
    assert "correct time.format, to %d.%m.%Y %H:%M" in str(error.value)


def test_stamps_that_are_right_both_ways_are_read_as_declared() -> None:
    one_day = dates("%d.%m.%Y %H:%M", hours=1, count=5)  # 01.09.: also the ninth of January
    january = base(one_day, unit=None, format="%m.%d.%Y %H:%M")
    assert january.start_ns == np.datetime64("2024-01-09", "ns").astype(np.int64)
    two = dates("%d.%m.%Y", count=2)
    assert base(two, unit=None, format="%m.%d.%Y").time_ns is not None
    # The tenth of each month, or some days of October: without a rate, as declared.
    monthly = np.array([f"10.{month:02d}.2024" for month in range(1, 12)], dtype=object)
    assert base(monthly, unit=None, format="%d.%m.%Y").time_ns is not None


def test_stamps_in_two_formats_are_an_error_with_a_row() -> None:
    mixed = np.array(["01.09.2024", "02.09.2024", "2024-09-03", "04.09.2024"], dtype=object)
    with pytest.raises(RecordingError, match=r"row 2 holds '2024-09-03', .*; 1 such rows"):
        base(mixed, unit=None, format="%d.%m.%Y")
    iso = np.array(["2024-09-03T10:00:00+0300", "2024-09-03T10:00:00"], dtype=object)
    with pytest.raises(RecordingError, match="row 1 holds '2024-09-03T10:00:00'"):
        base(iso, unit=None, format="%Y-%m-%dT%H:%M:%S%z")


def test_time_that_stands_still_at_the_end_is_refused() -> None:
    tail = np.concatenate([np.arange(50) * 10, np.full(12, 490)])
    with pytest.raises(RecordingError, match="time stands still from row 49 on, for 13 rows"):
        base(tail)
    # At 25 rows a second with stamps of whole seconds, each stamp stands 25 times.
    assert base(np.arange(100) // 25 * 1000).time_ns is not None
    assert base(np.concatenate([np.arange(50) * 10, np.full(5, 490)])).time_ns is not None


def test_steps_that_alternate_are_told_or_refused() -> None:
    uneven = np.cumsum(np.tile([1, 9], 50))
    told = "steps between rows are uneven: 0.001 to 0.009 s (5 % and 95 % of them)"
    assert told in base(uneven).notes
    with pytest.raises(RecordingError, match=re.escape(f"{told}, though rate_hz is 200")):
        base(uneven, rate_hz=200)
    assert told in base(uneven, rate_hz=200, gap_s=0.1).notes  # a grid makes them even
    jitter = np.arange(200) * 10 + np.random.default_rng(4).integers(-1, 2, 200)
    assert not any("uneven" in note for note in base(jitter).notes)
    gaps = np.concatenate([np.arange(100) * 10, 5000 + np.arange(100) * 10])
    assert not any("uneven" in note for note in base(gaps).notes)
