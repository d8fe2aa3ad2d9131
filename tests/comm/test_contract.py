"""The contract of communicators, for one rank and for threads as ranks."""

from __future__ import annotations

import time

import pytest

from comm.contract import check_all
from lumipipe.comm import SerialComm
from lumipipe.comm.threads import run_ranks


def test_one_rank_keeps_the_contract() -> None:
    assert check_all(SerialComm()).startswith("rank 0 of 1")


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_threads_keep_the_contract(ranks: int) -> None:
    assert len(run_ranks(ranks, check_all)) == ranks


def test_error_on_one_rank_ends_all() -> None:
    def job(comm):
        if comm.rank == 2:
            raise RuntimeError("rank 2 is broken")
        comm.barrier()

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="rank 2 is broken"):
        run_ranks(4, job)
    assert time.monotonic() - started < 5
