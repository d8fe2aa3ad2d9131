"""Independent pieces of work, shared out to ranks, with all results on every rank."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lumipipe.comm.packing import pack, unpack
from lumipipe.partition import share

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from lumipipe.comm.interface import Comm

    Arrays = dict[str, np.ndarray]


def broadcast_arrays(comm: Comm, arrays: Arrays) -> Arrays:
    """The named arrays of rank 0, on every rank."""
    return unpack(comm.broadcast(pack(arrays) if comm.rank == 0 else b""))


def map_over_ranks(comm: Comm, count: int, job: Callable[[int], Arrays]) -> list[Arrays]:
    """The results of `job` for 0 … `count` - 1, on every rank.

    Parameters
    ----------
    comm : Comm
        Ranks that share the work; all of them call this together.
    count : int
        Number of pieces.
    job : callable of int
        Computes one piece from what every rank has.

    Returns
    -------
    list of dict of str to ndarray
        In the order of pieces, whatever the number of ranks.
    """
    mine = range(*share(count, comm.size, comm.rank))
    results = {
        json.dumps([piece, name]): array for piece in mine for name, array in job(piece).items()
    }
    collected: list[Arrays] = [{} for _ in range(count)]
    parts = comm.gather(pack(results))
    everything: Arrays = {}
    for part in parts:
        everything |= unpack(part)
    for key, array in broadcast_arrays(comm, everything).items():
        piece, name = json.loads(key)
        collected[piece][name] = array
    return collected
