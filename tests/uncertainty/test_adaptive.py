"""Adaptive half-widths: the bound for any scores, a slow twin, no look ahead, drift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.adaptive import adapt, adapt_by_regime
from lumipipe.uncertainty.conformal import conformal_quantile, finite_rank

SCORES = st.lists(st.floats(1e-6, 1e6), max_size=120)
RATES = st.sampled_from([0.005, 0.05, 0.5])
DELAYS, WINDOWS = st.integers(0, 5), st.sampled_from([0, 1, 20])


@given(scores=SCORES, known=st.lists(st.floats(1e-6, 1e6), max_size=30), rate=RATES, delay=DELAYS,
       window=WINDOWS)  # fmt: skip
def test_the_share_missed_is_bounded_whatever_comes(scores, known, rate, delay, window) -> None:
    found = adapt(np.array(scores), np.array(known), 0.9, rate, delay, window)
    told = len(scores) - delay
    if told > 0:
        missed = 1 - found.covered[:told].mean()
        bound = (0.9 + (1 + delay) * rate) / (told * rate)
        assert abs(missed - 0.1) <= bound + 1e-12  # roundings of `told` steps below 1


@given(scores=SCORES, rate=RATES, delay=DELAYS, window=WINDOWS)
def test_half_widths_are_those_of_a_loop_from_scratch(scores, rate, delay, window) -> None:
    calibration = np.random.default_rng(0).random(25) * 3
    scores = np.array(scores)
    scores[3::7] = np.nan
    found = adapt(scores, calibration, 0.8, rate, delay, window)
    widths: list[float] = []
    for row in range(len(scores)):
        told = [t for t in range(max(0, row - delay)) if not np.isnan(scores[t])]
        level = 0.2
        for t in told:
            level += rate * (0.2 - (scores[t] > widths[t]))
        pool = np.concatenate([calibration, scores[told]])[-window:] if window else calibration
        assert found.miscoverage[row] == pytest.approx(level, abs=1e-12)
        # Where a level is at a step of the ranks, its last bit decides; take the one that was used.
        level = found.miscoverage[row]
        none = finite_rank(len(pool), 1 - level) < 1
        widths.append(0.0 if none else conformal_quantile(pool, 1 - level))
        assert found.half_widths[row] == widths[row]
    known = ~np.isnan(scores)
    np.testing.assert_array_equal(found.known, known)
    np.testing.assert_array_equal(found.covered, known & (scores <= np.array(widths)))


@given(cut=st.integers(0, 60), delay=DELAYS, window=WINDOWS)
def test_a_half_width_knows_nothing_of_what_comes_later(cut: int, delay: int, window: int) -> None:
    rng = np.random.default_rng(2)
    scores, calibration = rng.random(60), rng.random(30)
    other = scores.copy()
    other[cut:] = rng.random(60 - cut) * 100
    one, two = (adapt(s, calibration, 0.9, 0.05, delay, window) for s in (scores, other))
    last = cut + delay + 1  # the truth of row `cut` is told before row cut + delay + 1
    np.testing.assert_array_equal(one.half_widths[:last], two.half_widths[:last])


@given(cut=st.integers(0, 80))
def test_a_later_run_goes_on_from_the_state(cut: int) -> None:
    rng = np.random.default_rng(4)
    scores, calibration = rng.random(80) * 2, rng.random(30)
    whole = adapt(scores, calibration, 0.9, 0.05)
    first = adapt(scores[:cut], calibration, 0.9, 0.05)
    rest = adapt(scores[cut:], calibration, 0.9, 0.05, state=first.state)
    np.testing.assert_array_equal(np.append(first.half_widths, rest.half_widths), whole.half_widths)
    assert rest.state == whole.state


@pytest.mark.parametrize(("delay", "window"), [(0, 0), (24, 0), (0, 1000), (24, 1000)])
def test_drift_that_breaks_a_fixed_threshold_is_followed(delay: int, window: int) -> None:
    """Errors grow threefold over the test."""
    rng = np.random.default_rng(6)
    calibration = np.abs(rng.normal(size=4000))
    scores = np.abs(rng.normal(size=10_000)) * np.linspace(1, 3, 10_000)
    fixed = (scores <= conformal_quantile(calibration, 0.9)).mean()
    assert fixed < 0.75
    found = adapt(scores, calibration, 0.9, delay=delay, window=window)
    assert abs(found.achieved - 0.9) <= 0.01


def test_a_window_follows_with_finite_widths() -> None:
    """Errors pass all that was calibrated: only a window has scores that are wide enough."""
    rng = np.random.default_rng(7)
    calibration, scores = np.abs(rng.normal(size=500)), 50 + np.abs(rng.normal(size=5000))
    without, window = (adapt(scores, calibration, 0.9, window=w) for w in (0, 500))
    assert np.isinf(without.half_widths).mean() > 0.85  # only an infinite one covers such a score
    assert np.isinf(window.half_widths[1000:]).mean() < 0.01
    assert abs(window.achieved - 0.9) <= 0.02  # 0.905 / (5000 * 0.005) would allow 0.036


def test_without_drift_little_changes() -> None:
    rng = np.random.default_rng(8)
    calibration, scores = np.abs(rng.normal(size=2000)), np.abs(rng.normal(size=5000))
    found = adapt(scores, calibration, 0.9)
    fixed = conformal_quantile(calibration, 0.9)
    assert abs(found.achieved - 0.9) <= 0.01
    assert abs(np.median(found.half_widths) / fixed - 1) < 0.05


def test_the_level_does_not_run_away_where_all_is_right() -> None:
    found = adapt(np.zeros(5000), np.array([1.0, 2.0]), 0.9, rate=0.01, delay=2)
    assert found.state[0] <= 1.03
    assert found.achieved == 1
    assert found.half_widths[-1] == 0


def test_nothing_known_gives_nothing() -> None:
    found = adapt(np.full(3, np.nan), np.array([]), 0.9)
    assert np.isnan(found.achieved)
    assert np.isinf(found.half_widths).all()
    assert found.state[0] == pytest.approx(0.1)


@given(delay=DELAYS, window=WINDOWS)
def test_each_regime_has_its_level(delay: int, window: int) -> None:
    rng = np.random.default_rng(9)
    regimes, scores = rng.integers(0, 3, size=90), rng.random(90) * 2
    calibration = [rng.random(20), rng.random(30)]
    found = adapt_by_regime(scores, regimes, calibration, 0.9, 0.05, delay, window)
    for regime in range(2):
        # Alone, with rows of other regimes as rows without a truth: the same truths are told.
        own = np.where(regimes == regime, scores, np.nan)
        alone = adapt(own, calibration[regime], 0.9, 0.05, delay, window)
        rows = regimes == regime
        np.testing.assert_array_equal(found.half_widths[rows], alone.half_widths[rows])
        assert found.state[regime] == alone.state[0]
    strange = regimes == 2
    assert np.isinf(found.half_widths[strange]).all()
    assert np.isnan(found.miscoverage[strange]).all()
    assert found.covered[strange].all()
