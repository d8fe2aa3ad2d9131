"""Measures of how well a signal tells wear, against their definitions in loops."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import array_api_compat
import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.metrics import indicators
from lumipipe.metrics.indicators import (
    is_constant,
    monotonicity,
    prognosability,
    trendability,
)
from lumipipe.metrics.lives import IndicatorReducer, life_curve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.backend import Array, State

POINTS = 101
EPS = float(np.finfo(np.float64).eps)


def state_of(value: np.ndarray, chunk: int | None = None, points: int = POINTS) -> State:
    """The state of one whole life."""
    reducer = IndicatorReducer(xp, value.shape[1], points)
    life = np.arange(len(value)) / max(1, len(value) - 1)
    state = reducer.empty()
    for at in range(0, len(value), chunk or len(value)):
        part = slice(at, at + (chunk or len(value)))
        state = reducer.update(state, {"value": value[part], "life": life[part]})
    return state


def plain(lives: Sequence[np.ndarray], points: int = POINTS) -> tuple[np.ndarray, ...]:
    """The three measures through the states."""
    states = [state_of(life, 7, points) for life in lives]
    net, rows = (np.stack([state[name] for state in states]) for name in ("net", "rows"))
    first, last = (np.stack([state[n][0] for state in states]) for n in ("first", "last"))
    ones = np.ones((1, len(lives)))
    curves = np.stack([life_curve(state) for state in states])
    return (
        monotonicity(net, rows, ones)[0],
        trendability(curves),
        prognosability(first, last, ones)[0],
    )


def twin(lives: Sequence[np.ndarray], points: int = POINTS) -> tuple[np.ndarray, ...]:
    """The definitions, one indicator, unit and pair after another."""
    width = lives[0].shape[1]
    steady, alike, ends = [], [], []
    for f in range(width):
        one = [life[:, f].tolist() for life in lives]
        shares = []
        for unit in one:
            up = sum(b > a for a, b in itertools.pairwise(unit))
            down = sum(b < a for a, b in itertools.pairwise(unit))
            shares.append(abs(up - down) / (len(unit) - 1))
        steady.append(sum(shares) / len(shares))
        grid = np.linspace(0, 1, points)
        curves = [np.interp(grid, np.linspace(0, 1, len(unit)), unit) for unit in one]
        pairs = itertools.combinations(curves, 2)
        alike.append(min(abs(np.corrcoef(a, b)[0, 1]) for a, b in pairs))
        final = np.array([unit[-1] for unit in one])
        way = np.mean([abs(unit[0] - unit[-1]) for unit in one])
        ends.append(np.exp(-final.std(ddof=1) / way))
    return np.array(steady), np.array(alike), np.array(ends)


def lives_of(seed: int, units: int = 5, width: int = 3, level: float = 500.0) -> list[np.ndarray]:
    """Noisy lives of unlike length; the later the indicator, the less it wears."""
    rng = np.random.default_rng(seed)
    lives = []
    for _ in range(units):
        rows = int(rng.integers(5, 60))
        wear = (np.arange(rows) / rows)[:, None] ** 2 * np.array([10.0, 3.0, -1.0])[:width]
        lives.append(level + wear + rng.normal(size=(rows, width)))
    return lives


@pytest.mark.parametrize("seed", range(4))
def test_the_measures_are_their_definitions(seed: int) -> None:
    lives = lives_of(seed)
    found, expected = plain(lives), twin(lives)
    # A mean of five shares; a correlation of 101 products of numbers near 500 whose deviations
    # are near 1 carries 500 eps of rounding in each; ends likewise, over a way of 0.1 or more.
    for ours, theirs, bound in zip(found, expected, (4 * EPS, 1e-11, 1e-10), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound)


def test_a_case_by_hand() -> None:
    # Unit one: up, up, down, up: (3 - 1) / 4; unit two: down, down: 2 / 2.
    one, two = np.array([[0.0], [1], [3], [2], [4]]), np.array([[6.0], [5], [2]])
    steady, alike, ends = plain([one, two], points=3)
    assert steady.tolist() == [0.75]
    # At 0, half and all of the life: 0, 3, 4 and 6, 5, 2; deviations from the means 7/3 and 13/3
    # are (-7, 2, 5)/3 and (5, 2, -7)/3, so the correlation is (-35 + 4 - 35) / (49 + 4 + 25).
    np.testing.assert_allclose(alike, [66 / 78], rtol=8 * EPS)
    # Ends 4 and 2 with the standard deviation sqrt(2); both go a way of 4.
    np.testing.assert_allclose(ends, [np.exp(-np.sqrt(2) / 4)], rtol=8 * EPS)


@given(seed=st.integers(0, 10**6), chunk=st.sampled_from([1, 2, 7, 64]))
def test_how_rows_are_cut_changes_no_byte(seed: int, chunk: int) -> None:
    (life,) = lives_of(seed, units=1)
    whole, cut = state_of(life), state_of(life, chunk)
    assert {name: array.tobytes() for name, array in whole.items()} == {
        name: array.tobytes() for name, array in cut.items()
    }


@given(
    seed=st.integers(0, 10**6),
    power=st.integers(-3, 3),
    sign=st.sampled_from([-1.0, 1.0]),
    shift=st.integers(-1000, 1000),
)
def test_scale_and_zero_of_a_sensor_do_not_matter(
    seed: int, power: int, sign: float, shift: int
) -> None:
    # Steps of 1/64 and a power of two keep all values, and so all signs of steps, exact.
    lives = [np.round(64 * life) / 64 for life in lives_of(seed)]
    steady, alike, ends = plain(lives)
    moved = plain([sign * 2.0**power * life + shift for life in lives])
    np.testing.assert_array_equal(moved[0], steady)
    # Values up to 5000 with deviations of 1/8 and more: 4e4 eps in each product.
    np.testing.assert_allclose(moved[1], alike, atol=1e-9)
    np.testing.assert_allclose(moved[2], ends, atol=1e-9)


@given(seed=st.integers(0, 10**6))
def test_the_order_of_units_and_the_direction_of_time(seed: int) -> None:
    lives = lives_of(seed)
    steady, alike, _ = plain(lives)
    for other in (lives[::-1], [life[::-1] for life in lives]):
        found = plain(other)
        np.testing.assert_allclose(found[0], steady, rtol=8 * EPS)
        np.testing.assert_allclose(found[1], alike, atol=1e-11)
    for measure in plain(lives):
        assert ((measure >= 0) & (measure <= 1)).all()


def test_perfect_and_useless_indicators() -> None:
    lives = []
    for rows in (20, 33, 47):
        share = np.arange(rows) / (rows - 1)
        swing = np.where(np.arange(rows) % 2 == 0, 1.0, -1.0)
        lives.append(np.stack([share, np.exp(-share), np.full(rows, 518.67), swing], axis=1))
    steady, alike, ends = plain(lives)
    # An alternating signal of n rows has an odd or even number of steps: net 1 or 0 of n - 1.
    np.testing.assert_allclose(steady, [1, 1, 0, 1 / 57], rtol=4 * EPS)
    np.testing.assert_allclose(alike[:2], [1, 1], rtol=1e-4)  # straight lines between rows
    assert alike[2] == 0.0
    np.testing.assert_allclose(ends[:2], 1.0, rtol=4 * EPS)
    assert ends[2] == 0.0


def test_one_unit_that_stands_still_has_nothing_in_common_with_others() -> None:
    lives = [np.arange(9.0)[:, None], np.arange(5.0)[:, None], np.full((7, 1), 0.1)]
    assert plain(lives[:2])[1] == pytest.approx([1.0])
    assert plain(lives)[1].tolist() == [0.0]


def test_missing_rows_are_counted_and_make_no_steps() -> None:
    life = np.array([[1.0, 1.0], [np.nan, 2.0], [3.0, np.inf], [4.0, 0.0]])
    for chunk in (1, 2, 4):
        state = state_of(life, chunk)
        assert state["missing"].tolist() == [1, 1]
        assert state["net"].tolist() == [1, 1]  # 3 to 4; 1 to 2
        assert (state["low"].tolist(), state["high"].tolist()) == ([1.0, 0.0], [4.0, 2.0])


def test_rounding_is_no_change() -> None:
    low = np.array([[518.67, 1.0, 0.0, 5.0], [518.67, 1.0, 0.0, 4.0]])
    high = low * (1 + 4 * EPS) + np.array([0.0, 1e-9, 0.0, 0.0])
    assert is_constant(low, high).tolist() == [True, False, True, False]
    assert is_constant(low, high, 1e-6).tolist() == [True, True, True, False]


def test_blocks_of_pairs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = np.stack([life_curve(state_of(life)) for life in lives_of(3)])
    whole = trendability(curves)
    monkeypatch.setattr(indicators, "_MOST_PAIRS", 30)
    np.testing.assert_allclose(trendability(curves), whole, rtol=16 * EPS)


def test_weights_are_how_often_a_unit_counts() -> None:
    lives = lives_of(5)
    weight = np.array([[2.0, 0.0, 1.0, 2.0, 0.0]])
    drawn = [lives[0], lives[0], lives[2], lives[3], lives[3]]
    states = [state_of(life) for life in lives]
    net, rows = (np.stack([state[name] for state in states]) for name in ("net", "rows"))
    first, last = (np.stack([state[n][0] for state in states]) for n in ("first", "last"))
    steady, _, ends = plain(drawn)
    np.testing.assert_allclose(monotonicity(net, rows, weight)[0], steady, rtol=8 * EPS)
    np.testing.assert_allclose(prognosability(first, last, weight)[0], ends, atol=1e-10)


def test_every_array_library_gives_the_measures(xp_array: Callable[[np.ndarray], Array]) -> None:
    lives = lives_of(1)
    states = [state_of(life) for life in lives]
    held = [{name: xp_array(np.asarray(array)) for name, array in s.items()} for s in states]
    namespace = array_api_compat.array_namespace(held[0]["net"])
    stacked = {name: namespace.stack([state[name] for state in held]) for name in held[0]}
    ones = xp_array(np.ones((1, len(lives))))
    found = (
        monotonicity(stacked["net"], stacked["rows"], ones)[0, :],
        trendability(namespace.stack([life_curve(state) for state in held])),
        prognosability(stacked["first"][:, 0, :], stacked["last"][:, 0, :], ones)[0, :],
    )
    for ours, theirs in zip(found, plain(lives), strict=True):
        np.testing.assert_allclose(to_numpy(ours), theirs, rtol=1e-12)
    assert not to_numpy(is_constant(stacked["low"], stacked["high"])).any()
