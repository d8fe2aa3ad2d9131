from __future__ import annotations

import array_api_compat
import numpy as np
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.metrics.distinct import DistinctReducer

VALUES = st.lists(st.sampled_from([-1.5, 0.0, -0.0, 0.1, 0.2, 3.0, np.nan, np.inf]), max_size=40)


def state_of(parts, most):
    reducer = DistinctReducer(xp, most)
    state = reducer.empty()
    for part in parts:
        state = reducer.update(state, {"value": np.asarray(part, dtype=np.float64)})
    return state


@given(VALUES, st.integers(1, 8))
def test_equal_a_count_by_numpy(values, most):
    finite = [value + 0.0 for value in values if np.isfinite(value)]
    expected, times = np.unique(finite, return_counts=True)
    state = state_of([values], most)
    kept = min(most, len(expected))
    np.testing.assert_array_equal(state["value"][:kept], expected[:kept])
    np.testing.assert_array_equal(state["count"][:kept], times[:kept])
    assert np.isinf(state["value"][kept:]).all()
    assert state["count"][kept:].sum() == 0
    assert state["others"] == times[kept:].sum()


@given(VALUES, VALUES, st.integers(1, 4))
def test_any_cut_gives_the_same_bytes(first, second, most):
    whole = state_of([first + second], most)
    pieces = state_of([second, first], most)
    merged = DistinctReducer(xp, most).merge(state_of([second], most), state_of([first], most))
    for name, array in whole.items():
        assert array.tobytes() == pieces[name].tobytes() == merged[name].tobytes(), name


def test_all_libraries_agree(xp_array):
    values = np.random.default_rng(5).integers(0, 12, 100) / 8.0
    expected = state_of([values], 10)
    x = xp_array(values)
    xp, where = array_api_compat.array_namespace(x), array_api_compat.device(x)
    reducer = DistinctReducer(xp, 10, where)
    found = reducer.update(reducer.empty(), {"value": x})
    for name, array in expected.items():
        np.testing.assert_array_equal(to_numpy(found[name]), array, err_msg=name)
