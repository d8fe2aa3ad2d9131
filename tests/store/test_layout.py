from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError, StoreError
from lumipipe.partition import share
from lumipipe.store.layout import (
    check_file_count,
    check_memory,
    check_owners,
    peak_bytes,
    plan_stream,
    planned_files,
)

COUNTS = st.integers(1, 10**7)


@given(COUNTS, st.integers(1, 40), st.sampled_from([4, 8]), COUNTS, COUNTS)
def test_shards_are_whole_chunks_and_cover_all_rows(rows, channels, itemsize, chunk, shard):
    plan = plan_stream(rows, channels, itemsize, chunk, shard)
    row_bytes = channels * itemsize
    assert plan.shard_rows % plan.chunk_rows == 0
    assert plan.chunk_rows == 1 or plan.chunk_rows * row_bytes <= chunk
    assert plan.shard_rows == plan.chunk_rows or plan.shard_rows * row_bytes <= shard
    spans = [plan.shard_range(number) for number in range(min(plan.shards, 50))]
    assert spans[0][0] == 0
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert plan.shard_range(plan.shards - 1)[1] == rows


def test_the_number_of_files_counts_each_array():
    plain = plan_stream(1000, 2, 4, 80, 800)
    labelled = plan_stream(1000, 2, 4, 80, 800, labels=2, has_time=True)
    assert plain.shards == 10
    assert planned_files([labelled]) - planned_files([plain]) == 3 * 11


def test_too_many_files_are_refused_with_a_remedy():
    check_file_count(100, 100)
    with pytest.raises(InputError, match=r"101 files, 100 are allowed; raise prepare.shard_bytes"):
        check_file_count(101, 100)


def test_the_peak_grows_with_writers_and_is_refused_above_the_memory():
    plan = plan_stream(10**7, 4, 4, 2**20, 2**26)
    one = peak_bytes([plan], 1)
    assert 2 * 2**26 < one < 2.1 * 2**26
    assert peak_bytes([plan], 8) == 8 * one
    check_memory(one, one)
    with pytest.raises(InputError, match=r"lower prepare\.shard_bytes"):
        check_memory(one, one - 1)


@given(st.integers(0, 50), st.integers(1, 9))
def test_shares_own_each_shard_once(units, size):
    check_owners([range(*share(units, size, rank)) for rank in range(size)], units)


def test_two_writers_of_one_shard_are_refused():
    with pytest.raises(StoreError, match="shard 1 has two writers"):
        check_owners([[0, 1], [1, 2]], 3)
    with pytest.raises(StoreError, match="not every shard"):
        check_owners([[0], [2]], 3)
