"""The algebra: identity, associativity, and independence of how data are cut, for every reducer."""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from typing import TYPE_CHECKING

import array_api_compat
import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

import lumipipe.metrics
import lumipipe.models
from conftest import to_numpy
from lumipipe.comm import pack, unpack
from reducers import REDUCERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array, State

NAMES = st.sampled_from(sorted(REDUCERS))
# States hold sums of at most 60 products of numbers near 100: 60 * 1e4 * eps = 1.3e-10.
ATOL, RTOL = 1e-9, 1e-10


def _state(name: str, first: int, stop: int) -> State:
    case = REDUCERS[name]
    reducer = case.make(xp, None)
    return reducer.update(reducer.empty(), case.rows(first, stop))


def _close(name: str, a: State, b: State) -> None:
    assert list(a) == list(b)
    for key in a:
        if REDUCERS[name].exact or a[key].dtype.kind in "iub":
            np.testing.assert_array_equal(a[key], b[key], err_msg=key)
        else:
            np.testing.assert_allclose(a[key], b[key], rtol=RTOL, atol=ATOL, err_msg=key)


def test_every_reducer_of_the_library_is_in_the_registry() -> None:
    packages = (lumipipe.metrics, lumipipe.models)
    found = set()
    for package in packages:
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, member in inspect.getmembers(importlib.import_module(module.name)):
                if inspect.isclass(member) and member.__module__ == module.name:
                    found |= {name} if {"empty", "update", "merge"} <= set(dir(member)) else set()
    assert found == {type(case.make(xp, None)).__name__ for case in REDUCERS.values()}


@given(name=NAMES, rows=st.integers(0, 20))
def test_empty_is_the_identity(name: str, rows: int) -> None:
    reducer = REDUCERS[name].make(xp, None)
    state = _state(name, 0, rows)
    _close(name, reducer.merge(reducer.empty(), state), state)
    _close(name, reducer.merge(state, reducer.empty()), state)


@given(name=NAMES, cuts=st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20)))
def test_merge_is_associative(name: str, cuts: tuple[int, int, int]) -> None:
    reducer = REDUCERS[name].make(xp, None)
    edges = np.cumsum([0, *cuts]).tolist()
    a, b, c = (_state(name, x, y) for x, y in itertools.pairwise(edges))
    left = reducer.merge(reducer.merge(a, b), c)
    right = reducer.merge(a, reducer.merge(b, c))
    _close(name, left, right)


@given(name=NAMES, chunk=st.sampled_from([1, 7, 60]))
def test_cut_does_not_matter(name: str, chunk: int) -> None:
    reducer = REDUCERS[name].make(xp, None)
    state = reducer.empty()
    for first in range(0, 60, chunk):
        state = reducer.update(state, REDUCERS[name].rows(first, min(first + chunk, 60)))
    _close(name, state, _state(name, 0, 60))


@pytest.mark.parametrize("name", sorted(REDUCERS))
def test_saved_state_is_the_state(name: str) -> None:
    state = _state(name, 0, 13)
    assert pack(unpack(pack(state))) == pack(state)


@pytest.mark.parametrize("name", sorted(REDUCERS))
def test_every_array_library_gives_the_state(
    name: str, xp_array: Callable[[np.ndarray], Array]
) -> None:
    case = REDUCERS[name]
    batches = [{key: xp_array(a) for key, a in case.rows(f, f + 9).items()} for f in (0, 9)]
    first = next(iter(batches[0].values()))
    reducer = case.make(array_api_compat.array_namespace(first), array_api_compat.device(first))
    state = reducer.empty()
    for batch in batches:
        state = reducer.update(state, batch)
    found = {key: to_numpy(array) for key, array in state.items()}
    _close(name, found, _state(name, 0, 18))
