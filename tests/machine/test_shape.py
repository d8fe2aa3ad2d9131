"""Ranks on nodes: the fewest nodes, evenly, and nothing that is paid for and idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.machine.shape import HEAD_MIB, fit, most_ranks
from machines import PARTITIONS

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine

GIB = 1024


@pytest.mark.parametrize(
    ("partition", "ranks", "memory_gib", "nodes", "each", "node_gib"),
    [
        ("standard-g", 8, None, 1, 8, 480),
        ("standard-g", 8192, None, 1024, 8, 480),
        ("standard-g", 8, 60, 1, 8, 480),
        ("standard-g", 8, 100, 2, 4, 480),
        ("standard", 128, None, 1, 128, 224),
        ("standard", 64, None, 1, 64, 224),
        ("standard", 130, None, 2, 65, 224),
        ("standard", 4, 112, 2, 2, 224),
        ("small", 1, None, 1, 1, 224),
        ("small", 512, None, 4, 128, 224),
        ("small", 129, None, 3, 43, 224),  # two nodes do not divide it
        ("small", 4, 100, 1, 4, 480),
        ("small", 4, 200, 1, 4, 992),
        ("small", 4, 490, 2, 2, 992),
        ("largemem", 1, 3000, 1, 1, 3720),
        ("small-g", 1, None, 1, 1, 480),
        ("small-g", 12, None, 2, 6, 480),
        ("dev-g", 256, None, 32, 8, 480),
    ],
)
def test_nodes_of_lumi(
    lumi: Machine,
    partition: str,
    ranks: int,
    memory_gib: float | None,
    nodes: int,
    each: int,
    node_gib: float,
) -> None:
    memory = None if memory_gib is None else int(memory_gib * GIB)
    shape = fit(lumi, partition, ranks, memory, "")
    assert (shape.nodes, shape.ranks_per_node, shape.node.memory_gib) == (nodes, each, node_gib)


@pytest.mark.parametrize(
    ("partition", "ranks", "memory_gib", "problem", "remedy"),
    [
        (
            "standard-g",
            12,
            None,
            (
                r"ranks=12, .*=standard-g, ranks per node \(most\)=8, nodes \(needed\)=2, nodes "
                r"\(most\)=1024: 4 of 16 devices would be billed and idle"
            ),
            "ask for 8 or 16 ranks",
        ),
        ("standard-g", 1, None, "7 of 8 devices would be billed", "ask for 8 ranks"),
        ("standard-g", 9000, None, r"\(needed\)=1125, .*they do not fit", "ask for 8192 ranks"),
        ("standard", 1, None, "127 of 128 places for ranks would be billed", "ask for 64 ranks"),
        ("standard", 131, None, "131 ranks do not divide evenly over 2", "ask for 130 or 132"),
        ("small", 513, None, r"needed\)=5, nodes \(most\)=4: they do not fit", "ask for 512"),
        ("small-g", 31, None, "31 ranks do not divide evenly over 4 nodes", "ask for 28 or 32"),
        ("small-g", 2, 56, "57344 MiB .*partition=small-g: a rank of a shared node", "less memory"),
        ("small", 1, 992, r"1015808 MiB \(1065\.2 GB\) a rank and 300 MiB", "less memory"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(
    lumi: Machine,
    partition: str,
    ranks: int,
    memory_gib: int | None,
    problem: str,
    remedy: str,
) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        fit(lumi, partition, ranks, None if memory_gib is None else memory_gib * GIB, "r.yaml:4")
    assert remedy in caught.value.remedy
    assert caught.value.place == "r.yaml:4"
    assert ";" not in caught.value.remedy  # what shows a line again cuts it there


@pytest.mark.parametrize(
    ("partition", "ranks", "problem"),
    [
        ("large", 384, r"nodes \(least\)=6"),
        ("longrun", 193, r"cores \(most\)=192"),
        ("gpumedium", 5, r"devices \(most\)=4"),
    ],
)
def test_limits_of_one_job(roihu: Machine, partition: str, ranks: int, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        fit(roihu, partition, ranks, None, "")


@given(st.sampled_from(PARTITIONS), st.integers(1, 9000), st.none() | st.integers(1, 2**20))
def test_a_job_keeps_within_its_partition_or_is_refused(
    where: tuple[Machine, str], ranks: int, memory_mib: int | None
) -> None:
    machine, name = where
    partition = machine.partitions[name]
    try:
        shape = fit(machine, name, ranks, memory_mib, "")
    except InputError:
        return
    node, each = shape.node, shape.ranks_per_node
    assert shape.nodes * each == ranks
    assert partition.least_nodes <= shape.nodes <= partition.most_nodes
    assert each <= (node.devices or node.cores)
    own = 0 if partition.whole_nodes else HEAD_MIB
    assert each * (memory_mib or 0) + own <= node.memory_gib * GIB
    room = most_ranks(partition, node, memory_mib)
    assert ranks >= partition.least_fill * shape.nodes * room


@given(st.sampled_from(PARTITIONS), st.integers(1, 4000))
def test_what_a_refusal_offers_is_taken(where: tuple[Machine, str], ranks: int) -> None:
    machine, name = where
    try:
        fit(machine, name, ranks, None, "")
    except InputError as error:
        offered = [int(word) for word in error.remedy.split() if word.isdigit()]
        assert offered
        for number in offered:
            fit(machine, name, number, None, "")
