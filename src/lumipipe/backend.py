"""The one door to CuPy: which array library computes, and how arrays get there and back.

Kernels, features, models, metrics and the fold take their array namespace from their
arguments; only this module decides which one that is.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import array_api_compat.numpy
import numpy as np

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

Array: TypeAlias = Any  # any array-API array; the standard has no runtime type for it
State: TypeAlias = dict[str, Array]  # a reducer's state: named arrays


@dataclass(frozen=True)
class Backend:
    """An array library and the device that was chosen for this process.

    Parameters
    ----------
    name : str
        ``numpy`` or ``cupy``.
    xp : ModuleType
        Its namespace in the form of the array API standard: that of NumPy 1 and of CuPy 13 lacks
        some of it, such as ``device=`` where arrays are created.
    device : str
        What computes, in words, for the record of the run.
    transfer : callable, optional
        Copies a NumPy array to the device while that computes.
    """

    name: str
    xp: ModuleType
    device: str
    transfer: Callable[[np.ndarray], Array] | None = None

    def asarray(self, array: np.ndarray) -> Array:
        """`array` on the device of this backend, same shape and dtype."""
        return self.xp.asarray(array)

    def load(self, array: np.ndarray) -> Array:
        """As `asarray`, by a thread of its own, beside what others compute."""
        return self.asarray(array) if self.transfer is None else self.transfer(array)

    def room(self) -> int | None:
        """Bytes that the device has free; None where it shares the memory of the host."""
        if self.name != "cupy":
            return None
        free, _ = importlib.import_module("cupy").cuda.runtime.memGetInfo()
        return int(free)

    def free(self) -> None:
        """Give back memory of the device that is kept for arrays to come."""
        if self.name == "cupy":
            importlib.import_module("cupy").get_default_memory_pool().free_all_blocks()

    def to_host(self, array: Array) -> np.ndarray:
        """`array` as a NumPy array on the host."""
        if self.name == "cupy":
            return np.asarray(self.xp.asnumpy(array))  # sync: the host needs the values
        return np.asarray(array)

    def state_to_host(self, state: Mapping[str, Array]) -> dict[str, np.ndarray]:
        """Each array of a reducer's state as a NumPy array on the host."""
        return {name: self.to_host(array) for name, array in state.items()}

    def state_to_device(self, state: Mapping[str, np.ndarray]) -> State:
        """Each array of a reducer's state on the device."""
        return {name: self.asarray(array) for name, array in state.items()}


class _Transfer:
    """Copies to the current device that run beside what it computes.

    Parameters
    ----------
    cupy : ModuleType
        CuPy itself.
    """

    def __init__(self, cupy: ModuleType) -> None:
        self._cupy: Any = cupy
        self._index = int(cupy.cuda.runtime.getDevice())
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._pinned: Any = b""

    def __call__(self, array: np.ndarray) -> Array:
        """A copy of `array` on the device, there when this returns."""
        with self._cupy.cuda.Device(self._index):
            # The pool may give memory that what was started on the default stream still reads.
            there = self._cupy.empty(array.shape, array.dtype)
            self._stream.wait_event(self._cupy.cuda.Stream.null.record())
            there.set(self._copied(array), stream=self._stream)
            self._stream.synchronize()  # sync: others use it without asking
        return there

    def _copied(self, array: np.ndarray) -> np.ndarray:
        """A copy in page-locked memory, from which a device reads by itself; it is used again."""
        nbytes = max(1, array.nbytes)
        if memoryview(self._pinned).nbytes < nbytes:
            self._pinned = self._cupy.cuda.alloc_pinned_memory(nbytes)
        pinned = np.frombuffer(self._pinned, array.dtype, array.size).reshape(array.shape)
        pinned[...] = array
        return pinned


def choose_backend(name: str, local_rank: int = 0) -> Backend:
    """The backend called `name`, with its device selected.

    Parameters
    ----------
    name : {"auto", "numpy", "cupy"}
        ``auto`` takes CuPy where a device answers and NumPy elsewhere.
    local_rank : int
        Rank on this node; selects the device by remainder where several are visible.

    Returns
    -------
    Backend
        The array library and its device.

    Raises
    ------
    InputError
        If ``cupy`` was asked for and no device answers; there is no silent fallback.
    """
    if name == "numpy":
        return Backend("numpy", array_api_compat.numpy, "host")
    problem = _cupy_problem()
    if problem is None:
        return _cupy_backend(local_rank)
    if name == "auto":
        return Backend("numpy", array_api_compat.numpy, "host")
    raise InputError(
        "compute.backend", f"cupy was asked for, but {problem}", "ask for numpy or load a GPU"
    )


def _cupy_problem() -> str | None:
    """Why CuPy cannot compute here, or None when a device answers."""
    try:
        cupy = importlib.import_module("cupy")
        count = int(cupy.cuda.runtime.getDeviceCount())
    except ImportError as error:
        return f"it cannot be imported ({error})"
    except RuntimeError as error:  # CuPy's runtime errors derive from it
        return f"no device answers ({error})"
    return None if count else "no device is visible"


def _cupy_backend(local_rank: int) -> Backend:
    """CuPy on the device of this local rank."""
    cupy = importlib.import_module("cupy")
    # One visible device: the launcher has bound it. Several: this rank takes its own.
    index = local_rank % int(cupy.cuda.runtime.getDeviceCount())
    cupy.cuda.Device(index).use()
    properties = cupy.cuda.runtime.getDeviceProperties(index)
    xp = importlib.import_module("array_api_compat.cupy")
    return Backend("cupy", xp, properties["name"].decode(), _Transfer(cupy))
