"""Which functions of an array library are used, and that CuPy on ROCm has all of them.

``python tests/test_array_functions.py > tests/array_functions.txt`` renews the list.
"""

from __future__ import annotations

import ast
from operator import attrgetter
from pathlib import Path

import array_api_strict

from tasks.strict_device import ON_HOST_ONLY

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_name("array_functions.txt")
COMPUTING = ("kernels", "features", "models", "metrics", "families", "uncertainty")
# Unsupported or with edge cases on ROCm: CuPy 14 docs/source/install.rst, "Limitations".
LACKING = {
    "broadcast",
    "convolve",
    "correlate",
    "einsum",
    "ix_",
    "linalg.eig",
    "linalg.eigvals",
    "linalg.lstsq",
    "scatter_add",
}


def used() -> set[str]:
    """Dotted names of all that code which computes takes from the namespace ``xp``."""
    found = set()
    for package in COMPUTING:
        for file in (ROOT / "src" / "lumipipe" / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                found |= _after_xp(node)
    return found - {name.rpartition(".")[0] for name in found} - {"__name__"}


def _after_xp(node: ast.AST) -> set[str]:
    """What follows ``xp.`` in an expression."""
    if not isinstance(node, ast.Attribute):
        return set()
    words = ast.unparse(node).split(".")
    if "xp" not in words or not all(word.isidentifier() for word in words):
        return set()
    return {".".join(words[words.index("xp") + 1 :])} - {""}


def test_the_list_is_that_of_the_code() -> None:
    assert LIST.read_text(encoding="utf-8").split() == sorted(used())


def test_each_function_is_one_of_the_standard() -> None:
    for name in used():
        assert attrgetter(name)(array_api_strict), name


def test_rocm_lacks_none() -> None:
    assert used() & LACKING == set()
    # These are for fits, which have the states on the host: tests/tasks/test_device.py.
    assert {name for name in used() if name.startswith("linalg.eig")} == {
        f"linalg.{name}" for name in ON_HOST_ONLY
    }


if __name__ == "__main__":
    print("\n".join(sorted(used())))
