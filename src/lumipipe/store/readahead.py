"""Reading the next items while the caller computes with this one."""

from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_ahead(
    items: Iterable[Item], read: Callable[[Item], Result], depth: int = 2
) -> Iterator[tuple[Item, Result]]:
    """Each item with what `read` makes of it, read by a thread in the background.

    Parameters
    ----------
    items : iterable
        What to read, in this order.
    read : callable of item
        Reads one item; only the background thread calls it, one item at a time.
    depth : int
        Most results, at least 1, that are read or being read before the caller asks.

    Yields
    ------
    tuple of item and result
        In the order of `items`.

    Raises
    ------
    Exception
        What `read` or `items` raised, where the caller would have received that item.

    Notes
    -----
    *Cost*: up to `depth` + 1 results are in memory: those read ahead and the one that the
    caller holds. When the caller stops early the thread ends after the item it is
    at, and the generator's end waits for it.

    Examples
    --------
    >>> [result for _, result in read_ahead([1, 2, 3], lambda item: item * item)]
    [1, 4, 9]
    """
    if depth < 1:
        raise ValueError(f"depth {depth} leaves no room for a result; give 1 or more")
    # An entry is a result, an error, or None at the end.
    ready: Queue[tuple[Item, Result] | BaseException | None] = Queue()
    room = threading.Semaphore(depth)
    stopped = threading.Event()

    def work() -> None:
        try:
            for item in items:
                room.acquire()
                if stopped.is_set():
                    return
                ready.put((item, read(item)))
            ready.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            ready.put(error)

    thread = threading.Thread(target=work, name="read ahead", daemon=True)
    thread.start()
    try:
        while (entry := ready.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            room.release()
            yield entry
    finally:
        stopped.set()
        room.release()
        thread.join()
