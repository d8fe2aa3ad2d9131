from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conftest import to_numpy
from lumipipe.kernels.affine import affine_scan


def twin(a, b, start):
    states = []
    for slope, offset in zip(a, b, strict=True):
        start = slope * start + offset
        states.append(start)
    return np.array(states)


@given(steps=st.integers(0, 70), start=st.floats(-5, 5))
def test_equals_one_step_after_another(steps, start):
    """Slopes at most 1, so an error made does not grow; at most 70 steps of terms below 3."""
    rng = np.random.default_rng(steps)
    a, b = rng.uniform(0, 1, steps), rng.normal(size=steps)
    slope, offset = affine_scan(a, b)
    np.testing.assert_allclose(
        slope * start + offset, twin(a, b, start), rtol=0, atol=70 * 70 * 3 * 2.3e-16
    )


def test_every_array_library_and_batches(xp_array):
    rng = np.random.default_rng(4)
    a, b = rng.uniform(0, 1, (2, 3, 17)), rng.normal(size=(2, 3, 17))
    slope, offset = (to_numpy(part) for part in affine_scan(xp_array(a), xp_array(b)))
    for at in np.ndindex(2, 3):
        np.testing.assert_allclose(slope[at] + offset[at], twin(a[at], b[at], 1.0), rtol=1e-12)
