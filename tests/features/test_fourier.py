from __future__ import annotations

import numpy as np

from conftest import to_numpy
from lumipipe.features.fourier import RandomFourier, RandomFourierSettings


def test_rows_of_a_table(xp_array):
    x = np.random.default_rng(0).standard_normal((1, 3, 40))
    settings = RandomFourierSettings(features=4096, bandwidth=0.7)
    scales = (1.0, 2.0, 1.0)
    feature = RandomFourier.build(("a", "b", "c"), scales, 1, 1.0, settings, 3)
    z = to_numpy(feature(xp_array(x), 1.0))
    rows = x[0].T / np.asarray(scales)
    distance = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-distance / (2 * 3 * 0.7**2))  # the bandwidth grows with the root of 3 inputs
    assert np.max(np.abs(z @ z.T - kernel)) < 5 / np.sqrt(4096)
