"""Files that must survive a crash: flushed writes, listings, digests, removal.

What the files mean is in `lumipipe.store.manifest`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_READ_BYTES = 4 * 2**20
_DIGEST_THREADS = 4


def canonical_json(content: Any) -> str:
    """`content` as JSON with sorted keys and no blanks; equal content gives equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(content: Any) -> str:
    """The SHA-256 of anything that JSON can say.

    Parameters
    ----------
    content : JSON-able
        Mappings, lists, text, finite numbers, booleans, None. The order of keys is no matter.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> digest_of({"b": 1, "a": 0.5}) == digest_of({"a": 0.5, "b": 1})
    True
    """
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb", buffering=0) as file:
        digest = hashlib.sha256()
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def digest_files(paths: Iterable[Path]) -> list[str]:
    """The SHA-256 of each file, some at a time."""
    with ThreadPoolExecutor(_DIGEST_THREADS) as pool:
        return list(pool.map(digest_file, paths))


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON with sorted keys and a final newline, whole or not at all.

    Parameters
    ----------
    path : Path
        The file; one that is there is replaced in one step.
    content : JSON-able
        What to write; a number that is not finite is refused.

    Raises
    ------
    ValueError
        If a number is NaN or infinite; write None in its place.
    """
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    # File names that are no valid UTF-8 reach here as lone surrogates; the escape is JSON's own.
    write_bytes(path, (text + "\n").encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: temporary file, flush, rename, flush of the folder."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(path.parent)


def _umask() -> int:
    """The mask of this process; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush all files and folders below `folder`, and `folder` itself."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


def sizes_below(folder: Path) -> dict[str, int]:
    """Each file below `folder` as a relative POSIX path, with its size in bytes."""
    found: dict[str, int] = {}
    stack = [("", str(folder))]
    while stack:
        prefix, path = stack.pop()
        # One listing a folder: probing each path would cost a metadata request a file.
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((f"{prefix}{entry.name}/", entry.path))
                else:
                    found[prefix + entry.name] = entry.stat().st_size
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def missing_folders(folder: Path) -> list[Path]:
    """`folder` and those of its parents that are not there, the deepest first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove those of `folders` that are empty, in this order."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
