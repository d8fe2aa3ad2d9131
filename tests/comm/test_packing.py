"""Named arrays as bytes and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lumipipe.comm import pack, unpack

ARRAYS = hnp.arrays(
    st.sampled_from(["<f8", "<f4", "<i8", "|u1", "|b1"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(st.dictionaries(st.text(max_size=8), ARRAYS, max_size=5))
def test_round_trip(arrays: dict[str, np.ndarray]) -> None:
    found = unpack(pack(arrays))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].tobytes() == array.tobytes()
        assert found[name].shape == array.shape


def test_cut_buffer_is_refused() -> None:
    with pytest.raises(ValueError, match="before array x"):
        unpack(pack({"x": np.arange(9.0)})[:-1])


def test_order_in_memory_does_not_matter() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert pack({"x": array}) == pack({"x": np.asfortranarray(array)})
