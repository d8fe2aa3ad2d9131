"""What a request declares of its data: compared with stamps, counted, and shown in the report."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import call, one_line
from lumipipe.config import Certificate
from lumipipe.config.moments import moment, nanoseconds
from lumipipe.errors import InputError
from lumipipe.store.dataset import open_dataset
from lumipipe.tasks.before import check_deadline
from lumipipe.tasks.request import load_request
from small_requests import DROP, change, monitoring, write_csv

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = 3600
LATE = 30  # the row from which stamps are two hours later


def stamped(folder: Path, **source: Any) -> Path:
    """The process table with a stamp each hour from START on, and a gap of three hours."""
    request = monitoring(folder)
    rows = np.loadtxt(folder / "raw" / "plant.csv", delimiter=",", skiprows=1)
    stamps = START.timestamp() + HOUR * np.arange(len(rows))
    stamps[LATE:] += 2 * HOUR
    write_csv(folder / "raw" / "plant.csv", "t,a,b,c,d,e", np.column_stack([stamps, rows]))
    time = {"kind": "column", "column": "t", "unit": "s", "row": DROP}
    return change(
        request,
        data={0: {"time": time, **source}},
        evaluation={"split": {"train_first_rows": 20}},
        score={"event": {"from_row": 22}},
    )


def prepared(request: Path) -> tuple[dict[str, Any], Any]:
    """The record of the manifest, and the prepared stream."""
    out = request.parent / "out"
    assert call("prepare", request, "--out", out).code == 0
    (manifest,) = (out / "prepare").glob("*.json")
    content = json.loads(manifest.read_text(encoding="utf-8"))["content"]
    return content["record"], open_dataset(manifest).streams["plant"]


def test_rows_outside_the_period_are_left_out_and_counted(tmp_path: Path) -> None:
    last = START + timedelta(hours=24)
    record, stream = prepared(stamped(tmp_path, period=["2026-03-01", last.isoformat()]))
    assert [item["told"] for item in record["outside_period"]] == ["35"]
    assert int(stream.rows[0]) == 25  # both ends count


def test_rows_outside_the_period_are_refused_where_that_is_asked(tmp_path: Path) -> None:
    period = ["2026-03-01", "2026-03-01"]
    request = stamped(tmp_path, period=period, outside_period="refuse")
    line = one_line(call("run", request, "--out", tmp_path / "out"))
    told = "plant.csv: 36 of 60 rows lie outside the period 2026-03-01 to 2026-03-01; correct the"
    assert line.startswith(told)
    assert not (tmp_path / "out").exists()


def test_a_period_without_rows_is_refused(tmp_path: Path) -> None:
    request = stamped(tmp_path, period=["2020-01-01", "2020-12-31"])
    line = one_line(call("run", request, "--out", tmp_path / "out"))
    assert line.startswith("plant.csv: no row lies in the period 2020-01-01 to 2020-12-31; correct")


def test_the_offset_of_a_clock_is_taken_off(tmp_path: Path) -> None:
    clock = {"reference": "ntp", "offset_s": 0.25, "u_offset_s": 0.1}
    _, stream = prepared(stamped(tmp_path, clock=clock))
    assert int(stream.read_time(0, 1)[0]) == nanoseconds(START) - 250_000_000


def test_a_clock_is_set_by_events_that_the_reference_saw_too(tmp_path: Path) -> None:
    def event(after: timedelta, ahead_s: float) -> dict[str, str]:
        seen = START + after
        here = seen + timedelta(seconds=ahead_s)
        return {"here": here.isoformat(), "reference": seen.isoformat()}

    day = timedelta(days=1)
    events = [event(0 * day, 0.5), event(day, 2.5), event(2 * day, 4.5)]
    clock = {"reference": "watch", "events": events, "largest_residual_s": 0.01}
    request = stamped(tmp_path, clock=clock)
    _, stream = prepared(request)
    shown = nanoseconds(START) + HOUR * 10**9 * np.arange(2)
    # 2 s a day of the reference, so a little less a day of the clock itself.
    gain = 2 / (86_400 + 2)
    ahead_s = 0.5 + gain * (HOUR * np.arange(2) - 0.5)
    assert np.abs(stream.read_time(0, 2) - (shown - ahead_s * 1e9)).max() < 2000
    assert call("run", request, "--out", tmp_path / "out").code == 0
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "watch, by 3 events: ahead by 2.5 s at their middle" in report

    events[1] = event(day, 2.53)
    line = one_line(call("run", stamped(tmp_path, clock=clock), "--out", tmp_path / "none"))
    assert "clock.events" not in line.split(":")[0]
    assert "one of the 3 events of source" in line
    assert line.endswith("correct the event, or raise largest_residual_s")
    assert not (tmp_path / "none").exists()


def test_a_gap_that_is_too_long_is_refused_or_told(tmp_path: Path) -> None:
    gaps = {"expected": "weekly stop", "largest_accepted_s": HOUR}
    request = stamped(tmp_path, gaps=gaps)
    line = one_line(call("run", request, "--out", tmp_path / "out"))
    told = "a gap is longer than the 3600 s that are accepted: 10800 s before line 32; raise gaps"
    assert line.startswith(f"plant.csv: {told}")
    request = change(request, data={0: {"gaps": {"longer": "tell"}}})
    record, _ = prepared(request)
    (item,) = record["long_gaps"]
    assert item["told"] == "1 longer than 3600 s, the longest 10800 s before line 32"


def test_a_certificate_is_compared_with_stamps_where_no_period_is_stated(tmp_path: Path) -> None:
    certificate = {"id": "dcc-1", "valid_until": "2026-03-02"}
    request = stamped(tmp_path, channels={0: {"certificate": certificate}})
    line = one_line(call("run", request, "--out", tmp_path / "out"))
    told = "certificate dcc-1 holds until 2026-03-02, the data go on until 2026-03-03; give the"
    assert line.startswith(f"plant.csv: channel a: {told}")
    longer = certificate | {"valid_until": "2026-03-03"}
    prepared(change(request, data={0: {"channels": {0: {"certificate": longer}}}}))


def test_the_report_shows_what_was_declared_and_only_outputs_that_were_asked_for(
    tmp_path: Path,
) -> None:
    request = stamped(
        tmp_path,
        period=["2026-03-01", "2026-03-02"],
        clock={"reference": "ntp"},
        gaps={"expected": "weekly stop", "largest_accepted_s": HOUR, "longer": "tell"},
        known_events=[{"at": "2026-03-02", "what": "impeller replaced"}],
        channels={
            0: {"sensor": "acc-1", "mounting": "stud", "certificate": {"id": "dcc-1", "u": 0.01}},
            1: {"certificate": "none", "accept": "not characterised"},
        },
    )
    who = {"organisation": "Acme", "role": "maintenance manager", "contact_ref": "crm-1"}
    approver = {"role": "doctoral researcher", "orcid": "0000-0002-1825-0097"}
    request = change(request, requester=who, approver=approver)
    out = tmp_path / "out"
    assert call("run", request, "--out", out).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<dd>doctoral researcher, ORCID 0000-0002-1825-0097</dd>" in page
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    (left,) = result["left_out"]
    assert left["reason"].startswith("14 rows ")  # 60, without 30 hours and those up to midnight
    section = result["sections"][-1]
    assert section["paragraphs"][0] == "Asked by: Acme, maintenance manager, crm-1."
    cells = {str(cell) for figure in section["figures"] for row in figure["rows"] for cell in row}
    assert {"acc-1", "stud", "dcc-1", "0.01", "impeller replaced", "2026-03-02"} <= cells
    assert {"none, accepted as not characterised", "not characterised"} <= cells
    assert "crm-1" in (out / "report.html").read_text(encoding="utf-8")
    names = {"report.html", "dossier.html", "dossier.json", "tables"}
    assert names <= {path.name for path in out.iterdir()}
    said = call("run", change(request, outputs=["tables_parquet"]), "--out", out)
    assert said.code == 0, said
    assert said.out.endswith(f"report: {out / 'result.json'}\n")  # no report: the result
    assert {path.name for path in out.iterdir()} & names == {"tables"}
    for verb in ("prepare", "train", "score"):  # nothing is computed anew
        assert f"  {verb:8s}done" in said.out
    who["organisation"] = "Other"
    can_print = any(map(shutil.which, ("chromium", "google-chrome")))
    outputs = ["report_html", *["report_pdf"] * can_print]
    said = call("run", change(request, outputs=outputs, requester=who), "--out", out)
    assert "changed: outputs, requester" in said.out
    left = {path.name for path in out.iterdir()} & {*names, "report.pdf"}
    assert left == {"report.html", *["report.pdf"] * can_print}
    said = call("run", change(request, outputs=["report_html"]), "--out", out)
    assert not (out / "report.pdf").exists()  # that of an earlier report is never left


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 (made UTC below)
def test_moments_are_exact(instant: datetime) -> None:
    utc = instant.replace(tzinfo=UTC)
    assert moment(nanoseconds(utc)) == utc


@given(*[st.dates()] * 4)
def test_a_certificate_holds_on_its_days_alone(a: Any, b: Any, c: Any, d: Any) -> None:
    first, last, begin, end = *sorted((a, b)), *sorted((c, d))
    known = Certificate(id="dcc", valid_from=first, valid_until=last)
    assert (known.problem_on(begin, end) is None) == (first <= begin and end <= last)


def test_a_deadline_counts_whole_days_and_the_time_of_the_run(tmp_path: Path) -> None:
    loaded = load_request(monitoring(tmp_path, compute={"deadline": "2026-03-31"}))
    evening = datetime(2026, 3, 31, 21, tzinfo=UTC)
    check_deadline(loaded, seconds=2 * HOUR, now=evening)
    with pytest.raises(InputError, match="comes before the end: 4 h are expected"):
        check_deadline(loaded, seconds=4 * HOUR, now=evening)
    with pytest.raises(InputError, match="has passed"):
        check_deadline(loaded, now=evening + timedelta(hours=3))
