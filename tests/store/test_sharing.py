from __future__ import annotations

import threading
import time

import pytest

import lumipipe.store.sharing
from lumipipe.comm.serial import SerialComm
from lumipipe.comm.threads import run_ranks
from lumipipe.store.sharing import Effort, achieved, in_parallel


@pytest.mark.parametrize("workers", [1, 3, 40])
def test_results_come_in_the_order_of_items(workers):
    results, effort = in_parallel(workers, lambda number: -number, [4, 0, 7])
    assert results == [-4, 0, -7]
    assert effort.workers == workers
    assert in_parallel(workers, lambda number: number, [])[0] == []


def test_a_free_worker_takes_the_next_item():
    began: list[int] = []

    def work(number: int) -> str:
        began.append(number)
        time.sleep(0.3 if number == 0 else 0.05)
        return threading.current_thread().name

    results, _ = in_parallel(2, work, range(5))
    assert began == sorted(began)
    assert len(set(results[1:])) == 1  # the other worker did all the short ones


def test_the_first_error_ends_the_others_after_their_item():
    done: list[int] = []

    def work(number: int) -> None:
        if number == 1:
            raise RuntimeError("broken on purpose")
        time.sleep(0.05)
        done.append(number)

    with pytest.raises(RuntimeError, match="on purpose"):
        in_parallel(2, work, range(100))
    time.sleep(0.2)
    assert len(done) <= 2


def test_waiting_is_work_but_takes_no_processor():
    _, effort = in_parallel(2, lambda _: time.sleep(0.1), range(4))
    assert effort.busy_s >= 0.4
    assert effort.wall_s < effort.busy_s
    assert effort.cpu_s < 0.2


def test_the_record_counts_workers_cores_and_the_longest_rank(monkeypatch):
    monkeypatch.setattr(lumipipe.store.sharing, "_own_cores", lambda: [0, 1, 2])
    efforts = [Effort(2, wall_s=4.0, busy_s=6.0, cpu_s=1.0), Effort(2, wall_s=1.0, busy_s=2.0)]
    found = run_ranks(2, lambda comm: achieved(comm, efforts[comm.rank]))
    assert found[0] == found[1]
    assert found[0] == {
        "wall_s": 4.0,
        "busy_s": 8.0,
        "cpu_s": 1.0,
        "workers": 4,
        "cores": 3,  # of one node: two ranks that share them
        "efficiency": 0.5,
    }
    alone = achieved(SerialComm(), Effort(1, wall_s=2.0, busy_s=2.0))
    assert alone["efficiency"] == pytest.approx(1 / 3, abs=1e-3)  # two cores had nothing to do


def test_no_work_is_no_division_by_zero():
    assert achieved(SerialComm(), Effort(1))["efficiency"] == 0
