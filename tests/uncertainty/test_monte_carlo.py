from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from lumipipe.uncertainty.budget import Contribution, combined, coverage_factor
from lumipipe.uncertainty.monte_carlo import DRAWS, agreement, drawn, propagate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# The standard error of a standard deviation of n draws of a normal distribution, five of them.
SPREAD = 5 / math.sqrt(2 * DRAWS)


def source(name: str, u: float, distribution: str = "normal", by: float = 1.0) -> Contribution:
    return Contribution(name, "B", distribution, u, "V", by, is_shared=True)


def test_linear_normal_sources_give_the_linear_law() -> None:
    parts = [source("a", 3.0), source("b", 4.0, by=-1.0)]
    found = propagate(parts, 0.95, seed=3)
    assert found.u == pytest.approx(5.0, rel=SPREAD)
    assert abs(found.mean) < 5 * 5.0 / math.sqrt(DRAWS)
    near = agreement(combined(parts), coverage_factor(0.95), found)
    assert near.tolerance == 0.5
    assert near.holds


def test_a_rectangular_source_has_the_ends_of_its_distribution() -> None:
    found = propagate([source("a", 1.0, "rectangular")], 0.95, seed=1)
    half = math.sqrt(3.0)
    # Density 1 / (2 half): the standard error of a quantile, five of them.
    off = 5 * math.sqrt(0.025 * 0.975 / DRAWS) * 2 * half
    assert found.upper == pytest.approx(0.95 * half, abs=off)
    assert found.lower == pytest.approx(-0.95 * half, abs=off)
    # A normal k says 1.96 where the draws say 1.645: within half of the first digit of u, 0.5.
    assert agreement(1.0, coverage_factor(0.95), found).holds


def test_what_the_linear_law_cannot_see_is_found() -> None:
    def squared(errors: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.square(errors["a"])

    found = propagate([source("a", 1.0)], 0.95, seed=2, model=squared)
    assert found.lower > 0.0
    assert found.upper == pytest.approx(stats.chi2.ppf(0.975, 1), rel=0.03)
    assert not agreement(1.0, coverage_factor(0.95), found).holds


def test_draws_depend_on_seed_and_place_alone() -> None:
    parts = [source("a", 1.0), source("b", 1.0)]
    first, again = drawn(parts, 7, 100), drawn(parts, 7, 100)
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["a"] != first["b"]).any()
    assert (drawn(parts, 8, 100)["a"] != first["a"]).any()
    # A further source changes no draw of those before it.
    assert (drawn(parts[:1], 7, 100)["a"] == first["a"]).all()


def test_no_source_errs_nowhere() -> None:
    found = propagate([], 0.95, seed=1, draws=10)
    assert (found.u, found.lower, found.upper) == (0.0, 0.0, 0.0)
