from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace, device
from array_api_compat import numpy as xp

from conftest import to_numpy
from lumipipe.kernels.fourier import fourier_features, gaussian_draws


def test_equals_formula(xp_array):
    x = np.random.default_rng(0).standard_normal((5, 3))
    like = xp_array(x)
    frequencies, phases = gaussian_draws(array_namespace(like), device(like), 1, 3, 16)
    found = to_numpy(fourier_features(like, frequencies, phases))
    expected = np.sqrt(2 / 16) * np.cos(x @ to_numpy(frequencies) + to_numpy(phases))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    assert fourier_features(like[:0, :], frequencies, phases).shape == (0, 16)


def test_inner_products_approach_the_kernel():
    x = np.random.default_rng(1).standard_normal((20, 4)) * 0.5
    features = 8192
    z = fourier_features(x, *gaussian_draws(xp, "cpu", 5, 4, features))
    distance = ((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)
    # each term is bounded by 2: five standard errors
    assert np.max(np.abs(z @ z.T - np.exp(-distance / 2))) < 5 / np.sqrt(features)


def test_more_features_begin_with_the_fewer():
    few, many = (gaussian_draws(xp, "cpu", 2, 3, count) for count in (4, 9))
    np.testing.assert_array_equal(few[0], many[0][:, :4])
    np.testing.assert_array_equal(few[1], many[1][:4])
