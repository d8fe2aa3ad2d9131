"""C35 and C37: what readings stand for, whatever the recorder wrote and left out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.session_clock import held, whole_seconds, without

LONGEST = 5.0


def ns(seconds):
    return np.round(np.asarray(seconds, dtype=np.float64) * NANOSECONDS).astype(np.int64)


def hold(seconds, segment=None, there=None):
    time = ns(seconds)
    segment = np.zeros(len(time), np.int64) if segment is None else np.asarray(segment)
    there = np.ones(len(time), bool) if there is None else np.asarray(there)
    return held(time, segment, there, LONGEST)


def test_an_hour_with_a_stop_of_five_minutes():
    """60 min at 1 s, stopped from 20:00 to 25:00: 55 min count, and no window crosses the stop."""
    seconds = np.concatenate([np.arange(0, 1201), np.arange(1500, 3601)])
    found = hold(seconds, segment=(seconds >= 1500).astype(np.int64))
    assert found.lasts_ns.sum() == 55 * 60 * NANOSECONDS
    edges = whole_seconds(found)
    assert np.bincount(edges.run).tolist() == [1201, 2101]


def test_the_same_without_events_is_a_gap():
    seconds = np.concatenate([np.arange(0, 1201), np.arange(1500, 3601)])
    assert hold(seconds).lasts_ns.sum() == 55 * 60 * NANOSECONDS


def test_smart_recording_counts_by_stamps():
    steps = np.resize([1, 3, 5, 2, 4], 1000)
    found = hold(np.concatenate([[0], np.cumsum(steps)]))
    assert found.lasts_ns.sum() == steps.sum() * NANOSECONDS
    assert found.run.max() == 0


def test_a_step_beyond_the_longest_is_not_filled():
    found = hold([0, 1, 7, 8, 9])
    assert (found.lasts_ns // NANOSECONDS).tolist() == [1, 0, 1, 1, 0]
    assert found.run.tolist() == [0, 0, 1, 1, 1]


def test_several_rows_in_one_second_hold_no_time_but_the_last():
    found = hold([0, 1, 1, 1, 2])
    assert (found.lasts_ns // NANOSECONDS).tolist() == [1, 0, 0, 1, 0]
    assert found.run.max() == 0


def test_rows_in_no_segment_and_rows_without_reading():
    found = hold([0, 1, 2, 3, 4], segment=[0, 0, -1, 0, 0], there=[True, True, True, True, False])
    assert found.row.tolist() == [0, 1, 3]
    assert hold([0.0], there=[False]).row.size == 0
    assert whole_seconds(hold([0.0], there=[False])).run.size == 0


def test_a_reading_that_is_not_credible_ends_its_run():
    found = without(hold([0, 1, 2, 3]), np.array([False, True, False, False]))
    assert found.run.tolist() == [0, 0, 1, 1]
    assert (found.lasts_ns // NANOSECONDS).tolist() == [1, 0, 1, 0]


@given(
    steps=st.lists(st.integers(0, 9000), min_size=1, max_size=40),
    there=st.lists(st.booleans(), min_size=41, max_size=41),
)
def test_edges_lie_inside_runs_and_never_skip_a_second(steps, there):
    time = np.concatenate([[0], np.cumsum(steps)]) / 1000.0
    found = hold(time, there=there[: len(time)])
    edges = whole_seconds(found)
    at = found.time_ns[edges.reading] + ns(edges.after_s)
    for run in np.unique(edges.run):
        mine, rows = at[edges.run == run], found.run == run
        assert set(np.diff(mine)) == {NANOSECONDS}
        assert mine[0] == found.time_ns[rows][0]
        assert 0 <= found.time_ns[rows][-1] - mine[-1] < NANOSECONDS
    # the reading of each edge is the latest one by then
    latest = np.searchsorted(found.time_ns, at, side="right") - 1
    assert (found.time_ns[latest] == found.time_ns[edges.reading]).all()
