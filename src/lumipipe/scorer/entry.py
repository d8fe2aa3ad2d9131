"""Score rows with this bundle: ``python score.py rows.csv``; needs NumPy 2 or newer alone.

As a module: ``from score import load``, then ``load().score(columns, units).columns``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

HERE = Path(__file__).resolve().parent
SUMS, PARTS = "SHA256SUMS", "parts"


class DamagedError(RuntimeError):
    """A file of the bundle is missing or is not the one that was bundled."""


def check(folder: Path = HERE) -> str:
    """Compare each file with its digest; nothing else of the bundle is read or run before.

    Parameters
    ----------
    folder : Path
        The bundle.

    Returns
    -------
    str
        The digest of the list of digests, which names the bundle.

    Raises
    ------
    DamagedError
        If a file is missing, was changed, or was put among the parts.
    """
    sums = (folder / SUMS).read_bytes()
    lines = [line.split("  ", 1) for line in sums.decode().splitlines()]
    listed = {name: digest for digest, name in lines}
    there = {path.relative_to(folder).as_posix() for path in (folder / PARTS).rglob("*.py")}
    for name in sorted(there - set(listed)):
        raise DamagedError(f"{name}: is no part of this bundle; get the bundle again")
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            raise DamagedError(f"{name}: is missing; get the bundle again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise DamagedError(f"{name}: was changed or damaged; get the bundle again")
    return hashlib.sha256(sums).hexdigest()


def load(today: date | None = None) -> Any:
    """The bundle, checked; `today` is the day in UTC where that is not this machine's."""
    return _scorer(check()).Bundle.load(HERE, today)


def _scorer(digest: str) -> Any:
    """The package that scores, under a name of its own: a program may use several bundles."""
    name = f"lumipipe_bundle_{digest[:16]}"
    if name not in sys.modules:
        folder = HERE / PARTS
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return importlib.import_module(f"{name}.scorer")


def _check_numpy() -> None:
    """Refuse NumPy before version 2, which is no array namespace of the standard."""
    import numpy as np  # noqa: PLC0415  # that it is missing is told in one line

    if int(np.__version__.split(".")[0]) < 2:  # noqa: PLR2004
        raise ImportError(f"NumPy {np.__version__} is too old; install NumPy 2 or newer")


def _main() -> int:
    """Score the rows of a file; the exit code is 2 where the bundle or this Python does not fit."""
    try:
        _check_numpy()
        scorer = _scorer(check())
    except (DamagedError, ImportError, OSError) as error:
        print(f"score.py: {error}", file=sys.stderr)
        return 2
    code: int = importlib.import_module(f"{scorer.__name__}.table").main(sys.argv[1:], load)
    return code


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(_main())
