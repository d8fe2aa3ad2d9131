from __future__ import annotations

import threading
import time
import weakref

import pytest

from lumipipe.store.readahead import read_ahead


def test_results_come_in_order():
    assert list(read_ahead(range(20), lambda item: item * 2, depth=3)) == [
        (item, item * 2) for item in range(20)
    ]
    assert list(read_ahead([], lambda item: item)) == []


def test_an_error_is_raised_at_its_item():
    def read(item: int) -> int:
        if item == 3:
            raise OSError("gone")
        return item

    results = read_ahead(range(6), read)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_no_more_than_depth_is_read_before_it_is_asked_for():
    read: list[int] = []
    results = read_ahead(range(100), read.append, depth=2)
    for _ in range(5):
        next(results)
        time.sleep(0.005)
        assert len(read) <= 5 + 2
    results.close()
    with pytest.raises(ValueError, match="depth 0"):
        next(read_ahead([1], lambda item: item, depth=0))


def test_stopping_early_ends_the_thread():
    before = threading.active_count()
    for item, _ in read_ahead(range(1000), lambda item: item):
        if item == 3:
            break
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_stopping_a_chain_early_ends_both_threads():
    before = threading.active_count()
    for (item, _), _ in read_ahead(read_ahead(range(1000), str), str, 1):
        if item == 3:
            break
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_an_error_of_a_chain_is_raised_where_it_is_due():
    def read(item: int) -> int:
        if item == 2:
            raise StopIteration  # an end that is none
        return item

    results = read_ahead(read_ahead(range(6), read), str, 1)
    assert [next(results)[0][0] for _ in range(2)] == [0, 1]
    with pytest.raises(RuntimeError, match="StopIteration"):
        next(results)


class Samples:
    pass


def test_no_more_than_depth_and_one_are_in_memory():
    alive: weakref.WeakSet[Samples] = weakref.WeakSet()
    most = 0

    def read(_: int) -> Samples:
        nonlocal most
        samples = Samples()
        alive.add(samples)
        most = max(most, len(alive))
        return samples

    for (_, _samples), _ in read_ahead(read_ahead(range(50), read, 3), lambda _: None, 1):
        time.sleep(0.002)
    assert most == 3 + 1 + 1


def test_reading_overlaps_with_computing():
    started = time.monotonic()
    for _ in read_ahead(range(10), lambda _: time.sleep(0.03)):
        time.sleep(0.03)
    # One after another it would take 0.6 s; overlapped 0.33 s. Half-way leaves room for load.
    assert time.monotonic() - started < 0.5
