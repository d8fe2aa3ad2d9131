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
    caller holds, until it asks for the next. When the caller stops early the thread ends after
    the item it is at, and the generator's end waits for it.

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
            rest = iter(items)
            while room.acquire() and not stopped.is_set():  # room first, then an item
                entry = _next(rest, read)
                ready.put(entry)
                if entry is None:
                    return
                del entry
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            ready.put(error)

    thread = threading.Thread(target=work, name="read ahead", daemon=True)
    thread.start()
    try:
        # A list, so that nothing here holds a result while the caller waits for the next.
        while (entry := [ready.get()])[0] is not None:
            room.release()
            yield _result(entry.pop())
    finally:
        stopped.set()
        room.release()
        thread.join()


def _result(entry: tuple[Item, Result] | BaseException | None) -> tuple[Item, Result]:
    """What was read; an error is raised."""
    if not isinstance(entry, tuple):
        raise entry or RuntimeError("there is no more")
    return entry


def _next(items: Iterator[Item], read: Callable[[Item], Result]) -> tuple[Item, Result] | None:
    """The next item and what `read` makes of it; None after the last."""
    for item in items:
        return item, read(item)
    return None
