"""Shares, owners and nodes of the merge tree."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lumipipe.partition import Span, Tree, owner, share

SIZES = st.integers(1, 40)


@given(total=st.integers(0, 200), size=SIZES)
def test_shares_tile_the_items(total: int, size: int) -> None:
    spans = [share(total, size, rank) for rank in range(size)]
    assert spans[0].first == 0
    assert spans[-1].stop == total
    assert all(a.stop == b.first for a, b in itertools.pairwise(spans))
    assert max(s.size for s in spans) - min(s.size for s in spans) <= 1


@given(total=st.integers(1, 200), size=SIZES)
def test_owner_is_the_rank_whose_share_holds_the_item(total: int, size: int) -> None:
    for item in range(total):
        span = share(total, size, owner(item, total, size))
        assert span.first <= item < span.stop


@given(first=st.integers(0, 50), count=st.integers(1, 100))
def test_halves_of_a_node_make_the_node(first: int, count: int) -> None:
    tree = Tree("unit", Span(first, first + count))
    assert tree.node(tree.height, 0) == tree.chunks
    for level in range(1, tree.height + 1):
        for index in range((count - 1 >> level) + 1):
            node = tree.node(level, index)
            left, right = tree.node(level - 1, 2 * index), tree.node(level - 1, 2 * index + 1)
            assert left.first == node.first
            assert max(left.stop, right.stop) == node.stop
            assert left.size + right.size == node.size
