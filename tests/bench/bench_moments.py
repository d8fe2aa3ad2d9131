"""Cross-products: what PCA and ridge are fitted from, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import numpy as xp

from bench.made import correlated
from bench.rivals import Race, Rival, peer_module, relative, spans, syrk
from lumipipe.kernels.moments import comoments, pair_comoments
from lumipipe.kernels.solve import eigh_descending
from lumipipe.models.ridge import RidgeReducer, fit_path

if TYPE_CHECKING:
    from lumipipe.backend import State

COMPONENTS = 8
CHUNK_ROWS = 16_384  # 4 MiB of 64 float32 channels, as stores are cut


def variances(state: State) -> np.ndarray:
    """The largest eigenvalues of the covariance of a state of `comoments`."""
    return eigh_descending(state["comoment"] / (state["count"] - 1))[0][:COMPONENTS]


def true_variances(x: np.ndarray) -> np.ndarray:
    """The same from centred float64 rows."""
    wide = x.astype(np.float64)
    wide -= wide.mean(axis=0)
    return np.linalg.eigvalsh(wide.T @ wide / (len(x) - 1))[::-1][:COMPONENTS]


def pca_peer(x: np.ndarray) -> Rival:
    """The solver that scikit-learn chooses for tall data."""
    pca = peer_module("sklearn.decomposition").PCA(COMPONENTS, svd_solver="covariance_eigh")
    return Rival("scikit-learn covariance_eigh", lambda: pca.fit(x).explained_variance_)


def bench_pca_fit(race: Race) -> None:
    rows = race.size(1_000_000, 3_000)
    x = correlated(rows, 64, offset=1e3)
    truth = true_variances(x)
    race(
        "PCA fit in memory, offset 1000",
        f"{rows} x 64 float32",
        lambda: variances(comoments(x)),
        pca_peer(x),
        syrk(x),
        lambda ours, _: float(np.max(np.abs(ours / truth - 1))),
        1e-6,
        target=1.2,
        against="float64",
        note=lambda peer: f"peer by {np.max(np.abs(peer / truth - 1)):.1g}",
    )


def bench_pca_fit_in_float64(race: Race) -> None:
    rows = race.size(500_000, 3_000)
    x = correlated(rows, 64, offset=1e3).astype(np.float64)
    race(
        "PCA fit in memory, float64",
        f"{rows} x 64 float64",
        lambda: variances(comoments(x)),
        pca_peer(x),
        syrk(x),
        relative,
        1e-6,  # the peer loses (offset / spread)² = 1e6 of its 2e-16 times rows
    )


def bench_pairs(race: Race) -> None:
    pandas = peer_module("pandas")
    rows = race.size(20_000, 300)
    x = correlated(rows, 64)
    x[np.random.default_rng(2).random(x.shape) < 0.01] = np.nan
    frame = pandas.DataFrame(x.astype(np.float64))

    def ours() -> np.ndarray:
        state = pair_comoments(x)
        return state["comoment"] / (state["count"] - 1)

    race(
        "Covariance of pairs, 1 % missing",
        f"{rows} x 64 float32",
        ours,
        Rival("pandas cov", lambda: frame.cov().to_numpy()),
        syrk(x.astype(np.float64)),
        relative,
        1e-9,
    )


def bench_ridge(race: Race) -> None:
    rows = race.size(1_000_000, 3_000)
    x = correlated(rows, 64)
    y = x[:, :1] - 2 * x[:, 1:2] + correlated(rows, 1, seed=9)
    number = np.arange(rows)
    model = peer_module("sklearn.linear_model").Ridge(1.0, solver="cholesky")
    reducer = RidgeReducer(xp, 64, 1, 100, 1)

    def ours() -> np.ndarray:
        state = reducer.empty()
        for span in spans(rows, CHUNK_ROWS):
            batch = {"x": x[span], "y": y[span], "number": number[span]}
            state = reducer.merge(state, reducer.update(reducer.empty(), batch))
        return fit_path(state, 64, [0.0])["coef"][0, :, 0]

    def peer() -> np.ndarray:
        return model.fit(x, y).coef_.ravel()

    race(
        "Ridge fit, with its calibration sample",
        f"{rows} x 64 float32",
        ours,
        Rival("scikit-learn Ridge cholesky", peer),
        syrk(x),
        relative,
        1e-2 if race.small else 1e-3,  # the peer's penalty is on unscaled inputs, and float32
        target=1.4,
    )
