"""Parts of a stage add up, and a long loop tells how far it is as often as somebody looks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from command import call
from lumipipe.store.manifest import read_manifest
from lumipipe.timing import Progress, Timer
from small_requests import activity

if TYPE_CHECKING:
    from pathlib import Path


def test_parts_add_up_also_where_a_block_fails() -> None:
    timer = Timer(clock=itertools.count().__next__)
    with timer.part("read", nbytes=10, rows=2):
        pass
    with pytest.raises(KeyError), timer.part("read", nbytes=5, rows=1):
        raise KeyError
    record = timer.record()
    assert record["seconds"] == 5
    assert record["parts"] == {"read": {"seconds": 2.0, "nbytes": 15, "rows": 3}}


def test_progress_comes_once_a_pause_with_rate_share_and_time_left() -> None:
    told: list[str] = []
    clock = iter([0.0, 30.0, 61.0, 100.0, 122.0])
    progress = Progress("chunks", 4, told.append, pause_s=60.0, clock=clock.__next__)
    for done in range(1, 5):
        progress.at(done, 1000 * done)
    assert told == [
        "2 of 4 chunks (50%), 32.8 rows/s, 0:01:01 left",
        "4 of 4 chunks (100%), 32.8 rows/s, 0:00:00 left",
    ]


def test_nobody_at_a_terminal_hears_once_a_minute() -> None:
    assert Progress("chunks", 4, print).pause_s == 60  # pytest has the output


def test_a_stage_records_and_tells_what_its_time_went_to(tmp_path: Path) -> None:
    request, out = activity(tmp_path), tmp_path / "out"
    assert call("prepare", request, "--out", out).code == 0
    said = call("train", request, "--out", out)
    (manifest,) = (out / "train").glob("*.json")
    run = read_manifest(manifest).run
    parts = run["parts"]
    assert {"read", "decode", "wait", "transfer", "compute", "merge"} <= parts.keys()
    # One thread does these, one after the other.
    assert sum(parts[name]["seconds"] for name in ("wait", "transfer", "compute")) <= run["seconds"]
    assert parts["compute"]["rows"] == parts["transfer"]["rows"] > 0
    assert parts["decode"]["nbytes"] > parts["compute"]["nbytes"] // 2
    assert "\ntrain: " in said.out
    assert "\n  write " in said.out
