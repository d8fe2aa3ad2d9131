"""What the rest of the code may ask of a communicator."""

from __future__ import annotations

from typing import Protocol


class Comm(Protocol):
    """Ranks that exchange bytes.

    All verbs but `send` and `receive` are collective: every rank calls them in one order.
    """

    @property
    def rank(self) -> int:
        """Number of this rank, from 0."""
        ...

    @property
    def size(self) -> int:
        """Number of ranks."""
        ...

    def send(self, payload: bytes | bytearray, to: int) -> None:
        """Send `payload` to rank `to`; returns when it may be changed."""
        ...

    def receive(self, source: int) -> bytes | bytearray:
        """The next payload that rank `source` sent to this rank."""
        ...

    def gather(self, payload: bytes | bytearray) -> list[bytes | bytearray]:
        """The payloads of all ranks in the order of ranks on rank 0, an empty list elsewhere."""
        ...

    def broadcast(self, payload: bytes | bytearray) -> bytes | bytearray:
        """The payload of rank 0, on every rank."""
        ...

    def barrier(self) -> None:
        """Return when all ranks have come here."""
        ...

    def abort(self, code: int) -> None:
        """End all ranks with an exit code, whatever they are doing."""
        ...
