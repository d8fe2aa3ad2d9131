"""The performance model against its own terms written out, and what must hold for any work."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.machine.measured import Constant
from lumipipe.machine.performance import (
    Pass,
    Work,
    stage_seconds,
    strong_scaling,
    weak_scaling,
)
from lumipipe.partition import share

SECONDS = st.floats(0.001, 1e5)
BYTES = st.floats(0.0, 1e13)
PASSES = st.builds(
    Pass,
    work_s=SECONDS,
    parts=st.integers(1, 5000),
    read_bytes=BYTES,
    trees=st.integers(0, 50),
    state_bytes=st.floats(0.0, 1e8),
    merge_s=st.floats(0.0, 0.1),
)
WORKS = st.builds(
    Work,
    verb=st.sampled_from(["prepare", "train"]),
    start_s=SECONDS,
    passes=st.lists(PASSES, min_size=1, max_size=3).map(tuple),
    once_s=SECONDS,
    fit_s=st.just(8.0),
    fit_shared_s=st.floats(0.0, 8.0),
    write_bytes=BYTES,
    reads=st.sampled_from(["read_raw_bytes_s", "read_store_bytes_s"]),
    overlaps=st.booleans(),
)
RANKS = st.integers(1, 9000)


def constants(**values: float) -> dict[str, Constant]:
    """Constants with a range of half to double."""
    return {
        name: Constant(name, value, value / 2, 2 * value, "made up", is_measured=True)
        for name, value in values.items()
    }


MACHINE = constants(
    job_s=4.0,
    start_s=2.0,
    start_mpi_s=3.0,
    speed=1.5,
    read_raw_bytes_s=1e8,
    read_store_bytes_s=2e8,
    write_store_bytes_s=5e7,
    storage_bytes_s=1e9,
    latency_s=1e-5,
    message_bytes_s=1e9,
)


def written_out(work: Work, ranks: int) -> float:
    """The seconds of the model, rank by rank and message by message."""
    value = {name: constant.value for name, constant in MACHINE.items()}
    total = value["job_s"] + value["start_s" if ranks == 1 else "start_mpi_s"]
    most = 1
    for item in work.passes:
        most = max(most, item.parts)
        shares = [share(item.parts, ranks, rank).size / item.parts for rank in range(ranks)]
        compute = max(part * item.work_s * value["speed"] for part in shares)
        read = max(part * item.read_bytes / value[work.reads] for part in shares)
        read = max(read, item.read_bytes / value["storage_bytes_s"])
        total += max(compute, read) if work.overlaps else compute + read
        busy = [rank for rank in range(ranks) if shares[rank]]
        message = value["latency_s"] + item.state_bytes / value["message_bytes_s"]
        level = len(busy)
        while level > 1:
            total += message + item.merge_s * value["speed"]
            level = (level + 1) // 2
        total += item.trees * (1 - 1 / len(busy)) * message
    writers = min(ranks, most)
    total += max(
        work.write_bytes / (writers * value["write_store_bytes_s"]),
        work.write_bytes / value["storage_bytes_s"],
    )
    alone = work.fit_s - work.fit_shared_s + work.once_s
    return total + (alone + work.fit_shared_s / ranks) * value["speed"]


@given(WORKS, st.integers(1, 64))
def test_the_formula_written_out(work: Work, ranks: int) -> None:
    # Both are sums of at most 20 terms, each rounded a few times.
    assert stage_seconds(work, ranks, MACHINE).total == pytest.approx(
        written_out(work, ranks), rel=1e-12
    )


@given(WORKS, RANKS)
def test_the_parts_make_the_total_and_luck_orders_it(work: Work, ranks: int) -> None:
    expected = stage_seconds(work, ranks, MACHINE)
    assert all(part >= 0 for part in vars(expected).values())
    assert expected.total == pytest.approx(sum(vars(expected).values()), rel=1e-12)
    best = stage_seconds(work, ranks, MACHINE, luck=1).total
    worst = stage_seconds(work, ranks, MACHINE, luck=-1).total
    # The exposed part of reading is a difference, so it may be off by its operands' rounding.
    assert best <= expected.total * (1 + 1e-12)
    assert expected.total <= worst * (1 + 1e-12)


@given(WORKS, RANKS)
def test_a_rank_without_a_part_gains_nothing(work: Work, ranks: int) -> None:
    most = max(item.parts for item in work.passes)
    alone = constants(speed=1.0)
    full = stage_seconds(work, most, alone)
    more = stage_seconds(work, most + ranks, alone)
    # What is left to gain is in the fit, which is not cut into parts.
    assert more.compute - work.fit_shared_s / (most + ranks) == pytest.approx(
        full.compute - work.fit_shared_s / most, rel=1e-9, abs=1e-9
    )


@given(WORKS, RANKS)
def test_twice_the_ranks_never_compute_longer(work: Work, ranks: int) -> None:
    alone = constants(speed=1.0)
    once, twice = (stage_seconds(work, number, alone).compute for number in (ranks, 2 * ranks))
    assert twice <= once * (1 + 1e-12)


def test_without_constants_the_terms_of_the_machine_are_nothing() -> None:
    work = Work("score", 1.0, (Pass(8.0, 4, read_bytes=1e9, trees=3, state_bytes=1e6),), once_s=2.0)
    assert vars(stage_seconds(work, 4, {})) == {
        "job": 0.0,
        "start": 1.0,
        "storage": 0.0,
        "compute": 2.0,
        "merge": 0.0,
        "once": 2.0,
    }


def test_scaling_of_work_that_is_all_shared_is_perfect_up_to_its_parts() -> None:
    work = Work("train", 0.0, (Pass(64.0, 16),))
    strong = strong_scaling([work], [1, 4, 16, 64], lambda *_: {})
    assert [(row.speed_up, row.efficiency) for row in strong] == [
        (1.0, 1.0),
        (4.0, 1.0),
        (16.0, 1.0),
        (16.0, 0.25),
    ]

    def grown(times: int) -> list[Work]:
        return [Work("train", 0.0, (Pass(64.0 * times, 16 * times),))]

    weak = weak_scaling(grown, [1, 4, 4096], lambda *_: {})
    assert [(row.speed_up, row.efficiency) for row in weak] == [
        (1.0, 1.0),
        (4.0, 1.0),
        (4096.0, 1.0),
    ]


def test_amdahl() -> None:
    work = Work("train", 1.0, (Pass(90.0, 1 << 20),), once_s=9.0)
    (row,) = strong_scaling([work], [1 << 20], lambda *_: {})
    # 10 of 100 seconds are not shared: at most ten times as fast.
    assert row.speed_up == pytest.approx(10.0, rel=1e-4)


@given(st.integers(1, 5000), st.integers(1, 9000))
def test_messages_grow_with_the_logarithm_of_the_ranks(parts: int, ranks: int) -> None:
    work = Work("train", 0.0, (Pass(0.0, parts),))
    seconds = stage_seconds(work, ranks, constants(latency_s=1.0))
    assert seconds.merge == math.ceil(math.log2(min(parts, ranks)))
