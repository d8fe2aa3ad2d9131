"""The ranking of indicators: what takes a rank, what does not, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.families.indicator_ranking import rank_indicators
from lumipipe.metrics.lives import IndicatorReducer

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.backend import State

NAMES = ["noise", "wear", "level", "gaps", "drift"]


def state_of(value: np.ndarray, chunk: int = 50) -> State:
    reducer = IndicatorReducer(xp, value.shape[1])
    life = np.arange(len(value)) / max(1, len(value) - 1)
    state = reducer.empty()
    for at in range(0, len(value), chunk):
        rows = slice(at, at + chunk)
        state = reducer.update(state, {"value": value[rows], "life": life[rows]})
    return state


def fleet(units: int, seed: int = 0) -> dict[str, State]:
    """Runs to failure with an indicator of each kind."""
    rng = np.random.default_rng(seed)
    states = {}
    for unit in range(units):
        rows = int(rng.integers(40, 80))
        share = np.arange(rows) / (rows - 1)
        gaps = share.copy()
        gaps[5 if unit == 0 else slice(0)] = np.nan
        columns = [
            rng.normal(size=rows),
            10 * share + 0.1 * rng.normal(size=rows),
            np.full(rows, 14.62),
            gaps,
            share + 0.1 * rng.normal(size=rows),
        ]
        states[f"u{unit}"] = state_of(np.stack(columns, axis=1))
    return states


def test_wear_comes_first_and_what_says_nothing_has_no_rank() -> None:
    found = rank_indicators(fleet(12), NAMES, seed=1)
    assert [(one.name, one.rank) for one in found] == [
        ("wear", 1),
        ("drift", 2),
        ("noise", 3),
        ("level", None),
        ("gaps", None),
    ]
    assert [one.reason for one in found] == ["", "", "", "constant", "1 rows without reading"]
    assert np.isnan(found[3].fitness)
    for one in found[:3]:
        for measure in (one.monotonicity, one.prognosability):
            assert measure.lower <= measure.value <= measure.upper
        assert np.isnan(one.trendability.lower)
        assert 0 <= one.fitness <= 3


def test_one_unit_is_not_judged() -> None:
    found = rank_indicators(fleet(1), NAMES, seed=1)
    assert {one.rank for one in found} == {None}
    wear = next(one for one in found if one.name == "wear")
    assert wear.reason == "one unit: not judged"
    assert wear.monotonicity.value > 0.3
    assert np.isnan([wear.monotonicity.lower, wear.trendability.value, wear.fitness]).all()


def test_lives_without_a_step_take_no_part() -> None:
    states = fleet(3)
    short = {"stub": state_of(np.ones((1, 5)))}
    assert rank_indicators(states | short, NAMES, 1) == rank_indicators(states, NAMES, 1)
    assert {one.reason for one in rank_indicators(short, NAMES, 1)} == {"no unit: not judged"}
    assert rank_indicators({}, NAMES, 1)[0].rank is None


def test_more_units_narrow_the_interval() -> None:
    width = {}
    for units in (10, 160):
        wear = rank_indicators(fleet(units), NAMES, 1)[0]
        width[units] = wear.monotonicity.upper - wear.monotonicity.lower
    # The standard error of a mean falls by 4; the spread of ten units is known to about a quarter.
    assert 2.5 < width[10] / width[160] < 6.5


@pytest.mark.real
def test_the_sensors_of_fd001(real_data: Path) -> None:
    rows = np.loadtxt(real_data / "cmapss" / "train_FD001.txt")
    names = [f"s{number}" for number in range(1, 22)]
    states = {
        f"{unit:03.0f}": state_of(rows[rows[:, 0] == unit, 5:]) for unit in np.unique(rows[:, 0])
    }
    found = rank_indicators(states, names, seed=1)
    constant = {one.name for one in found if one.reason == "constant"}
    assert constant == {f"s{number}" for number in (1, 5, 10, 16, 18, 19)}  # README of the data
    ranked = [one.name for one in found if one.rank is not None]
    assert len(ranked) == 15
    assert ranked == _ranked_by_definition(rows, names)
    by_name = {one.name: one for one in found}
    # Readings flight by flight are noisy: no sensor goes one way in a tenth of its steps.
    assert max(by_name[name].monotonicity.value for name in ranked) < 0.1


def _ranked_by_definition(rows: np.ndarray, names: list[str]) -> list[str]:
    """Sensors by the sum of the measures, as NumPy's own functions give them."""
    fitness = {}
    for name in names:
        lives = [rows[rows[:, 0] == u, 4 + int(name[1:])] for u in np.unique(rows[:, 0])]
        if np.ptp(np.concatenate(lives)) == 0:
            continue
        steady = np.mean([abs(np.sign(np.diff(life)).mean()) for life in lives])
        grid = np.linspace(0, 1, 101)
        curves = [np.interp(grid, np.linspace(0, 1, len(life)), life) for life in lives]
        with np.errstate(invalid="ignore"):  # an engine in which the sensor stands still
            alike = np.abs(np.nan_to_num(np.corrcoef(curves))).min()
        last, first = (np.array([life[at] for life in lives]) for at in (-1, 0))
        ends = np.exp(-last.std(ddof=1) / np.abs(last - first).mean())
        fitness[name] = steady + alike + ends
    return sorted(fitness, key=lambda name: -fitness[name])
