"""Hotelling's T² and SPE of rows."""

from __future__ import annotations

import numpy as np

from bench.made import correlated
from bench.rivals import Race, Rival, memory_stream, peer_module, relative, spans
from lumipipe.kernels.moments import pair_comoments
from lumipipe.models.pca import distances, fit_pca, for_rows

COMPONENTS = 8


def bench_t2_and_spe(race: Race) -> None:
    rows, block = race.size(500_000, 3_000), 4096
    x = correlated(rows, 64)
    model = fit_pca(pair_comoments(x), COMPONENTS)
    ready = for_rows(model, x.dtype)
    z = ((x - model["mean"]) / model["scale"]).astype(np.float32)
    decomposition = peer_module("sklearn.decomposition")
    pca = decomposition.PCA(COMPONENTS, svd_solver="covariance_eigh").fit(z)

    def ours() -> np.ndarray:
        found = [distances(ready, x[span]) for span in spans(rows, block)]
        return np.concatenate([np.stack([d["t2"], d["spe"]]) for d in found], axis=1)

    def peer() -> np.ndarray:
        found = []
        for span in spans(rows, block):
            scores = pca.transform(z[span])
            residual = z[span] - pca.inverse_transform(scores)
            t2 = np.sum(scores * scores / pca.explained_variance_, axis=1)
            found.append(np.stack([t2, np.sum(residual * residual, axis=1)]))
        return np.concatenate(found, axis=1)

    race(
        "T² and SPE of rows",
        f"{rows} x 64 float32, 8 components",
        ours,
        Rival("scikit-learn transform, inverse, of scaled rows", peer),
        memory_stream(x),
        relative,
        1e-3,  # float32 scores, and eigenvectors of close eigenvalues
        target=4,
    )
