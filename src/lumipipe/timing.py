"""Seconds of a stage and of its parts, and the versions that computed it: for the record only."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDED = ("lumipipe", "numpy", "scipy", "zarr", "xarray", "dask", "cupy", "mpi4py", "mpich")


@dataclass
class Timer:
    """Seconds spent in named parts of a stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add the seconds of the block to the part called `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def rounded(self) -> dict[str, float]:
        """Seconds of each part, to a millisecond."""
        return {name: round(value, 3) for name, value in self.seconds.items()}


def versions() -> dict[str, str]:
    """Versions of the interpreter and of the packages that compute, as they are installed."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
