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

_MOST_LZMA_BYTES = 128 * 2**20  # a header may ask for a dictionary of 4 GiB
_MOST_WRAPPING_BYTES = 2**16  # by which what cannot be compressed may grow
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
        raise _damaged(path, error) from error


def read_limited(path: Path, most_bytes: int) -> bytes:
    """The content of a plain, .gz or .xz file that is no larger than a limit.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int, bytes
        Limit of what it unpacks to. Not a byte more is unpacked, so that a file which unpacks
        to a thousand times its size costs no memory.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If it is larger, or its compression is damaged: check where the file is from.
    """
    is_packed = path.suffix.lower() in _DECOMPRESS
    content = b""
    try:
        too_large = path.stat().st_size > most_bytes + is_packed * _MOST_WRAPPING_BYTES
        if not too_large:
            content = path.read_bytes()
            content = _unpacked(path, content, most_bytes + 1) if is_packed else content
    except OSError as error:
        raise InputError(
            shown(path), f"cannot be read ({error.strerror})", "check path and rights"
        ) from error
    if too_large or len(content) > most_bytes:
        raise RecordingError(
            shown(path),
            f"holds more than {most_bytes} bytes, which no file of its kind should",
            "check where it is from; cut a true recording into parts",
        )
    return content


def _unpacked(path: Path, packed: bytes, most: int) -> bytes:
    """The first bytes of a compressed file, at most `most` of them."""
    is_gzip = path.suffix.lower() == ".gz"
    content, is_cut = bytearray(), False
    try:
        while packed and len(content) < most:
            decoder = (
                zlib.decompressobj(wbits=31)
                if is_gzip
                else lzma.LZMADecompressor(memlimit=_MOST_LZMA_BYTES)
            )
            content += decoder.decompress(packed, most - len(content))
            is_cut = not decoder.eof and len(content) < most
            packed = b"" if is_cut else decoder.unused_data.lstrip(b"\x00")
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, error) from error
    if is_cut:
        raise _damaged(path, "it ends too early")
    return bytes(content)


def _damaged(path: Path, fault: object) -> RecordingError:
    """An error about the compression."""
    return RecordingError(
        shown(path),
        f"is truncated or damaged as a {path.suffix} file ({fault})",
        "copy the file again from its source",
    )


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
