from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.machine.binding import cores_in_words, cpu_bind, place_of_rank
from lumipipe.machine.partitions import Node

if TYPE_CHECKING:
    from lumipipe.machine.facts import Machine

# LUMI training materials, 2day-20260422/202-Binding.md: seven cores of each GCD, in GCD order.
MASKS = [
    *("fe000000000000", "fe00000000000000", "fe0000", "fe000000"),
    *("fe", "fe00", "fe00000000", "fe0000000000"),
]
PLAIN = Node(cores=128, memory_gib=224, source="made up", date="2026")
UNKNOWN = Node(cores=288, memory_gib=868, devices=4, source="made up", date="2026")


@pytest.mark.parametrize("ranks", [1, 4, 8])
def test_ranks_get_the_cores_nearest_to_their_devices(lumi: Machine, ranks: int) -> None:
    node = lumi.nodes["lumi-g"]
    places = [place_of_rank(node, rank, ranks) for rank in range(ranks)]
    assert [f"{place.mask:x}" for place in places] == MASKS[:ranks]
    assert [place.device for place in places] == list(range(ranks))
    assert all(len(place.cores) == 7 for place in places)


def test_masks_for_srun(lumi: Machine) -> None:
    node = lumi.nodes["lumi-g"]
    assert cpu_bind(node, 8, whole=True) == f"mask_cpu:{','.join(MASKS)}"
    assert cpu_bind(node, 4, whole=True) == f"mask_cpu:{','.join(MASKS[:4])}"


def test_no_masks_where_others_may_have_the_cores(lumi: Machine) -> None:
    assert cpu_bind(lumi.nodes["lumi-g"], 8, whole=False) == "cores"
    assert cpu_bind(lumi.nodes["lumi-c"], 128, whole=True) == "cores"
    assert cpu_bind(UNKNOWN, 4, whole=True) == "cores"


def test_cores_in_the_kernels_form(lumi: Machine) -> None:
    told = cores_in_words(lumi.nodes["lumi-g"], 8)
    assert told == "49-55 57-63 17-23 25-31 1-7 9-15 33-39 41-47"
    assert cores_in_words(PLAIN, 2) == "0-63 64-127"


@given(st.integers(1, 128), st.sampled_from([PLAIN, UNKNOWN]))
def test_no_core_and_no_device_is_given_twice(ranks: int, node: Node) -> None:
    ranks = min(ranks, node.devices or node.cores)
    places = [place_of_rank(node, rank, ranks) for rank in range(ranks)]
    cores = [core for place in places for core in place.cores]
    assert len(set(cores)) == len(cores)
    assert all(place.cores for place in places)
    assert max(cores) < node.cores
    assert len({place.device for place in places}) == (ranks if node.devices else 1)


def test_reserved_cores_are_given_to_nobody() -> None:
    node = Node(cores=6, reserved_cores=[0, 4], memory_gib=1, source="made up", date="2026")
    assert [place_of_rank(node, rank, 2).cores for rank in range(2)] == [(1, 2, 3), (5, 6, 7)]


@pytest.mark.parametrize(("rank", "ranks"), [(8, 9), (4, 4), (-1, 1)])
def test_a_rank_without_a_device_of_its_own_is_refused(
    lumi: Machine, rank: int, ranks: int
) -> None:
    with pytest.raises(InputError, match=rf"local rank={rank}, ranks per node={ranks}, devices"):
        place_of_rank(lumi.nodes["lumi-g"], rank, ranks)
