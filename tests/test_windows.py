"""Windows cross no gap, chunks cross no unit, and one unit does not depend on another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.partition import Span
from lumipipe.windows import WindowPlan, plan_windows, window_starts


def test_windows_restart_after_a_gap() -> None:
    starts = window_starts([Span(0, 10), Span(12, 15), Span(20, 30)], 4, 3)
    assert starts.tolist() == [0, 3, 6, 20, 23, 26]


@given(
    sizes=st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=6),
    length=st.integers(1, 9),
    hop=st.integers(1, 9),
    per_chunk=st.integers(1, 7),
)
def test_plan_covers_each_window_once(
    sizes: list[list[int]], length: int, hop: int, per_chunk: int
) -> None:
    segments, row = [], 0
    for recording in sizes:
        pieces = []
        for size in recording:
            pieces.append(Span(row, row + size))
            row += size + 1
        segments.append(pieces)
    units = [f"u{number // 2}" for number in range(len(sizes))]
    plan = plan_windows(units, segments, length, hop, per_chunk)
    expected = [start for pieces in segments for start in window_starts(pieces, length, hop)]
    assert plan.start.tolist() == expected
    assert [w for span in plan.chunks for w in range(*span)] == list(range(len(expected)))
    for tree in plan.trees:
        windows = range(
            plan.chunks[tree.chunks.first].first, plan.chunks[tree.chunks.stop - 1].stop
        )
        assert {units[plan.recording[w]] for w in windows} == {tree.key}


def test_chunks_of_a_unit_stay_when_another_leaves() -> None:
    a, b = [Span(0, 17)], [Span(20, 45)]
    both = plan_windows(["a", "b"], [a, b], 3, 1, 4)
    alone = plan_windows(["b"], [b], 3, 1, 4)
    tree = both.trees[1]
    of_b = [both.start[slice(*both.chunks[c])].tolist() for c in range(*tree.chunks)]
    assert of_b == [alone.start[slice(*span)].tolist() for span in alone.chunks]


def test_recordings_of_a_unit_must_stand_together() -> None:
    with pytest.raises(ValueError, match="stand together"):
        plan_windows(["a", "b", "a"], [[Span(0, 3)]] * 3, 1, 1, 1)


def test_no_windows_give_an_empty_plan() -> None:
    plan = plan_windows(["a"], [[Span(0, 2)]], 5, 1, 8)
    assert plan.chunks == ()
    assert plan.trees == ()
    assert plan.start.dtype == np.int64


def test_own_numbers_stay_when_another_unit_leaves() -> None:
    units, rows = ["a", "a", "b", "c"], [9, 7, 30, 11]
    ends = np.cumsum(rows)
    segments = [[Span(int(end - size), int(end))] for end, size in zip(ends, rows, strict=True)]
    whole = plan_windows(units, segments, 4, 1, 3)
    part = plan_windows([units[n] for n in (0, 1, 3)], [segments[n] for n in (0, 1, 3)], 4, 1, 3)

    def numbers(plan: WindowPlan, recordings: list[int]) -> list[int]:
        found = plan.own_numbers(np.arange(len(plan.start)))
        return found[np.isin(plan.recording, recordings)].tolist()

    assert numbers(part, [0, 1]) == numbers(whole, [0, 1])
    assert numbers(part, [2]) == numbers(whole, [3])
    every = whole.own_numbers(np.arange(len(whole.start)))
    assert len(set(every.tolist())) == len(every)
    assert every.min() >= 0
