from __future__ import annotations

import numpy as np
import pytest

from conftest import to_numpy
from lumipipe.kernels.rows import centred, minus_row, sum_rows


@pytest.mark.parametrize(
    "shape", [(0, 3), (1, 1), (7, 3), (64, 5), (48, 700), (3, 2000), (4096, 1)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_plain_arithmetic(xp_array, shape, dtype):
    rng = np.random.default_rng(1)
    x, row = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[1]).astype(dtype)
    less = to_numpy(minus_row(xp_array(x), xp_array(row)))
    assert less.dtype == dtype
    np.testing.assert_array_equal(less, x - row)
    total = to_numpy(sum_rows(xp_array(x)))
    assert total.dtype == np.float64
    bound = shape[0] * np.finfo(dtype).eps * np.sum(np.abs(x), axis=0, dtype=float)
    assert np.all(np.abs(total - np.sum(x, axis=0, dtype=float)) <= bound)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_centred_rows(xp_array, dtype):
    x = np.asarray([[1.0, 5.0], [0.0, 6.0], [-1.0, np.nan]], dtype=dtype)
    found = to_numpy(centred(xp_array(x), [1.0, 5.0], [True, False]))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, [[-1.0, 0.0], [np.nan, 1.0], [np.nan, np.nan]])
    plain = to_numpy(centred(xp_array(x), [1.0, 5.0], [False, False]))
    np.testing.assert_array_equal(plain, x - np.asarray([1.0, 5.0], dtype=dtype))
