"""The figures of features.md (R24, R27) on real rides and runs.

Counts, and figures that the data's own description or the report of a run gives; no trace.
"""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from running import answer, ready_request
from small_requests import DROP, change

if TYPE_CHECKING:
    from pathlib import Path

    from running import Done

pytestmark = [pytest.mark.real, pytest.mark.slow]
for name in ("fitdecode", "gpxpy"):
    pytest.importorskip(name, reason="activity files are the extra activity-files")


def tables(done: Done) -> tuple[Any, Any]:
    files = (done.product("score") / f"{name}.parquet" for name in ("sessions", "curve"))
    sessions, curve = (pq.read_table(file).to_pandas() for file in files)
    return sessions, curve


@pytest.mark.parametrize(
    ("file", "form"), [("4078723797.fit", "fit"), ("4078723797_strava.gpx", "gpx")]
)
def test_a_ride_that_two_exporters_wrote(
    tmp_path: Path, real_data: Path, file: str, form: str
) -> None:
    """R24: 8,357 records over 8,356 s with the same power in FIT and GPX."""
    if importlib.util.find_spec("sweat") is None:
        pytest.skip("the package sweat, which ships the ride, is not installed")
    request = ready_request("session-load", tmp_path, real_data)
    source = {
        "id": "ride",
        "source": f"package:sweat/examples/data/{file}",
        "format": form,
        "recordings": {"id": "ride", "unit": "rider"},
        "time": {"kind": "column", "column": "time", "unit": "s"},
        "channels": [
            {"name": "power", "quantity": "power", "unit": "W", "resolution": 1},
            {"name": "heart_rate", "quantity": "heart_rate", "unit": "1/min", "resolution": 1},
        ],
    }
    durations = {"durations_s": [5, 60, 300, 1200]}
    done = answer(change(request, data=[source], train=durations), tmp_path / "out")
    sessions, curve = tables(done)
    (row,) = sessions.to_dict("records")
    assert row["span_s"] == row["power_s"] == 8356.0
    assert round(row["power_plain"], 2) == 219.07
    assert round(row["power_mean"], 2) == 219.10  # over time: the last reading stands for none
    assert round(row["power_weighted"], 1) == 267.4
    assert curve["best power"].round(1).tolist() == [721.6, 392.3, 340.4, 306.8]


def test_the_ready_request_of_rides(tmp_path: Path, real_data: Path) -> None:
    done = answer(ready_request("session-load", tmp_path, real_data), tmp_path / "out")
    assert done.result.verdict == "supported"
    assert done.result.counts["sessions"] == 2
    sessions, _ = tables(done)
    assert sessions.set_index("recording").loc["trainer", "heart_rate_s"] == 0
    said = {item.question: item.reason for item in done.result.not_answered}
    assert "not characterised in 2 of 2" in said["How sure are the figures of power?"]
    assert "no effort is declared" in said["What is the critical power of rider-1?"]


def test_the_ready_request_of_runs(tmp_path: Path, real_data: Path) -> None:
    """Coverage of intervals in the band of its nominal; positions nowhere in what comes out."""
    done = answer(ready_request("runner", tmp_path, real_data), tmp_path / "out")
    assert done.result.counts["sessions"] == 12
    metrics = {metric.name: metric for metric in done.result.metrics}
    assert metrics["heart_rate_error"].value < 7.0
    coverage = done.result.coverage
    assert coverage is not None
    assert coverage.lower is not None
    assert coverage.upper is not None
    assert coverage.lower <= coverage.nominal <= coverage.upper
    assert metrics["coverage"].met is False  # the phone stopped writing, and nothing is filled
    text = json.dumps(done.result.model_dump(mode="json"))
    assert "latitude" not in text
    channels = {path.name for path in done.stages["prepare"].manifest.parent.rglob("*lat*")}
    assert not channels


def test_pauses_are_no_riding(tmp_path: Path, real_data: Path) -> None:
    """46 stops of the timer in 12,691 s: each of the 47 stretches loses a second at most."""
    request = ready_request("session-load", tmp_path, real_data)
    source = {
        "id": "ride",
        "source": f"{real_data}/fit/garmin-edge-500-activity.fit",
        "format": "fit",
        "recordings": {"id": "ride", "unit": "rider"},
        "time": {"kind": "column", "column": "time", "unit": "s"},
        "channels": [
            {"name": "speed", "quantity": "speed", "unit": "m/s"},
            {"name": "heart_rate", "quantity": "heart_rate", "unit": "1/min", "resolution": 1},
        ],
    }
    heart = {"edges": [120], "source": "round number"}
    done = answer(
        change(
            request,
            data=[source],
            train={"power": DROP, "speed": {"channel": "speed"}},
            score={"zones": {"power": DROP, "heart_rate": heart}, "load": DROP},
        ),
        tmp_path / "out",
    )
    sessions, _ = tables(done)
    (row,) = sessions.to_dict("records")
    assert row["timer_s"] == 10641.06
    assert row["span_s"] > 12600
    assert 0 <= row["timer_s"] - row["speed_s"] <= 47
    zones = row["heart_rate zone 1 (ns)"] + row["heart_rate zone 2 (ns)"]
    assert zones == round(row["heart_rate_s"] * 1e9)
