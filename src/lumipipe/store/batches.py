"""Which items are read together, and by which rank: decided by estimated cost before reading.

Items are raw files, or recordings on their way to a grid. A batch becomes one piece. The bytes
of a dataset depend on none of this, since it is put together by the order of its recordings.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.config import Prepare

_SHORTEST_S = 0.25  # of reading in a batch: writing a piece costs some flushes to the disk
_MOST = 64  # batches, but for more than this many of ranks: enough to balance, few files
_BATCHES_A_RANK = 4  # the last batch of a rank is then a small part of what it does
_FILES_A_PIECE = 8


@dataclass(frozen=True)
class Item:
    """One thing to read.

    Parameters
    ----------
    key : str
        Digest of all that its recordings depend on, but for the content of its file.
    bytes : int
        Estimated bytes in memory.
    seconds : float
        Estimated time of reading; only ratios between items matter.
    """

    key: str
    bytes: int
    seconds: float


def pack(items: Sequence[Item], ranks: int, settings: Prepare) -> list[list[int]]:
    """Numbers of the items of each batch.

    Parameters
    ----------
    items : sequence of Item
        What is to be read, in order.
    ranks : int
        Ranks that share the batches.
    settings : Prepare
        Bytes of a shard, which a batch of several items does not exceed, and the number of
        files allowed, which bounds the number of pieces.

    Returns
    -------
    list of list of int
        Each item once. One that takes more than half of what a batch may hold is alone, so a
        long recording never waits for many short ones, nor they for it; the others stay in
        order, so that neighbours in the dataset lie in one piece.

    Notes
    -----
    *Method*: a batch aims at a part of the whole time (about 64 parts, four a rank where these
    are more, fewer where there is little to read) and at the bytes of a shard. Two neighbours
    hold more than one aim together, so there are about twice as many batches as the larger of
    the two aims gives, however many items there are.

    Examples
    --------
    >>> from lumipipe.config import Prepare
    >>> short, long = Item("a", 100, 0.01), Item("b", 60_000, 1.0)
    >>> pack([short] * 3 + [long] + [short] * 2, 1, Prepare())
    [[0, 1, 2, 4, 5], [3]]
    """
    total_s, total = sum(item.seconds for item in items), sum(item.bytes for item in items)
    most = max(1, settings.most_files // _FILES_A_PIECE)
    wanted = min(max(_MOST, _BATCHES_A_RANK * ranks), int(total_s / _SHORTEST_S))
    parts = min(most, max(ranks, wanted))
    aim_s = total_s / parts if parts > 1 else math.inf
    aim = max(settings.shard_bytes, total // most)
    batches: list[list[int]] = []
    open_batch: list[int] = []
    held_s, held = 0.0, 0
    for number, item in enumerate(items):
        if item.seconds > aim_s / 2 or item.bytes > aim / 2:
            batches.append([number])
            continue
        held_s, held = held_s + item.seconds, held + item.bytes
        if not open_batch or held_s > aim_s or held > aim:
            open_batch, held_s, held = [], item.seconds, item.bytes
            batches.append(open_batch)
        open_batch.append(number)
    return batches


def deal(costs: Sequence[float], ranks: int) -> list[list[int]]:
    """Numbers of the batches of each rank, the longest first.

    Parameters
    ----------
    costs : sequence of float
        Estimated time of each batch.
    ranks : int
        Number of ranks.

    Returns
    -------
    list of list of int
        Each batch once. No rank takes longer than 4/3 of the shortest time that is possible.

    Notes
    -----
    *Method*: the next longest goes to the rank with the least to do [1]_.

    References
    ----------
    .. [1] Graham, R. L., Bounds on multiprocessing timing anomalies, SIAM Journal on Applied
       Mathematics 17 (1969), 416-429: the bound 4/3 - 1/(3 ranks).

    Examples
    --------
    >>> deal([1.0, 5.0, 2.0, 2.0], 2)
    [[1], [2, 3, 0]]
    """
    loads = [(0.0, rank) for rank in range(ranks)]
    shares: list[list[int]] = [[] for _ in range(ranks)]
    for number in sorted(range(len(costs)), key=lambda number: (-costs[number], number)):
        load, rank = loads[0]
        shares[rank].append(number)
        heapq.heapreplace(loads, (load + costs[number], rank))
    return shares
