"""Doors that import-linter cannot watch: imports by name, and what kernels may not import."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "lumipipe"
DOORS = {"cupy": {"backend.py"}, "mpi4py": {"comm/mpi.py"}}
PURE = ("kernels/", "features/", "models/", "metrics/", "fold.py")


def _imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, also by a literal name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(name), level=0):
                names.add(name)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if ast.unparse(
                function
            ).endswith(("import_module", "__import__")):
                names.add(name)
    return {name.partition(".")[0] for name in names}


MODULES = {path.relative_to(SOURCE).as_posix(): _imported(path) for path in SOURCE.rglob("*.py")}


@pytest.mark.parametrize("package", DOORS)
def test_one_door(package: str) -> None:
    assert {name for name, imported in MODULES.items() if package in imported} == DOORS[package]


def test_what_computes_takes_its_array_library_from_its_arguments() -> None:
    impure = {
        name: found
        for name, imported in MODULES.items()
        if name.startswith(PURE) and (found := imported & {"cupy", "numpy", "scipy"})
    }
    assert impure == {}
