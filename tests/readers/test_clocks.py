"""Clocks that are off and drift, set by events that two instruments have seen (case C59)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lumipipe.config import Clock
from lumipipe.config.moments import NANOSECONDS, nanoseconds
from lumipipe.readers.clocks import alignment

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
SHIFT_S = 8 * 3600


def clock(reference_s: list[float], ahead_s: list[float], **more: Any) -> Clock:
    """A clock that was ahead by so much at events of the reference."""
    events = [
        {
            "here": START + timedelta(seconds=at + ahead),
            "reference": START + timedelta(seconds=at),
        }
        for at, ahead in zip(reference_s, ahead_s, strict=True)
    ]
    return Clock(reference="watch", events=events, **({"largest_residual_s": 1.0} | more))


def test_offset_and_drift_over_a_shift_are_recovered() -> None:
    """50 millionths over 8 h and three knocks that are read to some milliseconds."""
    offset, drift = 0.62, 50e-6
    at = [60.0, SHIFT_S / 2, SHIFT_S - 60.0]
    read_off = [0.004, -0.004, 0.004]
    ahead = [offset + drift * t + off for t, off in zip(at, read_off, strict=True)]
    found = alignment(clock(at, ahead))
    assert found.drift == pytest.approx(drift, abs=2e-6)
    # Stamps over the whole shift come out within 10 ms of the reference.
    true_s = np.linspace(0.0, SHIFT_S, 1001)
    stamps = nanoseconds(START) + np.rint((true_s + offset + drift * true_s) * NANOSECONDS).astype(
        np.int64
    )
    back = (found.true_stamps(stamps) - nanoseconds(START)) / NANOSECONDS
    assert np.abs(back - true_s).max() < 0.010
    assert found.residual_s < 0.010
    # What is off, is within two of the standard uncertainties that are told.
    assert (np.abs(back - true_s) < 2.0 * found.uncertainty_s(stamps)).all()


def test_the_uncertainty_is_the_spread_of_many_settings() -> None:
    rng = np.random.default_rng(20260302)
    at, s, many = [0.0, 900.0, 5000.0, 7200.0, 9000.0], 0.01, 400
    later = np.array([nanoseconds(START) + 20_000 * NANOSECONDS])
    back, told = [], []
    for _ in range(many):
        found = alignment(clock(at, (0.5 + rng.normal(0.0, s, len(at))).tolist()))
        back.append(int(found.true_stamps(later)[0] - later[0]) / NANOSECONDS)
        told.append(found.uncertainty_s(later)[0] ** 2)
    # The standard deviation of 400 draws is known to 3.5 %; the mean square of their
    # uncertainties, each with 3 degrees of freedom, to 4 % of the variance.
    assert np.sqrt(np.mean(told)) == pytest.approx(np.std(back), rel=0.15)


@given(
    st.floats(-5000.0, 5000.0),
    st.floats(-1e-2, 1e-2),
    st.lists(st.integers(0, 10**6), min_size=3, max_size=9, unique=True),
)
def test_events_on_a_line_are_brought_together(offset: float, drift: float, at: list[int]) -> None:
    events = clock([float(t) for t in at], [offset + drift * t for t in at])
    found = alignment(events)
    here = np.array([nanoseconds(event.here) for event in events.events])
    there = np.array([nanoseconds(event.reference) for event in events.events])
    # Moments are kept to a microsecond; events a second apart turn that into drift.
    assert np.abs(found.true_stamps(here) - there).max() <= 5_000


def test_an_offset_alone_moves_all_stamps_alike() -> None:
    found = alignment(Clock(reference="ntp", offset_s=0.25, u_offset_s=0.1))
    stamps = np.array([0, 10**18], dtype=np.int64)
    assert (stamps - found.true_stamps(stamps)).tolist() == [250_000_000, 250_000_000]
    assert found.uncertainty_s(stamps).tolist() == [0.1, 0.1]
    assert np.isnan(alignment(Clock(reference="ntp")).uncertainty_s(stamps)).all()


@pytest.mark.parametrize(
    ("at", "more", "message"),
    [
        ([0.0, 60.0], {}, "fewer than three events"),
        ([0.0, 60.0, 60.0], {}, "fewer than three events"),
        ([0.0, 60.0, 90.0], {"largest_residual_s": None}, "say how far one may be off"),
        ([0.0, 60.0, 90.0], {"offset_s": 0.1}, "take offset_s and u_offset_s out"),
        ([], {}, "is about events"),
    ],
)
def test_clocks_that_say_too_little_or_too_much(
    at: list[float], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        clock(at, [0.0] * len(at), **more)
