"""Which files a source means, and whether they are the ones that were meant.

What is inside them is the readers' matter.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.compressed import shown

if TYPE_CHECKING:
    from lumipipe.config import Source

_PACKAGE = "package:"


def find_files(source: Source, base: Path) -> list[Path]:
    """Files of a source, sorted by name.

    Parameters
    ----------
    source : Source
        Its key `source` is a path, a glob (``**`` goes into folders), or
        ``package:NAME/PATH`` inside an installed package, which is not imported.
    base : Path
        Folder that a relative path starts from: that of the request.

    Returns
    -------
    list of Path
        At least one file.

    Raises
    ------
    InputError
        If nothing is found, a folder is named, or the package is not installed.
    """
    root, pattern = glob_root(source, base), _wild_part(source.source)
    place = f"source {source.id}"
    if not pattern:
        if root.is_dir():
            raise InputError(
                place, f"{source.source} is a folder", f"name its files: {source.source}/*"
            )
        found = [root] if root.is_file() else []
    else:
        names = sorted(glob.glob(pattern, root_dir=root, recursive=True))  # noqa: PTH207 (** rules)
        found = [root / name for name in names if (root / name).is_file()]
    if not found:
        raise InputError(
            place, f"no file matches {source.source}", "check the path; it starts at the request"
        )
    return found


def glob_root(source: Source, base: Path) -> Path:
    """The folder below which the source's pattern holds wildcards; the file where it has none."""
    if source.source.startswith(_PACKAGE):
        return _package_folder(source) / _fixed_part(source.source)
    return base / _fixed_part(source.source)


def relative_name(source: Source, file: Path, root: Path | None = None) -> str:
    """Name of a file below the source's `glob_root`, with forward slashes.

    Without `root` the parts of the pattern that hold wildcards tell how much of the path
    belongs to the name; a pattern with ``**`` then needs a folder before it.
    """
    tail = PurePosixPath(_wild_part(source.source)).parts
    if not tail:
        return file.name
    if root is not None:
        return file.relative_to(root).as_posix()
    if "**" not in tail:
        return "/".join(file.parts[-len(tail) :])
    fixed = Path(_fixed_part(source.source)).parts
    for start in range(len(file.parts) - len(fixed), -1, -1):
        if fixed and file.parts[start : start + len(fixed)] == fixed:
            return "/".join(file.parts[start + len(fixed) :])
    return file.name


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def source_digest(file: Path, source: Source) -> str:
    """SHA-256 of all bytes that decide what a file of a source gives.

    Of a file alone it is `file_digest`; of a record of several files that of their names and
    digests, so that a change in any of them is seen.
    """
    parts = READERS[source.format].parts(file) if source.format in READERS else [file]
    if parts == [file]:
        return file_digest(file)
    listed = "".join(f"{part.name}\0{file_digest(part)}\n" for part in parts)
    return hashlib.sha256(listed.encode()).hexdigest()


def check_digest(file: Path, source: Source) -> str:
    """`source_digest` of a file, after it was compared with the one that the source declares.

    Parameters
    ----------
    file : Path
        One file of the source.
    source : Source
        Its `sha256` is absent, one digest, or a mapping from file names to digests.

    Returns
    -------
    str
        The digest.

    Raises
    ------
    InputError
        If the file cannot be read, the digest differs or the mapping does not name the file.
    """
    try:
        digest = source_digest(file, source)
    except OSError as error:
        raise InputError(
            shown(file),
            f"cannot be read ({error.strerror})",
            "check path and rights; the same command tries it again",
        ) from error
    declared = source.sha256
    if isinstance(declared, dict):
        names = [name for name in declared if fnmatchcase(file.as_posix(), f"*/{name}")]
        names += [file.name] if file.name in declared and not names else []
        if not names:
            raise InputError(
                shown(file),
                f"source {source.id} declares no digest of this file",
                f"add it to sha256: {file.name}: {digest}",
            )
        declared = declared[max(names, key=len)]
    if declared is not None and digest != declared:
        raise InputError(
            shown(file),
            f"its SHA-256 is {digest}, declared is {declared}",
            "fetch the declared file again, or declare the new digest after checking the file",
        )
    return digest


def _inner(text: str) -> str:
    """The path part of a source: without package:NAME/."""
    if not text.startswith(_PACKAGE):
        return text
    return text.removeprefix(_PACKAGE).partition("/")[2]


def _fixed_part(text: str) -> str:
    """Leading parts of a source's path without wildcards."""
    parts = Path(_inner(text)).parts
    return str(Path(*parts[: len(parts) - len(PurePosixPath(_wild_part(text)).parts)]))


def _wild_part(text: str) -> str:
    """Parts of a source's path from the first wildcard on; empty where there is none."""
    parts = Path(_inner(text)).parts
    wild = [position for position, part in enumerate(parts) if glob.has_magic(part)]
    return "/".join(parts[wild[0] :]) if wild else ""


def _package_folder(source: Source) -> Path:
    """Folder of an installed package, found without importing it."""
    name = source.source.removeprefix(_PACKAGE).partition("/")[0]
    if ".." in Path(_inner(source.source)).parts:
        raise InputError(
            f"source {source.id}", f"{source.source} leads out of the package", "name its files"
        )
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"source {source.id}",
            f"the package {name} is not installed",
            "install it: pip install 'lumipipe[demo]'",
        )
    return Path(spec.submodule_search_locations[0])
