"""Limits that cost least, against trying all of them, and where the best one is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from lumipipe.uncertainty.decision_cost import (
    break_even,
    costs,
    least_cost_limits,
    odds_ratio,
    stated_probability,
)

SCORES = st.lists(st.integers(-4, 4), max_size=12).map(lambda v: np.array(v, dtype=np.float64))
P = st.integers(0, 16).map(lambda n: n / 16)  # exact: sums of costs are compared with ==


def cost_of(limit: float, event: np.ndarray, other: np.ndarray, p: float) -> float:
    """Slow twin: case by case."""
    missed = sum(1 for score in event if not score > limit)
    false = sum(1 for score in other if score > limit)
    return p * false + (1 - p) * missed


@given(SCORES, SCORES, P)
def test_no_limit_costs_less_and_fewest_act(event, other, p):
    (limit,) = least_cost_limits(event, other, [p])
    own = cost_of(limit, event, other, p)
    everywhere = [-np.inf, np.inf, *np.arange(-5.0, 5.0, 0.5)]
    found = {t: cost_of(t, event, other, p) for t in everywhere}
    assert own == min(found.values())
    scores = np.concatenate([event, other])
    fewest = min((scores > t).sum() for t, cost in found.items() if cost == own)
    assert (scores > limit).sum() == fewest


@given(SCORES, SCORES, P)
def test_the_limit_is_where_isotonic_probability_passes_break_even(event, other, p):
    """Pool adjacent violators: acting above p is what the limit does."""
    scores = np.concatenate([event, other])
    if not len(scores):
        return
    truth = np.concatenate([np.ones(len(event)), np.zeros(len(other))])
    values = np.unique(scores)
    blocks = [[truth[scores == v].sum(), (scores == v).sum(), [v]] for v in values]
    merged: list[list] = []
    for block in blocks:
        merged.append(block)
        while len(merged) > 1 and merged[-2][0] * merged[-1][1] >= merged[-1][0] * merged[-2][1]:
            last = merged.pop()
            merged[-1] = [a + b for a, b in zip(merged[-1], last, strict=True)]
    acted = {v for ones, n, members in merged for v in members if ones > p * n}
    (limit,) = least_cost_limits(event, other, [p])
    assert {v for v in values if v > limit} == acted


@given(SCORES, SCORES, st.randoms(use_true_random=False))
def test_order_of_cases_does_not_matter_and_dearer_misses_act_more(event, other, random):
    mixed = [random.sample(list(scores), len(scores)) for scores in (event, other)]
    ps = [0.0, 0.25, 0.5, 0.75, 1.0]
    limits = least_cost_limits(event, other, ps)
    assert_array_equal(limits, least_cost_limits(*map(np.asarray, mixed), ps))
    assert all(low <= high for low, high in itertools.pairwise(limits))


def test_the_known_best_limit_of_two_normal_distributions():
    """Scores N(0, 1) and N(d, 1): ln of the likelihood ratio is d s - d²/2, so s* is known.

    The cost is flat at its least value: with n cases of each kind the empirical limit scatters
    around s* like n^(-1/3) (cube-root asymptotics of Kim and Pollard 1990); over ten seeds the
    mean is taken, with a bound of ten times n^(-1/3) / sqrt(10).
    """
    n, d, p = 4000, 2.0, 0.2
    exact = d / 2 + np.log(p / (1 - p)) / d
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        found += list(least_cost_limits(rng.normal(d, 1, n), rng.normal(0, 1, n), [p]))
    assert abs(np.mean(found) - exact) < 10 * n ** (-1 / 3) / np.sqrt(10)
    assert exact < d / 2 - 0.6  # a limit half way, which ignores costs, would fail the line above
    assert abs(np.mean(found) - d / 2) > 0.5


def test_costs_add_up_and_break_even_is_where_both_decisions_cost_alike():
    miss, false = 12000.0, 800.0
    p = break_even(miss, false)
    assert p * miss == pytest.approx((1 - p) * false, rel=1e-15)
    event = np.array([True, True, False, False])
    acts = np.array([True, False, True, False])
    assert_array_equal(costs(event, acts, miss, false), [0, miss, false, 0])


@pytest.mark.parametrize(
    ("words", "share"),
    [
        ("probability of a needed opening above 0.3", 0.3),
        ("todennäköisyys yli 30 prosenttia", 0.3),
        ("todennäköisyys yli 0,05", 0.05),
        ("likelier than 5%", 0.05),
        ("two of 3 signs, and above 0.5", None),
        ("somebody hears it", None),
        ("vibration above 7.1 mm/s", None),
    ],
)
def test_a_probability_is_read_from_words(words, share):
    assert stated_probability(words) == share


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_odds_ratios_are_symmetric_and_of_costs(first, second):
    found = odds_ratio(first, second)
    assert found >= 1
    assert found == odds_ratio(second, first)
    # Doubling the cost of a miss halves the odds of the break-even probability.
    assert odds_ratio(break_even(2.0, first), break_even(4.0, first)) == pytest.approx(2)
