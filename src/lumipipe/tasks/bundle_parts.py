"""The modules that a bundle carries: `lumipipe.scorer` with all that it imports, and nothing else.

They are copied as they are; only their imports are made relative, so that a bundle may lie beside
another one, or beside an installed lumipipe. Libraries are replaced by their stand-ins.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import lumipipe

_ROOTS = ("lumipipe.scorer", "lumipipe.scorer.table")
_STANDINS = ("array_api_compat", "pydantic")
# Settings are made of Pydantic; the fused loops are the plain ones with numba, to the same bytes.
_OTHERS = {
    "lumipipe.config": "lumipipe.scorer.standins.config",
    "lumipipe.kernels.fused.convolution": "lumipipe.kernels.convolution",
    **{name: f"lumipipe.scorer.standins.{name}" for name in _STANDINS},
}
_FREE = {*sys.stdlib_module_names, "numpy"}
_PACKAGE = '"""What this bundle computes with: modules of lumipipe, imports made relative."""\n'


def parts() -> dict[str, str]:
    """Path of each module of a bundle to its text.

    Returns
    -------
    dict of str to str
        In the order of paths.

    Raises
    ------
    RuntimeError
        If a module imports what a bundle does not have.
    """
    found, waiting = {"__init__.py": _PACKAGE}, list(_ROOTS)
    done: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in done or name == "lumipipe":
            continue
        done.add(name)
        path = _path(name)
        text, needed = _rewritten(name, path)
        found[_relative(path)] = text
        waiting += [*needed, name.rpartition(".")[0]]
    return dict(sorted(found.items()))


def _path(module: str) -> Path:
    """The file of a module."""
    base = Path(lumipipe.__file__).parent.joinpath(*module.split(".")[1:])
    file = base.with_suffix(".py")
    return file if file.is_file() else base / "__init__.py"


def _relative(path: Path) -> str:
    """Where a file of the package lies among the parts of a bundle."""
    return path.relative_to(Path(lumipipe.__file__).parent).as_posix()


def _rewritten(module: str, path: Path) -> tuple[str, list[str]]:
    """The text of a module with relative imports, and the modules that it needs."""
    text = path.read_text(encoding="utf-8")
    lines, needed = text.splitlines(keepends=True), []
    depth = len(module.split(".")) - (path.name != "__init__.py")
    for node in _imports(ast.parse(text)):
        if isinstance(node, ast.Import):
            _refuse_others(module, [alias.name for alias in node.names])
            continue
        origin = str(node.module)
        if origin.partition(".")[0] in _FREE or origin == "__future__":
            continue
        names = [alias.name for alias in node.names]
        if origin == "lumipipe":  # a module of the package itself, such as its settings
            targets = [_OTHERS.get(f"lumipipe.{name}", f"lumipipe.{name}") for name in names]
            (packages,) = {target.rpartition(".")[0] for target in targets}
            needed += targets
            target = packages
        else:
            target = _OTHERS.get(origin, origin)
            _refuse_others(module, [target])
            needed += [target, *(f"{target}.{n}" for n in names if _is_module(f"{target}.{n}"))]
        head = "." * depth + target.removeprefix("lumipipe").removeprefix(".")
        number = node.lineno - 1
        lines[number] = lines[number].replace(f"from {origin} import", f"from {head} import", 1)
    return "".join(lines), needed


def _imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """What a module imports when it runs, wherever that stands."""
    found: list[ast.Import | ast.ImportFrom] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        waiting += ast.iter_child_nodes(node)
    return found


def _is_module(name: str) -> bool:
    """Whether a module of this name is in the package."""
    return _path(name).is_file()


def _refuse_others(module: str, names: list[str]) -> None:
    """Stop at what a bundle does not have: that is a defect, found by the first bundle made."""
    for name in names:
        if name.partition(".")[0] not in {*_FREE, "lumipipe"}:
            raise RuntimeError(f"{module} imports {name}, which a bundle does not have")
