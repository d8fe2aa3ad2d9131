from __future__ import annotations

import numpy as np

from lumipipe.features.remembered import remembered


class Unhashable:
    __hash__ = None

    def __str__(self):
        return "device 3"


def test_computed_once_for_each_key_and_device():
    calls = []

    @remembered
    def compute(xp, where, size):
        calls.append((str(where), size))
        return xp.zeros(size)

    for _ in range(2):
        assert compute(np, Unhashable(), 3).shape == (3,)
        assert compute(np, "cpu", 3).shape == (3,)
        assert compute(np, "cpu", 4).shape == (4,)
    assert calls == [("device 3", 3), ("cpu", 3), ("cpu", 4)]


def test_only_the_last_are_kept():
    calls = []

    @remembered
    def compute(xp, where, size):
        calls.append(size)

    for size in [*range(9), 8, 0]:
        compute(np, "cpu", size)
    assert calls == [*range(9), 0]
