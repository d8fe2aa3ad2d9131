"""Work shared by ranks and, on each rank, by workers; and decisions that all ranks share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from dask.base import compute
from dask.delayed import delayed

from lumipipe.errors import InputError, RecordingError, StoreError
from lumipipe.partition import share

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm.interface import Comm

Result = TypeVar("Result")
_ERRORS = {kind.__name__: kind for kind in (InputError, RecordingError, StoreError)}


def agreed(comm: Comm, decide: Callable[[], Any]) -> Any:
    """What rank 0 decides, on all ranks.

    Parameters
    ----------
    comm : Comm
        All ranks; a collective call.
    decide : callable
        Called on rank 0; returns what JSON can say.

    Returns
    -------
    JSON-able
        The same on all ranks.

    Raises
    ------
    InputError
        On all ranks the one that `decide` raised.
    """
    answer: dict[str, Any] = {}
    if comm.rank == 0:
        try:
            answer = {"value": decide()}
        except InputError as error:
            words = [error.place, error.problem, error.remedy]
            answer = {"error": words, "kind": type(error).__name__}
    answer = json.loads(comm.broadcast(json.dumps(answer).encode()))
    if "error" in answer:
        raise _ERRORS.get(answer["kind"], InputError)(*answer["error"])
    return answer["value"]


def gathered(comm: Comm, items: list[Any]) -> list[Any]:
    """The items of all ranks in the order of ranks, on all ranks; items are JSON-able."""
    parts = comm.gather(json.dumps(items).encode())
    whole = [item for part in parts for item in json.loads(part)]
    found: list[Any] = json.loads(comm.broadcast(json.dumps(whole).encode()))
    return found


def in_parallel(
    comm: Comm, workers: int, work: Callable[[int], Result], count: int
) -> list[Result]:
    """Results of this rank's share of some items.

    Parameters
    ----------
    comm : Comm
        Ranks that share the items; no message is sent.
    workers : int
        Items at a time on this rank.
    work : callable of int
        Does one item, given its number; called from threads.
    count : int
        Number of items of all ranks.

    Returns
    -------
    list
        One result an item of this rank, in order.
    """
    own = range(*share(count, comm.size, comm.rank))
    task = delayed(work, pure=False)
    found = compute(  # type: ignore[no-untyped-call]
        *(task(item) for item in own), scheduler="threads", num_workers=workers
    )
    return list(found)
