"""R29 on real files: nine replays that support no claim about winners, and a ride in a game."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.readers.fit import Options, read
from running import answer, ready_request

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result

pytestmark = [pytest.mark.real, pytest.mark.slow]


def metric(result: Result, name: str) -> Metric:
    return next(item for item in result.metrics if item.name == name)


def test_nine_games_cannot_tell_who_wins(tmp_path: Path, real_data: Path) -> None:
    """Of nine games one has three players and one was resumed; 7 calls tell nothing of a coin."""
    pytest.importorskip("sc2reader", reason="replays are the extra esports")
    done = answer(ready_request("esports", tmp_path, real_data), tmp_path / "out")
    result = done.result
    assert result.verdict == "not_supported"
    share = metric(result, "winner_share")
    assert share.count == 7
    assert share.lower is not None
    assert share.upper is not None
    assert share.lower < 0.5 < share.upper
    reasons = {item.reason for item in result.left_out}
    assert {"it has 3 players, not two", "resumed is yes, which the request leaves out"} <= reasons
    assert any("104 games" in item.reason for item in result.not_answered)
    assert any("the most are 1" in item.reason for item in result.not_answered)
    # 24 897 commands, selections and control groups, as counted by class in sc2reader's events.
    assert (result.counts["persons"], result.counts["actions"]) == (19, 24_897)
    rates = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    assert len(rates) == 19
    assert rates["minutes"].between(3.2, 23.5).all()
    assert rates["actions_per_minute"].between(40, 300).all()
    latency = metric(result, "latency_camera_to_action")
    assert latency.value == pytest.approx(10 / 22.4, rel=0.006)  # ten frames, of 1 % bins
    blocks = pq.read_table(done.product("score") / "blocks.parquet").to_pandas()
    assert blocks[["command", "selection", "group"]].to_numpy().sum() == 24_897


def test_minutes_of_a_ride_by_power(tmp_path: Path, real_data: Path) -> None:
    pytest.importorskip("fitdecode", reason="FIT files are the extra activity-files")
    done = answer(ready_request("exergame", tmp_path, real_data), tmp_path / "out")
    result = done.result
    table = next(read(real_data / "fit" / "null_compressed_speed_dist.fit", Options()))
    steps, power = np.diff(table.columns["time"]), table.columns["power"][:-1]
    zones = np.searchsorted([50, 100, 150, 200, 250], power, side="right")
    expected = np.bincount(zones, weights=steps, minlength=6)
    found = pq.read_table(done.product("score") / "zones.parquet").to_pandas()["seconds"]
    assert found.tolist() == [*expected.tolist(), 0.0]
    assert found.sum() == 1807.0
    assert result.verdict == "inconclusive"  # nothing is known of the rider
    questions = [item.question for item in result.not_answered]
    assert questions == ["How intense was it, by power?", "How hard did the heart work?"]
