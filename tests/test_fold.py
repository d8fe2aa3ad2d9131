"""The one loop: the same bytes on any number of ranks, resumed or not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm, pack
from lumipipe.comm.threads import run_ranks
from lumipipe.fold import fold, merge_all
from lumipipe.models.ridge import RidgeReducer
from lumipipe.partition import Span
from lumipipe.store.checkpoint import FolderCheckpoint
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lumipipe.comm import Comm
    from lumipipe.windows import WindowPlan

NUMPY = choose_backend("numpy")
REDUCER = RidgeReducer(xp, 3, 2, 16, 1)


def _plan(sizes: Sequence[int]) -> WindowPlan:
    rows = np.concatenate([[0], np.cumsum(sizes)])
    segments = [[Span(int(a), int(b))] for a, b in itertools.pairwise(rows)]
    return plan_windows([f"u{i:02d}" for i in range(len(sizes))], segments, 1, 1, 5)


class _Stream:
    """Batches of random rows by chunk; notes which chunks were asked for."""

    def __init__(self, plan: WindowPlan, fail_at: int | None = None) -> None:
        self.plan = plan
        self.rows = np.random.default_rng(5).normal(size=(len(plan.start), 5)) + 1e3
        self.fail_at = fail_at
        self.asked: list[int] = []

    def __call__(self, chunks: Sequence[int]) -> Iterator[tuple[int, dict[Any, Any]]]:
        for chunk in chunks:
            if chunk == self.fail_at:
                raise RuntimeError(f"chunk {chunk} is broken")
            self.asked.append(chunk)
            span = slice(*self.plan.chunks[chunk])
            number = np.arange(*self.plan.chunks[chunk])
            yield (
                chunk,
                {
                    (str(part),): {
                        "x": self.rows[span, :3][number % 2 == part],
                        "y": self.rows[span, 3:][number % 2 == part],
                        "number": number[number % 2 == part],
                    }
                    for part in (0, 1)
                },
            )


def _folded(comm: Comm, plan: WindowPlan, **options: Any) -> bytes:
    leaves = fold(REDUCER, plan.trees, _Stream(plan), comm, NUMPY, **options)
    flat = {
        "/".join([*leaf, name]): array
        for leaf, state in sorted(leaves.items())
        for name, array in state.items()
    }
    return pack(flat)


SIZES = [[23], [1, 2], [40, 3, 0, 17], [5] * 9, [0, 0, 61]]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("ranks", [2, 3, 4, 7])
def test_any_number_of_ranks_gives_the_same_bytes(sizes: list[int], ranks: int) -> None:
    plan = _plan(sizes)
    alone = _folded(SerialComm(), plan)
    results = run_ranks(ranks, lambda comm: _folded(comm, plan))
    assert results[0] == alone
    assert set(results[1:]) == {pack({})}


def test_leaf_equals_the_whole_within_rounding() -> None:
    plan = _plan([40, 3, 17])
    stream = _Stream(plan)
    leaves = fold(REDUCER, plan.trees, stream, SerialComm(), NUMPY)
    total = merge_all(REDUCER, [leaves[leaf] for leaf in sorted(leaves)])
    direct = np.cov(stream.rows.T) * (len(stream.rows) - 1)
    assert int(total["count"]) == 60
    # Sums of 60 products about 1e3: the mean carries eps * 1e3, squared products stay centred.
    np.testing.assert_allclose(total["comoment"], direct, rtol=1e-9, atol=1e-9)


def test_unit_is_the_same_bytes_without_the_others() -> None:
    both, alone = _plan([23, 31]), plan_windows(["u01"], [[Span(23, 54)]], 1, 1, 5)
    stream = _Stream(both)
    leaves = fold(REDUCER, both.trees, stream, SerialComm(), NUMPY)

    def shifted(chunks: Sequence[int]) -> Iterator[tuple[int, dict[Any, Any]]]:
        first = both.trees[1].chunks.first
        for chunk in chunks:
            yield chunk, next(stream([chunk + first]))[1]

    rest = fold(REDUCER, alone.trees, shifted, SerialComm(), NUMPY)
    assert all(pack(leaves[leaf]) == pack(rest[leaf]) for leaf in rest)


@pytest.mark.parametrize("fail_at", [1, 6, 9])
@pytest.mark.parametrize("ranks_after", [1, 3])
def test_killed_fold_resumes_from_finished_subtrees(
    tmp_path: Path, fail_at: int, ranks_after: int
) -> None:
    plan = _plan([23, 31])
    undisturbed = _folded(SerialComm(), plan)
    with pytest.raises(RuntimeError, match="is broken"):
        fold(
            REDUCER,
            plan.trees,
            _Stream(plan, fail_at),
            SerialComm(),
            NUMPY,
            FolderCheckpoint(tmp_path / "fold", 0.0),
        )
    saved = sorted(path.name for path in (tmp_path / "fold").iterdir())
    resumed = run_ranks(
        ranks_after,
        lambda comm: _folded(comm, plan, checkpoint=FolderCheckpoint(tmp_path / "fold", 0.0)),
    )
    assert saved
    assert resumed[0] == undisturbed


def test_resumed_fold_computes_only_what_is_missing(tmp_path: Path) -> None:
    plan = _plan([23, 31])
    checkpoint = FolderCheckpoint(tmp_path, 0.0)
    with pytest.raises(RuntimeError, match="is broken"):
        fold(REDUCER, plan.trees, _Stream(plan, 6), SerialComm(), NUMPY, checkpoint)
    stream = _Stream(plan)
    fold(REDUCER, plan.trees, stream, SerialComm(), NUMPY, FolderCheckpoint(tmp_path, 0.0))
    assert stream.asked == list(range(6, len(plan.chunks)))


def test_damaged_checkpoint_is_computed_again(tmp_path: Path) -> None:
    plan = _plan([23])
    checkpoint = FolderCheckpoint(tmp_path, 0.0)
    undisturbed = _folded(SerialComm(), plan, checkpoint=checkpoint)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert _folded(SerialComm(), plan, checkpoint=FolderCheckpoint(tmp_path, 0.0)) == undisturbed


def test_stream_out_of_order_is_a_defect() -> None:
    plan = _plan([23])

    def wrong(chunks: Sequence[int]) -> Iterator[tuple[int, dict[Any, Any]]]:
        for chunk in reversed(chunks):
            yield chunk, {}

    with pytest.raises(RuntimeError, match="where 0 was due"):
        fold(REDUCER, plan.trees, wrong, SerialComm(), NUMPY)
