"""The files that a request reads, and where each goes in a copy that holds together.

A copy is a folder with the request and, below it, all that it names. What lies below the
request's folder keeps its place; what does not (an absolute path, a package, a path upwards) is
put below ``given/``, and the request is told by `Layout.rewrites`. Where a source lies is no
part of any digest, nor where a certificate lies, so products of a copy have the same names; where
a file of labels or a table of limits lies is, so there the name differs and the content does not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from glob import has_magic
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.pool.policy import READY
from lumipipe.readers import PUBLISHED, READERS
from lumipipe.readers.certificatefiles import certificate_files
from lumipipe.readers.files import find_files, glob_root
from lumipipe.readers.labelfiles import label_files
from lumipipe.rules.tables import shipped_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Source
    from lumipipe.tasks.request import Loaded

GIVEN = "given"
"""Folder, in a copy, of what did not lie below the request."""
PACKAGE = "package:"


@dataclass(frozen=True)
class InputFile:
    """One file that a request reads.

    Parameters
    ----------
    path : Path
        Where it lies.
    place : str
        Where it goes in a copy, from the folder of the request.
    of : str
        What reads it: the id of a source, or ``terms`` or ``rules``.
    package : str
        ``package:NAME/PATH`` where it comes with a package; else empty.
    """

    path: Path
    place: str
    of: str
    package: str = ""

    @property
    def is_data(self) -> bool:
        """Whether it holds data, not what is said about them."""
        return self.of not in {"terms", "rules"}


@dataclass
class Layout:
    """All files of a request, and what a copy of the request must say otherwise.

    Parameters
    ----------
    files : list of InputFile
        Each place once.
    rewrites : list
        Path of a key in the request (keys and positions), with its new value.
    """

    files: list[InputFile] = field(default_factory=list)
    rewrites: list[tuple[list[str | int], str]] = field(default_factory=list)

    def add(self, files: Iterable[InputFile]) -> None:
        """Add files whose place is free."""
        taken = {file.place for file in self.files}
        self.files += [file for file in files if file.place not in taken]


def layout_of(loaded: Loaded) -> Layout:
    """The files of a request and their places in a copy.

    Parameters
    ----------
    loaded : Loaded
        The request; its files are there.

    Returns
    -------
    Layout
        Raw files with all their parts, files of labels, certificates, cards, terms of use and
        limits.

    Raises
    ------
    InputError
        If a file is missing, one lies beside another in a way that no copy can keep, or a source
        is a published data set.
    """
    layout = Layout()
    for number, source in enumerate(loaded.request.data):
        _add_source(layout, loaded.base, number, source)
        for name, file in label_files(source, loaded.base).items():
            key: list[str | int] = ["data", number, "labels", name, "file"]
            folder = f"{GIVEN}/{source.id}.labels/{name}"
            _add_one(layout, loaded.base, key, file, folder, source.id)
        for inner, file in certificate_files(source, loaded.base):
            key = ["data", number, *inner]
            folder = f"{GIVEN}/{source.id}.certificates"
            _add_one(layout, loaded.base, key, file, folder, source.id)
        if source.card is not None:
            file = loaded.base / source.card
            _add_one(layout, loaded.base, ["data", number, "card"], file, f"{GIVEN}/cards", "terms")
    policy, rules = loaded.request.rights.policy, getattr(loaded.score, "rules", None)
    if policy is not None and policy not in READY:
        key = ["rights", "policy"]
        _add_one(layout, loaded.base, key, loaded.base / policy, f"{GIVEN}/terms", "terms")
    if rules is not None and rules not in shipped_rules():
        key = ["score", "rules"]
        _add_one(layout, loaded.base, key, loaded.base / rules, f"{GIVEN}/rules", "rules")
    return layout


def rewritten(content: dict[str, Any], rewrites: Iterable[Any]) -> dict[str, Any]:
    """The content of a request, changed in place, with other values at some keys.

    Examples
    --------
    >>> rewritten({"data": [{"source": "/a/b.csv"}]}, [[["data", 0, "source"], "given/b.csv"]])
    {'data': [{'source': 'given/b.csv'}]}
    """
    for keys, value in rewrites:
        inner: Any = content
        for key in keys[:-1]:
            inner = inner[key]
        inner[keys[-1]] = value
    return content


def package_file(origin: str) -> Path | None:
    """The file that ``package:NAME/PATH`` names; None where it is not installed."""
    name, _, rest = origin.removeprefix(PACKAGE).partition("/")
    folder = _package_folder(name)
    file = None if folder is None else folder / rest
    return file if file is not None and file.is_file() else None


def _package_folder(name: str) -> Path | None:
    """Folder of an installed package, found without importing it."""
    spec = find_spec(name) if name.isidentifier() else None
    where = spec.submodule_search_locations if spec is not None else None
    return Path(where[0]) if where else None


def _add_source(layout: Layout, base: Path, number: int, source: Source) -> None:
    """The raw files of a source, with their parts and what decides what they mean."""
    if source.format == PUBLISHED:
        problem = "is a published data set, and a crate lists raw files"
        remedy = "make the crate of a run of its raw files"
        raise InputError(f"source {source.id}", problem, remedy)
    files = find_files(source, base)
    options = READERS[source.format].Options.model_validate(source.read)
    root = glob_root(source, base)
    tree = root if root.is_dir() else root.parent
    if _is_below(source.source):
        start, prefix = base, PurePosixPath()
    else:
        start, prefix = tree, PurePosixPath(GIVEN, source.id)
        tail = _tail(source.source) if root.is_dir() else root.name
        layout.rewrites.append((["data", number, "source"], str(prefix / tail)))
    for file in files:
        near = [*READERS[source.format].parts(file), *options.beside(file)]
        for one in (file, *near):
            inside = os.path.relpath(one, start)
            if inside.startswith(".."):
                problem = f"{one} lies outside the folder of its source, and decides what it means"
                raise InputError(f"source {source.id}", problem, "put it beside the raw files")
            place = str(prefix / PurePosixPath(Path(inside).as_posix()))
            layout.add([InputFile(one, place, source.id, _package(source.source, one))])


def _add_one(
    layout: Layout, base: Path, key: list[str | int], file: Path, folder: str, of: str
) -> None:
    """A file that a key of the request names by its path."""
    inside = os.path.relpath(file, base)
    is_below = not inside.startswith("..") and base in file.parents
    place = Path(inside).as_posix() if is_below else f"{folder}/{file.name}"
    layout.add([InputFile(file, place, of)])
    if not is_below:
        layout.rewrites.append((key, place))


def _is_below(text: str) -> bool:
    """Whether a source's path stays below the folder of the request."""
    return not (text.startswith(PACKAGE) or Path(text).is_absolute() or ".." in Path(text).parts)


def _tail(text: str) -> str:
    """The part of a source's path from the first wildcard on."""
    parts = PurePosixPath(text).parts
    return "/".join(parts[next(n for n, part in enumerate(parts) if has_magic(part)) :])


def _package(text: str, file: Path) -> str:
    """``package:NAME/PATH`` of a file of a package; empty for others."""
    name = text.removeprefix(PACKAGE).partition("/")[0]
    folder = _package_folder(name) if text.startswith(PACKAGE) else None
    return "" if folder is None else f"{PACKAGE}{name}/{file.relative_to(folder).as_posix()}"
