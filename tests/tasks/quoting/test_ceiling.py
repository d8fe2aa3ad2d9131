"""Time limits and the hard ceiling."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config import Ceiling
from lumipipe.machine.billing import Units
from lumipipe.tasks.quoting.ceiling import generous_minutes, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS = ("prepare", "train", "score")
EXPECTED = st.fixed_dictionaries({verb: st.floats(0.1, 1e5) for verb in VERBS})
CORES = st.just(0.0) | st.floats(0.5, 256.0)  # nothing, or at least half a core an hour
AN_HOUR = st.fixed_dictionaries(
    {verb: st.builds(Units, gpu_h=st.sampled_from([0.0, 0.5, 4.0]), core_h=CORES) for verb in VERBS}
)


def cost(minutes: Mapping[str, int], an_hour: Mapping[str, Units], unit: str) -> float:
    return sum(minutes[verb] * getattr(an_hour[verb], unit) / 60 for verb in VERBS)


@given(st.floats(0.0, 1e6), st.integers(1, 4320))
def test_a_limit_is_three_times_what_is_expected_within_its_bounds(
    seconds: float, most: int
) -> None:
    found = generous_minutes(seconds, most)
    assert found <= most
    if found < most:
        assert found >= 10
        assert 60 * found >= 3 * seconds
        assert found == 10 or 60 * (found - 1) < 3 * seconds


@given(EXPECTED, AN_HOUR, st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_limits_are_shortened_only_as_far_as_the_ceiling_asks_and_the_need_allows(
    expected: dict[str, float], an_hour: dict[str, Units], gpu: float, core: float
) -> None:
    generous = {verb: generous_minutes(seconds, 4320) for verb, seconds in expected.items()}
    allowed = {
        "gpu_h": gpu * cost(generous, an_hour, "gpu_h"),
        "core_h": core * cost(generous, an_hour, "core_h"),
    }
    found = shortened(expected, generous, an_hour, Ceiling(**allowed))
    least = {verb: max(1, ceil(1.5 * seconds / 60)) for verb, seconds in expected.items()}
    for verb in VERBS:
        assert min(least[verb], generous[verb]) <= found[verb] <= generous[verb]
    for unit, ceiling in allowed.items():
        # Six roundings on either side, of products and sums taken in another order.
        kept = cost(found, an_hour, unit) <= ceiling * (1 + 12 * 2.0**-53)
        at_least = all(found[v] == least[v] for v in VERBS if getattr(an_hour[v], unit))
        assert kept or at_least
    if gpu >= 1 and core >= 1:
        assert found == generous


def test_no_ceiling_shortens_nothing() -> None:
    hour = dict.fromkeys(VERBS, Units(gpu_h=4.0))
    generous = dict.fromkeys(VERBS, 500)
    assert shortened(dict.fromkeys(VERBS, 60.0), generous, hour, Ceiling()) == generous


@pytest.mark.parametrize("free", VERBS)
def test_a_job_that_costs_nothing_of_a_unit_keeps_its_limit(free: str) -> None:
    hour = dict.fromkeys(VERBS, Units(gpu_h=4.0)) | {free: Units(core_h=2.0)}
    found = shortened(
        dict.fromkeys(VERBS, 60.0), dict.fromkeys(VERBS, 500), hour, Ceiling(gpu_h=0.0)
    )
    assert found == dict.fromkeys(VERBS, 2) | {free: 500}
