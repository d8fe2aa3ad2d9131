from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from conftest import to_numpy
from kernels.fused.on_cpu import COMPILER, LaunchError, OnCpu
from lumipipe.backend import choose_backend
from lumipipe.kernels import convolution
from lumipipe.kernels.convolution import KERNELS, ConvolutionParameters
from lumipipe.kernels.fused import convolution as fused
from lumipipe.kernels.fused import source

# Each is a defect that a device would meet now and then; the comparison must always see it.
PLANTED = {
    "one sample too many": ("time < length - item.cut", "time <= length - item.cut"),
    "first sample as padding": ("0 <= time &&", "0 < time &&"),
    "last row left out": ("row < length + 2 * reach", "row < length + 2 * reach - 1"),
    "one tap too few": ("tap < TAPS", "tap < TAPS - 1"),
    "another order of additions": ("time + tap * dilation", "time + (TAPS - tap) * dilation"),
    "one thread too few": ("lane < TEAM", "lane < TEAM - 1"),
    "one bias too many": ("bias < round[slot].biases", "bias <= round[slot].biases"),
    "one round too few": ("first < group.items;", "first < group.items - 1;"),
    "at, not above": ("output > bias[i]", "output >= bias[i]"),
    "no barrier after the sums": ("__syncthreads();\n\n", "\n"),
    "no barrier before the shares": ("__syncthreads();\n        if", "if"),
    "no barrier after the shares": ("__syncthreads();\n    }", "}"),
    "a barrier that not all meet": ("if (team < filled)", "if (team >= filled) return;"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C++ compiler here: g++ or clang++")
    return tmp_path_factory.mktemp("fused")


def random_parameters(rng, length, channels):
    most = (length - 1) // 8
    dilations = {int(d) for d in rng.integers(1, most + 1, rng.integers(1, 4))}
    if rng.random() < 0.3:
        dilations.add(most)  # where length is 8 times it plus 1, one whole overlap is left
    counts = tuple(rng.integers(1, 11, len(dilations)).tolist())
    subsets = tuple(
        tuple(rng.permutation(channels)[: rng.integers(1, channels + 1)].tolist())
        for _ in range(len(KERNELS) * len(dilations))
    )
    return ConvolutionParameters(tuple(sorted(dilations)), counts, subsets)


def random_outputs(rng, x, parameters):
    """An output for each feature, as its bias: any other rounding of it is seen at once."""
    found = np.empty(parameters.features, x.dtype)

    def pick(output, features):
        found[features] = rng.choice(output.ravel(), len(features))
        return np.zeros((len(features), x.shape[2]))

    with mock.patch.object(convolution, "_shares_above", pick):
        array_body(x, parameters, np.arange(parameters.features))
    return found


def random_case(rng):
    """Windows, parameters and biases: ties, NaN, infinities, huge values; 9 to 299 samples."""
    length = int(
        rng.choice([rng.integers(9, 40), rng.integers(40, 300), 8 * rng.integers(1, 9) + 1])
    )
    channels, windows = (int(n) for n in rng.integers(1, 4, 2))
    parameters = random_parameters(rng, length, channels)
    x = rng.standard_normal((length, channels, windows))
    biases = rng.standard_normal(parameters.features)
    if rng.random() < 0.4:  # whole numbers tie
        x, biases = np.round(2 * x), np.round(3 * biases)
    if rng.random() < 0.3:
        odd = rng.choice([np.nan, np.inf, -np.inf, 3e38, -0.0], x.shape)
        x = np.where(rng.random(x.shape) < 0.02, odd, x)
    x = x.astype(np.float32 if rng.random() < 0.8 else np.float64)
    if rng.random() < 0.4:
        biases = random_outputs(rng, x, parameters)
    return x, parameters, biases.astype(x.dtype)


def array_body(x, parameters, biases):
    with np.errstate(all="ignore"):
        return convolution.proportion_positive(x, parameters, biases)


def first_difference(cupy, threads, cases, seed):
    """Number of the first random case whose bytes differ, or None."""
    rng = np.random.default_rng(seed)
    for number in range(cases):
        x, parameters, biases = random_case(rng)
        found = fused._launched(cupy, x, parameters, biases, threads)
        expected = array_body(x, parameters, biases)
        if (found.dtype, found.tobytes()) != (expected.dtype, expected.tobytes()):
            return number
    return None


@pytest.mark.parametrize("cases", [pytest.param(60), pytest.param(1000, marks=[pytest.mark.slow])])
@pytest.mark.parametrize("threads", [64, 128, 256])
def test_same_bytes_as_array_body(folder, threads, cases):
    assert first_difference(OnCpu(folder), threads, cases, seed=(threads, cases)) is None


@pytest.mark.slow  # the compiler runs a second for each
@pytest.mark.parametrize("name", PLANTED)
def test_planted_defect_is_found(folder, name):
    right, wrong = PLANTED[name]
    assert source("convolution").count(right) == 1
    planted = OnCpu(folder, lambda text: text.replace(right, wrong))
    try:
        found = first_difference(planted, 128, 60, seed=0)
    except LaunchError:
        return
    assert found is not None


@pytest.mark.parametrize("cases", [pytest.param(60), pytest.param(1000, marks=[pytest.mark.slow])])
def test_compiled_loops_give_the_same_bytes(cases):
    loops = pytest.importorskip("lumipipe.kernels.fused.convolution_cpu", exc_type=ImportError)
    rng = np.random.default_rng(cases)
    for number in range(cases):
        x, parameters, biases = random_case(rng)
        expected = array_body(x, parameters, biases)
        found = loops.proportion_positive(x, parameters, biases)
        assert (found.dtype, found.shape) == (np.float32, expected.shape)
        assert found.tobytes() == expected.tobytes(), number


def test_compiled_loops_are_taken_for_numpy(monkeypatch):
    loops = pytest.importorskip("lumipipe.kernels.fused.convolution_cpu", exc_type=ImportError)
    x, parameters, biases = random_case(np.random.default_rng(5))
    x.flags.writeable = biases.flags.writeable = False
    expected = array_body(x, parameters, biases)
    monkeypatch.setattr(convolution, "proportion_positive", lambda *_: pytest.fail("array body"))
    np.testing.assert_array_equal(fused.proportion_positive(x, parameters, biases), expected)
    none = loops.proportion_positive(x[:, :, :0], parameters, biases)
    assert none.shape == (parameters.features, 0)


def test_launched_where_cupy_computes(folder, monkeypatch):
    monkeypatch.setattr(fused, "is_cupy_array", lambda _array: True)
    monkeypatch.setattr(fused, "array_namespace", lambda _array: OnCpu(folder))
    x, parameters, biases = random_case(np.random.default_rng(5))
    expected = array_body(x, parameters, biases)
    np.testing.assert_array_equal(fused.proportion_positive(x, parameters, biases), expected)
    none = fused.proportion_positive(x[:, :, :0], parameters, biases)
    assert none.shape == (parameters.features, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_longest_window_fits(folder, dtype):
    rng = np.random.default_rng(0)
    length = 3900 if dtype is np.float32 else 1950
    parameters = ConvolutionParameters(((length - 1) // 8,), (1,), ((0,),) * len(KERNELS))
    x = rng.standard_normal((length, 1, 1)).astype(dtype)
    biases = np.zeros(parameters.features, dtype)
    assert fused._shared_bytes(x, parameters, fused._THREADS) <= fused._MOST_SHARED
    found = fused._launched(OnCpu(folder), x, parameters, biases, fused._THREADS)
    assert found.tobytes() == array_body(x, parameters, biases).tobytes()


def test_longer_windows_are_left_to_the_array_body(monkeypatch):
    monkeypatch.setattr(fused, "is_cupy_array", lambda _array: True)
    monkeypatch.setattr(fused, "_launched", lambda *_arguments: pytest.fail("launched"))
    parameters = ConvolutionParameters((1,), (1,), ((0,),) * len(KERNELS))
    x = np.ones((7000, 1, 1), np.float32)
    biases = np.ones(parameters.features, np.float32)
    np.testing.assert_array_equal(
        fused.proportion_positive(x, parameters, biases), array_body(x, parameters, biases)
    )


def test_shared_memory_that_is_too_small_is_found(folder, monkeypatch):
    monkeypatch.setattr(fused, "_shared_bytes", lambda *_arguments: 1000)
    x, parameters, biases = random_case(np.random.default_rng(5))
    with pytest.raises(LaunchError, match="shared memory overrun"):
        fused._launched(OnCpu(folder), x, parameters, biases, 64)


@pytest.mark.gpu
@pytest.mark.parametrize("threads", [64, 128, 256])
def test_device_equals_its_array_body_and_the_host(threads):
    backend = choose_backend("cupy")
    rng = np.random.default_rng(threads)
    for _ in range(100):
        x, parameters, biases = random_case(rng)
        on_device = (backend.asarray(x), parameters, backend.asarray(biases))
        found = to_numpy(fused._launched(backend.xp, *on_device, threads))
        assert found.tobytes() == to_numpy(convolution.proportion_positive(*on_device)).tobytes()
        assert found.tobytes() == array_body(x, parameters, biases).tobytes()
        assert found.tobytes() == to_numpy(fused.proportion_positive(*on_device)).tobytes()
