"""Whether a device computes what the host computes: the first thing that a job on a GPU tries.

A package that was built for another ROCm or another chip fails at its import, at the first
kernel, or in one library only; each is tried by itself, so that the failure has a name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lumipipe.errors import DeviceError
from lumipipe.timing import versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array, Backend

    Part = tuple[str, Callable[[Any, Array], Array], float]

_LENGTH = 1024  # of the vector; the matrix has its square root


# Relative error, in the 2-norm, of an FFT of length n in float64 (Higham, Accuracy and Stability
# of Numerical Algorithms, 2002, Theorem 24.2): log2(n) (mu + gamma_4 (sqrt(2) + mu)), with
# twiddle factors right to mu = u; two such transforms are compared.
_UNIT = 2.0**-53
_FFT_BOUND: Final = 2 * math.log2(_LENGTH) * _UNIT * (1 + 4 * (math.sqrt(2) + 1))


def _product(xp: Any, x: Array) -> Array:
    """A square matrix times its transpose."""
    matrix = xp.reshape(x, (math.isqrt(_LENGTH), -1))
    return xp.matmul(matrix, matrix.T)


# What is tried with the whole numbers -8 ... 8: all but the FFT is exact in any order of sums.
_PARTS: tuple[Part, ...] = (
    ("elementwise", lambda xp, x: xp.multiply(x, x), 0.0),
    ("reduction", lambda xp, x: xp.sum(x), 0.0),
    ("FFT", lambda xp, x: xp.fft.rfft(x), _FFT_BOUND),
    ("matrix product", _product, 0.0),
)


def check_device(backend: Backend) -> list[str]:
    """What was tried on the device of a backend, each right.

    Parameters
    ----------
    backend : Backend
        Array library and device.

    Returns
    -------
    list of str
        Names of the parts.

    Raises
    ------
    DeviceError
        Naming the part that failed, and device, architecture and versions; load the packages
        that were built for this device.
    """
    x = np.asarray(np.arange(_LENGTH) % 17 - 8, dtype=np.float64)
    for name, compute, bound in _PARTS:
        try:
            found = backend.to_host(compute(backend.xp, backend.asarray(x)))
        except Exception as error:
            raise DeviceError(f"{name}: {error!r} ({_told(backend)})") from error
        expected = np.asarray(compute(np, x))
        allowed = bound * np.linalg.norm(expected)
        # Written so that a result with NaN fails as well.
        if found.shape != expected.shape or not np.linalg.norm(found - expected) <= allowed:
            raise DeviceError(f"{name}: other numbers than on the host ({_told(backend)})")
    return [name for name, _, _ in _PARTS]


def device_facts(backend: Backend) -> dict[str, Any]:
    """What a process sees of its device: bus id, architecture, number visible, ROCm or CUDA.

    Parameters
    ----------
    backend : Backend
        CuPy on a chosen device.

    Returns
    -------
    dict
        `bus`, `name`, `architecture`, `visible`, `runtime`.
    """
    runtime = backend.xp.cuda.runtime
    index = int(runtime.getDevice())
    properties = runtime.getDeviceProperties(index)
    architecture = (
        properties["gcnArchName"].decode()  # such as gfx90a:sramecc+:xnack-
        if runtime.is_hip
        else f"sm_{properties['major']}{properties['minor']}"
    )
    return {
        "bus": str(runtime.deviceGetPCIBusId(index)),
        "name": backend.device,
        "architecture": architecture,
        "visible": int(runtime.getDeviceCount()),
        "runtime": f"{'ROCm' if runtime.is_hip else 'CUDA'} {runtime.runtimeGetVersion()}",
    }


def _told(backend: Backend) -> str:
    """Device and versions, as far as they can be had: what a mismatch is read from."""
    try:
        facts = device_facts(backend)
        device = f"{facts['name']}, {facts['architecture']}, {facts['runtime']}"
    except Exception as error:  # noqa: BLE001  # the device may be what is broken
        device = f"{backend.device}, more unknown: {error!r}"
    return f"{device}, CuPy {getattr(backend.xp, '__version__', 'unknown')}, {_python()}"


def _python() -> str:
    """Versions of Python and NumPy."""
    found = versions()
    return f"Python {found['python']}, NumPy {found.get('numpy', 'unknown')}"
