"""A stand-in for CuPy on a device: NumPy's arrays, a device's facts, and what may break."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np

from lumipipe.backend import Backend


class FakeCupy:
    """NumPy under CuPy's name; keyword arguments replace functions, such as ``fft=BROKEN``."""

    __version__ = "14.2.0"

    def __init__(self, bus: str = "0000:c1:00.0", visible: int = 1, **replaced: Any) -> None:
        self.calls: list[str] = []
        self._replaced = replaced
        runtime = SimpleNamespace(
            is_hip=True,
            getDevice=lambda: 0,
            getDeviceCount=lambda: visible,
            deviceGetPCIBusId=lambda _index: bus,
            getDeviceProperties=lambda _index: {"gcnArchName": b"gfx90a:sramecc+:xnack-"},
            runtimeGetVersion=lambda: 70051831,
        )
        stream = SimpleNamespace(synchronize=lambda: self.calls.append("synchronize"))
        self.cuda = SimpleNamespace(runtime=runtime, get_current_stream=lambda: stream)

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(np, name)

    @staticmethod
    def asnumpy(array: Any) -> np.ndarray:
        """The array itself."""
        return np.asarray(array)


def broken(*_: Any, **__: Any) -> Any:
    """Fail as a library that was built for another chip does."""
    raise RuntimeError("HIPFFT_INTERNAL_ERROR")


BROKEN = SimpleNamespace(rfft=broken)


def fake_backend(**replaced: Any) -> Backend:
    """The backend of a process whose device is pretended."""
    return Backend("cupy", FakeCupy(**replaced), "AMD Instinct MI250X")


def fake_choice(**replaced: Any) -> Any:
    """A stand-in for `choose_backend` that gives each caller a device of its own."""
    numbers = itertools.count()

    def choose(name: str, _local_rank: int = 0) -> Backend:
        assert name == "cupy"
        return fake_backend(**{"bus": f"0000:{next(numbers):02x}:00.0", **replaced})

    return choose
