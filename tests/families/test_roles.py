"""Which rows train where a split is by seconds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from lumipipe.config import TimeSplit
from lumipipe.errors import InputError
from lumipipe.families.roles import roles
from lumipipe.partition import Span


def table(times, rate_hz, *, has_time=True):
    """A stream of one recording after three rows of another."""
    times = np.asarray(times, dtype=np.int64)
    return SimpleNamespace(
        first_row=np.array([3]),
        rows=np.array([len(times)]),
        rate_hz=np.array([rate_hz]),
        has_time=has_time,
        read_time=lambda first, stop: times[first - 3 : stop - 3],
    )


def trained(stream, seconds):
    split = TimeSplit(kind="time", train_first_s=seconds)
    job = SimpleNamespace(request=SimpleNamespace(evaluation=SimpleNamespace(split=split)))
    found = roles(job, stream)
    return found.train[0], found.test[0]


def test_stamps_decide_not_a_measured_rate():
    hour = 3_600_000_000_000
    # A measured rate of a hair above 1 / h would make 25 rows of a day.
    stream = table(hour * np.arange(48), 1 / 3600 * (1 + 1e-12))
    assert trained(stream, 86_400) == (Span(3, 27), Span(27, 51))
    gappy = table(hour * np.setdiff1d(np.arange(48), [5, 6, 7]), 1 / 3600)
    assert trained(gappy, 86_400) == (Span(3, 24), Span(24, 48))


def test_a_regular_stream_has_its_rate():
    assert trained(table(np.zeros(10), 2.0, has_time=False), 2.1)[0] == Span(3, 8)


def test_rows_with_an_order_only_are_refused():
    with pytest.raises(InputError, match="use train_first_rows"):
        trained(table(np.zeros(10), np.nan, has_time=False), 2.1)
