"""Totals against sums by pandas, budgets that keep shared errors, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lumipipe.errors import InputError
from lumipipe.families.carbon_filed import step_of
from lumipipe.tasks.request import load_request
from lumipipe.uncertainty.budget import coverage_factor
from running import answer
from small_requests import DROP, carbon, made_up_factor, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Metric, Result
    from running import Done

K = coverage_factor(0.9)  # the default of the form
ONE_PLANT = {
    "data": {0: {"time": {"format": DROP}, "source": "raw/north.csv"}},
}


def metric(result: Result, name: str) -> Metric:
    return next(item for item in result.metrics if item.name == name)


def half_width(item: Any) -> float:
    return (item.upper - item.lower) / 2


def totals(done: Done) -> pd.DataFrame:
    """The table of totals, by group."""
    table: pd.DataFrame = pq.read_table(done.product("score") / "totals.parquet").to_pandas()
    return table.set_index(["by", "group"])


def frames(folder: Path) -> pd.DataFrame:
    """The rows that count, of all files."""
    parts = [
        pd.read_csv(file).assign(unit=file.stem).drop_duplicates("t")
        for file in sorted((folder / "raw").glob("*.csv"))
    ]
    rows = pd.concat(parts)
    begin = pd.to_datetime(rows["t"] - 900, unit="s")
    return rows.assign(
        month=begin.dt.strftime("%Y-%m"), shift=rows["shift"].map({0: "day", 1: "night"})
    )


def replace_rows(folder: Path, change: Any) -> None:
    """Change the rows of each file."""
    for file in (folder / "raw").glob("*.csv"):
        rows = pd.read_csv(file)
        change(rows).to_csv(file, index=False)


def test_equal_sums_by_pandas(tmp_path: Path) -> None:
    """Rows of 15 minutes: 0.4 kg/kWh and 60 kg/t; a row twice and 4 gaps in the files."""
    done = answer(carbon(tmp_path), tmp_path / "out")
    rows, found = frames(tmp_path), totals(done)
    rows = rows.assign(kg=0.4 * rows["kwh"].fillna(0.0) + 60.0 * 0.25 * rows["steam"], all="total")
    for by in ("month", "unit", "shift"):
        for group, expected in rows.groupby(by)["kg"].sum().items():
            assert found.loc[(by, group), "emission"] == pytest.approx(expected, rel=1e-12)
            assert found.loc[(by, group), "rows"] == (rows[by] == group).sum()
    assert metric(done.result, "emission").value == pytest.approx(rows["kg"].sum(), rel=1e-12)
    assert set(found.index) == {
        ("total", "total"),
        *((by, group) for by in ("month", "unit", "shift") for group in rows[by].unique()),
    }


def test_the_budget_is_that_of_the_parts(tmp_path: Path) -> None:
    done = answer(carbon(tmp_path), tmp_path / "out")
    rows = frames(tmp_path)
    power, steam = 0.4 * rows["kwh"].sum(), 60.0 * 0.25 * rows["steam"].sum()
    readings = rows["kwh"].count()
    parts = [
        power * 0.01 / 2,  # each meter, shared
        steam * 0.02 / 2,
        power * 0.02 / 0.4 / 2,  # each factor, shared
        steam * 3.0 / 60.0 / 2,
        0.4 * 0.1 / np.sqrt(12) * np.sqrt(readings),  # steps of 0.1 kWh, independent
    ]
    assert half_width(metric(done.result, "emission")) == pytest.approx(
        K * np.sqrt(np.sum(np.square(parts))), rel=1e-9
    )
    title = "Uncertainty budget of CO2e"
    (budget,) = (s for s in done.result.sections if s.title == title)
    *rows_, steam_step, combined = budget.figures[0].rows
    # Printed with two digits: off by half of the second one, a twentieth at most.
    assert [row[4] for row in rows_] == pytest.approx(parts, rel=0.05)
    assert sum(row[5] for row in rows_) == pytest.approx(100.0, abs=0.05 * len(rows_))
    assert [row[6] for row in rows_] == ["shared"] * 4 + ["independent"]
    assert steam_step[4] is None  # its resolution is not stated
    assert combined[4] == pytest.approx(np.sqrt(np.sum(np.square(parts))), rel=0.05)


def test_parts_of_one_meter_and_factor_add_before_they_are_squared(tmp_path: Path) -> None:
    """Two halves of a load on one meter are as sure as the whole, not surer by sqrt(2)."""
    request = carbon(
        tmp_path,
        train={
            "activities": {"steam": DROP, "again": activity("kwh")},
            "meters": {"scales": DROP},
            "factors": {"boiler": DROP},
        },
    )
    replace_rows(tmp_path, lambda rows: rows.assign(kwh=rows["kwh"].fillna(1.0)))
    both = metric(answer(request, tmp_path / "out").result, "relative_uncertainty").value
    alone = carbon(
        tmp_path,
        train={
            "activities": {"steam": DROP},
            "meters": {"scales": DROP},
            "factors": {"boiler": DROP},
        },
        data={0: {"channels": {0: {"resolution": DROP}}}},
    )
    one = metric(answer(alone, tmp_path / "out2").result, "relative_uncertainty").value
    assert one == pytest.approx(K * np.hypot(0.005, 0.025), rel=1e-9)
    assert both == pytest.approx(one, rel=1e-3)  # the steps of 0.1 kWh add a little


def activity(channel: str) -> dict[str, str]:
    return {"channel": channel, "kind": "amount", "meter": "power", "factor": "grid"}


def test_shared_errors_add_over_months_and_do_not_shrink(tmp_path: Path) -> None:
    found = totals(answer(carbon(tmp_path), tmp_path / "out"))
    whole = found.loc[("total", "total"), "u"]
    months = found.loc["month", "u"]
    # All but the steps of 0.1 kWh are shared, and those are 3e-6 of the variance.
    assert months.sum() == pytest.approx(whole, rel=0.01)
    assert np.sqrt((months**2).sum()) < 0.8 * whole


@pytest.mark.slow
def test_no_byte_depends_on_the_size_of_chunks(tmp_path: Path) -> None:
    """Chunks of 1, 7, 64 and all rows; gaps and double rows lie at their ends, too."""
    found = []
    for rows in (1, 7, 64, 10_000):
        request = carbon(tmp_path, train={"rows_per_chunk": rows})
        done = answer(request, tmp_path / f"out{rows}")
        folder = done.product("score")
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert len(found[0]) == 2
    assert all(other == found[0] for other in found[1:])


def test_gaps_and_double_rows_are_counted_and_named(tmp_path: Path) -> None:
    result = answer(carbon(tmp_path), tmp_path / "out").result
    assert result.counts == {
        "rows": 190,
        "rows counted": 188,
        "duplicate rows": 2,
        "rows outside the period": 0,
        "gaps": 2,
        "intervals missing in gaps": 4,
        "uneven steps": 0,
    }
    tables = {f.title: f for s in result.sections for f in s.figures if f.kind == "table"}
    assert [row[0] for row in tables["Gaps"].rows] == ["north", "south"]
    assert [row[-1] for row in tables["Gaps"].rows] == [3, 1]
    assert tables["Gaps"].rows[0][1:3] == ["2026-01-31 17:00:00", "2026-01-31 18:00:00"]
    assert [row[1:3] for row in tables["Duplicate rows"].rows] == [[93, 1], [95, 1]]
    assert result.left_out[0].what == "2 duplicate rows"
    # 96 quarters of each plant, of which three and one are lost and one has no reading.
    assert metric(result, "data_capture").value == pytest.approx((192 - 4 - 2) / 192)
    assert any("6 of 192 intervals have none" in item.reason for item in result.not_answered)
    capture = {unit.id: dict(unit.values)["data capture (%)"] for unit in result.units}
    assert capture["2026-01"] == pytest.approx(100 * (96 - 6) / 96, abs=1e-3)
    assert capture["2026-02"] == 100.0
    assert capture["shift day"] is None


def test_a_period_counts_what_is_missing_at_its_ends(tmp_path: Path) -> None:
    period = {"first": "2026-02-01", "last": "2026-02-02"}
    result = answer(carbon(tmp_path, train={"period": period}), tmp_path / "out").result
    assert result.counts["rows counted"] == 96
    assert result.counts["rows outside the period"] == 92
    assert metric(result, "data_capture").value == pytest.approx(96 / (2 * 2 * 96))
    assert any("rows outside the period" in item.what for item in result.left_out)
    period = {"first": "2027-02-01", "last": "2027-02-02"}
    with pytest.raises(InputError, match="no row lies in it"):
        answer(carbon(tmp_path, train={"period": period}), tmp_path / "out2")


def test_files_of_one_plant_join_and_must_not_overlap(tmp_path: Path) -> None:
    request = carbon(tmp_path, data={0: {"recordings": {"unit": "works"}}})
    with pytest.raises(InputError, match="recording south: begins before recording north of the"):
        answer(request, tmp_path / "out")
    south = tmp_path / "raw" / "south.csv"
    rows = pd.read_csv(south)
    rows.assign(t=rows["t"] + 900 * 100).to_csv(south, index=False)
    result = answer(request, tmp_path / "out").result
    assert result.counts["gaps"] == 3
    assert result.counts["intervals missing in gaps"] == 8
    clock = next(s for s in result.sections if s.title == "Rows and time")
    assert "Between north and south 4 intervals are missing." in clock.paragraphs


def test_rows_without_stamps_say_that_gaps_are_not_seen(tmp_path: Path) -> None:
    request = carbon(
        tmp_path,
        data={0: {"time": {"kind": "regular", "rate_hz": 1 / 900, "column": DROP, "unit": DROP}}},
        score={"by": ["shift"]},
    )
    result = answer(request, tmp_path / "out").result
    assert result.counts["rows counted"] == result.counts["rows"] == 190
    assert "rows have no time" in metric(result, "data_capture").note
    assert any(item.question.startswith("Is a row missing") for item in result.not_answered)


def test_an_amount_and_a_rate_are_the_same_energy(tmp_path: Path) -> None:
    """10 kWh in a quarter of an hour are 40 kW during it."""
    results = []
    for number, (kind, unit, quantity, scale) in enumerate(
        [("amount", "kWh", "energy", 1.0), ("rate", "kW", "power", 4.0)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        request = carbon(
            folder,
            data={0: {"channels": {0: {"unit": unit, "quantity": quantity, "resolution": DROP}}}},
            train={"activities": {"power": {"kind": kind}}},
        )
        replace_rows(folder, lambda rows, scale=scale: rows.assign(kwh=scale * rows["kwh"]))
        results.append(answer(request, folder / "out").result)
    first, second = (metric(result, "emission") for result in results)
    assert second.value == pytest.approx(first.value, rel=1e-12)
    assert half_width(second) == pytest.approx(half_width(first), rel=1e-9)
    assert "kWh of power" in results[1].answer


def test_a_coarse_filed_column_is_flagged_and_single_rows_are_refused(tmp_path: Path) -> None:
    result = answer(carbon(tmp_path), tmp_path / "out").result
    rows = frames(tmp_path)
    mean = rows["co2"].mean()
    assert f"resolution 5 kg is {5 / mean:.0%} of the mean" in result.answer
    assert metric(result, "filed_step_share").value == pytest.approx(5 / mean)
    assert any("single interval of 900 s" in item.question for item in result.not_answered)
    both = rows.dropna(subset=["kwh"])
    ways = next(s for s in result.sections if s.title == "The filed column").figures[1]
    assert [row[1] for row in ways.rows] == pytest.approx(
        [
            both["co2"].sum() / both["kwh"].sum(),
            np.polyfit(both["kwh"], both["co2"], 1)[0],
            0.4,
        ],
        rel=1e-9,
    )
    filed = metric(result, "filed_total")
    assert filed.value == rows["co2"].sum()
    assert half_width(filed) == pytest.approx(2 * 5 / np.sqrt(12) * np.sqrt(len(rows)))
    fine = carbon(tmp_path, score={"largest_step": 0.9})
    result = answer(fine, tmp_path / "fine").result
    assert not any("single interval" in item.question for item in result.not_answered)


def test_rounding_to_one_side_gives_bounds_and_no_false_sureness(tmp_path: Path) -> None:
    """All rows emit 2 kg and are filed as 0, but for one: the sum says next to nothing."""
    request = carbon(tmp_path)

    def lean(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.assign(kwh=5.0, co2=0.0)
        rows.loc[0, ["kwh", "co2"]] = [25.0, 10.0]
        rows.loc[1, ["kwh", "co2"]] = [12.5, 5.0]
        return rows

    replace_rows(tmp_path, lean)
    result = answer(request, tmp_path / "out").result
    filed = metric(result, "filed_total")
    zeros = 188 - 4
    assert (filed.value, filed.confidence) == (30.0, None)
    assert (filed.lower, filed.upper) == (30.0 - 2.5 * 4, 30.0 + 2.5 * 188)
    assert "leans to one side" in filed.note
    section = next(s for s in result.sections if s.title == "The sum of the filed values")
    assert "does not average out" in section.paragraphs[0]
    moved = {row[0]: row[1] for row in section.figures[0].rows}
    assert moved["what rounding does to the sum, at the stated factor"] == pytest.approx(-2 * zeros)


def test_rows_filed_apart_are_named_in_runs(tmp_path: Path) -> None:
    request = carbon(tmp_path)

    def forgotten(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.assign(kwh=50.0, co2=20.0)
        rows.loc[0, ["kwh", "co2"]] = [25.0, 10.0]
        rows.loc[1, ["kwh", "co2"]] = [12.5, 5.0]
        rows.loc[30:34, "co2"] = 0.0
        return rows

    replace_rows(tmp_path, forgotten)
    result = answer(request, tmp_path / "out").result
    section = next(s for s in result.sections if s.title == "The sum of the filed values")
    assert [row[:3] for row in section.figures[1].rows] == [["north", 30, 5], ["south", 30, 5]]
    assert "10 rows were filed further" in section.paragraphs[1]


def test_a_filed_column_with_one_value_has_no_step(tmp_path: Path) -> None:
    request = carbon(tmp_path)
    replace_rows(tmp_path, lambda rows: rows.assign(co2=3.0))
    result = answer(request, tmp_path / "out").result
    assert metric(result, "filed_step_share").value is None
    assert metric(result, "filed_total").lower is None
    assert "resolution" not in result.answer


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([0.0, 0.01, 0.02, 0.07], 0.01),
        ([-3.0, 1.5], None),
        ([-3.0, 1.5, 3.0], 1.5),
        ([0.0, 1.0, 1.5, 2.7], None),
        (np.float32([0.0, 0.01, 0.05, 0.06]).astype(float), 0.01),
        ([2.0], None),
    ],
)
def test_a_step_is_what_all_values_are_multiples_of(values: Any, step: float | None) -> None:
    assert step_of(np.asarray(values)) == step


def test_conditions_lead_to_the_verdict(tmp_path: Path) -> None:
    def verdict(name: str, **metrics: str) -> str:
        request = carbon(tmp_path, evaluation={"metrics": metrics})
        return answer(request, tmp_path / name).result.verdict

    assert verdict("a") == "inconclusive"
    assert verdict("b", relative_uncertainty="<= 0.05", data_capture=">= 0.9") == "supported"
    assert verdict("c", data_capture=">= 0.99") == "not_supported"
    assert verdict("d", filed_step_share="<= 0.1") == "not_supported"


def test_what_nobody_checked_is_said(tmp_path: Path) -> None:
    result = answer(carbon(tmp_path), tmp_path / "out").result
    assert "factors grid and boiler not verified" in result.answer
    checked = {name: {"checked_by": "a colleague"} for name in ("grid", "boiler")}
    result = answer(carbon(tmp_path, train={"factors": checked}), tmp_path / "out2").result
    assert "not verified" not in result.answer
    assert any("scope 3" in item.question for item in result.not_answered)
    assert not any("scope 1" in item.question for item in result.not_answered)


def test_numbers_that_cannot_be_added_are_refused(tmp_path: Path) -> None:
    request = carbon(tmp_path)
    replace_rows(tmp_path, lambda rows: rows.assign(kwh=1e30))
    with pytest.raises(InputError, match="infinite or beyond 1e28"):
        answer(request, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluation": {"split": {"kind": "group"}}}, r"write split: \{kind: none\}"),
        ({"prepare": {"grid": {"rate_hz": 1, "longest_gap_s": 1}}}, "between the rows"),
        ({"train": {"activities": {"power": {"channel": "kvh"}}}}, "there is no kvh; use kwh"),
        ({"train": {"activities": {"power": {"meter": "m"}}}}, "there is no m; use power, scales"),
        ({"train": {"activities": {"power": {"factor": "f"}}}}, "there is no f; use grid, boiler"),
        ({"train": {"activities": {"power": {"kind": "rate"}}}}, "kWh times s times kg/kWh is no"),
        ({"train": {"factors": {"grid": {"unit": "kg/m3"}}}}, "kWh times kg/m3 is no kg"),
        ({"score": {"unit": "kWh"}}, "is no kWh"),
        ({"train": {"filed": {"channel": "kwh"}}}, "kWh is no kg"),
        ({"train": {"filed": {"activity": "gas"}}}, "there is no gas; use power, steam"),
        (
            {"train": {"factors": {"coal": made_up_factor(2.0, "kg/kg", 0.1, 1)}}},
            "train.factors.coal: no activity uses it",
        ),
        ({"score": {"by": ["crew"]}}, "there is no crew; use month, unit, shift"),
        ({"score": {"by": ["month", "month"]}}, "month stands twice"),
        ({"data": {0: {"time": {"origin": "recording"}}}}, "have no date"),
        (
            {"train": {"period": {"first": "2026-02-02", "last": "2026-02-01"}}},
            "ends before it begins",
        ),
        (
            {"train": {"filed": DROP}, "evaluation": {"metrics": {"filed_step_share": "<= 0.5"}}},
            "no",
        ),
    ],
)
def test_contradictions_are_refused_before_data_are_read(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        load_request(carbon(tmp_path, **changes))


def test_a_rate_that_is_not_the_interval_is_refused(tmp_path: Path) -> None:
    time = {"kind": "regular", "rate_hz": 1 / 600, "column": DROP, "unit": DROP}
    request = carbon(tmp_path, data={0: {"time": time}}, score={"by": []})
    with pytest.raises(InputError, match="write interval_s: 600"):
        load_request(request)


def test_a_request_without_a_filed_column_trains_nothing(tmp_path: Path) -> None:
    done = answer(carbon(tmp_path, train={"filed": DROP}), tmp_path / "out")
    assert [item.name for item in done.result.metrics] == [
        "emission",
        "relative_uncertainty",
        "data_capture",
    ]


def test_each_recording_may_have_a_clock_of_its_own(tmp_path: Path) -> None:
    """Stamps from the start of each file: gaps are seen, files of one plant may begin at 0."""
    request = carbon(
        tmp_path,
        data={0: {"time": {"origin": "recording"}, "recordings": {"unit": "works"}}},
        score={"by": []},
    )
    replace_rows(tmp_path, lambda rows: rows.assign(t=rows["t"] - rows["t"].min()))
    result = answer(request, tmp_path / "out").result
    assert result.counts["intervals missing in gaps"] == 4
    assert metric(result, "data_capture").value == pytest.approx(186 / 192)


def test_one_row_is_a_recording(tmp_path: Path) -> None:
    request = carbon(tmp_path)
    write_csv(
        tmp_path / "raw" / "third.csv", "t,kwh,steam,co2,shift", np.array([[900, 1, 1, 0, 0]])
    )
    result = answer(request, tmp_path / "out").result
    assert result.counts["rows counted"] == 189
