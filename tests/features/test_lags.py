from __future__ import annotations

import numpy as np

from conftest import to_numpy
from lumipipe.features.lags import Lags, LagsSettings


def test_values_some_rows_back(xp_array):
    x = np.arange(24.0).reshape(4, 2, 3)
    feature = Lags.build(("a", "b"), (1.0, 2.0), 4, 1.0, LagsSettings(rows=[0, 3, 3]), 1)
    assert feature.names == ("a@-0", "b@-0", "a@-3", "b@-3")
    found = to_numpy(feature(xp_array(x), 1.0))
    np.testing.assert_array_equal(found, np.concatenate([x[3], x[0]]).T / [1, 2, 1, 2])


def test_a_gap_is_a_gap_of_its_own_lag_alone():
    x = np.ones((2, 1, 1))
    x[0] = np.nan
    feature = Lags.build(("a",), (1.0,), 2, 1.0, LagsSettings(rows=[0, 1]), 1)
    np.testing.assert_array_equal(feature(x, 1.0), [[1.0, np.nan]])
