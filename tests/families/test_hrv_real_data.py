"""R27 on real files: ECG record 100, lists, straps and watches; what is refused and why."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from lumipipe.readers import fit
from running import answer, ready_request
from slow_hrv import slow, slow_policy

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Result

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the one run."""
    pytest.importorskip("wfdb", reason="the extra ecg is not installed")
    pytest.importorskip("fitdecode", reason="the extra activity-files is not installed")
    return tmp_path_factory.mktemp("hrv")


@cache
def _run(real_data: Path, folder: Path) -> tuple[Result, Any]:
    """The answer of the ready request and its recordings; one run for all tests."""
    done = answer(ready_request("hrv", folder, real_data), folder / "out")
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    return done.result, table.set_index("recording")


def test_ecg_record_100(real_data: Path, folder: Path) -> None:
    """The figures of features.md, R27."""
    _, table = _run(real_data, folder)
    row = table.loc["ecg-100"]
    assert (row["normal"], row["normal"] + row["beat not normal"] + 1) == (2204, 2273)
    assert round(row["rmssd"], 2) == 27.48
    assert round(row["sdnn"], 2) == 35.96
    assert round(row["mean_nn"], 2) == 795.01


def test_who_is_answered(real_data: Path, folder: Path) -> None:
    result, table = _run(real_data, folder)
    assert {item.id: item.verdict for item in result.units} == {
        "ecg-100": "answered",
        "edge-ride": "no interval",
        "exercise_rri": "answered",
        "fenix-run": "refused",
        "pyhrv-nni": "answered",
        "rest_rri": "answered",
    }
    (refused,) = result.left_out
    assert refused.reason.startswith("13.3% of its 113 intervals are excluded (jump: 15)")
    assert result.verdict == "inconclusive"
    assert table["normal"].to_dict() == {
        "ecg-100": 2204,
        "edge-ride": 124,
        "exercise_rri": 4111,
        "fenix-run": 98,
        "pyhrv-nni": 337,
        "rest_rri": 905,
    }


def test_chunked_is_whole(real_data: Path, folder: Path, tmp_path: Path) -> None:
    """To the last bit, in every figure and every interval."""
    _, table = _run(real_data, folder)
    request = ready_request("hrv", tmp_path, real_data)
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    form["train"]["rows_per_chunk"] = 97
    request.write_text(yaml.safe_dump(form), encoding="utf-8")
    done = answer(request, tmp_path / "out")
    other = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    pd.testing.assert_frame_equal(other.set_index("recording"), table, check_exact=True)


def test_watches_of_three_makers(real_data: Path, folder: Path, tmp_path: Path) -> None:
    """The times between beats of FIT files (class B): who is refused, and with what rate."""
    request = ready_request("hrv", tmp_path, real_data)
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    run = next(source for source in form["data"] if source["id"] == "run")
    run |= {"source": str(real_data / "fit" / "goldencheetah" / "*"), "recordings": {}}
    form["data"] = [run]
    form["train"] = {}
    form["asset"]["recorders"] = {}
    form["prepare"] = {"bad_recordings": "leave_out"}  # files without times between beats
    request.write_text(yaml.safe_dump(form), encoding="utf-8")
    done = answer(request, tmp_path / "out")
    table = pq.read_table(done.product("score") / "recordings.parquet").to_pandas()
    table = table.set_index("recording")
    assert table["refused"].to_dict() == {
        "2017_hrv": True,
        "HRV-Data": False,
        "Move_2020_01_15_19_27_16_Running": False,
    }
    (refused,) = [item for item in done.result.left_out if item.what == "2017_hrv"]
    assert refused.reason.startswith("8.9% of its 8174 intervals are excluded")
    for name in table.index[~table["refused"]]:
        (file,) = (real_data / "fit" / "goldencheetah").glob(f"{name}.*")
        (part,) = fit.read(file, fit.Options(table="rr"))
        rr, time = part.columns["rr"], part.columns["time"]
        # Steps of more than five typical ones are gaps, beside the breaks that the reader gives.
        usual = np.delete(np.diff(time), np.array([*part.breaks], dtype=int) - 1)
        follows = np.concatenate([[False], np.diff(time) <= 5 * np.median(usual)])
        follows[[*part.breaks]] = False
        normal = slow_policy(rr.tolist(), follows.tolist())
        assert table.loc[name, "normal"] == sum(normal)
        for figure, value in slow(rr.tolist(), normal, follows.tolist()).items():
            assert table.loc[name, figure] == pytest.approx(value, rel=1e-9)
