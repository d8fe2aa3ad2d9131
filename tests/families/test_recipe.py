"""Mixes with side streams: held out whole, counted where they repeat, never outside the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from running import answer
from small_requests import DROP, recipe

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.reporting.result import Result

pytestmark = pytest.mark.slow


def metric(result: Result, name: str) -> float:
    """Value of a metric."""
    (found,) = [m for m in result.metrics if m.name == name]
    assert found.value is not None
    return found.value


def test_duplicates_are_counted_and_errors_are_those_of_the_noise(tmp_path: Path) -> None:
    result = answer(recipe(tmp_path), tmp_path / "out").result
    assert result.counts["rows"] == 88
    assert result.counts["mixes"] == 40
    assert result.counts["duplicate rows"] == 8
    assert result.counts["rows that repeat a mix under equal conditions"] == 8
    # Noise of 1 MPa and a model of 14 terms from 60 rows.
    assert 0.8 < metric(result, "rmse") < 1.8


def test_proposed_mixes_do_what_they_promise(tmp_path: Path) -> None:
    result = answer(recipe(tmp_path), tmp_path / "out").result
    assert result.units
    primary = []
    for unit in result.units:
        cement, slag, water = (unit.values[name] for name in ("cement", "slag", "water"))
        truth = 0.1 * cement + 0.05 * slag - 0.1 * water + 8 * np.log(28)
        assert truth > 35  # before the noise of a specimen
        primary.append(cement)
    assert primary == sorted(primary)
    assert metric(result, "kept") >= 0.9


def test_nothing_is_proposed_that_the_data_do_not_hold(tmp_path: Path) -> None:
    request = recipe(tmp_path, score={"specification": {"at_least": 90}})
    done = answer(request, tmp_path / "out")
    assert done.result.verdict == "not_supported"
    assert done.result.answer.startswith("No supported mix")
    assert not done.result.units


def test_a_highest_value_is_met_from_the_other_side(tmp_path: Path) -> None:
    specification = {"at": {"age": 28}, "at_most": 20, "at_least": DROP}
    result = answer(
        recipe(tmp_path, score={"specification": specification}), tmp_path / "out"
    ).result
    assert all("at most" in unit.sentence for unit in result.units)
    for unit in result.units:
        assert unit.values["predicted, MPa"].value < 20


def test_conditions_outside_the_data_give_no_mix(tmp_path: Path) -> None:
    # Ages of 7 and 28 d are known; 85 d lie within the stated range, but outside the data.
    request = recipe(tmp_path, score={"specification": {"at": {"age": 85}}})
    result = answer(request, tmp_path / "out").result
    (outside,) = [n for n in result.not_answered if n.question.startswith("What do mixes outside")]
    assert "540 of 540" in outside.reason
    assert result.verdict == "not_supported"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": {"split": {"kind": "group", "by": "unit"}}}, "does not hold mixes out"),
        ({"score": {"specification": {"at": {"age": DROP}}}}, "for each input that is no material"),
        ({"train": {"log": ["slag"]}}, "no input whose range is above 0"),
        ({"data": {0: {"channels": {0: {"range": DROP}}}}}, "neither scale nor range"),
        ({"train": {"target": "colour"}}, "no channel colour"),
        ({"train": {"inputs": ["cement", "strength"]}}, "is what is predicted"),
        ({"evaluation": {"metrics": {"rmse": ">= 2"}}}, "asks for the bad side"),
        ({"evaluation": {"metrics": {"coverage": ">= 2"}}}, "is no condition on a share"),
    ],
)
def test_what_cannot_be_answered_is_refused(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        answer(recipe(tmp_path, **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()
