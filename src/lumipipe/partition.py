"""Who owns what: shares of chunks for ranks and nodes of the merge tree. Integers only.

The tree over ``n`` chunks is fixed by ``n`` alone: node ``(level, index)`` covers chunks
``[index * 2**level, (index + 1) * 2**level)``, cut off at ``n``. Ranks own contiguous shares,
so a rank holds whole sub-trees and the merges above them are the same for any number of
ranks (Demmel & Nguyen 2013 on reproducible summation).
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Numbers from `first` up to, not including, `stop`."""

    first: int
    stop: int

    @property
    def size(self) -> int:
        """How many numbers the span has."""
        return max(0, self.stop - self.first)

    def meets(self, other: Span) -> bool:
        """Whether the two spans have a number in common."""
        return max(self.first, other.first) < min(self.stop, other.stop)

    def holds(self, other: Span) -> bool:
        """Whether every number of `other` is in this span."""
        return self.first <= other.first and other.stop <= self.stop


class Tree(NamedTuple):
    """One merge tree: the chunks of one unit, numbered in the whole dataset."""

    key: str
    chunks: Span

    def node(self, level: int, index: int) -> Span:
        """Chunks that node `index` of `level` covers, in the numbers of the dataset."""
        first = self.chunks.first + (index << level)
        return Span(first, min(first + (1 << level), self.chunks.stop))

    @property
    def height(self) -> int:
        """Level of the root."""
        return max(0, (self.chunks.size - 1).bit_length())


def share(total: int, size: int, rank: int) -> Span:
    """The contiguous share of rank `rank` among `size` ranks.

    Parameters
    ----------
    total : int
        Number of items, at least 0.
    size : int
        Number of ranks.
    rank : int
        Number of the rank, from 0.

    Returns
    -------
    Span
        Shares differ by one item at most; some are empty when there are fewer items than
        ranks.

    Examples
    --------
    >>> [tuple(share(5, 3, rank)) for rank in range(3)]
    [(0, 1), (1, 3), (3, 5)]
    """
    return Span(total * rank // size, total * (rank + 1) // size)


def owner(item: int, total: int, size: int) -> int:
    """The rank whose share holds `item`.

    Parameters
    ----------
    item : int
        Number of the item, from 0 to ``total - 1``.
    total : int
        Number of items.
    size : int
        Number of ranks.

    Returns
    -------
    int
        Inverse of `share`.

    Examples
    --------
    >>> [owner(item, 5, 3) for item in range(5)]
    [0, 1, 1, 2, 2]
    """
    return ((item + 1) * size - 1) // total
