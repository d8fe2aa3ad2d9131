"""What a monitor may claim: blind ones support nothing, unknown rows are not called normal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.families.verdicts import check_conditions
from running import answer
from small_requests import DROP, monitoring, write_csv

if TYPE_CHECKING:
    from lumipipe.reporting.figures.declared import Chart


def _names(result) -> list[str]:
    return [metric.name for metric in result.metrics]


def test_rows_of_which_nothing_is_known_are_not_called_normal(tmp_path) -> None:
    request = monitoring(tmp_path, score=DROP, evaluation={"metrics": DROP})
    result = answer(request, tmp_path / "out").result
    assert "alarm_rate" in _names(result)
    assert "false_alarm_rate" not in _names(result)
    unit = result.units[0]
    assert (
        unit.severity == {"changed": "bad", "unclear": "neither", "as before": "good"}[unit.verdict]
    )


def test_monitor_that_sees_no_known_fault_supports_nothing(tmp_path) -> None:
    rows = np.random.default_rng(3).normal(size=(400, 5))
    metrics = {"false_alarm_rate": "<= 0.5"}
    request = monitoring(
        tmp_path,
        evaluation={"split": {"train_first_rows": 200}, "metrics": metrics},
        score={"event": {"from_row": 300}},
    )
    for file in (tmp_path / "raw").iterdir():
        write_csv(file, file.read_text(encoding="utf-8").splitlines()[0], rows)
    result = answer(request, tmp_path / "out").result
    assert (result.units[0].verdict, result.units[0].severity) == ("not detectable", "bad")
    assert result.verdict == "not_supported"
    assert "cannot be detected" in result.answer


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluation": {"split": {"train_first_rows": 5}}}, "normal rows for 5 channels"),
        ({"evaluation": {"split": {"train_first_rows": 60}}, "score": DROP}, "no row"),
        ({"score": {"event": {"from_row": 700}}}, "before 700"),
        ({"score": {"event": {"from_row": 3}}}, "rows that are normal"),
        ({"train": {"alpha": 0.001}}, "set no empirical limit"),
        (
            {"evaluation": {"metrics": {"false_alarm_rate": "<= 0.05"}}, "score": DROP},
            "would stay open: no score.event says .*; add score.event, or use alarm_rate",
        ),
    ],
)
def test_contradictory_rows_are_refused(tmp_path, changes, words) -> None:
    with pytest.raises(InputError, match=words):
        answer(monitoring(tmp_path, **changes), tmp_path / "out")


@pytest.mark.parametrize("condition", [">= 0.05", "<= 5", "<= -1"])
def test_condition_that_no_share_can_mean_is_refused(condition: str) -> None:
    with pytest.raises(InputError, match=r'write it like "<= 0\.\d+"'):
        check_conditions({"missed": condition}, {"missed": "<="}, "request.yaml:3")


def _chart(request, folder) -> Chart:
    """The chart of T² and SPE in the answer to a request."""
    figures = [f for section in answer(request, folder).result.sections for f in section.figures]
    return next(figure for figure in figures if figure.title.startswith("T² and SPE"))


def _stamped(folder, seconds, origin: str) -> Chart:
    """The chart of sixty rows with stamps in seconds."""
    time = {"kind": "column", "row": DROP, "column": "t", "unit": "s", "origin": origin}
    request = monitoring(folder, data={0: {"time": time}})
    file = folder / "raw" / "plant.csv"
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    lines = [f"{stamp:.9f},{row}" for stamp, row in zip(seconds, rows, strict=True)]
    file.write_text("\n".join([f"t,{head}", *lines, ""]), encoding="utf-8")
    return _chart(request, folder / "out")


def test_charts_of_rows_with_stamps_run_by_time_and_show_gaps(tmp_path) -> None:
    hours = np.arange(60.0)
    hours[30:] += 100.0  # nobody measured for four days after row 29
    chart = _stamped(tmp_path, 1_700_000_000 + 3600 * hours, "1970")
    assert chart.x_label == "days since 2023-11-14 22:13:20 UTC"
    assert chart.x == pytest.approx([*hours[:30] / 24, 79.5 / 24, *hours[30:] / 24])
    assert "gaps in time: 1" in chart.alt
    assert "2023-11-14 22:13:20 UTC to 2023-11-21 13:13:20 UTC" in chart.alt
    for panel in chart.panels:
        assert [n for n, value in enumerate(panel.y) if value is None] == [30]
        assert panel.alarms
        limit = next(limit for limit in panel.limits if limit.style == "empirical")
        assert all((panel.y[n] or 0.0) > limit.value for n in panel.alarms)
    fault = next(span for span in chart.spans if span.label == "known fault")
    assert (fault.start, fault.stop) == pytest.approx((145 / 24, 159 / 24))


@pytest.mark.parametrize(
    ("step_s", "label"),
    [
        (1e-4, "milliseconds since the first row"),
        (1.0, "seconds since the first row"),
        (60.0, "minutes since the first row"),
        (600.0, "hours since the first row"),
    ],
)
def test_an_axis_of_time_has_the_unit_of_its_length(tmp_path, step_s: float, label: str) -> None:
    chart = _stamped(tmp_path, step_s * np.arange(60), "recording")
    assert chart.x_label == label
    assert 2.0 <= chart.x[-1] <= 60.0
    assert "gaps in time: 0" in chart.alt


def test_rows_with_an_order_only_run_by_their_numbers(tmp_path) -> None:
    chart = _chart(monitoring(tmp_path), tmp_path / "out")
    assert (chart.x_label, chart.x) == ("row", [float(row) for row in range(60)])
    assert "against the row" in chart.alt
