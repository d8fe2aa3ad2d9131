"""Random Fourier features with ridge regression on them, in one pass."""

from __future__ import annotations

import numpy as np
from array_api_compat import numpy as xp

from bench.made import correlated
from bench.rivals import Race, Rival, peer_module, relative, spans, syrk
from lumipipe.kernels.fourier import fourier_features
from lumipipe.models.ridge import RidgeReducer, fit_path, predict

PENALTY = 1024.0


def exact_predictions(features: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised float64 features, by least squares."""
    mean, scale = features.mean(axis=0), features.std(axis=0, ddof=1)
    z = (features - mean) / scale
    centred = y.astype(np.float64) - y.mean(dtype=np.float64)
    coef = np.linalg.solve(z.T @ z + PENALTY * np.eye(z.shape[1]), z.T @ centred)
    return (z @ coef)[:, 0] + y.mean(dtype=np.float64)


def bench_fourier_ridge(race: Race) -> None:
    rows, count = race.size(50_000, 600), race.size(1024, 32)
    x = correlated(rows, 16)
    y = np.sin(x[:, :1]) + x[:, 1:2]
    number, block = np.arange(rows), 4096
    sampler = peer_module("sklearn.kernel_approximation").RBFSampler(
        gamma=0.02, n_components=count, random_state=1
    )
    model = peer_module("sklearn.linear_model").Ridge(PENALTY / count, solver="cholesky")
    sampler.fit(x)
    frequencies = sampler.random_weights_.astype(np.float32)
    phases = sampler.random_offset_.astype(np.float32)
    reducer = RidgeReducer(xp, count, 1, 100, 1)

    def ours() -> np.ndarray:
        state = reducer.empty()
        for span in spans(rows, block):
            features = fourier_features(x[span], frequencies, phases)
            batch = {"x": features, "y": y[span], "number": number[span]}
            state = reducer.merge(state, reducer.update(reducer.empty(), batch))
        fitted = fit_path(state, count, [PENALTY])
        return predict(fitted, fourier_features(x[:500], frequencies, phases))[0, :, 0]

    truth = exact_predictions(np.cos(x @ frequencies + phases, dtype=np.float64), y)[:500]

    def peer() -> np.ndarray:
        model.fit(sampler.transform(x), y)
        return model.predict(sampler.transform(x[:500])).ravel()

    race(
        f"{count} random Fourier features and ridge",
        f"{rows} x 16 float32",
        ours,
        Rival("scikit-learn RBFSampler, Ridge cholesky", peer),
        syrk(fourier_features(x, frequencies, phases)),
        lambda found, _: relative(found, truth),
        1e-4,  # float32 features
        target=1.15,
        against="float64",
        # It penalises coefficients of features as they are, ours of standardised ones.
        note=lambda found: f"peer's predictions by {relative(found, truth):.1g}",
    )
