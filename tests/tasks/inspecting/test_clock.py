"""Clocks: which columns hold time, measured rates, gaps with causes, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.readers.tables import Table
from lumipipe.tasks.inspecting.clock import clock_of

if TYPE_CHECKING:
    from lumipipe.tasks.inspecting.seen import ClockSeen

DAY = np.datetime64("2024-03-05T10:00:00", "ns")


def clock(columns: dict[str, Any], **said: str) -> ClockSeen:
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    arrays = {n: a.astype(object) if a.dtype.kind == "U" else a for n, a in arrays.items()}
    return clock_of(Table("t", arrays, said, 2)).seen


def texts(seconds: np.ndarray, form: str) -> list[str]:
    stamps = (DAY + (seconds * 1e9).astype("m8[ns]")).astype("M8[ms]").astype(object)
    return [stamp.strftime(form) for stamp in stamps]


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%d.%m.%Y %H:%M:%S",
        "%m/%d/%Y %I:%M:%S %p",
        "%Y/%m/%d %H:%M",
    ],
)
def test_text_stamps(form: str) -> None:
    days = np.arange(40) * 86_400.0  # more than twelve days: day and month cannot be swapped
    found = clock({"when": texts(days, form), "x": np.arange(40.0)})
    assert found.request == {"kind": "column", "column": "when", "format": form}
    assert found.choices == ()
    assert found.start == "2024-03-05T10:00:00Z"
    assert found.elapsed_s == 39 * 86_400
    assert found.rate_hz == pytest.approx(1 / 86_400)


def test_days_and_months_that_could_be_swapped_are_asked_for() -> None:
    found = clock({"when": texts(np.arange(30.0), "%d/%m/%Y %H:%M:%S")})
    formats = {found.request["format"], *(choice["format"] for choice in found.choices)}
    assert formats == {"%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"}


def test_a_date_beside_a_clock() -> None:
    seconds = np.arange(30) * 3600.0
    day, hour = texts(seconds, "%d.%m.%Y"), texts(seconds, "%H.%M.%S")
    found = clock({"Date": day, "Time": hour})
    assert found.request["column"] == ["Date", "Time"]
    assert found.request["format"] == "%d.%m.%Y %H.%M.%S"
    assert found.rate_hz == pytest.approx(1 / 3600)


def test_midnight_that_ends_a_day() -> None:
    quarters = np.arange(1, 400) * 900.0 - 36_000.0
    stamps = texts(quarters, "%d/%m/%Y %H:%M")
    # As some meters write it: 00:00 under the date of the day that ends.
    written = [
        texts(np.array([s - 86_400.0]), "%d/%m/%Y 00:00")[0] if text.endswith("00:00") else text
        for s, text in zip(quarters, stamps, strict=True)
    ]
    found = clock({"date": written})
    assert found.request["midnight"] == "ends_day"
    assert found.backwards == 0


@pytest.mark.parametrize(("unit", "scale"), [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
def test_numbers_since_1970_tell_their_unit(unit: str, scale: float) -> None:
    stamps = ((1_700_000_000.0 + np.arange(100) * 0.02) * scale).astype(np.int64)
    stamps = stamps if unit != "s" else 1_700_000_000 + np.arange(100)
    found = clock({"timestamp": stamps, "x": np.arange(100.0)})
    assert found.request["unit"] == unit
    assert found.request["origin"] == "1970"
    assert found.start is not None
    assert found.start.startswith("2023-11-14T22:13:20")
    assert found.rate_hz == pytest.approx(1.0 if unit == "s" else 50.0)


def test_numbers_from_the_start() -> None:
    found = clock({"elapsed (s)": np.arange(200) / 50.0})
    assert (found.request["unit"], found.request["origin"], found.start) == ("s", "recording", None)
    assert found.rate_hz == pytest.approx(50.0)
    unknown = clock({"time": np.arange(20.0)})
    assert unknown.request["unit"] == "?"
    assert unknown.rate_hz is None


def test_a_stated_rate_is_not_a_measured_one() -> None:
    found = clock({"x": np.arange(1000.0)}, rate_hz="500")
    assert found.request == {"kind": "regular", "rate_hz": 500.0}
    assert (found.rate_hz, found.nominal_hz, found.elapsed_s) == (None, 500.0, 2.0)
    # Stamps that were computed from the rate measure nothing.
    made = clock({"time": np.arange(1000) / 500.0}, rate_hz="500")
    assert made.rate_hz is None
    wandering = clock({"time": np.arange(1000) / 499.0}, **{"unit:time": "s"})
    assert wandering.rate_hz == pytest.approx(499.0, rel=1e-6)


def test_no_time_at_all() -> None:
    assert clock({"x": np.arange(9.0) % 3}).request == {"kind": "order", "row": "?"}


def test_gaps_falls_and_equal_stamps() -> None:
    time = np.arange(100.0)
    time[40:] += 60.0
    table = Table("t", {"time": time}, {"unit:time": "s"}, 2, breaks={70: "timer pause (manual)"})
    found = clock_of(table).seen
    assert found.gaps == {"unknown cause": 1, "timer pause (manual)": 1}
    assert (found.longest[0].place, found.longest[0].seconds) == ("line 42", 61.0)
    assert found.rate_hz == pytest.approx(1.0)  # gaps do not count
    time[80:] -= 50.0
    found = clock_of(Table("t", {"time": time}, {"unit:time": "s"}, 2)).seen
    assert (found.backwards, found.backwards_at) == (1, "line 82")
    time = np.repeat(np.arange(50.0), 2)
    assert clock_of(Table("t", {"time": time}, {"unit:time": "s"}, 2)).seen.equal == 50


def test_steps_that_differ_have_no_rate() -> None:
    steps = np.tile([1.0, 4.0, 2.0, 7.0], 50)
    found = clock({"time": np.cumsum(steps)}, **{"unit:time": "s"})
    assert found.rate_hz is None
    assert found.steps_s == (1.0, 4.0, 7.0)  # the first 1 has no step before it


def test_positions_in_the_recording_never_fall() -> None:
    time = np.array([0.0, 5.0, 3.0, 9.0])
    position = clock_of(Table("t", {"time": time}, {"unit:time": "s"}, None)).position
    assert (np.diff(position) >= 0).all()
