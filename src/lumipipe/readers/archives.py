"""Zip archives, such as workbooks, looked through before a library unpacks them.

Nothing of an archive is ever written to disk, so that the names of its members lead nowhere.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import ALWAYS_BYTES, MOST_RATIO, inflated_size, shown
from lumipipe.readers.libraries import damage

if TYPE_CHECKING:
    from pathlib import Path

_MOST_MEMBERS = 10_000
_LOCAL_BYTES = 30  # of the header before a member, its name and extra field not counted


def refuse_archive(file: Path, stream: BinaryIO, most_bytes: int | None = None) -> None:
    """Refuse a zip archive that unpacks to far more than its size, or is none.

    Parameters
    ----------
    file : Path
        For messages.
    stream : BinaryIO
        Its content; at position 0 afterwards.
    most_bytes : int or None, bytes
        What all members together may unpack to; 64 MiB or 100 times the archive where None.

    Raises
    ------
    RecordingError
        If it is damaged, has too many members, or unpacks to more: whatever its headers say.

    Notes
    -----
    *Cost*: members are unpacked once, 1 MiB at a time, and dropped.
    """
    held = stream.seek(0, 2)
    most = max(ALWAYS_BYTES, MOST_RATIO * held) if most_bytes is None else most_bytes
    with damage(file, finding("archive")), zipfile.ZipFile(stream) as archive:
        if _unpacked_size(stream, archive, most) > most:
            raise RecordingError(
                shown(file),
                f"its {held} bytes unpack to more than {most}, as those of bombs do",
                "check where it is from; if you trust it, set read.most_bytes to its unpacked size",
            )
    stream.seek(0)


def _unpacked_size(stream: BinaryIO, archive: zipfile.ZipFile, most: int) -> int:
    """Bytes that all members unpack to, or promise to; a number above `most` where it is more."""
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise ValueError(f"it has {len(members)} members")
    found = max((member.file_size for member in members), default=0)
    if found > most:
        return found
    found = 0
    for member in members:
        found += _size(stream, member, most - found)
        if found > most:
            break
    return found


def _size(stream: BinaryIO, member: zipfile.ZipInfo, most: int) -> int:
    """Bytes that a member unpacks to, whatever it says; a little more than `most` at most."""
    if member.compress_type != zipfile.ZIP_DEFLATED:
        return max(member.compress_size, member.file_size)
    stream.seek(member.header_offset)
    name, extra = struct.unpack("<2H", stream.read(_LOCAL_BYTES)[-4:])
    stream.seek(member.header_offset + _LOCAL_BYTES + name + extra)
    return inflated_size(stream, member.compress_size, most, -zlib.MAX_WBITS)
