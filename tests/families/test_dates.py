"""A split by dates: which rows train, calibrate and test, what is said of it, what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import call, one_line
from lumipipe.config import TimeSplit
from lumipipe.errors import InputError
from lumipipe.splits import rows_until
from running import answer
from small_requests import DROP, ambient, change, emission, line_of, monitoring
from small_requests import soft_sensor as soft
from tasks.bundles import finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR = 3_600_000_000_000
NO_COLUMN = {"column": DROP, "format": DROP}
FORMAT = "%Y-%m-%d %H:%M:%S"
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
START = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)  # of the small request `ambient`


def dates(until: str, calibrate: str | None = None) -> dict[str, Any]:
    """Section `evaluation` with dates for the lengths of the small requests."""
    split = {"kind": "time", "train_first_s": DROP, "train_first_rows": DROP, "train_until": until}
    return {"split": split | ({} if calibrate is None else {"calibrate_until": calibrate})}


def stamped(request: Path, starts: dict[str, datetime], **changes: Any) -> Path:
    """The request with a column of stamps in its files: one row an hour from a start on."""
    for name, start in starts.items():
        path = request.parent / "raw" / name
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        lines = [f"{start + timedelta(hours=n):{FORMAT}},{row}" for n, row in enumerate(rows)]
        path.write_text("\n".join([f"stamp,{head}", *lines]) + "\n", encoding="utf-8")
    time = {"kind": "column", "column": "stamp", "format": FORMAT, "row": DROP}
    sources = {"ambient": 1, "monitoring": 1, "emission": 2}
    family = request.read_text(encoding="utf-8").partition("id: small-")[2].split()[0]
    timed = change(request, data={at: {"time": time} for at in range(sources[family])})
    return change(timed, **changes)


def plant(folder: Path, until: str, calibrate: str | None = None, **changes: Any) -> Path:
    """The request `monitoring` with stamps from the first of January on, and dates."""
    request = monitoring(folder)
    return stamped(request, {"plant.csv": JANUARY}, evaluation=dates(until, calibrate), **changes)


def phases(done: Any) -> list[str]:
    """Phase of each row of the table of rows."""
    file = next(done.product("score").rglob("rows*.parquet"))
    return [str(phase) for phase in pq.read_table(file)["phase"].to_pylist()]


@given(
    times=st.lists(st.integers(0, 10 * 24), min_size=1, max_size=40),
    first=st.integers(0, 200),
    more=st.integers(1, 200),
    most=st.integers(1, 50),
)
def test_a_row_is_where_its_stamp_is(times: list[int], first: int, more: int, most: int) -> None:
    """The twin looks at each stamp by itself; reading by halves changes nothing."""
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    ends = [begin + timedelta(hours=hours) for hours in (first, first + more)]
    split = TimeSplit(kind="time", train_until=ends[0], calibrate_until=ends[1])
    stamps = HOUR * np.sort(np.asarray(times, dtype=np.int64))
    found = rows_until(split, lambda a, b: stamps[a:b], len(stamps), most)
    assert found == [sum(begin + timedelta(hours=t) <= end for t in times) for end in ends]


def test_a_day_is_whole_and_in_utc() -> None:
    split = TimeSplit.model_validate({"kind": "time", "train_until": "2025-12-31"})
    day = 1_767_225_600_000_000_000  # 2026-01-01 00:00 UTC
    stamps = np.asarray([day - HOUR, day - 1, day, day + HOUR])
    assert rows_until(split, lambda a, b: stamps[a:b], 4, 10) == [2]
    zoned = TimeSplit.model_validate(
        {"kind": "time", "train_until": "2025-12-31T23:59:59.999999+02:00"}
    )
    assert rows_until(zoned, lambda a, b: stamps[a:b] - 2 * HOUR, 4, 10) == [2]


def ambient_case(folder: Path) -> tuple[Path, list[datetime], list[datetime]]:
    hours = np.setdiff1d(np.arange(16 * 24), [130, 131])
    stamps = [START + timedelta(hours=int(hour)) for hour in hours]
    ends = [datetime(2023, 11, 19, tzinfo=UTC), datetime(2023, 11, 21, tzinfo=UTC)]
    return ambient(folder, evaluation=dates("2023-11-18", "2023-11-20")), stamps, ends


def monitoring_case(folder: Path) -> tuple[Path, list[datetime], list[datetime]]:
    """A moment counts itself; another zone is another moment."""
    request = plant(folder, "2026-01-01T23:00:00Z", "2026-01-02T22:00:00+02:00")
    ends = [datetime(2026, 1, day, hour, 0, 1, tzinfo=UTC) for day, hour in ((1, 23), (2, 20))]
    return request, [JANUARY + timedelta(hours=n) for n in range(60)], ends


def emission_case(folder: Path) -> tuple[Path, list[datetime], list[datetime]]:
    """Dates within the second of three recordings: one trains whole, one tests whole."""
    starts = {f"gt_{year}.csv": datetime(year, 1, 1, tzinfo=UTC) for year in (2011, 2012, 2013)}
    split = dates("2012-01-01T11:00:00Z", "2012-01-01")
    split["split"] |= {"train": DROP, "test": DROP}
    request = stamped(emission(folder), starts, evaluation=split)
    stamps = [start + timedelta(hours=n) for start in starts.values() for n in range(40)]
    ends = [datetime(2012, 1, 1, 12, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC)]
    return request, stamps, ends


@pytest.mark.parametrize("case", [ambient_case, monitoring_case, emission_case])
def test_parts_are_those_of_the_stamps(tmp_path: Path, case: Callable[[Path], Any]) -> None:
    request, stamps, ends = case(tmp_path)
    done = answer(request, tmp_path / "out")
    names = ["train", "calibrate", "test"]
    wanted = [names[sum(stamp >= end for end in ends)] for stamp in stamps]
    found = [{"normal": "train"}.get(phase, phase) for phase in phases(done)]
    assert found == wanted
    assert set(wanted) == set(names)
    assert {test.status for test in done.result.leakage} <= {"none", "by_design", "not_tested"}


def test_dates_are_the_same_as_the_rows_that_they_stand_for(tmp_path: Path) -> None:
    """Forty rows until the second day at 15:00: the same model, metrics and alarms."""
    results = []
    for name, split in (
        ("dates", dates("2026-01-02T15:30:00Z")),
        ("rows", {"split": {"kind": "time", "train_first_rows": 40}}),
    ):
        (tmp_path / name).mkdir()
        request = stamped(monitoring(tmp_path / name), {"plant.csv": JANUARY}, evaluation=split)
        results.append(answer(request, tmp_path / name / "out"))
    by_date, by_rows = (done.result for done in results)
    assert by_date.metrics == by_rows.metrics
    assert by_date.units == by_rows.units
    assert phases(results[0]) == phases(results[1])
    assert by_date.split.sentence == (
        "Rows up to 2026-01-02 15:30:00 UTC are normal operation; the rest tests."
    )


def test_page_one_and_the_registered_plan_have_the_dates(tmp_path: Path) -> None:
    later = {"event": {"from_row": 50}}
    request = plant(tmp_path, "2026-01-01", "2026-01-02", score=later)
    change(request, evaluation={"plan_signed": True})
    finished(request, tmp_path / "out")
    plan = json.loads((tmp_path / "out/registered/plan-1.json").read_text(encoding="utf-8"))
    assert plan["evaluation"]["split"] == {
        "kind": "time",
        "train_first_s": None,
        "train_first_rows": None,
        "train_until": "2026-01-01T23:59:59.999999Z",
        "calibrate_until": "2026-01-02T23:59:59.999999Z",
    }
    told = (
        "Rows up to 2026-01-01 (UTC) are normal operation, later ones up to 2026-01-02 (UTC) set "
        "the limits; the rest tests."
    )
    assert told in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    # Another date after the slice was scored is a deviation.
    change(request, evaluation={"split": {"calibrate_until": "2026-01-02T20:00:00Z"}})
    finished(request, tmp_path / "out")
    result = json.loads((tmp_path / "out/result.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in result["deviations"]] == ["evaluation.split.calibrate_until"]


# Name: dates, further changes, the line in question, the message. None is read from the data.
FORMS: dict[str, tuple[tuple[str, str | None], dict[str, Any], str, str]] = {
    "dates in the wrong order": (
        ("2026-01-02", "2026-01-01"),
        {},
        "split:",
        (
            "evaluation.split: calibrate_until does not lie after train_until; write the later "
            "date there"
        ),
    ),
    "one date twice": (
        ("2026-01-02", "2026-01-02"),
        {},
        "split:",
        (
            "evaluation.split: calibrate_until does not lie after train_until; write the later "
            "date there"
        ),
    ),
    "two lengths": (
        ("2026-01-02", None),
        {"evaluation": {"split": {"train_first_rows": 40}}},
        "split:",
        "evaluation.split: give train_first_s, train_first_rows or train_until; one of the three",
    ),
    "calibrate_until without train_until": (
        ("2026-01-02", None),
        {
            "evaluation": {
                "split": {
                    "train_until": DROP,
                    "train_first_rows": 40,
                    "calibrate_until": "2026-01-02",
                }
            }
        },
        "split:",
        "evaluation.split: calibrate_until goes with a date; give train_until",
    ),
    "a time without a zone": (
        ("2026-01-02 12:00:00", None),
        {},
        "train_until:",
        (
            "evaluation.split.train_until: '2026-01-02 12:00:00' does not fit; it should have "
            "timezone info"
        ),
    ),
    "no date": (
        ("new year", None),
        {},
        "train_until:",
        "evaluation.split.train_until: 'new year' does not fit; it should be",
    ),
    "rows without stamps": (
        ("2026-01-02", None),
        {"data": {0: {"time": {"kind": "order", "row": "one hour", **NO_COLUMN}}}},
        "train_until:",
        (
            "evaluation.split.train_until is about stamps, and rows of source plant have none of "
            "the calendar; name the column of stamps under time, or use train_first_s or "
            "train_first_rows"
        ),
    ),
    "before the period": (
        ("2025-12-30", None),
        {"data": {0: {"period": ["2026-01-01", "2026-01-31"]}}},
        "train_until:",
        (
            "evaluation.split.train_until 2025-12-30 (UTC) lies outside the period of the data, "
            "2026-01-01 to 2026-01-31, or at its end; write a date within it, with rows before "
            "and after"
        ),
    ),
    "at the end of the period": (
        ("2026-01-02", "2026-01-31"),
        {"data": {0: {"period": ["2026-01-01", "2026-01-31"]}}},
        "calibrate_until:",
        "evaluation.split.calibrate_until 2026-01-31 (UTC) lies outside the period of the data, ",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_the_form_tells_is_refused_before_any_job(tmp_path: Path, name: str) -> None:
    given_dates, changes, line, message = FORMS[name]
    request = plant(tmp_path, *given_dates)
    change(request, **changes)
    for words in (("request", "check"), ("request", "quote"), ("run",)):
        options = () if words[-1] == "check" else ("--out", tmp_path / "out")
        said = one_line(call(*words, request, *options))
        assert said.startswith(f"{request}:{line_of(request, line)}: {message}"), said
        assert not (tmp_path / "out").exists()


# Name: dates, the line in question, the message. The stamps alone tell.
ROWS = {
    "before the first row": (
        ("2025-12-31", None),
        "train_until:",
        (
            "evaluation.split: train_until 2025-12-31 (UTC) leaves no row to train on: the rows "
            "are from 2026-01-01 00:00:00 to 2026-01-03 11:00:00 UTC; write a later date"
        ),
    ),
    "after the last row": (
        ("2026-01-03", None),
        "train_until:",
        (
            "evaluation.split: train_until 2026-01-03 (UTC) leaves no row to test: the rows are "
            "from 2026-01-01 00:00:00 to 2026-01-03 11:00:00 UTC; write an earlier date"
        ),
    ),
    "nothing between two dates": (
        ("2026-01-02T03:10:00Z", "2026-01-02T03:50:00Z"),
        "calibrate_until:",
        (
            "evaluation.split: calibrate_until 2026-01-02 03:50:00 UTC leaves no row to set "
            "limits and intervals on: the rows are from "
        ),
    ),
    "calibrating to the end": (
        ("2026-01-02", "2026-02-01"),
        "calibrate_until:",
        "evaluation.split: calibrate_until 2026-02-01 (UTC) leaves no row to test: the rows are ",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_the_stamps_tell_is_refused_in_prepare(tmp_path: Path, name: str) -> None:
    given_dates, line, message = ROWS[name]
    request = plant(tmp_path, *given_dates)
    said = call("prepare", request, "--out", tmp_path / "out")
    told = said.err.splitlines()[-1].removeprefix("lumipipe: ")
    assert said.code == 2
    assert told.startswith(f"{request}:{line_of(request, line)}: {message}"), told
    assert not list((tmp_path / "out" / "prepare").glob("*.json"))


def test_a_dataset_that_is_prepared_is_refused_when_it_trains(tmp_path: Path) -> None:
    """Dates are no ingredient of a dataset: other dates train on the one that is there."""
    request = plant(tmp_path, "2026-01-01")
    answer(request, tmp_path / "out")
    change(request, evaluation=dates("2026-03-01"))
    with pytest.raises(InputError, match=r"train_until 2026-03-01 \(UTC\) leaves no row to test"):
        answer(request, tmp_path / "out")


def test_stamps_since_the_start_are_no_dates(tmp_path: Path) -> None:
    request = soft(tmp_path, evaluation=dates("2026-01-01"))
    assert "rows of source plant have none of the calendar" in call("request", "check", request)[2]


def test_a_fault_in_rows_that_a_date_calls_normal_is_refused(tmp_path: Path) -> None:
    """Row 45 is the second day at 21:00."""
    request = plant(tmp_path, "2026-01-02T21:00:00Z")
    with pytest.raises(InputError, match="45 of recording plant lies before row 46"):
        answer(request, tmp_path / "late")
    change(request, evaluation=dates("2026-01-02T20:59:00Z"))
    assert answer(request, tmp_path / "out").result.counts
