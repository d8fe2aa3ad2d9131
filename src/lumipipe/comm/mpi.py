"""The one door to mpi4py.

Importing this module initialises MPI; `lumipipe.comm.world` does that late and only under a
launcher. Payloads are bytes on the host: device arrays are copied by the caller through
`Backend.state_to_host`, which waits for the device first.
"""

from __future__ import annotations

import os
import sys

from mpi4py import MPI

# MPI-3 counts are 32-bit; pieces below 2**30 bytes also keep the network's buffers small.
MESSAGE_BYTES = 2**30
_LENGTH_BYTES = 8
_TAG = 17


class MpiComm:
    """All ranks of an MPI program.

    Parameters
    ----------
    message_bytes : int
        Largest single message; longer payloads travel in pieces.
    """

    def __init__(self, message_bytes: int = MESSAGE_BYTES) -> None:
        self._world = MPI.COMM_WORLD
        self._message_bytes = message_bytes
        # Requests under way with the buffers that must stay until they end.
        self._pending: list[tuple[MPI.Request, memoryview]] = []
        self.rank: int = self._world.Get_rank()
        self.size: int = self._world.Get_size()

    def send(self, payload: bytes | bytearray, to: int) -> None:
        """Send `payload` to rank `to`, in one message where it is below the largest.

        A message of the largest size says that another follows, so no length is sent.
        """
        view, limit = memoryview(bytes(payload)), self._message_bytes  # no copy of bytes
        self._pending = [entry for entry in self._pending if not entry[0].Test()]
        for start in range(0, len(view) + 1, limit):
            piece = view[start : start + limit]
            # Not waited for: ranks that send to each other must not wait for each other.
            request = self._world.Isend([piece, MPI.BYTE], dest=to, tag=_TAG)
            self._pending.append((request, piece))

    def receive(self, source: int) -> bytes | bytearray:
        """The next payload from rank `source`."""
        payload = piece = self._receive_piece(source)
        while len(piece) == self._message_bytes:
            piece = self._receive_piece(source)
            payload += piece
        return payload

    def _receive_piece(self, source: int) -> bytearray:
        """The next message from rank `source`, sized by a probe."""
        status = MPI.Status()
        self._world.Probe(source=source, tag=_TAG, status=status)
        piece = bytearray(status.Get_count(MPI.BYTE))
        self._world.Recv([piece, MPI.BYTE], source=source, tag=_TAG)
        return piece

    def gather(self, payload: bytes | bytearray) -> list[bytes | bytearray]:
        """The payloads of all ranks on rank 0, an empty list elsewhere."""
        if self.rank:
            self.send(payload, 0)
            return []
        return [payload, *(self.receive(source) for source in range(1, self.size))]

    def broadcast(self, payload: bytes | bytearray) -> bytes | bytearray:
        """The payload of rank 0."""
        length = bytearray(len(payload).to_bytes(_LENGTH_BYTES, "little"))
        self._world.Bcast([length, MPI.BYTE], root=0)
        buffer = bytearray(payload if self.rank == 0 else int.from_bytes(length, "little"))
        view = memoryview(buffer)
        for start in range(0, len(buffer), self._message_bytes):
            self._world.Bcast([view[start : start + self._message_bytes], MPI.BYTE], root=0)
        return buffer

    def barrier(self) -> None:
        """Return when all ranks have come here and their payloads are on the way."""
        MPI.Request.Waitall([request for request, _ in self._pending])
        self._pending = []
        self._world.Barrier()

    def abort(self, code: int) -> None:
        """End all ranks at once."""
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            self._world.Abort(code)
        finally:
            # MPICH 5 returns from it now and then, before the launcher has ended this process.
            os._exit(code)
