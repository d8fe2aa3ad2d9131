"""The one loop: what it adds to plain calls, and a fit from a stored dataset to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import zarr
from array_api_compat import numpy as xp

from bench.bench_moments import CHUNK_ROWS, pca_peer, true_variances, variances
from bench.bench_store import codec, stored
from bench.made import correlated
from bench.rivals import Race, Rival, spans
from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.fold import fold
from lumipipe.kernels.moments import comoments, merge_comoments
from lumipipe.partition import Span, Tree
from lumipipe.store.readahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lumipipe.backend import State


@dataclass(frozen=True)
class CovarianceReducer:
    """Cross-products alone, without what a family adds to them."""

    channels: int

    def empty(self) -> State:
        return comoments(xp.zeros((0, self.channels), dtype=xp.float32))

    def update(self, state: State, batch: dict[str, np.ndarray]) -> State:
        return self.merge(state, comoments(batch["x"]))

    def merge(self, first: State, second: State) -> State:
        return merge_comoments(first, second)


def folded(read: Callable[[slice], np.ndarray], cuts: Sequence[slice]) -> np.ndarray:
    """Largest eigenvalues of the covariance of all rows, read ahead and folded."""

    def stream(
        numbers: Sequence[int],
    ) -> Iterator[tuple[int, dict[tuple[str, ...], dict[str, np.ndarray]]]]:
        for number, x in read_ahead(numbers, lambda n: read(cuts[n]), 2):
            yield number, {("all",): {"x": x}}

    tree = Tree("u", Span(0, len(cuts)))
    leaves = fold(CovarianceReducer(64), [tree], stream, SerialComm(), choose_backend("numpy"))
    return variances(leaves["u", "all"])


def bench_fold(race: Race) -> None:
    rows = race.size(1_000_000, 5_000)
    x = correlated(rows, 64)
    cuts = spans(rows, race.size(CHUNK_ROWS, 512))

    def plain() -> np.ndarray:
        state = comoments(x[cuts[0]])
        for cut in cuts[1:]:
            state = merge_comoments(state, comoments(x[cut]))
        return variances(state)

    race(
        "Fold of cross-products over chunks",
        f"{rows} x 64 float32, {len(cuts)} chunks",
        lambda: folded(lambda cut: x[cut], cuts),
        Rival("the same kernel in a plain loop", plain),
        Rival("the kernel, all rows at once", lambda: comoments(x)),
        lambda a, b: float(np.max(np.abs(a / b - 1))),
        1e-6,
    )


def bench_overlap(race: Race) -> None:
    rows = race.size(1_000_000, 5_000)
    table, _ = stored(race, rows)
    x = table.read_rows(0, rows)
    cuts = spans(rows, table.chunk_rows)

    def read(cut: slice) -> np.ndarray:
        return table.read_rows(cut.start, cut.stop)

    def read_alone() -> np.ndarray:
        for cut in cuts:
            read(cut)
        return np.zeros(0)

    race(
        "Reading, computing and merging at once",
        f"{rows} x 64 float32, {len(cuts)} chunks, warm",
        lambda: folded(read, cuts),
        Rival("computing alone, from memory", lambda: folded(lambda cut: x[cut], cuts)),
        Rival("reading alone", read_alone),
        lambda a, b: float(np.max(np.abs(a / b - 1))),
        0,
        target=1 / 1.15,
    )


def bench_zarr_to_pca(race: Race) -> None:
    rows = race.size(1_000_000, 5_000)
    table, array = stored(race, rows)
    x = table.read_rows(0, rows)
    truth = true_variances(x)
    limit = codec(x, table.chunk_rows)
    del x
    cuts = spans(rows, table.chunk_rows)

    def peer() -> np.ndarray:
        loaded = zarr.open_array(array, mode="r")[...]
        return pca_peer(loaded).run()

    race(
        "Zarr to PCA",
        f"{rows} x 64 float32, warm",
        lambda: folded(lambda cut: table.read_rows(cut.start, cut.stop), cuts),
        Rival("zarr-python, all rows; scikit-learn covariance_eigh", peer),
        limit,
        lambda ours, _: float(np.max(np.abs(ours / truth - 1))),
        1e-6,
        target=3,
        against="float64",
        note=lambda found: f"peer by {np.max(np.abs(found / truth - 1)):.1g}",
    )
