"""Samples that were taken apart from the rows: each belongs to the nearest row, or to none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.families.reference import Reference, _nearest, joined_targets
from lumipipe.store.rows import NO_TIME


class Stream:
    """As much of a stream as a join needs: times and values of the rows of each recording."""

    def __init__(self, *times: list[int | None], start_ns: int = NO_TIME) -> None:
        self.rows = np.array([len(part) for part in times])
        self.first_row = np.cumsum(self.rows) - self.rows
        self.row_count = int(self.rows.sum())
        self.start_ns = np.array([start_ns] * len(times))
        self.channels = [SimpleNamespace(name="other"), SimpleNamespace(name="y")]
        flat = [NO_TIME if t is None else t for part in times for t in part]
        self._times = np.array(flat, dtype=np.int64)

    def read_time(self, first: int, stop: int) -> np.ndarray:
        return self._times[first:stop]

    def read_rows(self, first: int, stop: int) -> np.ndarray:
        number = np.arange(first, stop, dtype=np.float64)
        return np.stack([-number, 100 + number], axis=1)


def join(rows: Stream, samples: Stream, tolerance_s: float | None = 1.0) -> list[float]:
    recordings = [SimpleNamespace(id=f"r{n}") for n in range(len(rows.rows))]
    dataset = SimpleNamespace(streams={"lab": samples}, recordings=recordings)
    job: Any = SimpleNamespace(dataset=dataset)
    found = joined_targets(job, rows, Reference(stream="lab", tolerance_s=tolerance_s), ["y"])
    assert found.shape == (rows.row_count, 1)
    return found[:, 0].tolist()


S = 1_000_000_000


def test_each_recording_takes_its_own_samples() -> None:
    rows = Stream([0, 10 * S, 20 * S], [0, 10 * S])
    samples = Stream([S // 2, 12 * S, 20 * S], [10 * S])
    np.testing.assert_array_equal(join(rows, samples), [100, np.nan, 102, np.nan, 103])


def test_rows_in_order_alone_are_joined_one_by_one() -> None:
    rows, samples = Stream([None, None], [None]), Stream([None, None], [])
    np.testing.assert_array_equal(join(rows, samples, None), [100, 101, np.nan])


@pytest.mark.parametrize(
    ("rows", "samples", "tolerance_s", "message"),
    [
        (Stream([None, None]), Stream([None]), None, "2 rows but 1 samples"),
        (Stream([0, S]), Stream([None]), 1.0, "times of unlike kinds"),
        (Stream([0, S], start_ns=0), Stream([0]), 1.0, "times of unlike kinds"),
        (Stream([0, S]), Stream([0]), None, "say how near"),
        (Stream([0, S]), Stream([9 * S]), 1.0, "no sample is near enough"),
    ],
)
def test_what_cannot_be_joined_is_refused(rows, samples, tolerance_s, message) -> None:
    with pytest.raises(InputError, match=message):
        join(rows, samples, tolerance_s)


@given(
    when=st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True),
    sampled=st.lists(st.integers(-10, 70), min_size=1, max_size=8),
    tolerance=st.integers(0, 20),
)
def test_equal_to_looking_at_all_pairs(when, sampled, tolerance) -> None:
    when, sampled = sorted(when), sorted(sampled)
    row, near = _nearest(np.array(when), np.array(sampled), tolerance)
    best: dict[int, tuple[int, int]] = {}
    for number, time in enumerate(sampled):
        away, at = min((abs(time - t), n) for n, t in enumerate(when))
        if away <= tolerance and (at not in best or away < best[at][0]):
            best[at] = (away, number)
    assert dict(zip(row.tolist(), near.tolist(), strict=True)) == {
        at: number for at, (_, number) in best.items()
    }
