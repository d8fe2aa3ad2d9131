"""Time in zones against a search and a loop."""

import numpy as np
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.zones import ZoneReducer, zone_of

EDGES = np.array([100.0, 150.0, 200.0])
ROWS = st.lists(
    st.tuples(st.sampled_from([np.nan, -1.0, 99.9, 100.0, 150.0, 1e9]), st.integers(0, 9)),
    max_size=30,
)


@given(st.lists(st.floats(0, 400), max_size=30))
def test_zones_are_those_of_a_search(values):
    x = np.array([100.0, 200.0, *values])
    expected = np.searchsorted(EDGES, x, side="right")
    np.testing.assert_array_equal(zone_of(x, EDGES), expected)


@given(ROWS)
def test_time_equals_a_loop(rows):
    value, step = np.array([r[0] for r in rows]), np.array([r[1] for r in rows], dtype=np.int64)
    reducer = ZoneReducer(xp, 4)
    batch = {"zone": zone_of(value, EDGES), "step_ns": step}
    state = reducer.update(reducer.empty(), batch)
    expected, unknown = [0, 0, 0, 0], 0
    for v, s in rows:
        if np.isnan(v):
            unknown += s
        else:
            expected[(v >= 100) + (v >= 150) + (v >= 200)] += s
    assert state["zone_ns"].tolist() == expected
    assert int(state["unknown_ns"]) == unknown


def test_rows_of_no_zone_count_as_unknown():
    reducer = ZoneReducer(xp, 2)
    batch = {"zone": np.array([-1, 1, 2]), "step_ns": np.array([5, 7, 11])}
    state = reducer.update(reducer.empty(), batch)
    assert state["zone_ns"].tolist() == [0, 7]
    assert int(state["unknown_ns"]) == 16
