"""Opening of plain and compressed files, and the names that they have without the wrapping.

What is inside a file is the readers' matter, what is kept of a damaged one that of
`lumipipe.readers.salvage`.
"""

from __future__ import annotations

import io
import lzma
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

ALWAYS_BYTES = 64 * 2**20
"""What any file may unpack to, in bytes, however small it is."""
MOST_DEFLATED = 1032
"""By how much deflate shrinks zeros, which is the most that it can."""
MOST_RATIO = 100
"""By how much more a larger one may grow. Readings stay below 20."""
_MOST_LZMA_BYTES = 128 * 2**20  # a header may ask for a dictionary of 4 GiB
_MOST_WRAPPING_BYTES = 2**16  # by which what cannot be compressed may grow
_SLICE, _PIECE = 2**16, 2**20  # bytes that are unpacked at a time, and at most come out of them
_PACKED = {".gz", ".xz"}


def is_packed(path: Path) -> bool:
    """Whether a file is compressed as a whole, by its name."""
    return path.suffix.lower() in _PACKED


def open_binary(path: Path, most_bytes: int | None = None) -> BinaryIO:
    """The content of a plain, .gz or .xz file as a binary stream.

    Parameters
    ----------
    path : Path
        The file; a compressed one is unpacked as a whole into memory, so that damage at its
        end is found before its first row is used.
    most_bytes : int or None, bytes
        What a compressed file may unpack to. Where None, 64 MiB and 100 times what was read of
        it so far, so that a bomb is found at its first 70 kB, however large it is.

    Returns
    -------
    BinaryIO
        Open for reading and seeking, at position 0.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If the compression is truncated or damaged: copy the file again. If it unpacks to more
        than it may: raise the limit for a file that you trust.
    """
    try:
        if not is_packed(path):
            return path.open("rb")
        with path.open("rb") as source:
            content = io.BytesIO()
            for piece in unpacked(path, source):
                content.write(piece)
                refuse_bomb(path, content.tell(), source.tell(), most_bytes)
            packed_bytes = source.tell()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not packed_bytes:
        raise RecordingError(shown(path), "is empty", "copy the file again from its source")
    content.seek(0)
    return content


def refuse_bomb(path: Path, found: int, read: int, most_bytes: int | None) -> None:
    """Refuse a compressed file that unpacks to more than it may.

    Parameters
    ----------
    path : Path
        For messages.
    found, read : int, bytes
        What came out, and what was read for it.
    most_bytes : int or None, bytes
        As for `open_binary`.

    Raises
    ------
    RecordingError
        If it does.
    """
    most = ALWAYS_BYTES + MOST_RATIO * read if most_bytes is None else most_bytes
    if found > most:
        raise RecordingError(
            shown(path),
            f"its first {read} bytes unpack to more than {most}, as those of bombs do"
            if most_bytes is None
            else f"its first {read} bytes unpack to more than {most}, the limit read.most_bytes",
            "check where it is from; if you trust it, set read.most_bytes to its unpacked size",
        )


def unpacked(path: Path, source: BinaryIO) -> Iterator[bytes]:
    """The content of a .gz or .xz file, bit by bit.

    Parameters
    ----------
    path : Path
        Its suffix says which of the two; for messages.
    source : BinaryIO
        The open file, read only as far as pieces are asked for.

    Yields
    ------
    bytes
        At most 1 MiB each, of all members one after another.

    Raises
    ------
    RecordingError
        If the compression is truncated or damaged: copy the file again.
    """
    try:
        yield from _unpacked(path, source)
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, error) from error


def _unpacked(path: Path, source: BinaryIO) -> Iterator[bytes]:
    """As `unpacked`, with the errors of the libraries."""
    packed = source.read(_SLICE)
    while packed:
        decoder = (
            _Gzip()
            if path.suffix.lower() == ".gz"
            else lzma.LZMADecompressor(memlimit=_MOST_LZMA_BYTES)
        )
        while True:
            if piece := decoder.decompress(packed, _PIECE):
                yield piece
            if decoder.eof:
                break
            packed = source.read(_SLICE) if decoder.needs_input else b""
            if decoder.needs_input and not packed:
                raise _damaged(path, finding("it ends too early"))
        packed = decoder.unused_data.lstrip(b"\x00")  # members may be filled up with zeros
        while not packed and (more := source.read(_SLICE)):
            packed = more.lstrip(b"\x00")


def inflated_size(stream: BinaryIO, length: int, most: int, wbits: int = zlib.MAX_WBITS) -> int:
    """Bytes that a deflated part of a file unpacks to, which are dropped at once.

    Parameters
    ----------
    stream : BinaryIO
        Where the part begins.
    length : int, bytes
        Of the part.
    most : int, bytes
        No more is unpacked than this and 1 MiB.
    wbits : int
        The wrapping, as zlib knows it: with a header and check sum by default.

    Returns
    -------
    int
        The size, or a number above `most`.

    Raises
    ------
    zlib.error
        If it is damaged.
    EOFError
        If it is cut short.

    Examples
    --------
    >>> packed = zlib.compress(bytes(10**6))
    >>> inflated_size(io.BytesIO(packed), len(packed), 10**7)
    1000000
    """
    decoder, found = zlib.decompressobj(wbits), 0
    while not decoder.eof and length > 0 and found <= most:
        packed = stream.read(min(_SLICE, length))
        if not packed:
            raise EOFError("compressed content is cut short")
        length -= len(packed)
        while packed and found <= most:
            found += len(decoder.decompress(packed, _PIECE))
            packed = decoder.unconsumed_tail
    return found


class _Gzip:
    """Decompression of one member of a .gz file, with the names that lzma uses."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the member has ended, its check sum was right."""
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        """What comes after the member."""
        return self._decoder.unused_data

    def decompress(self, packed: bytes, most: int) -> bytes:
        """At most so many bytes; what is left over is kept for the next call."""
        found = self._decoder.decompress(self._decoder.unconsumed_tail + packed, most)
        self.needs_input = len(found) < most
        return found


def read_limited(path: Path, most_bytes: int) -> bytes:
    """The content of a plain, .gz or .xz file that is no larger than a limit.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int, bytes
        Limit of what it unpacks to. Hardly a byte more is unpacked, so that a file which unpacks
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
    content = b""
    try:
        packed = is_packed(path)
        too_large = path.stat().st_size > most_bytes + packed * _MOST_WRAPPING_BYTES
        if not too_large:
            content = _some(path, most_bytes + 1) if packed else path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if too_large or len(content) > most_bytes:
        raise RecordingError(
            shown(path),
            f"holds more than {most_bytes} bytes, which no file of its kind should",
            "check where it is from; cut a true recording into parts",
        )
    return content


def read_large(path: Path, limit: int, most_bytes: int | None = None) -> bytes:
    """As `read_limited`, for limits up to which a bomb would fill the memory.

    Parameters
    ----------
    path : Path
        The file.
    limit : int, bytes
        Of a plain file.
    most_bytes : int or None, bytes
        What a compressed one may unpack to, as for `open_binary`.

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
    if not is_packed(path):
        return read_limited(path, most_bytes or limit)
    with open_binary(path, most_bytes) as stream:
        return stream.read()


def first_bytes(path: Path, most_bytes: int) -> tuple[bytes, bool]:
    """The first bytes of a plain, .gz or .xz file, and whether there are more.

    Parameters
    ----------
    path : Path
        The file; hardly more of it is unpacked than asked for, so damage behind that stays unseen.
    most_bytes : int, bytes
        How many.

    Returns
    -------
    tuple of bytes and bool
        At most `most_bytes` bytes; True where the content goes on.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If the compression is damaged there: copy the file again.
    """
    try:
        if is_packed(path):
            content = _some(path, most_bytes + 1)
        else:
            with path.open("rb") as stream:
                content = stream.read(most_bytes + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    return content[:most_bytes], len(content) > most_bytes


def unpacks_beyond(path: Path, most_bytes: int) -> bool:
    """Whether a .gz or .xz file unpacks to more than a number of bytes, none of which is kept.

    Parameters
    ----------
    path : Path
        A compressed file.
    most_bytes : int, bytes
        The number; no more is unpacked than it takes to know.

    Returns
    -------
    bool
        True where there is more.

    Raises
    ------
    RecordingError
        As `open_binary` does: a bomb is found at its first bytes.
    """
    found = 0
    with path.open("rb") as source:
        for piece in unpacked(path, source):
            found += len(piece)
            refuse_bomb(path, found, source.tell(), None)
            if found > most_bytes:
                return True
    return False


def _some(path: Path, enough: int) -> bytes:
    """The first bytes of a compressed file: `enough` of them, or all."""
    content = bytearray()
    with path.open("rb") as source:
        for piece in unpacked(path, source):
            content += piece
            if len(content) >= enough:
                break
    return bytes(content)


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(shown(path), f"cannot be read ({error.strerror})", "check path and rights")


def _damaged(path: Path, fault: object) -> RecordingError:
    """An error about the compression."""
    return RecordingError(
        shown(path),
        f"is truncated or damaged as a {path.suffix} file ({fault})",
        "copy the file again from its source",
    )


@contextmanager
def plain_file(path: Path, most_bytes: int | None = None) -> Iterator[Path]:
    """A plain file with the content of a plain, .gz or .xz file, for libraries that open paths.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : int or None, bytes
        As for `open_binary`.

    Yields
    ------
    Path
        The file itself, or an unpacked copy that is removed at the end.

    Raises
    ------
    InputError
        If the file cannot be read: mend the path.
    RecordingError
        If the compression is truncated or damaged, or it unpacks to more than it may.
    """
    with open_binary(path, most_bytes) as stream:
        if not is_packed(path):
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
    name = path.with_suffix("") if is_packed(path) else path
    return name.stem


def shown(path: Path) -> str:
    """Folder and name of a file for messages; never a path of this machine."""
    return "/".join(path.parts[-2:]) if path.parent.name else path.name
