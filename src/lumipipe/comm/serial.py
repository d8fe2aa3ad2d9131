"""One rank, which has nobody to talk to."""

from __future__ import annotations

import sys


class SerialComm:
    """A communicator of one rank."""

    rank = 0
    size = 1

    def send(self, payload: bytes | bytearray, to: int) -> None:
        """Raise, since there is no other rank."""
        raise ValueError(f"{len(payload)} bytes for rank {to}, but this run has one rank")

    def receive(self, source: int) -> bytes | bytearray:
        """Raise, since there is no other rank."""
        raise ValueError(f"rank {source} does not exist: this run has one rank")

    def gather(self, payload: bytes | bytearray) -> list[bytes | bytearray]:
        """A list of the one payload."""
        return [payload]

    def broadcast(self, payload: bytes | bytearray) -> bytes | bytearray:
        """The payload itself."""
        return payload

    def barrier(self) -> None:
        """Return at once."""

    def abort(self, code: int) -> None:
        """Leave the process with `code`."""
        sys.exit(code)
