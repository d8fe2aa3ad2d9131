"""Threads that play ranks, so that tests need no MPI launcher."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, Queue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.comm.interface import Comm

Result = TypeVar("Result")
_PATIENCE_S = 60.0  # a lost partner must not hang the test suite


class AbortedError(RuntimeError):
    """Another rank has ended the run."""


class _Mailbox:
    """Queues between all pairs of ranks, and the flag that ends them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.queues: dict[tuple[int, int], Queue[bytes]] = {
            (source, to): Queue() for source in range(size) for to in range(size)
        }
        self.aborted = threading.Event()


class ThreadComm:
    """One of several ranks that are threads of this process."""

    def __init__(self, mailbox: _Mailbox, rank: int) -> None:
        self._mailbox = mailbox
        self.rank = rank
        self.size = mailbox.size

    def send(self, payload: bytes | bytearray, to: int) -> None:
        """Send `payload` to rank `to`."""
        self._mailbox.queues[self.rank, to].put(bytes(payload))

    def receive(self, source: int) -> bytes | bytearray:
        """The next payload from rank `source`; raises when a rank has aborted."""
        waited = 0.0
        while waited < _PATIENCE_S:
            if self._mailbox.aborted.is_set():
                raise AbortedError("another rank ended the run")
            try:
                return self._mailbox.queues[source, self.rank].get(timeout=0.05)
            except Empty:
                waited += 0.05
        raise AbortedError(f"rank {source} sent nothing in {_PATIENCE_S:g} s")

    def gather(self, payload: bytes | bytearray) -> list[bytes | bytearray]:
        """The payloads of all ranks on rank 0, an empty list elsewhere."""
        if self.rank:
            self.send(payload, 0)
            return []
        return [payload, *(self.receive(source) for source in range(1, self.size))]

    def broadcast(self, payload: bytes | bytearray) -> bytes | bytearray:
        """The payload of rank 0."""
        if self.rank:
            return self.receive(0)
        for to in range(1, self.size):
            self.send(payload, to)
        return payload

    def barrier(self) -> None:
        """Return when all ranks have come here."""
        self.gather(b"")
        self.broadcast(b"")

    def abort(self, code: int) -> None:
        """End all ranks at their next message."""
        self._mailbox.aborted.set()
        raise AbortedError(f"rank {self.rank} ended the run with code {code}")


def run_ranks(size: int, job: Callable[[Comm], Result]) -> list[Result]:
    """The results of `job` on `size` threads that play ranks.

    Parameters
    ----------
    size : int
        Number of ranks.
    job : callable of Comm
        What each rank does.

    Returns
    -------
    list
        One result a rank, in the order of ranks.

    Raises
    ------
    Exception
        The first exception of any rank; the other ranks are ended.
    """
    mailbox = _Mailbox(size)

    def guarded(rank: int) -> Result:
        try:
            return job(ThreadComm(mailbox, rank))
        except BaseException:
            mailbox.aborted.set()
            raise

    with ThreadPoolExecutor(size) as pool:
        futures = [pool.submit(guarded, rank) for rank in range(size)]
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, AbortedError)):
        raise error
    return [future.result() for future in futures]
