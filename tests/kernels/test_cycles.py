"""Cycles of a force against loops over time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.cycles import (
    autocorrelation_rate,
    contact_state,
    cycle_statistics,
    onsets,
    peak_so_far,
)

RATE_HZ, ON, OFF = 50.0, 3.0, 1.0
forces = st.lists(st.integers(0, 5), min_size=1, max_size=70)


def state_by_loop(force):
    """The state sample by sample."""
    state, touching = [], False
    for value in force:
        touching = value >= ON or (touching and value >= OFF)
        state.append(touching)
    return state


def cycles_by_loop(force):
    """Rate, contact, peak and impulse over whole cycles."""
    state = state_by_loop(force)
    begins = [t for t in range(1, len(force)) if state[t] and not state[t - 1]]
    cycles = list(pairwise(begins))
    if not cycles:
        return 0, 0.0, 0.0, 0.0, 0.0
    n = len(cycles)
    touching = [t for a, b in cycles for t in range(a, b) if state[t]]
    return (
        n,
        n * RATE_HZ / (begins[-1] - begins[0]),
        len(touching) / n / RATE_HZ,
        sum(max(force[a:b]) for a, b in cycles) / n,
        sum(force[t] for t in touching) / n / RATE_HZ,
    )


@given(force=forces)
def test_state_is_that_of_a_loop(force):
    found = contact_state(np.asarray(force, dtype=np.float64), ON, OFF)
    assert found.tolist() == state_by_loop(force)


@given(force=forces)
def test_statistics_are_those_of_a_loop(force):
    found = cycle_statistics(np.asarray(force, dtype=np.float64), RATE_HZ, ON, OFF)
    # Sums of at most 70 small whole numbers are exact; three operations follow.
    np.testing.assert_allclose(
        [float(found[name]) for name in ("cycles", "rate", "contact", "peak", "impulse")],
        cycles_by_loop(force),
        rtol=1e-14,
    )


@given(values=forces, seed=st.integers(0, 5))
def test_peak_so_far_is_that_of_a_loop(values, seed):
    begins = np.random.default_rng(seed).random(len(values)) < 0.2
    expected, best = [], -np.inf
    for value, begin in zip(values, begins, strict=True):
        best = value if begin else max(best, value)
        expected.append(best)
    assert peak_so_far(np.asarray(values, dtype=np.float64), begins).tolist() == expected


@given(scale=st.sampled_from([0.5, 4.0]), seed=st.integers(0, 5))
def test_scale(scale, seed):
    force = np.random.default_rng(seed).integers(0, 6, size=(60, 2, 3)).astype(np.float64)
    one = cycle_statistics(force, RATE_HZ, ON, OFF)
    other = cycle_statistics(scale * force, RATE_HZ, scale * ON, scale * OFF)
    for name, array in one.items():
        power = scale if name in ("peak", "impulse") else 1.0
        np.testing.assert_array_equal(other[name], power * array)


def test_libraries_agree(xp_array):
    force = np.random.default_rng(3).integers(0, 6, size=(64, 2, 4)).astype(np.float32)
    host = cycle_statistics(force, RATE_HZ, ON, OFF)
    for name, array in cycle_statistics(xp_array(force), RATE_HZ, ON, OFF).items():
        np.testing.assert_array_equal(to_numpy(array), host[name])
    state = contact_state(xp_array(force), ON, OFF)
    assert to_numpy(onsets(state))[0].sum() == 0
    rates = to_numpy(autocorrelation_rate(xp_array(force), RATE_HZ, (1.0, 20.0)))
    # The same transform, but perhaps of another library: a thousandth of a rate.
    np.testing.assert_allclose(rates, autocorrelation_rate(force, RATE_HZ, (1.0, 20.0)), rtol=1e-3)


@pytest.mark.parametrize("hertz", [0.5, 0.8, 1.3, 2.0])
def test_two_ways_of_counting_find_the_rate_of_pushes(hertz):
    """Pushes of 0.2 s at a known rate, for 20 s at 100 Hz, with noise."""
    time = np.arange(2000) / 100.0
    rng = np.random.default_rng(int(10 * hertz))
    force = 100.0 * (np.mod(hertz * time + 0.3, 1.0) < 0.2 * hertz) + rng.normal(size=2000)
    counted = float(cycle_statistics(force, 100.0, 30.0, 15.0)["rate"])
    # An onset is known to a sample; some nine cycles or more take at least 15 s.
    assert counted == pytest.approx(hertz, rel=2 / 1500)
    repeated = float(autocorrelation_rate(force, 100.0, (0.3, 2.5)))
    assert repeated == pytest.approx(hertz, rel=0.01)


def test_nothing_repeats_in_a_constant_window():
    assert float(autocorrelation_rate(np.full(500, 7.0), 100.0, (0.3, 2.5))) == 0.0
