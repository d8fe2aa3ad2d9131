"""CuPy's part in a launch, played by NumPy and by a source that a C++ compiler took (shim.cpp)."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import array_api_compat.numpy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SHIM = Path(__file__).with_name("shim.cpp")
COMPILER = next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)
OUTCOMES = ("right", "threads met different barriers", "shared memory overrun", "too large")
MARGIN = 1024  # elements around each array that nothing may read or write


class LaunchError(Exception):
    """A launch that a device might survive, but should not."""


@dataclass(frozen=True)
class OnCpu:
    """The parts of CuPy that a launch needs; libraries are built in `folder`, from edited text."""

    folder: Path
    edit: Callable[[str], str] = str

    def __getattr__(self, name: str) -> Any:
        return getattr(array_api_compat.numpy, name)

    def RawKernel(self, code: str, function: str, options: tuple[str, ...]):  # noqa: N802
        return CompiledKernel(self.folder, self.edit(code), function, options)


@dataclass(frozen=True)
class CompiledKernel:
    """A function of a source; called with grid, block and arguments."""

    folder: Path
    code: str
    function: str
    options: tuple[str, ...]

    @cached_property
    def launch(self):
        """The shim's function. The compiler may use FMA: results must not depend on it."""
        name = f"{self.function}-{hash((self.code, self.options)):x}"
        text, library = self.folder / f"{name}.cu", self.folder / f"{name}.so"
        text.write_text(self.code, encoding="utf-8")
        subprocess.run(
            [
                *(COMPILER, "-std=c++14", "-O2", "-march=native", "-ffp-contract=fast"),
                *("-U_FORTIFY_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC"),
                *(*self.options, f'-DSOURCE="{text}"', f"-DKERNEL={self.function}"),
                *("-o", library, SHIM),
            ],
            check=True,
        )
        return ctypes.CDLL(library).launch

    def __call__(self, grid, block, arguments, *, shared_mem=0):
        guarded = [_Guarded(a) if isinstance(a, np.ndarray) else None for a in arguments]
        values = [
            ctypes.c_longlong(a) if guard is None else ctypes.c_void_p(guard.address)
            for a, guard in zip(arguments, guarded, strict=True)
        ]
        pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))
        outcome = self.launch(grid[0], grid[1], block[0], shared_mem, pointers)
        if outcome:
            raise LaunchError(OUTCOMES[outcome])
        for guard in filter(None, guarded):
            guard.put_back()


class _Guarded:
    """A copy of an array between bytes of 255, which are NaN or -1."""

    def __init__(self, array: np.ndarray) -> None:
        assert array.flags.c_contiguous
        self.array = array
        self.edge = MARGIN * array.itemsize
        self.bytes = np.full(array.nbytes + 2 * self.edge, 255, np.uint8)
        self.inside = self.bytes[self.edge : self.edge + array.nbytes]
        self.inside[:] = np.frombuffer(array.tobytes(), np.uint8)
        self.address = self.inside.ctypes.data

    def put_back(self) -> None:
        """What was written, into the array; an error if it was beyond its ends."""
        before, after = self.bytes[: self.edge], self.bytes[self.edge + self.array.nbytes :]
        if not (before == 255).all() or not (after == 255).all():
            raise LaunchError("written beyond the ends of an array")
        if self.array.flags.writeable:
            self.array[...] = self.inside.view(self.array.dtype).reshape(self.array.shape)
