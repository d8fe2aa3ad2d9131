"""Steps of k-means."""

from __future__ import annotations

import warnings

import numpy as np

from bench.made import correlated
from bench.rivals import Race, Rival, peer_module, relative
from lumipipe.kernels.distance import assign_sums

STEPS = 3


def bench_k_means(race: Race) -> None:
    rows = race.size(100_000, 2_000)
    x = correlated(rows, 64)
    x += 4 * np.random.default_rng(5).standard_normal((16, 64), np.float32)[np.arange(rows) % 16]
    start = x[:16].copy()
    cluster = peer_module("sklearn.cluster")
    model = cluster.KMeans(16, init=start, n_init=1, max_iter=STEPS, tol=0, algorithm="lloyd")

    def ours() -> tuple[np.ndarray, float]:
        centres = start
        for _ in range(STEPS):
            state = assign_sums(x, centres)
            centres = (state["sum"] / state["count"][:, None]).astype(np.float32)
        return centres, float(assign_sums(x, centres)["inertia"])

    def peer() -> tuple[np.ndarray, float]:
        with warnings.catch_warnings(action="ignore"):  # it has not converged, as was asked
            model.fit(x)
        return model.cluster_centers_, model.inertia_

    race(
        "k-means, 3 steps, 16 clusters",
        f"{rows} x 64 float32",
        ours,
        Rival("scikit-learn KMeans lloyd", peer),
        Rival("BLAS sgemm", lambda: [x @ start.T for _ in range(2 * STEPS + 1)]),
        lambda a, b: max(relative(a[0], b[0]), abs(a[1] / b[1] - 1)),
        1e-4,
        target=1.0,
    )
