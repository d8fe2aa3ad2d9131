"""A machine is a folder and nothing else: no code knows a site's or a partition's name."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from machines import MACHINES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py"))
WORKFLOW = sorted(
    path
    for path in (ROOT / "workflow").rglob("*")
    if path.is_file() and path.suffix not in {".pyc", ".yaml", ".md"}
)
SITE = re.compile("|".join(rf"{name}(?!pipe)" for name in MACHINES), re.IGNORECASE)
PARTITIONS = {name for machine in MACHINES.values() for name in machine.partitions}
# Ordinary words elsewhere (a test, a small file); a name where jobs are planned or watched.
WORDS = {name for name in PARTITIONS if name.isalpha()}
JOBS = re.compile(
    r"(machine|scheduler)/|tasks/(starting|launching|status|cancel|quote|smoke|bench)\.py"
)
# Texts, not logic: the border of the request's own form (`check_personal_data` reads it from the
# machine's facts), and where constants that were not measured come from.
KNOWN = {"config/request.py", "machine/measured.py"}


def told(text: str) -> Iterator[str]:
    """The strings of Python source that do something: no docstrings and no help of options."""
    tree = ast.parse(text)
    shown = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg == "help")
        for part in ast.walk(node.value)
        if isinstance(node, ast.keyword) or part is node.value
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in shown:
            yield node.value
        elif isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


def names_in(text: str, words: set[str]) -> set[str]:
    """Sites in strings and names of Python source, and strings that are one of `words`."""
    strings = list(told(text))
    return {found[0] for string in strings for found in [SITE.search(string)] if found} | {
        string for string in strings if string in words
    }


def test_no_site_and_no_partition_in_the_package() -> None:
    found = {}
    for path in SOURCES:
        name = path.relative_to(ROOT / "src" / "lumipipe").as_posix()
        words = PARTITIONS if JOBS.match(name) else PARTITIONS - WORDS
        if names := names_in(path.read_text("utf-8"), words):
            found[name] = names
    assert {name: names for name, names in found.items() if name not in KNOWN} == {}


@pytest.mark.parametrize("path", WORKFLOW, ids=lambda path: path.name)
def test_no_site_and_no_partition_in_the_workflow(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    assert SITE.findall(code) == []
    assert set(re.findall(r"""["']([\w-]+)["']""", code)) & PARTITIONS == set()
    assert re.findall(r"(?:-p|--partition)[ =]\w+", code) == []


@pytest.mark.parametrize(
    "text",
    [
        "if target.startswith('lumi-'): pass",
        "on_lumi = True",
        "x = f'{a} on LUMI'",
        "if partition == 'standard-g': pass",
        "table = {'roihu': 1}",
    ],
)
def test_such_code_is_found(text: str) -> None:
    assert names_in(text, PARTITIONS - WORDS)


@pytest.mark.parametrize(
    "text",
    [
        "import lumipipe",
        "'''On LUMI, for one.'''",
        "option('--target', help='such as lumi-small')",
        "kind = 'test'",
        "# LUMI counts threads\nx = 1",
    ],
)
def test_and_ordinary_code_is_not(text: str) -> None:
    assert not names_in(text, PARTITIONS - WORDS)
