"""One activity in two files counts once (case C44)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lumipipe.errors import RecordingError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from preparing import only_pieces, request, run, stage_of
from readers.activity_files import lap, tcx, trackpoint

if TYPE_CHECKING:
    from pathlib import Path

RIDES: dict[str, Any] = {
    "id": "rides",
    "source": "raw/*.tcx",
    "format": "tcx",
    "time": {"kind": "column", "column": "time", "unit": "s"},
    "channels": [{"name": "power", "quantity": "power", "unit": "W"}],
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A ride, a copy from an exporter that cut off a second, and another ride on the next day."""
    (tmp_path / "raw").mkdir()
    for name, first, stop in (("a", 0, 60), ("b", 1, 60), ("c", 86_400, 86_460)):
        track = "".join(trackpoint(t, power=200 + t % 7) for t in range(first, stop))
        text = tcx(lap(first, stop - first - 1, track))
        (tmp_path / "raw" / f"{name}.tcx").write_text(text, encoding="utf-8")
    return tmp_path


def test_two_files_of_one_activity_are_refused_by_name(base: Path) -> None:
    with pytest.raises(RecordingError, match=r"b\.tcx and a\.tcx: hold one activity.*leave_out"):
        run(request(RIDES), base, base / "out")
    assert only_pieces(base / "out")


@pytest.mark.parametrize("grid", [None, {"rate_hz": 1, "longest_gap_s": 5}])
def test_the_copy_with_fewer_rows_is_left_out(base: Path, grid: dict[str, float] | None) -> None:
    asked = request(RIDES, bad_recordings="leave_out", grid=grid)
    assert run(asked, base, base / "out") == 1
    manifest = stage_of(base / "out").manifest
    assert [row.id for row in open_dataset(manifest).recordings] == ["a", "c"]
    (left_out,) = read_manifest(manifest).record["left_out"]
    assert (left_out["id"], left_out["file"]) == ("b", "b.tcx")
    assert left_out["reason"].startswith("hold one activity")


def test_the_ride_of_two_athletes_is_two_activities(base: Path) -> None:
    each = RIDES | {"recordings": {"id": "ride-{name}", "unit": "{name}"}}
    assert run(request(each), base, base / "out") == 0
