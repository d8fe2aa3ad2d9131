from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.exact import LARGEST, LIMBS, exact_product, fraction, limbs

CUT = Fraction(1, 2**128)
NUMBERS = st.floats(-(2.0**94), 2.0**94)
# With 53 bits, all bits of a number from 2**-75 on are above 2**-128.
WHOLE = st.one_of(st.just(0.0), st.floats(2.0**-75, 2.0**94), st.floats(-(2.0**94), -(2.0**-75)))


def test_limbs_are_the_number(xp_array):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 3)) * 2.0 ** rng.integers(-70, 90, (40, 3))
    x[0] = [0.0, -0.0, np.nextafter(LARGEST, 0.0)]
    found = to_numpy(limbs(xp_array(x)))
    assert found.shape == (40, 3, LIMBS)
    assert found.dtype == np.int64
    assert np.abs(found).max() < 2**32
    for cut, value in zip(found.reshape(-1, LIMBS), x.ravel(), strict=True):
        assert fraction(cut.tolist()) == Fraction(value)


@given(NUMBERS)
def test_what_is_cut_off_is_below_the_lowest_limb(value):
    left = Fraction(value) - fraction(limbs(np.asarray([value]))[0].tolist())
    assert abs(left) < CUT
    assert left == 0 or (left > 0) == (value > 0)


@given(st.lists(WHOLE, max_size=30))
def test_sums_are_those_of_fractions(values):
    sums = limbs(np.asarray(values, dtype=np.float64).reshape(-1)).sum(axis=0)
    assert fraction(sums.tolist()) == sum(map(Fraction, values), Fraction(0))


def test_a_product_and_its_rest_are_the_product(xp_array):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 500)) * 10.0 ** rng.integers(-60, 60, (2, 500))
    x[:2] = 0.0
    product, rest = (to_numpy(part) for part in exact_product(xp_array(x), xp_array(y)))
    np.testing.assert_array_equal(product, x * y)
    assert np.count_nonzero(rest) > 400
    for a, b, p, r in zip(x, y, product, rest, strict=True):
        assert Fraction(a) * Fraction(b) == Fraction(p) + Fraction(r)
