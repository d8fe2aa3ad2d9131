from __future__ import annotations

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from array_api_compat import numpy as xp
from scipy import stats

from conftest import to_numpy
from lumipipe.kernels import philox

# Known answers published with the Random123 library (Salmon et al. 2011).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (  # digits of pi
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(xp_array, counter, key, answer):
    assert philox.philox4x32(counter, key) == answer
    arrays = tuple(xp_array(np.full(3, word, np.uint64)) for word in counter)
    words = philox.philox4x32(arrays, key)
    for word, expected in zip(words, answer, strict=True):
        assert to_numpy(word).tolist() == [expected] * 3


def test_draw_depends_on_its_number_alone(xp_array):
    like = xp_array(np.zeros(1))
    xp, where = array_namespace(like), device(like)
    key = (7, 11)
    whole = to_numpy(philox.uniform(xp, where, key, (6, 4)))
    piece = to_numpy(philox.uniform(xp, where, key, (5,), offset=3))
    np.testing.assert_array_equal(whole.ravel()[3:8], piece)
    numbers = xp_array(np.asarray([23, 0]))
    np.testing.assert_array_equal(to_numpy(philox.uniform_at(numbers, key)), whole.ravel()[[23, 0]])
    assert philox.uniform_float(23, key) == whole.ravel()[23]
    normals = to_numpy(philox.normal(xp, where, key, (2, 3)))
    np.testing.assert_array_equal(to_numpy(philox.normal_at(numbers[1:], key)), normals.ravel()[:1])
    assert philox.uniform(xp, where, key, (0, 3)).shape == (0, 3)


def test_numbers_beyond_32_bit():
    number = 2**40 + 5
    drawn = philox.uniform_at(np.asarray([number]), (1, 2))[0]
    assert drawn == philox.uniform_float(number, (1, 2))
    assert drawn != philox.uniform_float(5, (1, 2))


def test_distributions():
    # Kolmogorov-Smirnov at 1e-4: the seed is fixed, so this is decided once.
    uniform = philox.uniform(xp, "cpu", (3, 4), (20_000,))
    normal = philox.normal(xp, "cpu", (3, 5), (20_000,))
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4
    assert stats.kstest(normal, "norm").pvalue > 1e-4
    assert uniform.min() >= 0.0
    assert uniform.max() < 1.0
    assert abs(np.corrcoef(uniform[:-1], uniform[1:])[0, 1]) < 4 / np.sqrt(20_000)


def test_keys_give_different_draws():
    draws = {
        philox.uniform_float(0, (seed, purpose)) for seed in range(20) for purpose in range(20)
    }
    assert len(draws) == 400
