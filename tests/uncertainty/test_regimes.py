"""Thresholds by regime, against another library, and what is said of regimes with few cases."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.residuals import ResidualBins, side_counts
from lumipipe.uncertainty.intervals import intervals
from lumipipe.uncertainty.regimes import binned_regime_thresholds, regime_thresholds

REPEATS = 4000


@given(
    seed=st.integers(0, 1000),
    sizes=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)),
    # Shares whose products with n + 1 are exact: crepes rounds (1 - 0.9) * 10 down to nothing.
    coverage=st.sampled_from([0.5, 0.75, 0.875, 0.9375]),
)
def test_intervals_are_those_of_crepes(seed, sizes, coverage) -> None:
    crepes = pytest.importorskip("crepes", reason="crepes, the reference, is not installed")
    rng = np.random.default_rng(seed)
    regimes = np.repeat(np.arange(3), sizes)
    residuals = rng.normal(size=len(regimes)) * (1 + regimes)
    prediction, asked = rng.normal(size=30) * 3, rng.integers(0, 3, size=30)
    found = regime_thresholds(np.abs(residuals), regimes, 3, coverage, "none").at(asked)
    reference = crepes.ConformalRegressor().fit(residuals, bins=regimes)
    with warnings.catch_warnings():  # it warns of regimes with few cases
        warnings.simplefilter("ignore", UserWarning)
        expected = reference.predict_int(
            prediction, bins=asked, confidence=coverage, y_min=-4.0, y_max=4.0
        )
    lower, upper = intervals(prediction, found, found, -4.0, 4.0)
    np.testing.assert_array_equal(lower, expected[:, 0])
    np.testing.assert_array_equal(upper, expected[:, 1])


def test_each_regime_is_covered_where_the_pooled_threshold_fails_one() -> None:
    rng = np.random.default_rng(5)
    scale = np.repeat([1.0, 3.0], [60, 19])
    regimes = np.repeat([0, 1], [60, 19])
    own, pooled = np.zeros(2), np.zeros(2)
    for _ in range(REPEATS):
        scores, new = np.abs(rng.normal(size=79)) * scale, np.abs(rng.normal(size=2)) * [1, 3]
        own += new <= regime_thresholds(scores, regimes, 2, 0.9).values
        pooled += new <= regime_thresholds(scores, np.zeros_like(regimes), 1, 0.9).values[0]
    error = 4 * np.sqrt(0.09 / REPEATS)  # four standard errors of the simulation
    assert (own / REPEATS >= 0.9 - error).all()
    assert (own / REPEATS <= 0.9 + 1 / np.array([61, 20]) + error).all()
    assert pooled[1] / REPEATS < 0.75


@given(seed=st.integers(0, 1000), sizes=st.lists(st.integers(0, 30), min_size=1, max_size=4))
def test_bins_give_the_thresholds_of_scores_and_little_more(seed: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(seed)
    regimes = np.repeat(np.arange(len(sizes)), sizes)
    residual = rng.normal(size=len(regimes))
    bins = ResidualBins(xp, 1e-3, 10.0, len(sizes))
    state = bins.update(bins.empty(), {"residual": residual, "regime": regimes})
    counts = side_counts(state["counts"], "both")
    found = binned_regime_thresholds(counts, bins.edges, 0.9)
    exact = regime_thresholds(np.abs(residual), regimes, len(sizes), 0.9)
    assert found.sources == exact.sources
    assert (found.counts == exact.counts).all()
    # The relative error of the bins, and two roundings.
    assert (found.values >= exact.values).all()
    assert (found.values <= np.maximum(1e-3, exact.values * 1.005 * (1 + 1e-15))).all()


def test_a_regime_with_few_cases_says_what_stands_in() -> None:
    regimes = np.repeat([0, 1], [30, 4])
    scores = np.arange(34.0)
    pooled = regime_thresholds(scores, regimes, 3, 0.9)
    assert pooled.sources == ("own", "pooled", "pooled")
    assert pooled.values.tolist() == [27.0, 31.0, 31.0]
    assert pooled.notes()[0] is None
    assert "calibrated on 4, needs 9: width of all regimes" in pooled.notes()[1]
    alone = regime_thresholds(scores, regimes, 3, 0.9, "none")
    assert alone.values.tolist() == [27.0, np.inf, np.inf]
    assert alone.notes()[2] == "calibrated on 0, needs 9: no bound"


def test_more_cases_than_needed_can_be_asked_for() -> None:
    found = regime_thresholds(np.arange(40.0), np.repeat([0, 1], 20), 2, 0.9, least=21)
    assert found.sources == ("pooled", "pooled")
    few = regime_thresholds(np.arange(5.0), np.zeros(5, np.int64), 1, 0.9)
    assert (few.values[0], few.sources) == (np.inf, ("none",))


def test_cases_without_score_or_regime_are_left_out() -> None:
    scores = np.append(np.arange(9.0), [np.nan, 100.0])
    regimes = np.append(np.zeros(10, np.int64), -1)
    found = regime_thresholds(scores, regimes, 1, 0.9)
    assert (found.values[0], found.counts[0]) == (8.0, 9)


def test_a_regime_that_was_not_calibrated_has_no_bound() -> None:
    found = regime_thresholds(np.arange(9.0), np.zeros(9, np.int64), 1, 0.9)
    assert found.at(np.array([0, 1, -1])).tolist() == [8.0, np.inf, np.inf]
