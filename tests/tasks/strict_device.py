"""A device that nothing leaves unseen: array-api-strict's second device, stricter still.

An array there becomes one of the host by `Backend.to_host` alone: ``np.asarray`` is refused by
array-api-strict, ``float()``, ``bool()``, ``int()`` and indices are here. On a GPU each of them
would work, and would wait for everything that was started before.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import array_api_strict
import numpy as np

from lumipipe.backend import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

DEVICE = array_api_strict.Device("device1")
ON_HOST_ONLY = ("eigh", "eigvalsh")
"""Listed as unsupported on ROCm (CuPy 14 docs/source/install.rst, Limitations)."""
_CREATORS = {"arange", "asarray", "empty", "eye", "full", "linspace", "ones", "zeros"}
_LEAKS = ("__float__", "__bool__", "__int__", "__complex__", "__index__", "__iter__")


class HiddenCopyError(AssertionError):
    """Somebody looked at an array of the device without saying so."""


class _Namespace:
    """array-api-strict where that device is the current one, as a GPU is for CuPy."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(array_api_strict, name)
        if name not in _CREATORS:
            return function

        def create(*args: Any, device: Any = None, **kwargs: Any) -> Any:
            return function(*args, device=device or DEVICE, **kwargs)

        return create


class StrictDevice(Backend):
    """A backend whose arrays are on that device."""

    def __init__(self) -> None:
        super().__init__("strict", cast("ModuleType", _Namespace()), str(DEVICE))

    def asarray(self, array: np.ndarray) -> Any:
        """A copy of `array` there."""
        return array_api_strict.asarray(np.array(array), device=DEVICE)

    def to_host(self, array: Any) -> np.ndarray:
        """A copy of `array` here."""
        return np.array(array._array if hasattr(array, "_array") else array)


@contextmanager
def no_hidden_copies() -> Iterator[None]:
    """Within the block, whoever takes a value off the device but by `to_host` fails."""
    kind = type(array_api_strict.asarray(0.0))

    def watched(name: str) -> Any:
        of_host = getattr(kind, name)

        def leak(array: Any, *rest: Any) -> Any:
            if array.device == DEVICE:
                raise HiddenCopyError(f"{name} of an array on {DEVICE}")
            return of_host(array, *rest)

        return leak

    def refused(*_: Any, **__: Any) -> Any:
        raise HiddenCopyError("ROCm has no eigenvalue solver to be trusted; fit on the host")

    leaks = {name: watched(name) for name in _LEAKS if hasattr(kind, name)}
    solvers = dict.fromkeys(ON_HOST_ONLY, refused)
    with patch.multiple(kind, **leaks), patch.multiple(array_api_strict.linalg, **solvers):
        yield
