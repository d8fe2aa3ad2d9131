"""Where the sets of a universal file begin and end, for `lumipipe.readers.uff` to salvage them.

What is in a set is read by pyuff.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MARK = re.compile(rb"^ {4}-1[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_MARK_HERE = re.compile(rb"[\r\n]* {4}-1[ \t]*\r?(?:\n|\Z)")  # as points end at no line's end
_NUMBER = re.compile(rb"[ \t]*(\d{1,6})")
# The head of a binary set 58: byte order, form, number of text lines and of bytes after those.
_BINARY = re.compile(rb"[ \t]*58b[ \t]+\d+[ \t]+\d+[ \t]+(\d{1,3})[ \t]+(\d{1,12})[^\n]*\n")


class Set(NamedTuple):
    """A set of a universal file: its number, and its bytes with both marks."""

    number: int
    content: bytes


def whole_sets(content: bytes) -> list[Set | None]:
    """The sets of a universal file, None for one that does not end.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    list of Set or None
        In the order of the file.

    Notes
    -----
    *Method*: a mark whose next line is a number opens a set; the next mark after it closes it, of
    a binary set the next one after as many bytes as its head says, so that points may look like
    a mark. Where that is again a mark before a number, the first set has no end.
    """
    found: list[Set | None] = []
    position = 0
    while (opened := _MARK.search(content, position)) is not None:
        number = _NUMBER.match(content, opened.end())
        if number is None:
            position = opened.end()
            continue
        points_end = _points_end(content, opened.end())
        closed = _MARK_HERE.match(content, points_end) or _MARK.search(content, points_end)
        if closed is None:
            found.append(None)
            return found
        if _opens(content, closed.end()):
            found.append(None)
            position = closed.start()
            continue
        found.append(Set(int(number.group(1)), content[opened.start() : closed.end()]))
        position = closed.end()
    return found


def _opens(content: bytes, position: int) -> bool:
    """Whether a set's number stands here, rather than the mark of the next set or the end."""
    return _NUMBER.match(content, position) is not None


def _points_end(content: bytes, position: int) -> int:
    """Where to look for the closing mark: behind the points of a binary set."""
    head = _BINARY.match(content, position)
    if head is None:
        return position
    position = head.end()
    for _ in range(int(head.group(1))):
        position = content.find(b"\n", position) + 1 or len(content)
    return min(position + int(head.group(2)), len(content))
