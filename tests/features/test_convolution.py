from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from array_api_compat import numpy as xp

from conftest import to_numpy
from lumipipe.features import convolution
from lumipipe.features.convolution import (
    RandomConvolution,
    RandomConvolutionSettings,
    reference_biases,
    reference_series,
)
from lumipipe.kernels.convolution import KERNELS, ConvolutionParameters

SETTINGS = RandomConvolutionSettings(features=500)
PRINTED = [0.03869515284895897, -0.8994472622871399, 0.4076506495475769]


def built(channels=3, length=64, seed=1):
    names = tuple(f"c{number}" for number in range(channels))
    return RandomConvolution.build(names, (1.0,) * channels, length, 50.0, SETTINGS, seed)


def biases_of(feature, like):
    xp, channels = array_namespace(like), len(feature.scales)
    return to_numpy(
        reference_biases(
            xp, device(like), feature.parameters, feature.length, channels, feature.seed
        )
    )


def test_features_are_a_multiple_of_84():
    feature = built()
    assert len(feature.names) == 420 == feature.parameters.features
    assert len(feature.parameters.subsets) == 84 * len(feature.parameters.dilations)


def test_subsets_are_drawn_log_uniformly():
    feature = built(channels=6, length=1000)
    sizes = np.asarray([len(subset) for subset in feature.parameters.subsets])
    assert all(len(set(subset)) == len(subset) for subset in feature.parameters.subsets)
    assert set(sizes) == set(range(1, 7))
    # P(size 1) = log 2 / log 7 = 0.356: five standard errors
    assert abs(np.mean(sizes == 1) - 0.356) < 5 * np.sqrt(0.23 / len(sizes))
    used = np.bincount(np.concatenate(feature.parameters.subsets), minlength=6)
    assert used.min() > 0.7 * used.max()


def test_reference_process_is_what_the_notes_say():
    series = reference_series(xp, "cpu", 512, 4, 3)
    assert series.shape == (512, 4, 128)
    middle = series.mean(axis=0)
    assert abs(middle.mean()) < 5 * 1.05 / np.sqrt(512)  # 512 series, sd sqrt(0.49 + 0.6)
    assert 0.6 < middle.std() < 1.05
    # mean square: 0.7^2, and 10^(2 U(-0.7, 0.2)), whose mean is 0.596
    assert abs((series**2).mean() - (0.49 + 0.596)) < 0.25
    centred = series - middle
    memory = (centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0)
    assert 0.3 < memory.min() < 0.6  # 1 - 10^-0.3 = 0.499, known to 0.04 from 512 samples
    assert memory.max() > 0.97


def test_biases_equal_slow_twin(xp_array):
    feature = built()
    parameters = feature.parameters
    series = reference_series(xp, "cpu", feature.length, 3, feature.seed)
    found = biases_of(feature, xp_array(np.zeros(1)))
    assert found.dtype == np.float32
    golden, at = (np.sqrt(5) + 1) / 2, 0
    for number, dilation in enumerate(parameters.dilations):
        for kernel, taps in enumerate(KERNELS):
            combination = number * 84 + kernel
            draw = convolution.philox.uniform_float(combination, (feature.seed, convolution._PICK))
            x = series[:, list(parameters.subsets[combination]), int(draw * 128)].sum(axis=1)
            weights = np.full(9, -1.0)
            weights[list(taps)] = 2.0
            dilated = np.zeros(8 * dilation + 1)
            dilated[::dilation] = weights[::-1]
            reach = 4 * dilation
            output = np.convolve(x, dilated)[reach : reach + len(x)]
            for _ in range(parameters.biases_per_kernel[number]):
                expected = np.quantile(output, (at + 1) * golden % 1)
                assert abs(found[at] - expected) < 1e-5 * max(1.0, abs(expected))
                at += 1


def test_biases_are_the_same_on_every_library(xp_array):
    feature = built()
    found = biases_of(feature, xp_array(np.zeros(1)))
    reference = biases_of(feature, np.zeros(1))
    np.testing.assert_array_equal(found, reference)
    # Printed once; they must not change, or stored models would not fit their features.
    assert found[:3].tolist() == pytest.approx(PRINTED, abs=1e-6)


def test_features_spread_over_signals_of_unit_scale():
    x = reference_series(xp, "cpu", 64, 3, 9)  # other windows of the same process
    shares = built()(x, 50.0)
    assert shares.dtype == np.float32
    assert 0.0 <= shares.min() <= shares.max() <= 1.0
    assert np.mean(shares.std(axis=0) > 0.02) > 0.95


def test_one_channel_has_one_subset():
    parameters = built(channels=1).parameters
    assert isinstance(parameters, ConvolutionParameters)
    assert set(parameters.subsets) == {(0,)}
