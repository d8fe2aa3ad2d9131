"""Periods of a record, and when a calibration has expired."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.families.ambient_expiry import Band, expiry, has_held
from lumipipe.families.ambient_periods import Clock, Period, cut_periods
from lumipipe.uncertainty.blocks import Estimate

NAN = float("nan")
BAND = Band("largest_bias", "bias", "mg/m3", 0.3, lambda period: period.bias)
CLOCK = Clock(0.0, 100.0, 250.0, 1.0, 50.0, 10.0, is_dated=True)


def periods(*biases):
    """Periods from pairs of bias and half-width; None for one without an interval."""
    found = []
    for number, bias in enumerate(biases, 1):
        value, half = bias or (NAN, NAN)
        estimate = Estimate(value, half / 2, value - half, value + half)
        nothing = Estimate(NAN, NAN, NAN, NAN)
        ends = CLOCK.ends(number)
        found.append(Period(number, *ends, 9, 9, 9, 9, estimate, nothing, nothing, 0.0, value))
    return found


IN, OUT, OVER, OPEN, NONE = (0.0, 0.1), (-0.9, 0.1), (-0.4, 0.2), (0.2, 0.2), None


@pytest.mark.parametrize(
    ("biases", "since", "found"),
    [
        ([IN, IN, IN], None, None),
        ([IN, OUT, IN], 2, 2),
        ([OVER, OVER], 1, 2),  # each reaches into the band, both together do not
        ([OVER, OUT], 1, 2),
        ([OVER, IN, OVER, IN], None, None),  # one period of bad luck is no expiry
        ([OVER, NONE, OVER], 1, 3),  # a period without pairs says nothing
        ([OPEN, OPEN, OPEN], None, None),
        ([IN, OVER, OPEN, OVER, OUT], 4, 5),
        ([NONE, NONE], None, None),
    ],
)
def test_expiry(biases, since, found):
    told = expiry(periods(*biases), [BAND])
    assert (told and told.since.number, told and told.found.number) == (since, found)


@pytest.mark.parametrize(
    ("biases", "held"),
    [
        ([IN, IN], True),
        ([IN, OPEN], None),
        ([IN, OVER], None),
        ([IN, NONE], None),
        ([IN, OUT], False),
        ([], None),
    ],
)
def test_only_a_record_that_is_within_throughout_has_held(biases, held):
    assert has_held(periods(*biases), [BAND]) is held


@given(st.lists(st.tuples(st.floats(0.31, 5), st.floats(0, 5)), min_size=2))
def test_a_bias_that_stays_outside_is_told_by_the_second_period(biases):
    told = expiry(periods(*biases), [BAND])
    assert told is not None
    assert told.since.number == 1
    assert told.found.number <= 2


def test_the_earliest_band_counts():
    other = Band("other", "spread", "mg/m3", 0.05, lambda period: period.bias)
    told = expiry(periods(IN, (0.2, 0.01), OUT), [BAND, other])
    assert told.band is other
    assert told.found.number == 2


def test_periods_count_from_the_end_of_the_calibration():
    time = np.array([0.0, 99.0, 100.0, 149.0, 150.0, 249.0])
    assert CLOCK.periods_of(time).tolist() == [0, 0, 1, 1, 2, 3]
    assert [CLOCK.ends(number) for number in range(4)] == [
        (0.0, 100.0),
        (100.0, 150.0),
        (150.0, 200.0),
        (200.0, 250.0),
    ]
    assert CLOCK.moment(86_400.0) == "1970-01-02 00:00"
    undated = Clock(0.0, 100.0, 250.0, 1.0, 50.0, 10.0, is_dated=False)
    assert undated.moment(216_000.0) == "day 2.5"


def record(**changes):
    """250 rows; the error is 1 in the second period; the reference stops for the last one."""
    rng = np.random.default_rng(0)
    time = np.arange(250.0)
    truth = rng.uniform(1, 5, 250)
    error = 0.1 * rng.normal(size=250) + np.where((time >= 150) & (time < 200), 1.0, 0.0)
    rows = {
        "time": time,
        "truth": np.where(time < 200, truth, np.nan),
        "prediction": truth + error,
        "inside": time % 2 == 0,
    }
    return rows | changes


def test_each_period_has_its_own_numbers():
    rows = record()
    rows["prediction"][100:105] = np.nan
    found = cut_periods(rows, CLOCK, np.isfinite(rows["prediction"]), 4.0, None)
    assert [p.number for p in found] == [0, 1, 2, 3]
    assert [p.pairs for p in found] == [100, 45, 50, 0]
    assert [p.expected for p in found] == [100, 50, 50, 50]
    assert [p.reference for p in found] == [100, 50, 50, 0]
    assert [p.sensor for p in found] == [100, 45, 50, 50]
    error = rows["prediction"] - rows["truth"]
    for period, mine in ((found[1], error[105:150]), (found[2], error[150:200])):
        assert period.bias.value == pytest.approx(mine.mean(), rel=1e-12)
        assert period.spread.value == pytest.approx(mine.std(ddof=1), rel=1e-12)
        assert period.bias.lower < mine.mean() < period.bias.upper
    assert found[2].bias_inside == pytest.approx(error[150:200:2].mean(), rel=1e-12)
    assert found[2].outside == 0.5
    assert not found[3].bias.is_known
    assert np.isnan(found[3].outside)


def test_independent_rows_count_as_such():
    """Errors that do not hang together: as many independent pairs as pairs, within chance."""
    rng = np.random.default_rng(4)
    clock = Clock(0.0, 5000.0, 5000.0, 1.0, 50.0, 50.0, is_dated=True)
    truth = rng.uniform(1, 5, 5000)
    rows = {
        "time": np.arange(5000.0),
        "truth": truth,
        "prediction": truth + rng.normal(size=5000),
        "inside": np.ones(5000, dtype=bool),
    }
    (found,) = cut_periods(rows, clock, np.ones(5000, dtype=bool), None, None)
    # 100 blocks: the variance of the mean is known to sqrt(2 / 99) = 14 %, three times that.
    assert found.effective == pytest.approx(5000, rel=0.43)
    assert not found.relative.is_known


def test_a_missing_row_of_the_file_is_expected_all_the_same():
    rows = {name: array[np.arange(250) % 10 != 7] for name, array in record().items()}
    found = cut_periods(rows, CLOCK, np.isfinite(rows["prediction"]), None, None)
    assert [p.expected for p in found] == [100, 50, 50, 50]
    assert [p.sensor for p in found] == [90, 45, 45, 45]
