from __future__ import annotations

from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config import Prepare
from lumipipe.store.batches import Item, deal, pack

SETTINGS = Prepare(shard_bytes=1024)
ITEMS = st.lists(
    st.builds(Item, st.just("key"), st.integers(1, 3000), st.floats(0.001, 5.0)), max_size=80
)


@given(ITEMS, st.integers(1, 40))
def test_each_item_is_in_one_batch_and_neighbours_stay_together(items, ranks):
    batches = pack(items, ranks, SETTINGS)
    assert sorted(number for batch in batches for number in batch) == list(range(len(items)))
    assert all(batch == sorted(batch) for batch in batches)
    shared = [batch for batch in batches if len(batch) > 1]
    assert all(one[-1] < other[0] for one, other in pairwise(shared))


@given(ITEMS, st.integers(1, 40))
def test_memory_is_that_of_the_largest_batch_not_the_sum(items, ranks):
    for batch in pack(items, ranks, SETTINGS):
        assert len(batch) == 1 or sum(items[number].bytes for number in batch) <= 1024


@given(ITEMS, st.integers(1, 40))
def test_a_long_item_is_alone(items, ranks):
    total_s = sum(item.seconds for item in items)
    for batch in pack(items, ranks, SETTINGS):
        longest = max(items[number].seconds for number in batch)
        # At most 64 parts, or four a rank, are aimed at.
        assert len(batch) == 1 or longest <= total_s / 2
        if total_s > 0.25 * max(64, 4 * ranks) and len(batch) > 1:
            assert longest <= total_s / max(64, 4 * ranks) / 2


def test_many_short_and_a_few_long_recordings():
    short, long = Item("short", 1400, 0.003), Item("long", 840_000, 0.15)
    items = [long] * 3 + [short] * 1000
    for ranks, most in ((1, 40), (8, 40), (128, 300)):
        batches = pack(items, ranks, Prepare())
        assert batches[:3] == [[0], [1], [2]]
        assert ranks <= len(batches) <= most
        costs = [sum(items[number].seconds for number in batch) for batch in batches]
        loads = [sum(costs[number] for number in share) for share in deal(costs, ranks)]
        # Nobody waits longer than for the longest recording.
        assert max(loads) <= max(0.15, 1.25 * sum(costs) / ranks)


def test_the_number_of_batches_does_not_grow_with_that_of_items():
    found = [len(pack([Item("a", 1000, 0.003)] * count, 1, Prepare())) for count in (10**4, 10**5)]
    # A hundred million bytes are two shards; the time asks for 64 parts, and a bit for rounding.
    assert max(found) <= 66


def test_the_file_budget_bounds_the_pieces():
    batches = pack([Item("a", 10, 1.0)] * 1000, 500, Prepare(most_files=80))
    assert len(batches) <= 2 * 80 // 8


def test_little_work_of_one_rank_is_one_batch():
    assert pack([Item("a", 10, 0.01), Item("b", 90, 0.2)], 1, Prepare()) == [[0, 1]]
    assert pack([], 3, Prepare()) == []


def best_time(costs: list[float], ranks: int) -> float:
    """The shortest possible time of the rank that takes longest, by trying everything."""
    best = sum(costs)
    for order in permutations(costs):
        loads = [0.0] * ranks
        for cost in order:
            loads[loads.index(min(loads))] += cost
        best = min(best, max(loads))
    return best


@given(st.lists(st.floats(0.1, 10.0), max_size=6), st.integers(1, 4))
def test_no_rank_takes_much_longer_than_it_must(costs, ranks):
    shares = deal(costs, ranks)
    assert sorted(number for share in shares for number in share) == list(range(len(costs)))
    for share in shares:
        assert all(costs[one] >= costs[other] for one, other in pairwise(share))
    longest = max(sum(costs[number] for number in share) for share in shares)
    bound = 4 / 3 - 1 / (3 * ranks)  # Graham 1969
    assert longest <= bound * best_time(costs, ranks) * (1 + 1e-12) + 1e-12
