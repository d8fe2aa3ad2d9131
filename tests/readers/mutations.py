"""Ways to damage a file: what a draw of random numbers changes in its bytes."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

# What headers must not be believed: the ends of their ranges, and lengths of nothing.
_NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1)
_WORDS = (
    b"-1",
    b"0",
    b"999999999999",
    b"1e999",
    b"nan",
    b"\0",
    b"\xff\xfe",
    b'"',
    b"\n",
    b"<",
    b"&",
)
_HEAD_BYTES = 512  # where most formats say what they hold


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The content with one to four changes; of an archive, in one of its members or around."""
    if content.startswith(b"PK\x03\x04") and draw.random() < 0.7:
        return _in_archive(content, draw)
    raw = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 4))):
        draw.choice(_CHANGES)(raw, draw)
    return bytes(raw)


def _place(raw: bytearray, draw: random.Random) -> int:
    """A place in the content: in its head, at its end, or anywhere."""
    where = draw.random()
    if where < 0.4:
        return draw.randrange(min(len(raw), _HEAD_BYTES) + 1)
    if where < 0.5:
        return draw.randrange(max(len(raw) - _HEAD_BYTES, 0), len(raw) + 1)
    return draw.randrange(len(raw) + 1)


def _replace(raw: bytearray, draw: random.Random) -> None:
    at, new = _place(raw, draw), draw.randbytes(draw.randint(1, 4))
    raw[at : at + len(new)] = new


def _flip(raw: bytearray, draw: random.Random) -> None:
    if raw:
        raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)


def _insert(raw: bytearray, draw: random.Random) -> None:
    at = _place(raw, draw)
    raw[at:at] = draw.randbytes(1) * draw.choice((1, 2, 4, 300))


def _remove(raw: bytearray, draw: random.Random) -> None:
    at = _place(raw, draw)
    del raw[at : at + draw.choice((1, 2, 4, 16, 200))]


def _cut(raw: bytearray, draw: random.Random) -> None:
    del raw[_place(raw, draw) :]


def _number(raw: bytearray, draw: random.Random) -> None:
    at, (form, mask) = _place(raw, draw), draw.choice((("H", 2**16), ("I", 2**32), ("Q", 2**64)))
    new = struct.pack(draw.choice("<>") + form, draw.choice(_NUMBERS) % mask)
    raw[at : at + len(new)] = new


def _word(raw: bytearray, draw: random.Random) -> None:
    at = _place(raw, draw)
    raw[at : at + draw.choice((0, 1, 4))] = draw.choice(_WORDS)


def _again(raw: bytearray, draw: random.Random) -> None:
    first, size = _place(raw, draw), draw.choice((4, 40, 400))
    at = _place(raw, draw)
    raw[at:at] = raw[first : first + size]


def _zeros(raw: bytearray, draw: random.Random) -> None:
    at, size = _place(raw, draw), draw.choice((8, 64, 512))
    raw[at : at + size] = bytes(len(raw[at : at + size]))


_CHANGES = (_replace, _flip, _insert, _remove, _cut, _number, _number, _word, _again, _zeros)


def _in_archive(content: bytes, draw: random.Random) -> bytes:
    """The archive with a change in one member, whose check sum is right again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = draw.choice(sorted(members))
    members[chosen] = mutated(members[chosen], draw)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return stream.getvalue()
