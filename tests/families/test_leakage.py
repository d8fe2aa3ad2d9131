"""Planted leaks: each is found and named; what is meant to be shared is told apart from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest

from lumipipe.config import GroupSplit, RandomSplit, SourceSplit, TimeSplit
from lumipipe.families import grouped_ridge
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.families.verdicts import allowed
from lumipipe.families.window_classifier import WindowClassifier
from lumipipe.models.ridge import fit_path
from running import answer
from small_requests import FAMILIES, activity, recipe

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import LeakageTest, Result

LEARN_NOTHING = {"carbon", "esports", "hrv", "session_load"}
RANDOM = RandomSplit(kind="random", because="to try")
BY_UNIT = GroupSplit(kind="group", by="unit")


def sides(split: Any, fold: list[int], length: int = 2, **more: Any) -> Sides:
    """Six windows of two recordings of one unit, and two of another; each fold is a test."""
    folds = np.array(fold)
    return Sides(
        split=split,
        taught_in=folds,
        judged_by=folds,
        unit=np.array([0, 0, 0, 0, 0, 0, 1, 1]),
        recording=np.array([0, 0, 0, 1, 1, 1, 2, 2]),
        first_row=np.array([0, 2, 4, 6, 8, 10, 12, 14]),
        length=length,
        **more,
    )


def status(tests: list[LeakageTest]) -> dict[str, str]:
    return {test.name: test.status for test in tests}


def test_units_held_out_are_clean() -> None:
    tests = leakage_tests(sides(BY_UNIT, [0, 0, 0, 0, 0, 0, 1, 1], scaler_rows=np.array([2, 6])))
    assert status(tests) == {
        "unit": "none",
        "recording": "none",
        "rows": "none",
        "copies": "not_tested",
        "scaler": "none",
    }


@pytest.mark.parametrize("split", [RANDOM, BY_UNIT])
def test_a_recording_on_both_sides_is_named(split: Any) -> None:
    tests = leakage_tests(sides(split, [0, 1, 0, 1, 1, 1, 0, 0]))
    by_name = {test.name: test for test in tests}
    assert by_name["recording"].status == "found"
    assert by_name["recording"].count == 3  # of the first recording, all three
    assert by_name["unit"].count == 6
    assert "flatter" in by_name["recording"].sentence


def test_a_random_split_is_a_leak_even_where_each_recording_is_one_window() -> None:
    found = Sides(
        split=RANDOM,
        taught_in=np.arange(6) % 2,
        judged_by=np.arange(6) % 2,
        unit=np.zeros(6, dtype=np.int64),
        recording=np.arange(6),
        first_row=np.arange(6) * 60,
        length=60,
    )
    assert status(leakage_tests(found))["neighbours"] == "found"
    assert status(leakage_tests(replace(found, split=BY_UNIT))).get("neighbours") is None


def test_overlapping_windows_are_counted() -> None:
    tests = leakage_tests(sides(BY_UNIT, [0, 0, 0, 1, 1, 1, 1, 1], length=4))
    by_name = {test.name: test for test in tests}
    # Windows of 4 rows that begin at 4 and at 6 share rows 6 and 7: one on each side.
    assert (by_name["rows"].status, by_name["rows"].count) == ("found", 2)


def test_copies_are_counted() -> None:
    content = np.array([1, 2, 3, 4, 5, 6, 7, 3])
    tests = leakage_tests(sides(BY_UNIT, [0, 0, 0, 0, 0, 0, 1, 1], content=content))
    by_name = {test.name: test for test in tests}
    assert (by_name["copies"].status, by_name["copies"].count) == ("found", 2)


def test_scales_from_all_rows_are_named() -> None:
    tests = leakage_tests(sides(BY_UNIT, [0, 0, 0, 0, 0, 0, 1, 1], scaler_rows=np.array([2, 8])))
    (scaler,) = [test for test in tests if test.name == "scaler"]
    assert scaler.status == "found"
    assert "model 1 from 8 rows, taught by 6" in scaler.sentence


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (
            TimeSplit(kind="time", train_first_rows=4),
            {"unit": "by_design", "recording": "by_design"},
        ),
        (SourceSplit(kind="source", train=["a"]), {"unit": "by_design", "recording": "found"}),
    ],
)
def test_the_same_machine_later_is_by_design(split: Any, expected: dict[str, str]) -> None:
    found = status(leakage_tests(sides(split, [0, 0, 1, 0, 0, 1, 0, 1])))
    assert {name: found[name] for name in expected} == expected


def test_a_leak_takes_support_away_and_nothing_else_does() -> None:
    leak = leakage_tests(sides(RANDOM, [0, 1] * 4))
    clean = leakage_tests(sides(BY_UNIT, [0, 0, 0, 0, 0, 0, 1, 1]))
    assert allowed("supported", leak) == "inconclusive"
    assert allowed("not_supported", leak) == "not_supported"
    assert allowed("supported", clean) == "supported"


def leakage(result: Result) -> dict[str, LeakageTest]:
    return {test.name: test for test in result.leakage}


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(set(FAMILIES) - LEARN_NOTHING))
def test_each_small_request_is_tested_for_leaks_and_clean(tmp_path: Path, family: str) -> None:
    found = leakage(answer(FAMILIES[family](tmp_path), tmp_path / "out").result)
    assert {"unit", "recording", "rows", "copies", "scaler"} <= set(found)
    assert {test.status for test in found.values()} <= {"none", "by_design", "not_tested"}
    assert found["rows"].status == "none"


@pytest.mark.slow
def test_the_same_mix_on_both_sides_is_found(tmp_path: Path) -> None:
    random = {"kind": "random", "because": "to see the leak", "folds": 4}
    request = recipe(tmp_path, evaluation={"metrics": {"rmse": "<= 50"}})
    request.write_text(
        request.read_text(encoding="utf-8").replace(
            "kind: group\n    by: mix\n    folds: 4",
            "\n    ".join(f"{k}: {v}" for k, v in random.items()),
        ),
        encoding="utf-8",
    )
    result = answer(request, tmp_path / "out").result
    found = leakage(result)
    assert found["mix"].status == "found"
    assert (found["mix"].count or 0) > 40
    assert found["copies"].status == "found"  # eight rows stand there twice
    assert result.verdict == "inconclusive"


@pytest.mark.slow
def test_windows_of_one_recording_on_both_sides_are_found(tmp_path: Path) -> None:
    """A defect of ours: folds by window, under a split that promises to hold persons out."""

    def by_window(self: WindowClassifier, number: np.ndarray, recording: np.ndarray) -> np.ndarray:
        del recording
        return number % self.folds

    with patch.object(WindowClassifier, "folds_of", by_window):
        result = answer(activity(tmp_path), tmp_path / "out").result
    found = leakage(result)
    assert {found[name].status for name in ("unit", "recording", "rows")} == {"found"}
    assert result.verdict != "supported"


@pytest.mark.slow
def test_a_scaler_fitted_on_all_rows_is_found(tmp_path: Path) -> None:
    """A defect of ours: means and scales of all folds for each of their models."""

    def of_all(settings: Any, backend: Any, reducer: Any, states: Any, left_out: Any) -> Any:
        whole = fit_path(grouped_ridge.merge_all(reducer, states), reducer.inputs, [1.0])
        found = plain(settings, backend, reducer, states, left_out)
        scales = {name: backend.to_host(whole[name]) for name in ("mean_x", "mean_y", "rows")}
        return {**found, **{name: scales[name] for name in scales if name in found}}

    plain = grouped_ridge._fit_without
    with patch.object(grouped_ridge, "_fit_without", of_all):
        result = answer(recipe(tmp_path), tmp_path / "out").result
    assert leakage(result)["scaler"].status == "found"
    assert result.verdict != "supported"
