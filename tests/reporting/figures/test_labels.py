from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lumipipe.reporting.figures.labels import rows, spread, that_fit

ROOM = 300.0
labels = st.lists(st.tuples(st.floats(-20, 320), st.floats(1, 30)), max_size=10)
# Sums of at most ten numbers below 600, each rounded once a step.
ROUNDING = 1e-9


@given(labels)
def test_spread_labels_neither_overlap_nor_leave_the_row(pairs):
    pairs = sorted(pairs)
    widths = [width for _, width in pairs]
    centres = spread([place for place, _ in pairs], widths, ROOM)
    ends = [(c - w / 2, c + w / 2) for c, w in zip(centres, widths, strict=True)]
    assert all(b[0] - a[1] >= -ROUNDING for a, b in itertools.pairwise(ends))
    assert all(start >= -ROUNDING and stop <= ROOM + ROUNDING for start, stop in ends)


def test_labels_with_room_stand_where_they_belong():
    assert spread([50.0, 150.0], [20.0, 20.0], ROOM) == [50.0, 150.0]
    assert spread([], [], ROOM) == []


@given(labels)
def test_labels_of_one_row_do_not_overlap(pairs):
    placed = rows([place for place, _ in pairs], [width for _, width in pairs], ROOM)
    by_row: dict[int, list[tuple[float, float]]] = {}
    for (centre, row), (_, width) in zip(placed, pairs, strict=True):
        by_row.setdefault(row, []).append((centre - width / 2, centre + width / 2))
    for ends in by_row.values():
        ends.sort()
        assert all(b[0] - a[1] >= -ROUNDING for a, b in itertools.pairwise(ends))
        assert ends[0][0] >= -ROUNDING
        assert ends[-1][1] <= ROOM + ROUNDING


def test_labels_are_taken_in_order_while_they_stay_near():
    assert that_fit([0.0, 100.0, 200.0], [150.0, 150.0, 10.0], ROOM, 300.0) == [0, 1]
    assert that_fit([50.0, 51.0, 52.0, 200.0], [20.0] * 4, ROOM, 12.0) == [0, 1, 3]
    assert that_fit([], [], ROOM, 12.0) == []
