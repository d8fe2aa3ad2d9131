"""XML that strangers wrote: looked through before any parser builds something from it.

What its elements mean is the business of each format's reader.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import read_limited, shown

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 2**26
_DEEPEST = 64
_MOST_ELEMENTS = 4_000_000  # ten for each second of four days
_SLICE = 2**16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")


def read_xml(
    file: Path, unit: str, *, salvage: bool, most_bytes: int | None = None
) -> tuple[str, str | None]:
    """The text of an XML file that holds nothing but elements and text.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    unit : str
        Name of the element, without prefix, after which a damaged file can be closed.
    salvage : bool
        Whether a damaged file is cut after its last whole `unit`, and closed.
    most_bytes : int or None, bytes
        Limit of its size; 64 MiB where None.

    Returns
    -------
    tuple of str and str or None
        The text without its XML declaration; bytes read of how many and the fault, where it was
        cut.

    Raises
    ------
    RecordingError
        If it is no well-formed XML: fetch it again or salvage it. If it declares a document type
        or entities, is nested deeper than 64 elements or larger than the limit: no instrument
        writes such a file.

    Notes
    -----
    *Method*: expat sees all of it once, in slices; entities are refused where they are declared,
    before anything could be expanded. A file in UTF-16 is not salvaged.
    """
    raw = read_limited(file, most_bytes or _MOST_BYTES)
    watch = _Watch(raw, unit)
    try:
        for first in range(0, len(raw), _SLICE):
            watch.parser.Parse(raw[first : first + _SLICE], first + _SLICE >= len(raw))
        if not raw:
            raise RecordingError(shown(file), "is empty", "fetch it again")
    except _RefusedError as error:
        raise RecordingError(
            shown(file), f"{error}, which no instrument writes", "check where the file is from"
        ) from error
    except (expat.ExpatError, ValueError, LookupError) as error:
        fault = finding(f"line {watch.parser.ErrorLineNumber}: {_words(error)}")
        if not (salvage and watch.cut) or raw[:2] in _UTF16:
            raise RecordingError(
                shown(file),
                f"is damaged or no XML: {fault}",
                "fetch it again, or set read.salvage: true to keep what is whole",
            ) from error
        closing = "".join(f"</{name}>" for name in watch.open_after)
        closed = raw[: watch.cut] + closing.encode()
        return _text(closed), finding(f"{watch.cut} of {len(raw)} bytes read, {fault}")
    return _text(raw), None


class _RefusedError(Exception):
    """Something that an attacker would write."""


class _Watch:
    """Open elements, how many there were, and where the last whole unit ends."""

    def __init__(self, raw: bytes, unit: str) -> None:
        self._raw = raw
        self._unit = unit
        self._stack: list[str] = []
        self._left = _MOST_ELEMENTS
        self.cut = 0
        self.open_after: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise _RefusedError(finding("declares a document type or entities"))

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._stack.append(name)
        self._left -= 1
        if len(self._stack) > _DEEPEST:
            raise _RefusedError(finding(f"is nested deeper than {_DEEPEST} elements"))
        if not self._left:
            raise _RefusedError(finding(f"has more than {_MOST_ELEMENTS} elements"))

    def _end(self, name: str) -> None:
        self._stack.pop()
        if name.rpartition(":")[2] == self._unit:
            # The index is that of the first byte of the end tag, or of a tag that closes itself.
            self.cut = self._raw.find(b">", self.parser.CurrentByteIndex) + 1
            self.open_after = self._stack[::-1]


def _words(error: Exception) -> str:
    """What expat says, without its place."""
    code = getattr(error, "code", None)
    return expat.ErrorString(code) if code is not None else "its encoding is not known"


def _text(raw: bytes) -> str:
    """The text in the encoding that its first bytes say."""
    if raw.startswith((codecs.BOM_UTF8, *_UTF16)):
        text = raw.decode("utf-16" if raw[:2] in _UTF16 else "utf-8-sig")
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    declaration = _DECLARATION.match(raw)
    found = declaration and _ENCODING.search(declaration.group())
    encoding = found.group(1).decode("ascii") if found else "utf-8"
    return raw[declaration.end() if declaration else 0 :].decode(encoding)
