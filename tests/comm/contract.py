"""What every communicator must do; run by threads here and by MPI in tests/mpi."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.comm.mapping import broadcast_arrays, map_over_ranks

if TYPE_CHECKING:
    from lumipipe.comm import Comm

SIZES = (0, 1, 7, 8, 1023, 1024, 1025, 2048, 1_000_003)


def check_all(comm: Comm) -> str:
    """Run the whole contract; returns a word that only a finished rank says."""
    check_gather_and_broadcast(comm)
    check_ring(comm)
    check_mapping(comm)
    comm.barrier()
    return f"rank {comm.rank} of {comm.size} kept the contract"


def _payload(rank: int, size: int) -> bytes:
    return np.random.default_rng([rank, size]).bytes(size)


def check_gather_and_broadcast(comm: Comm) -> None:
    """Payloads of any length, empty ones too, arrive whole and in the order of ranks."""
    for size in SIZES:
        parts = comm.gather(_payload(comm.rank, size))
        assert parts == ([_payload(r, size) for r in range(comm.size)] if comm.rank == 0 else [])
        sent = _payload(99, size) if comm.rank == 0 else b""
        assert comm.broadcast(sent) == _payload(99, size)


def check_ring(comm: Comm) -> None:
    """Neighbours exchange; several messages to one receiver keep their order."""
    if comm.size == 1:
        return
    right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
    for size in SIZES:
        comm.send(_payload(comm.rank, size), right)
        comm.send(_payload(comm.rank + 50, size), right)
    for size in SIZES:
        assert comm.receive(left) == _payload(left, size)
        assert comm.receive(left) == _payload(left + 50, size)


def check_mapping(comm: Comm) -> None:
    """Pieces of work come back in their order on every rank, also with fewer pieces than ranks."""
    for count in (0, 1, 2, 5, 11):
        found = map_over_ranks(comm, count, lambda piece: {"square": np.asarray(piece * piece)})
        assert [int(part["square"]) for part in found] == [n * n for n in range(count)]
    arrays = {"a": np.arange(5.0)} if comm.rank == 0 else {}
    assert broadcast_arrays(comm, arrays)["a"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
