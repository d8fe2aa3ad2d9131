"""What a monitor may claim: blind ones support nothing, unknown rows are not called normal."""

from __future__ import annotations

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.families.verdicts import check_conditions
from running import answer
from small_requests import DROP, monitoring, write_csv


def _names(result) -> list[str]:
    return [metric.name for metric in result.metrics]


def test_rows_of_which_nothing_is_known_are_not_called_normal(tmp_path) -> None:
    request = monitoring(tmp_path, score=DROP, evaluation={"metrics": DROP})
    result = answer(request, tmp_path / "out").result
    assert "alarm_rate" in _names(result)
    assert "false_alarm_rate" not in _names(result)
    assert result.units[0].verdict in {"changed", "unclear", "as before"}


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
    assert result.units[0].verdict == "not detectable"
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
