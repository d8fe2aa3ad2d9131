from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.kernels.kinematics import fault_frequencies


def test_published_orders_of_a_bearing():
    # SKF 6205-2RS: 9 balls of 0.3126 in on 1.537 in; orders printed by the data's bearing centre.
    orders = fault_frequencies(9, 0.3126 / 1.537, 0.0, 1.0)
    printed = {"BPFI": 5.4152, "BPFO": 3.5848, "FTF": 0.39828, "2xBSF": 4.7135}
    for name, order in printed.items():
        assert orders[name] == pytest.approx(order, rel=2e-4), name


@given(
    elements=st.integers(3, 40),
    ratio=st.floats(0.05, 0.5),
    angle=st.floats(0.0, 45.0),
    speed=st.floats(0.1, 1e3),
)
def test_identities(elements, ratio, angle, speed):
    found = fault_frequencies(elements, ratio, angle, speed)
    assert found["BPFO"] + found["BPFI"] == pytest.approx(elements * speed)
    assert found["BPFO"] == pytest.approx(elements * found["FTF"])
    assert found["2xBSF"] == 2 * found["BSF"]
