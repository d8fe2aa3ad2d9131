"""The one loop: fold a reducer over chunks, merge the states in a fixed tree, on any ranks.

Training folds a model's reducer, scoring folds a metric's reducer. What the chunks hold and
how they are read is the caller's matter: `fold` asks a `Stream` for batches by number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from lumipipe.comm import pack, unpack
from lumipipe.partition import Span, owner, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lumipipe.backend import Array, Backend, State
    from lumipipe.comm import Comm
    from lumipipe.partition import Tree

    Batch: TypeAlias = Mapping[str, Array]
    Leaf: TypeAlias = tuple[str, ...]
    Leaves: TypeAlias = dict[Leaf, State]
    Stream: TypeAlias = Callable[[Sequence[int]], Iterator[tuple[int, Mapping[Leaf, Batch]]]]


class Reducer(Protocol):
    """A statistic as a state that adds.

    ``merge`` is associative up to rounding and ``empty`` is its identity; a state is a flat
    mapping of names to arrays.
    """

    def empty(self) -> State:
        """The state of no data."""
        ...

    def update(self, state: State, batch: Batch) -> State:
        """The state of `state`'s data and the batch."""
        ...

    def merge(self, first: State, second: State) -> State:
        """The state of the data of both."""
        ...


class Checkpoint(Protocol):
    """Where finished sub-trees survive the death of the process."""

    def load(self, name: str) -> bytes | None:
        """What was saved under `name`, or None."""
        ...

    def due(self) -> bool:
        """Whether it is time to save."""
        ...

    def save(self, name: str, payload: bytes, replaced: Sequence[str]) -> None:
        """Save under `name` and drop what it replaces."""
        ...


def merge_all(reducer: Reducer, states: Sequence[State]) -> State:
    """The merge of states in the fixed tree over their positions.

    Parameters
    ----------
    reducer : Reducer
        Gives ``merge`` and ``empty``.
    states : sequence of State
        In an order that the data fix, such as sorted names of units.

    Returns
    -------
    State
        The same bytes whenever the same states come in the same order.
    """
    level = list(states)
    if not level:
        return reducer.empty()
    while len(level) > 1:
        pairs = [
            reducer.merge(level[i], level[i + 1]) if i + 1 < len(level) else level[i]
            for i in range(0, len(level), 2)
        ]
        level = pairs
    return level[0]


def fold(  # the one loop meets every seam once
    reducer: Reducer,
    trees: Sequence[Tree],
    stream: Stream,
    comm: Comm,
    backend: Backend,
    checkpoint: Checkpoint | None = None,
) -> Leaves:
    """The state of each leaf, merged over all its chunks.

    Parameters
    ----------
    reducer : Reducer
        What is folded.
    trees : sequence of Tree
        Chunks of each unit, numbered from 0 without holes.
    stream : callable
        Yields, for chunk numbers in rising order, the number and a batch for each leaf.
    comm : Comm
        The ranks that share the work.
    backend : Backend
        Where states live while they are updated and merged.
    checkpoint : Checkpoint, optional
        Where finished sub-trees are kept.

    Returns
    -------
    dict of tuple of str to State
        On rank 0, the state of each ``(unit, *leaf)`` with its arrays on the host; empty on
        other ranks.

    Notes
    -----
    *Method*: ranks own contiguous chunks and reduce them in post-order; where a node of the
    tree spans two ranks, the owner of its right half sends one message to the owner of its
    left half. The order of merges depends on the number of chunks alone.

    *Cost*: one update a chunk, one merge a node, one message a tree edge between ranks.
    """
    return _Fold(reducer, trees, comm, backend, checkpoint).run(stream)


@dataclass
class _Fold:
    """The state of one running fold on one rank."""

    reducer: Reducer
    trees: Sequence[Tree]
    comm: Comm
    backend: Backend
    checkpoint: Checkpoint | None

    def __post_init__(self) -> None:
        self._total = max((tree.chunks.stop for tree in self.trees), default=0)
        self._mine = share(self._total, self.comm.size, self.comm.rank)
        self._saved: dict[Span, Leaves] = {}
        self._finished: dict[Span, Leaves] = {}
        self._on_disk: set[Span] = set()

    def run(self, stream: Stream) -> Leaves:
        """Fold all trees and bring their roots to rank 0."""
        self._load_checkpoints()
        covered = list(self._saved)
        numbers = [
            chunk
            for chunk in range(*self._mine)
            if not any(span.first <= chunk < span.stop for span in covered)
        ]
        self._batches = stream(numbers)
        result: Leaves = {}
        for tree in self.trees:
            root = self._node(tree, tree.height, 0)
            result |= self._bring_home(tree, root)
        return {leaf: self.backend.state_to_host(state) for leaf, state in result.items()}

    def _node(self, tree: Tree, level: int, index: int) -> Leaves | None:
        """The states of a node, on the rank that owns its first chunk; None elsewhere."""
        span = tree.node(level, index)
        if not span.meets(self._mine):
            return None
        if span in self._saved:
            return self._keep(span, self._saved.pop(span), ())
        if level == 0:
            return self._keep(span, self._reduce_chunk(span.first), ())
        left_span, right_span = tree.node(level - 1, 2 * index), tree.node(level - 1, 2 * index + 1)
        left = self._node(tree, level - 1, 2 * index)
        if not right_span.size:
            return left
        right = self._node(tree, level - 1, 2 * index + 1)
        right = self._hand_over(right, self._owner(right_span.first), self._owner(span.first))
        if left is None or right is None:
            return None
        return self._keep(span, self._merged(left, right), (left_span, right_span))

    def _hand_over(self, half: Leaves | None, sender: int, keeper: int) -> Leaves | None:
        """The right half of a node, on the rank that keeps the node; None elsewhere."""
        if keeper != sender:
            if self.comm.rank == sender and half is not None:
                self.comm.send(self._packed(half), keeper)
            if self.comm.rank == keeper:
                return self._unpacked(self.comm.receive(sender))
        return half if self.comm.rank == keeper else None

    def _owner(self, chunk: int) -> int:
        """The rank that owns a chunk."""
        return owner(chunk, self._total, self.comm.size)

    def _reduce_chunk(self, chunk: int) -> Leaves:
        """The states of one chunk."""
        number, batches = next(self._batches)
        if number != chunk:
            raise RuntimeError(f"the stream gave chunk {number} where {chunk} was due")
        return {
            leaf: self.reducer.update(self.reducer.empty(), batch)
            for leaf, batch in batches.items()
        }

    def _merged(self, left: Leaves, right: Leaves) -> Leaves:
        """The states of both halves of a node, leaf by leaf."""
        both = dict(left)
        for leaf, state in right.items():
            both[leaf] = self.reducer.merge(both[leaf], state) if leaf in both else state
        return both

    def _bring_home(self, tree: Tree, root: Leaves | None) -> Leaves:
        """The root of a tree, on rank 0."""
        keeper = self._owner(tree.chunks.first)
        if keeper and self.comm.rank == keeper and root is not None:
            self.comm.send(self._packed(root), 0)
        if self.comm.rank:
            return {}
        leaves = self._unpacked(self.comm.receive(keeper)) if keeper else root or {}
        return {(tree.key, *leaf): state for leaf, state in leaves.items()}

    def _packed(self, leaves: Leaves) -> bytes:
        """States as one message."""
        arrays = {}
        for leaf, state in leaves.items():
            for name, array in self.backend.state_to_host(state).items():
                arrays[json.dumps([*leaf, name])] = array
        return pack(arrays)

    def _unpacked(self, payload: bytes | bytearray) -> Leaves:
        """The states in a message, on the device."""
        leaves: Leaves = {}
        for key, array in unpack(payload).items():
            *leaf, name = json.loads(key)
            leaves.setdefault(tuple(leaf), {})[name] = self.backend.asarray(array)
        return leaves

    def _load_checkpoints(self) -> None:
        """Find the largest saved nodes inside this rank's share."""
        for tree in self.trees if self.checkpoint else ():
            self._load_below(tree, tree.height, 0)

    def _load_below(self, tree: Tree, level: int, index: int) -> None:
        """Load the node if it was saved, else look at its halves."""
        span = tree.node(level, index)
        if not span.size or not span.meets(self._mine):
            return
        if self._mine.holds(span) and self.checkpoint is not None:
            payload = self.checkpoint.load(_name(span))
            if payload is not None:
                self._saved[span] = self._unpacked(payload)
                self._on_disk.add(span)
                return
        if level:
            self._load_below(tree, level - 1, 2 * index)
            self._load_below(tree, level - 1, 2 * index + 1)

    def _keep(self, span: Span, leaves: Leaves, halves: Sequence[Span]) -> Leaves:
        """`leaves`, noted as finished; all finished nodes are saved when it is time."""
        if self.checkpoint is None or not self._mine.holds(span):
            return leaves
        for half in halves:
            self._finished.pop(half, None)
        self._finished[span] = leaves
        if self.checkpoint.due():
            for done in self._finished.keys() - self._on_disk:
                replaced = [old for old in self._on_disk if done.holds(old)]
                names = [_name(old) for old in replaced]
                self.checkpoint.save(_name(done), self._packed(self._finished[done]), names)
                self._on_disk = (self._on_disk - set(replaced)) | {done}
        return leaves


def _name(span: Span) -> str:
    """File name of a saved node."""
    return f"{span.first}-{span.stop}"
