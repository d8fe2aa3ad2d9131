"""Kernels with second bodies that fuse their loops: one launch on a device, compiled on a CPU.

Each file has the functions of the same name in `lumipipe.kernels`, where their array-API bodies
are, and chooses: the CUDA and HIP source beside it for CuPy arrays, loops compiled by numba
(``NAME_cpu.py``) for NumPy arrays where the extra ``fast`` is installed, the array-API body for all
else. All give the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


def source(name: str) -> str:
    """Text of the CUDA and HIP source ``name.cu``."""
    return files(__name__).joinpath(f"{name}.cu").read_text(encoding="utf-8")


@lru_cache(maxsize=16)
def compiled(
    cupy: ModuleType, name: str, function: str, options: tuple[str, ...]
) -> Callable[..., Any]:
    """A function of a source, compiled when it is first launched on a device.

    Parameters
    ----------
    cupy : ModuleType
        CuPy's namespace.
    name : str
        Of the source, without its ending.
    function : str
        What is launched.
    options : tuple of str
        For NVRTC and hipRTC alike.

    Returns
    -------
    callable
        CuPy's ``RawKernel``, called with grid, block and arguments.
    """
    kernel: Callable[..., Any] = cupy.RawKernel(source(name), function, options)
    return kernel
