from __future__ import annotations

import numpy as np

from conftest import to_numpy
from lumipipe.features.statistics import Statistics, StatisticsSettings


def test_columns_carry_their_names(xp_array):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3, 4)).astype(np.float32)
    scales = (1.0, 4.0, 0.5)
    feature = Statistics.build(("a", "b", "c"), scales, 60, 10.0, StatisticsSettings(), 0)
    found = to_numpy(feature(xp_array(x), 10.0))
    column = dict(zip(feature.names, found.T, strict=True))
    scaled = x.astype(float) / np.asarray(scales)[:, None]
    for channel, name in enumerate("abc"):
        one = scaled[:, channel, :]
        # float32 inputs: scales are powers of two, so only the sums round, in float64
        expected = {
            "mean": one.mean(axis=0),
            "log_sd": np.log(one.std(axis=0) + 1e-3),
            "max": one.max(axis=0),
            "q75": np.quantile(one, 0.75, axis=0),
            "crest": np.abs(one).max(axis=0) / np.sqrt((one**2).mean(axis=0)),
        }
        for statistic, values in expected.items():
            np.testing.assert_allclose(column[f"{name}:{statistic}"], values, atol=1e-12)
    for window in range(4):
        expected = np.corrcoef(scaled[:, 1, window], scaled[:, 2, window])[0, 1]
        assert abs(column["b~c:correlation"][window] - expected) < 1e-12
    assert found.shape[1] == 15 * 3 + 3
