from __future__ import annotations

import numpy as np
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.events import EventCounts

ROWS = st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 3)), max_size=40)


@given(ROWS)
def test_equal_a_histogram_by_numpy(rows):
    block, event = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    reducer = EventCounts(xp, 4, 3)
    state = reducer.update(reducer.empty(), {"block": block, "event": event})
    expected, _, _ = np.histogram2d(block, event, bins=(np.arange(-0.5, 4), np.arange(-0.5, 3)))
    np.testing.assert_array_equal(state["counts"], expected)
    assert state["others"] == len(rows) - expected.sum()
