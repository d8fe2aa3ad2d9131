from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels import convolution
from lumipipe.kernels.convolution import (
    KERNELS,
    ConvolutionParameters,
    dilation_plan,
    proportion_positive,
)


def signals(length, channels, windows=12, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((length, channels, windows))
    return (0.3 * np.cumsum(steps, axis=0) + steps[::-1]).astype(np.float32)


def drawn(length, channels, features, seed=0):
    rng = np.random.default_rng(seed)
    dilations, counts = dilation_plan(length, features)
    subsets = tuple(
        tuple(sorted(rng.choice(channels, rng.integers(1, channels + 1), replace=False).tolist()))
        for _ in range(len(KERNELS) * len(dilations))
    )
    parameters = ConvolutionParameters(dilations, counts, subsets)
    return parameters, rng.standard_normal(parameters.features).astype(np.float32)


def slow(x, parameters, biases):
    """One window, one kernel, one tap at a time, in float64."""
    length, _, windows = x.shape
    rows, feature = [], 0
    for number, dilation in enumerate(parameters.dilations):
        for kernel, taps in enumerate(KERNELS):
            subset = parameters.subsets[number * len(KERNELS) + kernel]
            summed = x[:, list(subset), :].astype(float).sum(axis=1)
            output = np.zeros((length, windows))
            for tap in range(9):
                shift = (tap - 4) * dilation
                weight = 2.0 if tap in taps else -1.0
                for t in range(length):
                    if 0 <= t + shift < length:
                        output[t] += weight * summed[t + shift]
            cut = 4 * dilation if (number + kernel) % 2 else 0
            for _ in range(parameters.biases_per_kernel[number]):
                rows.append((output[cut : length - cut] > biases[feature]).mean(axis=0))
                feature += 1
    return np.asarray(rows)


@pytest.mark.parametrize(("length", "channels"), [(9, 1), (40, 3)])
def test_equals_slow_twin(xp_array, length, channels):
    x = signals(length, channels, windows=3)
    parameters, biases = drawn(length, channels, 250)
    found = to_numpy(proportion_positive(xp_array(x), parameters, xp_array(biases)))
    assert found.dtype == np.float32
    # float32 against float64: no output lies within rounding of a bias for this seed
    np.testing.assert_allclose(found, slow(x, parameters, biases), rtol=0, atol=1e-7)


@pytest.mark.slow  # the peer compiles its loops first
@pytest.mark.parametrize(("length", "channels"), [(200, 6), (131, 1)])
def test_equals_fitted_minirocket_of_a_peer(length, channels):
    collection = pytest.importorskip("aeon.transformations.collection.convolution_based")
    x = signals(length, channels)
    cases = np.ascontiguousarray(x.transpose(2, 1, 0))
    peer = collection.MiniRocket(n_kernels=1000, random_state=3).fit(cases)
    numbers, indices, dilations, counts, biases = peer.parameters
    cuts = np.split(indices, np.cumsum(numbers)[:-1])
    subsets = tuple(tuple(cut.tolist()) for cut in cuts)
    if channels == 1:
        subsets = ((0,),) * (len(KERNELS) * len(dilations))
    parameters = ConvolutionParameters(tuple(dilations.tolist()), tuple(counts.tolist()), subsets)
    assert (parameters.dilations, parameters.biases_per_kernel) == dilation_plan(length, 1000)
    difference = np.abs(proportion_positive(x, parameters, biases).T - peer.transform(cases))
    assert np.mean(difference < 1e-6) > 0.999
    assert difference.max() * length < 5.0  # the peer adds in another order


@given(split=st.integers(0, 12), seed=st.integers(0, 5))
def test_windows_do_not_see_each_other(split, seed):
    x = signals(30, 2, seed=seed)
    parameters, biases = drawn(30, 2, 84, seed)
    whole = proportion_positive(x, parameters, biases)
    parts = [proportion_positive(part, parameters, biases) for part in np.split(x, [split], axis=2)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)


@given(scale=st.sampled_from([0.25, 2.0, 64.0]))
def test_scale_of_signal_and_bias_cancel(scale):
    x = signals(30, 2)
    parameters, biases = drawn(30, 2, 84)
    scaled = proportion_positive(x * np.float32(scale), parameters, biases * np.float32(scale))
    np.testing.assert_array_equal(scaled, proportion_positive(x, parameters, biases))


@pytest.mark.parametrize("length", [1, 32, 255, 256, 511, 512, 4096, 70_000])
def test_counts_do_not_overflow(xp_array, length):
    ones = xp_array(np.ones((length, 1), np.float32))
    biases = xp_array(np.asarray([0.0, 1.0, -1.0], np.float32))
    shares = to_numpy(convolution._shares_above(ones, biases))
    assert shares.ravel().tolist() == [1.0, 0.0, 1.0]


def test_dilation_plan():
    assert dilation_plan(9, 84) == ((1,), (1,))
    assert dilation_plan(12_000, 84) == ((1,), (1,))
    dilations, counts = dilation_plan(512, 9996)
    assert sum(counts) == 119
    assert 8 * dilations[-1] < 512
    with pytest.raises(ValueError, match="need at least 9 and 84"):
        dilation_plan(8, 84)
    with pytest.raises(ValueError, match="need at least 9 and 84"):
        dilation_plan(9, 83)
