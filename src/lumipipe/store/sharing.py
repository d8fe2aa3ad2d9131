"""Work shared by ranks and, on each rank, by workers; and decisions that all ranks share."""

from __future__ import annotations

import json
import os
import platform
import threading
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any, TypeVar

from dask.base import compute
from dask.delayed import delayed

from lumipipe.errors import InputError, RecordingError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


@dataclass
class Effort:
    """How busy the workers of one rank were.

    Parameters
    ----------
    workers : int
        Items that may be done at a time.
    wall_s, busy_s, cpu_s : float, s
        Time from the first item to the last; time in which a worker had an item, of all
        workers; and time of processors that these took.
    """

    workers: int
    wall_s: float = 0.0
    busy_s: float = 0.0
    cpu_s: float = 0.0


def in_parallel(
    workers: int, work: Callable[[int], Result], numbers: Sequence[int]
) -> tuple[list[Result], Effort]:
    """Results of some items, done by threads, and how busy these were.

    Parameters
    ----------
    workers : int
        Items at a time.
    work : callable of int
        Does one item, given its number; called from threads.
    numbers : sequence of int
        The items. A worker that is free takes the next.

    Returns
    -------
    list
        One result an item, in order.
    Effort
        For `achieved`.

    Raises
    ------
    Exception
        What `work` raised first; the others end the item that they are at.
    """
    effort = Effort(workers)
    found: dict[int, Result] = {}
    left, lock, stopped = iter(enumerate(numbers)), threading.Lock(), threading.Event()

    def worker() -> None:
        while not stopped.is_set():
            with lock:
                place, number = next(left, (-1, -1))
            if place < 0:
                return
            began, cpu = perf_counter(), thread_time()
            try:
                result = work(number)
            except BaseException:
                stopped.set()
                raise
            with lock:
                found[place] = result
                effort.busy_s += perf_counter() - began
                effort.cpu_s += thread_time() - cpu

    started = perf_counter()
    threads = [delayed(worker, pure=False)() for _ in range(min(workers, len(numbers)))]
    compute(*threads, scheduler="threads", num_workers=workers)  # type: ignore[no-untyped-call]
    effort.wall_s = perf_counter() - started
    return [found[place] for place in range(len(numbers))], effort


def achieved(comm: Comm, effort: Effort) -> dict[str, float]:
    """How parallel a piece of work was over all ranks, for the record of the run.

    Parameters
    ----------
    comm : Comm
        All ranks; a collective call.
    effort : Effort
        That of this rank.

    Returns
    -------
    dict of str to float
        ``wall_s`` of the rank that took longest; ``busy_s``, ``cpu_s`` and ``workers`` of all
        ranks; ``cores`` that these may use; and ``efficiency``: the share of the workers, or
        of the cores where these are more, that had something to do.

    Notes
    -----
    *Accuracy*: a worker that waits for a disk, or for another thread of its rank, is busy and
    takes no processor: ``cpu_s`` far below ``busy_s`` says that more ranks, or a faster disk,
    would help where more workers do not.
    """
    own = [effort.wall_s, effort.busy_s, effort.cpu_s, effort.workers]
    ranks = gathered(comm, [[*own, platform.node(), _own_cores()]])
    wall_s = max(rank[0] for rank in ranks)
    busy_s, cpu_s, workers = (sum(rank[part] for rank in ranks) for part in (1, 2, 3))
    cores = len({(rank[4], core) for rank in ranks for core in rank[5]})
    places = max(workers, cores)
    return {
        "wall_s": round(wall_s, 3),
        "busy_s": round(busy_s, 3),
        "cpu_s": round(cpu_s, 3),
        "workers": workers,
        "cores": cores,
        "efficiency": round(busy_s / max(wall_s, 1e-9) / places, 3),
    }


def _own_cores() -> list[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS binds no process to cores
