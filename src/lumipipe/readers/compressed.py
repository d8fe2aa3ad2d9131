"""Opening of plain and compressed files, and the names that they have without the wrapping.

What is inside a file is the readers' matter.
"""

from __future__ import annotations

import gzip
import io
import lzma
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lumipipe.errors import InputError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECOMPRESS = {".gz": gzip.decompress, ".xz": lzma.decompress}


def open_binary(path: Path) -> BinaryIO:
    """The content of a plain, .gz or .xz file as a binary stream.

    Parameters
    ----------
    path : Path
        The file; a compressed one is unpacked as a whole into memory, so that damage at its
        end is found before its first row is used.

    Returns
    -------
    BinaryIO
        Open for reading and seeking, at position 0.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If the compression is truncated or damaged: copy the file again.
    """
    unpack = _DECOMPRESS.get(path.suffix.lower())
    try:
        if unpack is None:
            return path.open("rb")
        packed = path.read_bytes()
    except OSError as error:
        raise InputError(
            shown(path), f"cannot be read ({error.strerror})", "check path and rights"
        ) from error
    if not packed:
        raise RecordingError(shown(path), "is empty", "copy the file again from its source")
    try:
        return io.BytesIO(unpack(packed))
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise RecordingError(
            shown(path),
            f"is truncated or damaged as a {path.suffix} file ({error})",
            "copy the file again from its source",
        ) from error


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """A plain file with the content of a plain, .gz or .xz file, for libraries that open paths.

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    Path
        The file itself, or an unpacked copy that is removed at the end.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If the compression is truncated or damaged: copy the file again.
    """
    with open_binary(path) as stream:
        if path.suffix.lower() not in _DECOMPRESS:
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
            copy = Path(folder) / path.with_suffix("").name
            copy.write_bytes(stream.read())
            yield copy


def plain_name(path: Path) -> str:
    """The file's name without .gz or .xz and without its last suffix.

    >>> from pathlib import Path
    >>> plain_name(Path("runs/d05_te.dat.xz"))
    'd05_te'
    """
    name = path.with_suffix("") if path.suffix.lower() in _DECOMPRESS else path
    return name.stem


def shown(path: Path) -> str:
    """Folder and name of a file for messages; never a path of this machine."""
    return "/".join(path.parts[-2:]) if path.parent.name else path.name
