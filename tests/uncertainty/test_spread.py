from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.uncertainty.spread import spread_of


@given(data=st.data(), groups=st.integers(2, 6))
def test_twin_by_loops(data: st.DataObject, groups: int) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=groups, max_size=groups))
    sizes[0] += 1  # one group at least has two cases
    values = [
        data.draw(st.lists(st.floats(-100, 100), min_size=size, max_size=size)) for size in sizes
    ]
    group = np.repeat(np.arange(groups) * 7, sizes)
    error = np.concatenate(values)
    found = spread_of(error, group)
    assert found is not None
    within = sum(sum((x - np.mean(v)) ** 2 for x in v) for v in values) / sum(
        len(v) - 1 for v in values
    )
    shared = np.mean([np.mean(v) ** 2 - within / len(v) for v in values])
    scale = 1.0 + float(np.abs(error).max())
    # A few roundings of sums of thirty numbers of this size, under a root.
    assert found.independent == pytest.approx(np.sqrt(within), abs=1e-6 * scale)
    assert found.shared == pytest.approx(np.sqrt(max(0.0, shared)), abs=1e-6 * scale)
    assert (found.groups, found.cases) == (groups, len(error))


def test_a_bias_is_shared_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(400), 50)
    found = spread_of(3.0 + rng.normal(size=len(group)), group)
    assert found is not None
    # Standard errors of the two estimates, five of each.
    assert found.independent == pytest.approx(1.0, abs=5 / np.sqrt(2 * 400 * 49))
    assert found.shared == pytest.approx(3.0, abs=5 / np.sqrt(400 * 50))


@pytest.mark.parametrize("group", [[0, 0, 0], [0, 1, 2]])
def test_too_few_groups_or_cases(group: list[int]) -> None:
    assert spread_of(np.array([1.0, 2.0, 3.0]), np.array(group)) is None
