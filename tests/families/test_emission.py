"""The family `emission` on made hours: what is named, kept out, promised and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import call
from lumipipe.errors import InputError
from lumipipe.families.emission_audits import Limits, draw_audits
from lumipipe.families.emission_averages import average, learn_parts
from lumipipe.families.emission_hours import FAILED, PERIOD, VALID
from lumipipe.rules.tables import DATA, load_rules
from running import answer
from small_requests import DROP, change, emission, turbine_rows, write_turbine

if TYPE_CHECKING:
    from pathlib import Path

    from running import Done

RUNS = 9


def hours(error: np.ndarray, state: int = VALID, recording: int = 0) -> dict[str, np.ndarray]:
    """Rows of one recording whose truth is `error` above the prediction."""
    count = len(error)
    return {
        "recording": np.full(count, recording),
        "row": np.arange(count),
        "state": np.full(count, state),
        "truth": 50.0 + error,
        "prediction": np.full(count, 50.0),
    }


@given(st.lists(st.booleans(), max_size=60), st.integers(3, 9))
def test_audits_follow_each_other_and_hold_no_other_row(use: list[bool], runs: int) -> None:
    rows = hours(np.random.default_rng(1).normal(size=len(use)))
    rows["row"][len(use) // 2 :] += 5  # rows that are not there end a stretch too
    audits = draw_audits(rows, np.asarray(use, dtype=bool), runs)
    taken = (audits.first[:, None] + np.arange(runs)).ravel()
    assert len(np.unique(taken)) == len(taken)
    assert np.asarray(use, dtype=bool)[taken].all()
    assert all(rows["row"][a + runs - 1] - rows["row"][a] == runs - 1 for a in audits.first)
    # No stretch has room for another audit.
    free = np.asarray(use, dtype=bool)
    free[taken] = False
    longest, run, last = 0, 0, None
    for row, is_free in zip(rows["row"], free, strict=True):
        run = run + 1 if is_free and last == row - 1 and run else int(is_free)
        longest, last = max(longest, run), row
    assert longest < runs


def test_an_audit_is_that_of_its_rows() -> None:
    rows = hours(np.arange(1.0, 21.0))
    audits = draw_audits(rows, np.ones(20, dtype=bool), RUNS)
    d = np.arange(1.0, 10.0)
    # 2.306 is Student's t of nine runs at 0.975, as 40 CFR 75 tabulates it.
    cc = 2.306 * d.std(ddof=1) / 3
    assert audits.first.tolist() == [0, 9]
    assert audits.accuracy[0] == pytest.approx(100 * (5.0 + cc) / 55.0, rel=1e-4)
    assert audits.biased[0]
    assert audits.factor[0] == pytest.approx(1 + 5.0 / 50.0)


@pytest.mark.parametrize(
    ("level", "error", "per_ppm", "expected"),
    [
        (400.0, 30.0, 2.0, True),  # 200 ppm: 10 %
        (400.0, 50.0, 2.0, False),
        (50.0, 8.0, 2.0, True),  # 25 ppm: 20 %
        (50.0, 12.0, 2.0, False),
        (10.0, 3.9, 2.0, True),  # 5 ppm: 2 ppm
        (10.0, 4.1, 2.0, False),
        (50.0, 0.1, None, None),  # nobody knows how many ppm it is
    ],
)
def test_the_limit_is_that_of_the_level(
    level: float, error: float, per_ppm: float | None, *, expected: bool | None
) -> None:
    rows = hours(np.full(RUNS, 0.0))
    rows["truth"][:], rows["prediction"][:] = level, level - error
    audits = draw_audits(rows, np.ones(RUNS, dtype=bool), RUNS)
    met, known = Limits(load_rules("pems"), "mg/m3", per_ppm).meets_accuracy(audits)
    assert known.tolist() == [expected is not None]
    assert met.tolist() == [bool(expected)]


def test_a_limit_in_words_is_refused(tmp_path: Path) -> None:
    text = (DATA / "pems.yaml").read_text(encoding="utf-8").replace("least: 0.8", "least: high")
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    limits = Limits(load_rules("own.yaml", tmp_path), "mg/m3", 2.0)
    with pytest.raises(InputError, match="no number called least"):
        limits.least_correlation()


def test_more_rows_shrink_what_is_independent_and_nothing_else() -> None:
    """F4 of the features: a calibration error stays, however many readings are averaged."""
    rng = np.random.default_rng(3)
    days, n, shared, independent = 400, 24, 2.0, 4.0
    error = np.repeat(rng.normal(0, shared, days), n) + rng.normal(0, independent, days * n)
    rows = hours(error)
    parts = learn_parts(average(rows, n), rows, 0.9, 0.5, 0.75)
    assert parts is not None
    # Standard errors: σ/√(2·df) of a standard deviation; the second also holds σ²/n of each day.
    assert parts.independent == pytest.approx(independent, abs=4 * independent / np.sqrt(2 * 9200))
    assert parts.shared == pytest.approx(shared, abs=4 * 2.16 / np.sqrt(2 * days))
    u = parts.u(np.array([1, 24, 100_000]), reference=True)
    floor = np.hypot(parts.shared, 0.5)
    assert u[2] == pytest.approx(floor, rel=1e-4)
    np.testing.assert_allclose(
        u, np.sqrt(floor**2 + parts.independent**2 / np.array([1, 24, 100_000]))
    )
    assert parts.u(24, reference=False)[0] == pytest.approx(
        np.hypot(parts.shared, parts.independent / np.sqrt(24))
    )
    # A mean of 24 with both parts: 90 % of a normal distribution is 1.645 of its deviations.
    assert parts.factor == pytest.approx(1.645, abs=0.2)


def test_a_bias_is_shared() -> None:
    rows = hours(np.full(240, 3.0))
    parts = learn_parts(average(rows, 24), rows, 0.9, None, 0.75)
    assert parts is not None
    assert (parts.shared, parts.independent) == (pytest.approx(3.0), pytest.approx(0.0, abs=1e-9))
    assert parts.correlation == pytest.approx(1.0)
    assert parts.u(10**6, reference=True)[0] == pytest.approx(3.0)


def test_too_few_averages_teach_nothing() -> None:
    rows = hours(np.ones(24))
    assert learn_parts(average(rows, 24), rows, 0.9, None, 0.75) is None


def test_averages_hold_valid_rows_of_one_recording_alone() -> None:
    first, second = hours(np.arange(10.0)), hours(np.arange(7.0), recording=1)
    rows = {name: np.concatenate([first[name], second[name]]) for name in first}
    rows["row"][:10] += 100  # tested rows need not begin with a recording
    rows["state"][[1, 2]] = FAILED
    rows["prediction"][[1, 2]] = 1e6
    found = average(rows, 4)
    assert found.recording.tolist() == [0, 0, 0, 1, 1]
    assert found.first_row.tolist() == [100, 104, 108, 0, 4]
    assert found.valid.tolist() == [2, 4, 2, 4, 3]
    assert found.capture.tolist() == [0.5, 1.0, 0.5, 1.0, 0.75]
    assert found.predicted.tolist() == [50.0] * 5
    assert found.measured[0] == 50.0 + 1.5  # of rows 0 and 3


def test_periods_of_the_clock() -> None:
    rows = hours(np.arange(6.0)) | {PERIOD: np.array([7.0, 7.0, 8.0, 8.0, 8.0, 10.0])}
    found = average(rows, 3)
    assert found.period.tolist() == [7, 8, 10]
    assert found.valid.tolist() == [2, 3, 1]


def test_the_stuck_sensor_is_named_and_its_hours_are_in_no_average(tmp_path: Path) -> None:
    done = answer(emission(tmp_path), tmp_path / "out")
    rows, averages = table(done, "rows"), table(done, "averages")
    later = rows[rows["recording"] == "gt_2013"]
    # One row in ten lies outside the envelope by design here, whatever its sensors say.
    assert (later["failed_sensor"].to_numpy()[15:25] == "inlet").sum() >= 8
    assert (later["state"].to_numpy()[15:25] != "valid").all()
    # One good row in ten has an odd sensor by design, in small_requests.
    assert (~later["failed_sensor"].isin(["", "inlet"])).sum() <= 4
    assert "Failed sensor: inlet" in done.result.answer
    # Rows 12 to 17, 18 to 23 and 24 to 29 have 3, 0 and 5 others; 75 % of six are five.
    assert averages["valid"][2] <= 3
    assert averages["valid"][3] == 0
    assert averages["predicted"].isna()[[2, 3]].all()
    given = averages["predicted"].notna()
    valid = later[later["state"] == "valid"]
    first = valid["row"].to_numpy() // 6
    for place in np.flatnonzero(given):
        of_it = valid["predicted"].to_numpy()[first == place]
        assert averages["predicted"][place] == pytest.approx(of_it.mean(), rel=1e-12)
    assert done.result.counts["failed sensor"] >= 8
    assert any("failed sensor" not in item.what for item in done.result.left_out)


def test_the_verdict_cites_its_rule_and_who_checked_it(tmp_path: Path) -> None:
    result = answer(emission(tmp_path), tmp_path / "out").result
    word = result.answer.split()[0]
    assert word in {"PASS", "FAIL", "NOT"}
    assert "limits not verified" in result.answer
    assert "Performance Specification 16 (74 FR 12575" in result.answer
    assert sum("limits not verified" in text for text in result.rules) == 3
    text = (DATA / "pems.yaml").read_text(encoding="utf-8")
    text = text.replace("edition:\n", "edition: of today\n")
    text = text.replace("checked_by:\n", "checked_by: a person\n")
    text = text.replace("checked_on:\n", "checked_on: 2026-01-02\n")
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    checked = answer(emission(tmp_path, score={"rules": "own.yaml"}), tmp_path / "own").result
    assert "limits not verified" not in checked.answer


def test_a_good_monitor_passes(tmp_path: Path) -> None:
    """So that FAIL means something: the same plant, a year without a stuck sensor."""
    request = emission(tmp_path, score={"audit_rows": 9})
    for number, year in enumerate(("2011", "2012", "2013")):
        write_turbine(tmp_path, year, turbine_rows(900, number))
    change(request, train={"sample_rows": 1024, "guard_alpha": 0.01})
    result = answer(request, tmp_path / "out").result
    assert result.answer.startswith("PASS by")
    assert result.verdict == "supported"
    assert result.coverage is not None
    # 900 rows: a standard error of 0.01, and of half of that for the rows that set the width.
    assert 0.9 - 0.035 < result.coverage.achieved < 0.9 + 0.035
    held = next(metric for metric in result.metrics if metric.name == "averages_coverage")
    assert held.lower <= 0.9 <= held.upper
    assert [group.name[:5] for group in result.coverage.groups[:3]] == ["power"] * 3


def test_a_load_that_was_never_seen_is_outside(tmp_path: Path) -> None:
    request = emission(tmp_path)
    rows = turbine_rows(40, 2)
    # Further than any load of the past, along the line on which the sensors agree.
    rows[20:] += np.array([0.0, 15.0, -8.0, 2.0, 20.0, -10.0]) * 2
    write_turbine(tmp_path, "2013", rows)
    done = answer(request, tmp_path / "out")
    later = table(done, "rows").query("recording == 'gt_2013'")
    assert (later["state"].to_numpy()[20:] == "outside the envelope").all()
    assert "Failed sensor" not in done.result.answer
    averages = table(done, "averages")
    assert averages["predicted"].isna()[4:].all()


def test_a_sensor_that_drifts_is_named_from_where_it_passes_its_limit(tmp_path: Path) -> None:
    request = emission(tmp_path)
    rows = turbine_rows(40, 2)
    rows[:, 1] += np.linspace(0.0, 40.0, 40)
    write_turbine(tmp_path, "2013", rows)
    done = answer(request, tmp_path / "out")
    named = table(done, "rows").query("recording == 'gt_2013'")["failed_sensor"].to_numpy()
    assert (named[30:] == "inlet").sum() >= 8
    assert (named[:2] == "").all()  # up to 1 degC, twice what the sensor errs by
    assert (~np.isin(named, ["", "inlet"])).sum() <= 4
    assert "degC high" in done.result.answer


def test_a_sensor_that_sticks_where_it_stood_is_named_once_the_plant_moves(tmp_path: Path) -> None:
    request = emission(tmp_path)
    rows = turbine_rows(40, 2)
    rows[10:, 1] = rows[9, 1]
    write_turbine(tmp_path, "2013", rows)
    later = table(answer(request, tmp_path / "out"), "rows").query("recording == 'gt_2013'")
    named = later["failed_sensor"].to_numpy()
    assert (~np.isin(named, ["", "inlet"])).sum() <= 4
    # The inlet temperature follows the load by 15 degC and errs by 0.5 degC: of a load that is
    # anywhere between -1 and 1, a third of the hours at least lies far enough from where it stuck.
    assert (named[10:] == "inlet").mean() > 1 / 3


def test_a_random_split_needs_a_reason_and_is_no_certification(tmp_path: Path) -> None:
    request = emission(
        tmp_path, evaluation={"split": {"kind": "random", "train": DROP, "test": DROP}}
    )
    said = call("request", "check", request)
    assert said.code == 2
    assert "because" in said.err
    for number, year in enumerate(("2011", "2012", "2013")):
        write_turbine(tmp_path, year, turbine_rows(300, number))
    change(request, evaluation={"split": {"because": "to show what leaks"}})
    change(request, train={"guard_alpha": 0.01, "sample_rows": 512})
    result = answer(request, tmp_path / "out").result
    # Each condition of the rule is met, and yet the data support nothing.
    assert all(metric.met for metric in result.metrics if metric.condition)
    assert result.answer.startswith("NOT A CERTIFICATION by")
    assert result.verdict == "inconclusive"
    assert "not a certification" in result.split.sentence
    assert result.split.because == "to show what leaks"
    assert any("pass its audits" in item.question for item in result.not_answered)


def test_averages_by_the_clock(tmp_path: Path) -> None:
    """One row an hour from 22:00 on, six-hour periods of UTC, the same numbers as by rows."""
    changes: dict[str, Any] = {
        "data": {
            n: {"time": {"kind": "regular", "row": DROP, "rate_hz": 1 / 3600}} for n in (0, 1)
        },
        "score": {"averages": {"rows": DROP, "hours": 6}},
    }
    by_rows = answer(emission(tmp_path), tmp_path / "rows")
    by_clock = answer(emission(tmp_path, **changes), tmp_path / "clock")
    for column in ("valid", "predicted", "lower", "measured"):
        np.testing.assert_array_equal(
            table(by_clock, "averages")[column], table(by_rows, "averages")[column]
        )
    assert {unit.id for unit in by_clock.result.units} > {"gt_2013 from 0 h", "gt_2013 from 6 h"}


CASES = {
    "a split by group": (
        {"evaluation": {"split": {"kind": "group", "train": DROP, "test": DROP}}},
        "evaluation.split.kind group does not test later hours",
    ),
    "a clock without times": (
        {"score": {"averages": {"rows": DROP, "hours": 24}}},
        "score.averages.hours: the rows have only an order",
    ),
    "two lengths": ({"score": {"averages": {"hours": 24}}}, "give rows or hours; one of the two"),
    "a load that is none": ({"score": {"load": "lod"}}, "score.load: no channel lod"),
    "a target among the inputs": (
        {"train": {"inputs": ["nox", "power"]}},
        "train.inputs: nox is what is predicted",
    ),
    "a metric of the rule": (
        {"evaluation": {"metrics": {"r": ">= 0.5"}}},
        "evaluation.metrics: no metric r",
    ),
    "windows": ({"train": {"window_rows": 3}}, "train.window_rows: each row has a prediction"),
    "a channel without range": (
        {"data": {0: {"channels": {0: {"range": DROP}}}, 1: {"channels": {0: {"range": DROP}}}}},
        "channel ambient has neither scale nor range",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_answered_is_one_line(tmp_path: Path, name: str) -> None:
    changes, problem = CASES[name]
    said = call("request", "check", emission(tmp_path, **changes))
    assert said.code == 2
    assert problem in said.err
    assert said.err.count("\n") == 1


def table(done: Done, name: str) -> Any:
    """A table of a run."""
    return pq.read_table(done.product("score") / f"{name}.parquet").to_pandas()
