from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.metrics.quantiles import QuantileBins, at_ranks, at_shares

VALUES = st.lists(st.floats(0.02, 90.0), min_size=1, max_size=60)
SHARES = (0.01, 0.1, 0.25, 0.5, 0.9, 1.0)


def counted(values, bins):
    return bins.update(bins.empty(), {"value": np.asarray(values, dtype=np.float64)})


@given(VALUES, st.sampled_from([0.01, 0.05, 0.5]))
def test_each_quantile_is_within_the_error_that_is_promised(values, width):
    """Against NumPy's inverted distribution function; 1e-12 for the rounding of the edges."""
    bins = QuantileBins(xp, 0.01, 100.0, width)
    found = at_shares(counted(values, bins)["counts"], bins.edges, SHARES)
    exact = np.quantile(values, SHARES, method="inverted_cdf")
    assert (np.abs(found - exact) <= (width / (2 + width) + 1e-12) * exact).all()


def test_shares_that_are_whole_ranks_are_not_rounded_up():
    bins = QuantileBins(xp, 0.5, 100.0, 0.01)
    for count in range(1, 60):
        counts = counted(np.arange(1.0, count + 1.0), bins)["counts"]
        shares = tuple(rank / count for rank in range(1, count + 1))
        ranks = np.arange(1, count + 1)
        np.testing.assert_array_equal(
            at_shares(counts, bins.edges, shares), at_ranks(counts, bins.edges, ranks)
        )


def test_what_is_outside_the_bins_and_what_is_no_value():
    bins = QuantileBins(xp, 0.5, 2.0, 0.5)
    state = counted([0.0, 0.4, 9.0, -1.0, np.nan, np.inf], bins)
    assert (state["counts"].sum(), state["unknown"]) == (4, 2)
    found = at_shares(state["counts"], bins.edges, (0.5, 0.75))
    assert found.tolist() == [0.5, np.inf]
    assert np.isnan(at_shares(bins.empty()["counts"], bins.edges, (0.5,))).all()
    assert np.isnan(at_ranks(state["counts"], bins.edges, np.array([0, 5]))).all()


@pytest.mark.parametrize("cut", [0, 1, 17, 40])
def test_merged_counts_are_those_of_all(cut):
    values = np.random.default_rng(3).lognormal(size=40)
    bins = QuantileBins(xp, 0.01, 10.0)
    merged = bins.merge(counted(values[:cut], bins), counted(values[cut:], bins))
    np.testing.assert_array_equal(merged["counts"], counted(values, bins)["counts"])
