"""Errors of a remaining life, against loops and by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.metrics.life_errors import LIFE_ERRORS, life_errors, life_figures
from lumipipe.metrics.sums import SumsReducer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array

LIVES = st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=1, max_size=30)


def figures(predicted: list[float], true: list[float]) -> dict[str, float]:
    """The figures through the reducer of sums, cut in two."""
    reducer = SumsReducer(xp, LIFE_ERRORS)
    half = len(true) // 2
    state = reducer.empty()
    for part in (slice(0, half), slice(half, None)):
        errors = life_errors(np.array(predicted[part]), np.array(true[part]))
        state = reducer.update(state, errors)
    return {name: float(value) for name, value in life_figures(state, state["rows"]).items()}


def test_a_case_by_hand() -> None:
    # Errors -13, +10, +20, 0: the scales of the score are 13 early and 10 late.
    found = figures([87.0, 60.0, 40.0, 7.0], [100.0, 50.0, 20.0, 7.0])
    assert found["rmse"] == pytest.approx(math.sqrt((169 + 100 + 400) / 4), rel=1e-15)
    assert found["score"] == pytest.approx(2 * (math.e - 1) + (math.e**2 - 1), rel=1e-15)
    assert found["mean_score"] == found["score"] / 4
    assert (found["early"], found["late"]) == (13.0, 15.0)
    assert (found["early_share"], found["late_share"]) == (0.25, 0.5)


@given(LIVES)
def test_the_figures_are_their_definitions(pairs: list[tuple[float, float]]) -> None:
    predicted, true = map(list, zip(*pairs, strict=True))
    found = figures(predicted, true)
    errors = [p - t for p, t in pairs]
    score = sum(math.exp(-d / 13) - 1 if d < 0 else math.exp(d / 10) - 1 for d in errors)
    # Sums of at most 30 terms; exp(d) - 1 loses at most eps near 0 to its own 1.
    assert found["score"] == pytest.approx(score, rel=1e-13, abs=30 * 2.3e-16)
    square = sum(d * d for d in errors) / len(errors)
    assert found["rmse"] == pytest.approx(math.sqrt(square), rel=1e-14)
    early, late = [-d for d in errors if d < 0], [d for d in errors if d > 0]
    for name, side in (("early", early), ("late", late)):
        assert found[f"{name}_share"] == len(side) / len(errors)
        expected = math.fsum(side) / len(side) if side else math.nan
        assert found[name] == pytest.approx(expected, rel=1e-14, nan_ok=True)


@given(st.floats(0.1, 300))
def test_late_costs_more_than_early(error: float) -> None:
    early, late = life_errors(np.array([-error, error]), np.zeros(2))["score"]
    assert late > early > 0


def test_an_absurd_error_has_a_score() -> None:
    found = life_errors(np.array([1e9, -1e9]), np.zeros(2))["score"]
    assert found.tolist() == [math.expm1(700), math.expm1(700)]


def test_every_array_library_gives_the_errors(xp_array: Callable[[np.ndarray], Array]) -> None:
    predicted, true = np.array([1.0, 5.0, 9.0]), np.array([4.0, 5.0, 6.0])
    found = life_errors(xp_array(predicted), xp_array(true))
    expected = life_errors(predicted, true)
    assert list(found) == list(LIFE_ERRORS)
    for name, array in found.items():
        np.testing.assert_allclose(to_numpy(array), expected[name], rtol=1e-15)
