from __future__ import annotations

import numpy as np
import pytest

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


@pytest.mark.parametrize("of", ["mean", "mean_and_change"])
def test_windows_of_one_level_and_trend_are_alike(xp_array, of):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((9, 2, 30))
    settings = RandomFourierSettings(features=4096, bandwidth=0.7, of=of)
    feature = RandomFourier.build(("a", "b"), (1.0, 2.0), 9, 1.0, settings, 3)
    z = to_numpy(feature(xp_array(x), 1.0))
    inputs = [x.mean(axis=0).T / [1, 2]]
    if of == "mean_and_change":
        slope = np.polyfit(np.arange(9), x.reshape(9, -1), 1)[0].reshape(2, 30)
        inputs.append(8 * slope.T / [1, 2])
    rows = np.concatenate(inputs, axis=1)
    distance = ((rows[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-distance / (2 * rows.shape[1] * 0.7**2))
    assert np.max(np.abs(z @ z.T - kernel)) < 5 / np.sqrt(4096)
