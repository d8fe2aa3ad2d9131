"""The family `session_load` on made-up sessions: figures against loops, what it refuses to say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError
from lumipipe.reporting.figures.declared import Chart, Table
from lumipipe.store.artifact import read_arrays
from lumipipe.tasks.request import load_request
from lumipipe.tasks.train import MODEL
from running import answer
from small_requests import DROP, session_load, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from lumipipe.reporting.result import Result
    from running import Done

DAY = 86_400


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("sessions")
    return answer(session_load(folder), folder / "out")


@pytest.fixture(scope="module")
def sessions(done: Done) -> pd.DataFrame:
    return table_of(done, "sessions")


def table_of(done: Done, name: str) -> Any:
    return pq.read_table(done.product("score") / f"{name}.parquet").to_pandas()


def section(result: Result, title: str) -> Any:
    return next(section for section in result.sections if section.title == title)


def raw(done: Done, name: str) -> np.ndarray:
    file = done.stages["prepare"].manifest.parents[2] / "raw" / f"{name}.csv"
    return np.genfromtxt(file, delimiter=",", skip_header=1)


def slow_seconds(rows: np.ndarray, longest: float = 5.0) -> np.ndarray:
    """Watts of each whole second, one by one; NaN in gaps."""
    time, watts = rows[:, 0] - rows[0, 0], rows[:, 1]
    seconds = np.full(int(time[-1]), np.nan)
    for at, until, value in zip(time, time[1:], watts, strict=False):
        if until - at <= longest:
            seconds[int(at) : int(until)] = value
    return seconds


def test_figures_are_those_of_a_loop_over_seconds(done: Done, sessions: pd.DataFrame) -> None:
    for name in ("a_00", "a_07", "b_20"):
        seconds = slow_seconds(raw(done, name))
        there = seconds[np.isfinite(seconds)]
        row = sessions[sessions["recording"] == name].iloc[0]
        assert row["power_s"] == len(there)
        assert row["power_mean"] == pytest.approx(there.mean(), rel=1e-12)
        means = np.convolve(seconds, np.ones(30) / 30, "valid")
        means = means[np.isfinite(means)]
        assert row["power_weighted"] == pytest.approx((means**4).mean() ** 0.25, rel=1e-12)
        curve = table_of(done, "curve")
        mine = curve[curve["recording"] == name].set_index("duration_s")["best power"]
        for duration in (5, 120):
            means = np.convolve(seconds, np.ones(duration) / duration, "valid")
            assert mine[duration] == pytest.approx(np.nanmax(means), rel=1e-12)


def test_zones_hold_all_time_with_a_reading(done: Done, sessions: pd.DataFrame) -> None:
    names = [f"power zone {zone} (ns)" for zone in (1, 2, 3)]
    of_a = sessions[sessions["person"] == "a"]
    assert (of_a[names].sum(axis=1) == of_a["power_s"] * 1e9).all()
    seconds = slow_seconds(raw(done, "a_02"))
    row = of_a[of_a["recording"] == "a_02"].iloc[0]
    assert row[names[0]] == 1e9 * (seconds < 150).sum()
    assert row[names[2]] == 1e9 * (seconds >= 200).sum()
    of_b = sessions[sessions["person"] == "b"]
    assert (of_b[names] == 0).all(axis=None)  # no threshold of theirs was tested


def test_a_gap_without_an_event_lowers_the_coverage(sessions: pd.DataFrame) -> None:
    assert (sessions["timer_s"] - sessions["power_s"]).between(55, 70).all()


def test_load_and_its_averages(done: Done, sessions: pd.DataFrame) -> None:
    of_a = sessions[sessions["person"] == "a"].sort_values("day")
    expected = 100 * of_a["power_s"] / 3600 * (of_a["power_weighted"] / 200) ** 2
    np.testing.assert_allclose(of_a["load"], expected, rtol=1e-12)
    days = (of_a["day"].astype("datetime64[s]") - np.datetime64(of_a["day"].iloc[0])).dt.days
    daily = np.bincount(days, weights=of_a["load"])
    assert (daily == 0).sum() == 1  # the day of rest
    slow, level = [], 0.0
    for load in daily:
        level = np.exp(-0.1) * level + (1 - np.exp(-0.1)) * load
        slow.append(level)
    (chart,) = section(done.result, "History of a").figures
    panel = chart.panels[-1]
    shown = [value for value in panel.y if value is not None]
    np.testing.assert_allclose(shown, slow[9:], rtol=1e-12)  # from the tenth day on
    assert section(done.result, "About this page").figures[0].rows[0][4] == "2026-01-01"


def test_missing_days_are_drawn_as_missing_and_a_change_of_sensor_is_marked(done: Done) -> None:
    (chart,) = section(done.result, "History of a").figures
    assert isinstance(chart, Chart)
    time = chart.panels[0].dots
    assert time is not None
    assert time[10 + int(-chart.x[0])] is None  # the day of rest has no session
    (mark,) = chart.spans
    assert mark.label == "other power sensor"
    rows = section(done.result, "Changes of a").figures[0].rows
    assert next(row[5] for row in rows if row[1] == "2026-02-10").startswith("sensor or firmware")
    assert sum("changed" in row[5] for row in rows) == 1


def test_what_is_not_known_of_a_person_is_not_estimated(done: Done) -> None:
    said = {item.question: item.reason for item in done.result.not_answered}
    assert "no effort is declared" in said["What is the critical power of b?"]
    assert "not estimated" in said["How long was power in which zone?"]
    assert "What is the critical power of a?" not in said
    assert "not characterised" in said["How sure are the figures of heart rate?"]
    assert not any(section.title == "History of b" for section in done.result.sections)


def test_heart_rate_is_told_from_power_and_intervals_hold(done: Done) -> None:
    """The made-up heart follows an average over 40 s, with noise of 1/min and rounding."""
    metrics = {metric.name: metric for metric in done.result.metrics}
    noise = np.sqrt(1 + 1 / 12) * np.sqrt(2 / np.pi)  # mean size of a normal deviate
    assert metrics["heart_rate_error"].value == pytest.approx(noise, rel=0.05)
    coverage = done.result.coverage
    assert coverage is not None
    assert coverage.lower is not None
    assert coverage.upper is not None
    assert coverage.lower <= 0.9 <= coverage.upper


def test_foretold_heart_rate_is_held_against_the_mean_of_the_other_sessions(done: Done) -> None:
    (found,) = done.result.comparisons
    error = next(m for m in done.result.metrics if m.name == found.metric)
    assert (found.name, found.metric) == ("mean_heart_rate", "heart_rate_error")
    assert error.value is not None
    assert found.difference == pytest.approx(error.value - found.baseline, rel=1e-12)
    assert found.outcome == "better"  # the heart of the small request follows its power


def test_a_held_out_session_teaches_nothing_of_itself(tmp_path: Path, done: Done) -> None:
    """Another heart in one session changes how it is tested, not the model that tests it."""
    request = session_load(tmp_path)
    file = tmp_path / "raw" / "a_05.csv"
    rows = np.genfromtxt(file, delimiter=",", skip_header=1)
    rows[:, 2] += 30
    write_csv(file, "t,w,bpm", rows)
    other = answer(request, tmp_path / "out")
    models = [read_arrays(run.product("train") / MODEL)[0] for run in (done, other)]
    for name in ("heart_coef", "heart_y", "heart_u"):
        np.testing.assert_array_equal(models[0][name][5], models[1][name][5])
        assert (models[0][name][6] != models[1][name][6]).all()


def balance_by_steps(watts: np.ndarray, critical: float, work: float) -> float:
    """The least that was left, second after second, by the differential form."""
    left, least = work, work
    for power in watts:
        if power > critical:
            left -= power - critical
        else:
            left = work - (work - left) * np.exp(-(critical - power) / work)
        least = min(least, left)
    return least


def test_balance_of_work_above_critical_power(tmp_path: Path) -> None:
    tested = {"person": "a", "date": "2026-01-01", "test": "made up"}
    thresholds = [
        tested | {"kind": "critical_power", "value": 180},
        tested | {"kind": "w_prime", "value": 9000},
    ]
    request = session_load(
        tmp_path,
        asset={"thresholds": thresholds},
        score={"load": DROP} | {"zones": {"power": DROP}},
    )
    found = answer(request, tmp_path / "out")
    sessions = table_of(found, "sessions").set_index("recording")
    for name in ("a_00", "a_04"):
        watts = slow_seconds(raw(found, name))
        expected = balance_by_steps(watts[np.isfinite(watts)], 180.0, 9000.0)
        # 450 steps of numbers below 2e4, in two orders of adding
        assert sessions.loc[name, "balance_least"] == pytest.approx(expected, abs=450 * 2e4 * 4e-16)
    assert np.isnan(sessions.loc["b_20", "balance_least"])


def test_chunks_change_no_byte(tmp_path: Path, done: Done) -> None:
    """Sessions are whole in every chunk, so that nothing is added in another order."""
    other = answer(
        session_load(tmp_path, train={"recordings_per_chunk": 50}), tmp_path / "out"
    ).result
    texts = [
        json.dumps(result.model_dump(mode="json", exclude={"run"}))
        for result in (done.result, other)
    ]
    assert texts[0] == texts[1]


def test_zeros_are_readings_of_power_and_none_of_a_heart(tmp_path: Path) -> None:
    """C42: 600 s at 140 and 150 beats with 30 s of zeros: their mean is that of the others."""
    request = session_load(tmp_path)
    for file in (tmp_path / "raw").glob("a_0[1-9].csv"):
        file.unlink()
    seconds = np.arange(600)
    heart = np.where(seconds % 2, 140.0, 150.0)
    heart[300:330] = 0.0
    watts = np.where(seconds < 300, 0.0, 200.0)
    rows = np.stack([1_770_000_000 + seconds, watts, heart], axis=1)
    write_csv(tmp_path / "raw" / "a_00.csv", "t,w,bpm", rows)
    sessions = table_of(answer(request, tmp_path / "out"), "sessions").set_index("recording")
    row = sessions.loc["a_00"]
    assert row["power_mean"] == pytest.approx(299 / 599 * 200)
    assert row["heart_rate_plain"] == pytest.approx(145.0, abs=0.1)
    assert row["heart_rate_too_large"] == 30
    assert row["heart_rate_s"] == 599 - 31  # the reading before the zeros holds for no time


def test_speed_from_a_distance(tmp_path: Path) -> None:
    """3 m/s with a leap of 100 m that nobody runs: the leap is no reading, and ends a run."""
    time = np.arange(0, 400, 4.0)
    distance = 3.0 * time + 100.0 * (time >= 200)
    rows = np.stack([1_770_000_000 + time, distance, np.full(100, 140.0)], axis=1)
    channels = {0: {"name": "w", "quantity": "distance", "unit": "m", "resolution": DROP}}
    request = session_load(
        tmp_path,
        data={0: {"channels": channels}},
        asset={"sensors": [], "maximal_efforts": [], "thresholds": []},
        train={"power": DROP, "speed": {"channel": "w", "most": 8}, "heart_rate_model": DROP},
        score={"zones": {"power": DROP}, "load": DROP},
        evaluation={"split": {"kind": "none", "by": DROP}},
    )
    for file in (tmp_path / "raw").glob("*.csv"):
        file.unlink()
    write_csv(tmp_path / "raw" / "a_00.csv", "t,w,bpm", rows)
    found = answer(request, tmp_path / "out")
    row = table_of(found, "sessions").iloc[0]
    assert row["speed_mean"] == pytest.approx(3.0, rel=1e-12)
    assert (row["speed_s"], row["speed_too_large"]) == (392.0, 1)
    best = table_of(found, "curve").set_index("duration_s")["best speed"]
    assert best[120] == pytest.approx(3.0, rel=1e-12)
    assert np.isnan(best[300])  # no run is as long


def test_two_sessions_without_heart_rate_do_no_harm(tmp_path: Path) -> None:
    request = session_load(tmp_path, data={0: {"channels": {1: {"may_be_absent": True}}}})
    for name in ("a_03", "a_07"):
        file = tmp_path / "raw" / f"{name}.csv"
        rows = file.read_text(encoding="utf-8").splitlines()
        bare = [row.rpartition(",")[0] + "," for row in rows[1:]]
        file.write_text("\n".join([rows[0], *bare]) + "\n", encoding="utf-8")
    found = answer(request, tmp_path / "out")
    metrics = {metric.name: metric for metric in found.result.metrics}
    assert metrics["heart_rate_error"].count == 18
    sessions = table_of(found, "sessions").set_index("recording")
    assert sessions.loc["a_03", "heart_rate_s"] == 0
    assert np.isnan(sessions.loc["a_03", "heart_rate_mean"])


def test_persons_are_never_put_in_one_table_of_figures(done: Done) -> None:
    """Best means and changes stand in tables of one person each; nothing is ordered by value."""
    tables = [f for s in done.result.sections for f in s.figures if isinstance(f, Table)]
    for table in tables:
        persons = {name for name in ("a", "b") if f" of {name}" in table.title}
        assert len(persons) <= 1
    assert [unit.id for unit in done.result.units] == sorted(unit.id for unit in done.result.units)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no measure": (
        {"train": {"power": DROP, "heart_rate": DROP, "heart_rate_model": DROP}},
        "nothing to measure",
    ),
    "unknown channel": ({"train": {"power": {"channel": "watt"}}}, "no channel watt"),
    "wrong quantity": ({"train": {"power": {"channel": "bpm"}}}, "is no W"),
    "load without power": (
        {"train": {"power": DROP, "speed": {"channel": "w"}}},
        "is no m/s",
    ),
    "split": ({"evaluation": {"split": {"kind": "none", "by": DROP}}}, "does not fit"),
    "grid": ({"prepare": {"grid": {"rate_hz": 1, "longest_gap_s": 5}}}, "leave the grid out"),
    "no dates": (
        {"data": {0: {"time": {"kind": "regular", "rate_hz": 1, "column": DROP, "unit": DROP}}}},
        "have no date",
    ),
    "personal": ({"rights": {"personal_data": "personal"}}, "pseudonymous"),
    "edges that fall": ({"score": {"zones": {"power": {"edges": [1.0, 0.5]}}}}, "do not rise"),
    "impulse without numbers": ({"score": {"load": {"kind": "heart_rate"}}}, "factor and exponent"),
    "condition on a share": ({"evaluation": {"metrics": {"coverage": ">= 95"}}}, "no condition"),
    "decoupling without heart": (
        {
            "train": {"heart_rate": DROP, "heart_rate_model": DROP},
            "score": {"zones": {"heart_rate": DROP}},
            "evaluation": {"split": {"kind": "none", "by": DROP}},
        },
        "score.decoupling needs",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    changes, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        load_request(session_load(tmp_path, **changes))
