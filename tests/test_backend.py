"""The door to CuPy, with a pretended device; what a real one does is marked ``gpu``."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from lumipipe.backend import Backend, _Transfer, choose_backend


class Cupy:
    """As much of CuPy as a transfer takes; notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.pinned: list[bytearray] = []
        self.cuda = SimpleNamespace(
            runtime=SimpleNamespace(getDevice=lambda: 1),
            Device=self.device,
            Stream=self.Stream(self),
            alloc_pinned_memory=self.alloc,
        )

    class Stream:
        """The class of streams, and a stream."""

        def __init__(self, cupy: Cupy) -> None:
            self.cupy = cupy
            self.null = SimpleNamespace(record=lambda: cupy.told.append("record"))

        def __call__(self, *, non_blocking: bool) -> Any:
            assert non_blocking
            return SimpleNamespace(
                wait_event=lambda _: self.cupy.told.append("wait"),
                synchronize=lambda: self.cupy.told.append("synchronize"),
            )

    def device(self, index: int) -> Any:
        self.told.append(f"device {index}")
        return nullcontext()

    def alloc(self, nbytes: int) -> bytearray:
        self.pinned.append(bytearray(nbytes))
        return self.pinned[-1]

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        self.told.append("empty")
        array = np.empty(shape, dtype)

        def copy(host: np.ndarray, stream: object) -> None:
            assert stream is not None
            assert not host.size or any(
                np.shares_memory(host, np.frombuffer(p, np.uint8)) for p in self.pinned
            )
            self.told.append("set")
            array[...] = host

        return SimpleNamespace(array=array, set=copy)


def test_a_transfer_waits_for_who_had_the_memory_before_and_ends_before_it_returns() -> None:
    cupy = Cupy()
    transfer = _Transfer(cupy)  # type: ignore[arg-type]
    for rows in (0, 5, 3, 7):  # memory that is long enough is used again
        x = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
        np.testing.assert_array_equal(transfer(x).array, x)
    assert cupy.told == ["device 1", "empty", "record", "wait", "set", "synchronize"] * 4
    assert [len(p) for p in cupy.pinned] == [1, 40, 56]


def test_the_host_needs_no_transfer() -> None:
    backend, x = choose_backend("numpy"), np.ones(3)
    assert backend.load(x) is x
    backend.free()


@pytest.mark.gpu
def test_a_device_gets_what_is_loaded_while_it_computes() -> None:
    backend = choose_backend("cupy")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((20_000, 64), dtype=np.float32) for _ in range(8)]
    sums = []
    for x in arrays:
        there = backend.load(x)
        for _ in range(20):  # keeps the default stream busy with memory that is free by then
            busy = there @ backend.xp.permute_dims(there[:64, :], (1, 0))
        sums.append(backend.xp.sum(there, dtype=backend.xp.float64))
        del there, busy
    backend.free()
    for x, total in zip(arrays, sums, strict=True):
        np.testing.assert_allclose(backend.to_host(total), x.sum(dtype=float), rtol=1e-9)


def test_only_a_device_has_room_of_its_own() -> None:
    runtime = SimpleNamespace(memGetInfo=lambda: (3, 5))
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))
    with patch.dict("sys.modules", cupy=cupy):
        assert Backend("cupy", np, "card").room() == 3
    assert choose_backend("numpy").room() is None
