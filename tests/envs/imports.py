"""Import every module of lumipipe, and say with which versions of what it stands on.

Not a test: ``tests/envs/run.sh`` starts it in a fresh interpreter.
"""

from __future__ import annotations

import importlib
import pkgutil
import platform
from importlib.metadata import version
from importlib.util import find_spec

PACKAGES = ("numpy", "scipy", "pandas", "xarray", "dask", "zarr", "pydantic", "snakemake")
# Their import starts something: the program, MPI.
LEFT_OUT = {"lumipipe.__main__", "lumipipe.comm.mpi"}
OPTIONAL = {"lumipipe.kernels.fused.convolution_cpu": "numba"}


def modules(package: str) -> list[str]:
    """The names of a package and of all modules below it, in order."""
    path = importlib.import_module(package).__path__
    return [package, *(found.name for found in pkgutil.walk_packages(path, f"{package}."))]


def main() -> None:
    """Import all of them and print one line."""
    absent = {name for name, needed in OPTIONAL.items() if find_spec(needed) is None}
    names = [name for name in modules("lumipipe") if name not in LEFT_OUT | absent]
    for name in names:
        importlib.import_module(name)
    stack = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    if absent:
        print(f"not imported, since an extra is not installed: {', '.join(sorted(absent))}")
    print(f"{len(names)} modules imported; Python {platform.python_version()}, {stack}")


if __name__ == "__main__":
    main()
