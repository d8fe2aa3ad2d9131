from __future__ import annotations

import numpy as np

from conftest import to_numpy
from lumipipe.features.trend import Trend, TrendSettings


def test_a_line_is_its_level_its_rise_and_its_end(xp_array):
    time = np.arange(11.0)
    x = np.stack([3 + 0.5 * time, 8 - 2 * time], axis=1)[:, :, None]
    feature = Trend.build(("a", "b"), (1.0, 2.0), 11, 1.0, TrendSettings(), 0)
    found = dict(zip(feature.names, to_numpy(feature(xp_array(x), 1.0))[0], strict=True))
    expected = {"a:mean": 5.5, "a:change": 5.0, "a:last": 8.0}
    expected |= {"b:mean": -1.0, "b:change": -10.0, "b:last": -6.0}
    assert found == expected
