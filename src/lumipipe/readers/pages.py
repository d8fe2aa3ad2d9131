"""What the pages of a Parquet file promise to unpack to, told from the headers before them.

Only for limits: pyarrow reads the pages, and believes these headers whatever the file's end says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_STOP, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 3, 7, 8, 9, 10, 11, 12
_BYTES = {_BYTE: 1, _DOUBLE: 8}
_LONG = 15  # length of a list that is told by a number of its own
_VARIANTS = {4, 5, 6}  # whole numbers of 16, 32 and 64 bits
_UNPACKED, _PACKED = 2, 3  # numbers of the two sizes in a page's header
_DEEPEST = 16
_MOST_HEADER_BYTES = 2**20  # statistics may hold a value of the page


def page_sizes(stream: BinaryIO, first: int, length: int) -> Iterator[int]:
    """Bytes that each page of a column chunk promises to unpack to.

    Parameters
    ----------
    stream : BinaryIO
        The file.
    first, length : int, bytes
        Where the chunk is.

    Yields
    ------
    int
        One a page.

    Raises
    ------
    ValueError
        If a header cannot be read.

    References
    ----------
    .. [1] Apache Thrift, Thrift compact protocol encoding.
    .. [2] Apache Parquet, parquet.thrift: PageHeader.
    """
    position = first
    while position < first + length:
        stream.seek(position)
        head = _Header(stream.read(min(_MOST_HEADER_BYTES, first + length - position)))
        sizes = head.numbers()
        unpacked, packed = sizes.get(_UNPACKED, -1), sizes.get(_PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page has no size")
        yield unpacked
        position += head.at + packed


class _Header:
    """A struct in the compact protocol [1]_."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.at = 0

    def numbers(self) -> dict[int, int]:
        """The whole numbers of the struct by their field's number; all else is passed over."""
        found: dict[int, int] = {}
        number = 0
        while (head := self._byte()) & 15 != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            if head & 15 in _VARIANTS:
                found[number] = self._signed()
            else:
                self._skip(head & 15, 0)
        return found

    def _byte(self) -> int:
        if self.at >= len(self._raw):
            raise ValueError("a page's header is cut short")
        self.at += 1
        return self._raw[self.at - 1]

    def _unsigned(self) -> int:
        found = shift = 0
        while (byte := self._byte()) & 128:
            found |= (byte & 127) << shift
            shift += 7
        return found | byte << shift

    def _signed(self) -> int:
        found = self._unsigned()
        return found >> 1 ^ -(found & 1)

    def _skip(self, kind: int, depth: int) -> None:
        """Pass over a value; truth values are in its head."""
        if depth > _DEEPEST or kind == _MAP:
            raise ValueError("a page's header is nested too deep, or holds a map")
        if kind in _VARIANTS:
            self._unsigned()
        elif kind == _BINARY:
            length = self._unsigned()
            self.at += length
        elif kind in {_LIST, _SET}:
            self._skip_list(depth)
        elif kind == _STRUCT:
            self._skip_struct(depth)
        else:
            self.at += _BYTES.get(kind, 0)
        if self.at > len(self._raw) or kind > _STRUCT:
            raise ValueError("a page's header is cut short, or of another kind")

    def _skip_struct(self, depth: int) -> None:
        """Pass over the fields of a struct."""
        while (head := self._byte()) & 15 != _STOP:
            if not head >> 4:
                self._unsigned()
            self._skip(head & 15, depth + 1)

    def _skip_list(self, depth: int) -> None:
        """Pass over a list, whose truth values have a byte each."""
        head = self._byte()
        for _ in range(head >> 4 if head >> 4 < _LONG else self._unsigned()):
            self._skip(max(head & 15, _BYTE), depth + 1)
