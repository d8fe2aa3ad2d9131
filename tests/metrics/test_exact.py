from __future__ import annotations

import math

import numpy as np
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.exact import ExactSumsReducer, exact_sums

REDUCER = ExactSumsReducer(xp, 1)


def state_of(values):
    x = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    return REDUCER.update(REDUCER.empty(), {"x": x})


@given(st.lists(st.floats(-1e20, 1e20).filter(lambda x: abs(x) > 1e-20 or x == 0), max_size=40))
def test_equal_the_exactly_rounded_sum(values):
    assert float(exact_sums(state_of(values))[0]) == math.fsum(values)


@given(st.permutations([1e25, -1e25, 0.1, 3.0, -1e-3, 2.5e8]), st.integers(0, 6))
def test_neither_order_nor_cut_changes_a_bit(values, cut):
    merged = REDUCER.merge(state_of(values[cut:]), state_of(values[:cut]))
    whole = state_of(sorted(values))
    assert all(merged[name].tobytes() == whole[name].tobytes() for name in whole)


def test_what_cannot_be_summed_is_counted():
    state = state_of([1.0, np.nan, np.inf, -1e30, 2.0])
    assert (state["rows"], state["count"][0], state["beyond"][0]) == (5, 2, 2)
    assert exact_sums(state) == [3]
