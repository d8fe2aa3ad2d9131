from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.solve import eigh_descending, is_constant, positive_part, ridge_path

PENALTIES = np.asarray([0.1, 1.0, 100.0])


def products(seed=0, n=40, d=5, k=2):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, d)), rng.standard_normal((n, k))
    return x.T @ x, x.T @ y


def test_ridge_path_equals_separate_solutions(xp_array):
    cxx, cxy = products()
    path = to_numpy(ridge_path(xp_array(cxx), xp_array(cxy), xp_array(PENALTIES)))
    assert path.shape == (3, 5, 2)
    for penalty, coef in zip(PENALTIES, path, strict=True):
        expected = np.linalg.solve(cxx + penalty * np.eye(5), cxy)
        np.testing.assert_allclose(coef, expected, rtol=1e-11, atol=1e-14)  # condition < 1e2


def test_singular_without_penalty_is_least_norm(xp_array):
    cxx, cxy = products(n=3)
    path = to_numpy(ridge_path(xp_array(cxx), xp_array(cxy), xp_array(np.asarray([0.0]))))
    np.testing.assert_allclose(path[0], np.linalg.pinv(cxx, rcond=1e-12) @ cxy, rtol=1e-7)


def test_nothing_known_gives_no_coefficients():
    assert np.all(ridge_path(np.zeros((2, 2)), np.zeros((2, 1)), np.asarray([0.0, 1.0])) == 0.0)


@given(seed=st.integers(0, 20))
def test_coefficients_shrink_with_the_penalty(seed):
    cxx, cxy = products(seed)
    sizes = np.linalg.norm(ridge_path(cxx, cxy, np.asarray([0.0, 1.0, 10.0, 1e3])), axis=(1, 2))
    assert np.all(np.diff(sizes) < 0)


def test_eigh_descending(xp_array):
    matrix = products()[0]
    values, vectors = (to_numpy(part) for part in eigh_descending(xp_array(matrix)))
    assert np.all(np.diff(values) < 0)
    np.testing.assert_allclose(vectors * values @ vectors.T, matrix, atol=1e-12)
    largest = np.argmax(np.abs(vectors), axis=0)
    assert np.all(vectors[largest, np.arange(5)] > 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [14.62, 100.0, 1e6, 0.0, 1e-12])
def test_constants_are_constant(xp_array, dtype, value):
    x = np.full(1000, value, dtype).astype(float)
    variance = xp_array(np.asarray([x.var(), np.nan]))  # numpy leaves rounding in the variance
    mean = xp_array(np.asarray([x.mean(), value]))
    assert to_numpy(is_constant(variance, mean, xp_array(np.asarray(1000)))).all()


def test_small_but_real_spread_is_not_constant():
    sd = np.asarray([1e-6, 1e-9, 5e-14])
    mean = np.asarray([1e5, 1.0, 1.0])
    count = np.asarray([10**9, 100, 100])
    assert not is_constant(sd**2, mean, count).any()


def test_positive_part_keeps_the_diagonal(xp_array):
    """Merged pairs can say what no rows can: these three cannot all be so correlated."""
    impossible = np.asarray([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    assert np.linalg.eigvalsh(impossible).min() < -0.5
    found = to_numpy(positive_part(xp_array(impossible)))
    assert np.linalg.eigvalsh(found).min() > -1e-14
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-14)
    possible = products()[0]
    np.testing.assert_allclose(to_numpy(positive_part(xp_array(possible))), possible, rtol=1e-12)


def test_positive_part_of_a_constant_channel_is_zero(xp_array):
    matrix = np.diag([1.0, 0.0])
    np.testing.assert_array_equal(to_numpy(positive_part(xp_array(matrix))), matrix)
