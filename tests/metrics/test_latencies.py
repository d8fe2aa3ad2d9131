"""Against a loop over the events, one by one, whatever the cuts and the order of merges."""

from __future__ import annotations

import itertools

import numpy as np
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.latencies import NEVER, LatencyReducer

KINDS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from("bax")), max_size=40)
STEP = 100_000_000


def batch(times, kinds):
    kinds = np.array(kinds, dtype=str)
    return {
        "time": np.array(times, dtype=np.int64),
        "begins": kinds == "b",
        "answers": kinds == "a",
    }


def by_hand(times, kinds, still_ns):
    """Latencies in ns, episodes without an answer, and brief ones."""
    found, silent, brief = [], 0, 0
    begins = [place for place, kind in enumerate(kinds) if kind == "b"]
    for place, following in zip(begins, [*begins[1:], None], strict=False):
        end = times[-1] if following is None else times[following]
        inside = range(place + 1, len(times) if following is None else following)
        answers = [times[other] for other in inside if kinds[other] == "a"]
        if end - times[place] < still_ns:
            brief += 1
        elif answers:
            found.append(answers[0] - times[place])
        else:
            silent += 1
    return found, silent, brief


@given(KINDS, st.sampled_from([0, STEP, 3 * STEP]), st.lists(st.integers(0, 40), max_size=6))
def test_equal_a_loop_however_it_is_cut(events, still_ns, cuts):
    times = np.cumsum([step * STEP for step, _ in events]).tolist()
    kinds = [kind for _, kind in events]
    reducer = LatencyReducer(xp, still_ns, 0.05, 20.0)
    edges = sorted({0, len(events), *(min(cut, len(events)) for cut in cuts)})
    states = [
        reducer.update(reducer.empty(), batch(times[a:b], kinds[a:b]))
        for a, b in itertools.pairwise(edges)
    ]
    forward, backward = reducer.empty(), reducer.empty()
    for state in states:
        forward = reducer.merge(forward, state)
    for state in reversed(states):
        backward = reducer.merge(state, backward)
    found, silent, brief = by_hand(times, kinds, still_ns)
    expected = reducer.bins.update(
        reducer.bins.empty(), {"value": np.array(found, dtype=np.float64) / 1e9}
    )
    for state in (forward, backward):
        done = reducer.finish(state)
        np.testing.assert_array_equal(done["counts"], expected["counts"])
        assert (int(done["silent"]), int(done["brief"])) == (silent, brief)
        assert (done["edge"] == NEVER).all()


def test_an_answer_belongs_to_the_last_begin_only():
    reducer = LatencyReducer(xp, 0, 0.05, 20.0)
    times = [0, 3 * STEP, 4 * STEP, 9 * STEP, 9 * STEP]
    state = reducer.update(reducer.empty(), batch(times, ["b", "b", "a", "a", "x"]))
    done = reducer.finish(state)
    assert (int(done["counts"].sum()), int(done["silent"])) == (1, 1)
    assert done["counts"][int(np.searchsorted(reducer.bins.edges, 0.1))] == 1


def test_times_before_zero_and_far_away_are_no_trouble():
    reducer = LatencyReducer(xp, 0, 0.05, 20.0)
    early = reducer.update(reducer.empty(), batch([-(2**60)], ["b"]))
    late = reducer.update(reducer.empty(), batch([2**60], ["a"]))
    done = reducer.finish(reducer.merge(early, late))
    assert done["counts"][-1] == 1
