"""Random Fourier features with ridge regression on them, in one pass."""

from __future__ import annotations

import numpy as np
from array_api_compat import numpy as xp

from bench.made import correlated
from bench.rivals import Race, Rival, peer_module, relative, spans, syrk
from lumipipe.kernels.fourier import fourier_features
from lumipipe.models.ridge import RidgeReducer, fit_path, predict


def bench_fourier_ridge(race: Race) -> None:
    rows, count = race.size(50_000, 600), race.size(1024, 32)
    x = correlated(rows, 16)
    y = np.sin(x[:, :1]) + x[:, 1:2]
    number, block = np.arange(rows), 4096
    sampler = peer_module("sklearn.kernel_approximation").RBFSampler(
        gamma=0.02, n_components=count, random_state=1
    )
    model = peer_module("sklearn.linear_model").Ridge(1.0, solver="cholesky")
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
        fitted = fit_path(state, count, [float(count)])
        return predict(fitted, fourier_features(x[:500], frequencies, phases))[0, :, 0]

    def peer() -> np.ndarray:
        model.fit(sampler.transform(x), y)
        return model.predict(sampler.transform(x[:500])).ravel()

    race(
        f"{count} random Fourier features and ridge",
        f"{rows} x 16 float32",
        ours,
        Rival("scikit-learn RBFSampler, Ridge cholesky", peer),
        syrk(fourier_features(x, frequencies, phases)),
        relative,
        0.2
        if race.small
        else 2e-2,  # features vary by about 1 / count, and by that ours scales them
        target=1.15,
    )
