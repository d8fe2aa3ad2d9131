"""R03 on real files: engines held out whole, and one bearing from which nothing follows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.families.life_intervals import drawn_coverage
from lumipipe.reporting.parts import Interval
from running import answer, ready_request

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Result

pytestmark = [pytest.mark.real, pytest.mark.slow]
CAP, LEFT = 125, "remaining life, flights"


def _metric(result: Result, name: str) -> float:
    return next(float(m.value or 0) for m in result.metrics if m.name == name)


@cache
def _cmapss(real_data: Path, folder: Path) -> tuple[Result, Any]:
    """The answer and its rows; one run for all tests."""
    labels = {"file: data/": f"file: {real_data}/"}
    request = ready_request("cmapss", folder, real_data, **labels)
    done = answer(request, folder / "out")
    return done.result, pq.read_table(done.product("score") / "lives.parquet").to_pandas()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the one run."""
    return tmp_path_factory.mktemp("cmapss")


def test_errors_at_the_last_flight_of_each_engine(folder: Path, real_data: Path) -> None:
    result, rows = _cmapss(real_data, folder)
    truth = np.loadtxt(real_data / "cmapss" / "RUL_FD001.txt")
    tests = rows[rows["phase"] == "tests"]
    last = tests.loc[tests.groupby("unit")["age"].idxmax()].sort_values("unit")
    assert last["life"].tolist() == truth.tolist()
    error = last["predicted"].to_numpy() - np.minimum(truth, CAP)
    assert len(error) == 100  # those outside the trained range among them
    assert np.sqrt((error**2).mean()) == pytest.approx(_metric(result, "rmse"), rel=1e-12)
    assert _metric(result, "rmse") <= 12.9
    assert _metric(result, "rmse_unclipped") > _metric(result, "rmse")
    score = np.where(error < 0, np.exp(-error / 13), np.exp(error / 10)) - 1
    assert _metric(result, "phm08") == pytest.approx(score.sum(), rel=1e-12)
    assert _metric(result, "early") == pytest.approx(-error[error < 0].mean(), rel=1e-12)
    assert _metric(result, "late") == pytest.approx(error[error > 0].mean(), rel=1e-12)
    # All that the age alone tells is far behind; the request's own table has it.
    section = next(s for s in result.sections if s.title.startswith("Errors"))
    assert section.figures[0].rows[0][3] > 2 * _metric(result, "rmse")
    assert {test.status for test in result.leakage} <= {"none", "not_tested"}


def test_intervals_hold_what_they_promise(folder: Path, real_data: Path) -> None:
    result, _ = _cmapss(real_data, folder)
    coverage = result.coverage
    assert coverage is not None
    assert coverage.count == 100
    assert (coverage.lower or 1) <= 0.9 <= (coverage.upper or 0)
    for group in coverage.groups[:3]:  # by predicted life
        assert (group.upper or 0) >= 0.9
    width = [group.width for group in coverage.groups[:3]]
    assert width == sorted(width)  # the nearer the end, the surer
    assert max(width) < 72  # of intervals of one width for all, by gradient boosting
    for unit in result.units:
        found = unit.values.get(LEFT)
        if isinstance(found, Interval) and (found.upper or 0) < CAP:
            # The half-width stands beside the value.
            assert unit.verdict.startswith(f"{found.value:.0f} ± ")


def test_coverage_over_drawings_of_thirty_engines(folder: Path, real_data: Path) -> None:
    """Engines of the training file, each predicted by a model that has not seen it."""
    _, rows = _cmapss(real_data, folder)
    blind = rows[rows["phase"] == "teaches"]
    assert blind["unit"].nunique() == 100
    columns: dict[str, Any] = {
        "truth": np.minimum(blind["life"].to_numpy(), CAP),
        "prediction": blind["predicted"].to_numpy(),
        "unit": blind["unit"].astype("category").cat.codes.to_numpy(),
        "number": np.arange(len(blind)),
    }
    drawn = drawn_coverage(columns, [40.0, 80.0], CAP, 0.9, seed=1, draws=20, units=30)
    assert drawn is not None
    assert 0.87 <= drawn.coverage.mean() <= 0.93
    assert np.sqrt(((columns["prediction"] - columns["truth"]) ** 2).mean()) < 12


def test_sensors_are_ranked_and_constant_ones_named(folder: Path, real_data: Path) -> None:
    result, _ = _cmapss(real_data, folder)
    section = next(s for s in result.sections if s.title == "Health indicators")
    constant = next(p for p in section.paragraphs if p.startswith("Constant"))
    # Sensors 1, 5, 10, 16, 18, 19 (the data README), and the third setting.
    named = constant.removeprefix("Constant, so without rank: ").rstrip(".").split(", ")
    assert set(named) == {"T2", "P2", "epr", "farB", "Nf_dmd", "PCNfR_dmd", "setting3"}
    ranked = [row[1] for row in section.figures[0].rows]
    assert ranked[:3] == ["Ps30", "T50", "phi"]
    assert set(ranked[-2:]) == {"setting1", "setting2"}


@pytest.mark.parametrize("planted", ["regime", "fault"])
def test_engines_of_another_kind_get_no_sure_number(
    tmp_path: Path, real_data: Path, planted: str
) -> None:
    """Twenty engines as they would be in other conditions, or with wear of another part."""
    rows = np.loadtxt(real_data / "cmapss" / "test_FD001.txt")
    rows = rows[rows[:, 0] <= 20]
    truth = np.loadtxt(real_data / "cmapss" / "RUL_FD001.txt")[:20]
    if planted == "regime":
        rows[:, 2] += 20.0  # a setting of FD002 and FD004: another altitude
        rows[:, 3] += 0.7
    else:
        # A fan that wears out: its bypass ratio and flows go the other way.
        for sensor in (15, 20, 21):
            column = 4 + sensor
            start = {e: rows[rows[:, 0] == e][:20, column].mean() for e in np.unique(rows[:, 0])}
            level = np.array([start[e] for e in rows[:, 0]])
            rows[:, column] = 2 * level - rows[:, column]
    data = tmp_path / "data" / "cmapss"
    data.mkdir(parents=True)
    train = real_data / "cmapss" / "train_FD001.txt"
    (data / "train_FD001.txt").symlink_to(train)
    np.savetxt(data / "test_FD001.txt", rows, fmt="%.6g")
    np.savetxt(data / "RUL_FD001.txt", truth, fmt="%d")
    labels = {"file: data/": f"file: {tmp_path}/data/"}
    request = ready_request("cmapss", tmp_path, tmp_path / "data", **labels)
    result = answer(request, tmp_path / "out").result
    outside = [unit for unit in result.units if unit.verdict == "outside the trained range"]
    if planted == "regime":
        assert len(outside) == 20
        return
    # Worn engines are told by it; those at the start of their life are as any other.
    worn = {f"test-{e:03}" for e in range(1, 21) if truth[e - 1] < 60}
    assert worn <= {unit.id for unit in outside}


def test_one_bearing_ranks_indicators_and_says_no(tmp_path: Path, real_data: Path) -> None:
    result = answer(ready_request("femto", tmp_path, real_data), tmp_path / "out").result
    assert result.verdict == "not_supported"
    assert result.units[0].id == "Bearing2_7"
    assert result.units[0].verdict == "not supported: one run"
    assert not result.units[0].values
    assert not result.metrics
    assert result.coverage is None
    assert result.counts["points of indicators"] == 230
    assert "no remaining life is given" in result.answer
    section = next(s for s in result.sections if s.title == "Health indicators")
    names = {row[0] for row in section.figures[0].rows}
    assert {"horizontal:rms", "horizontal:kurtosis"} <= names
    # Nothing changes until the last minutes: of 230 snapshots no indicator goes one way.
    assert max(row[1] for row in section.figures[0].rows) < 0.1
