"""Changes beyond noise: against simulated repeats."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lumipipe.uncertainty.detectable_change import (
    TypicalError,
    smallest_detectable_change,
    typical_error,
)


def test_of_pairs_it_is_the_spread_of_differences_over_root_two() -> None:
    rng = np.random.default_rng(3)
    pairs = rng.normal(50.0, 10.0, (40, 1)) + rng.normal(0.0, 2.0, (40, 2))
    found = typical_error(pairs.tolist(), "pairs")
    differences = pairs[:, 1] - pairs[:, 0]
    expected = math.sqrt(float((differences**2).mean()) / 2)  # means of pairs are taken out
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.degrees_of_freedom == 40


def test_what_noise_does_alone_stays_below_it_as_often_as_promised() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(2000):
        error = typical_error(rng.normal(size=(6, 2)).tolist(), "six pairs")
        first, second = rng.normal(size=2)
        held.append(abs(second - first) <= smallest_detectable_change(error, 0.9))
    # Three standard errors of a share of 0.9 in 2,000 draws.
    assert abs(np.mean(held) - 0.9) < 3 * math.sqrt(0.9 * 0.1 / 2000)


def test_without_repeats_nothing_is_claimed() -> None:
    nothing = typical_error([[1.0], []], "single tests")
    assert math.isnan(nothing.value)
    assert math.isnan(smallest_detectable_change(nothing))


def test_a_declared_error_has_no_penalty_for_few_repeats() -> None:
    declared = TypicalError(3.0, math.inf, "specification")
    few = TypicalError(3.0, 4.0, "five repeats")
    assert smallest_detectable_change(declared) < smallest_detectable_change(few)
