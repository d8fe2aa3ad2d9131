"""Partial least squares as what a regression learns with: components by nested folds, envelope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.grouped_ridge import NestedSettings
from lumipipe.families.guard import guard_model
from lumipipe.families.learner import Learner
from lumipipe.fold import merge_all
from lumipipe.models.monitor import contributions
from lumipipe.models.pls import (
    PlsReducer,
    coefficient_path,
    fit_latent,
    pair_state,
    predict_with_gaps,
    relative_errors,
)
from lumipipe.models.ridge import sampled
from lumipipe.uncertainty.control_limits import empirical_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Backend, State
    from lumipipe.families.grouped_ridge import Calibrate
    from lumipipe.uncertainty.scores import Scores

_OF_INPUTS = {
    "mean": "mean_x",
    "scale": "scale_x",
    "rotation": "rotation",
    "loadings": "loadings",
    "score_variance": "score_variance",
}
_OTHERS = ("weights", "spread_x", "y_loadings", "mean_y", "scale_y")


@dataclass(frozen=True)
class LatentModel:
    """One fitted model of latent variables, on the host.

    Parameters
    ----------
    mean_x, scale_x : ndarray of float64, shape (input,)
        What inputs are centred and divided by.
    spread_x : ndarray of float64, shape (input,)
        Standard deviations of inputs.
    mean_y, scale_y : ndarray of float64, shape (target,)
        What targets are centred and divided by.
    weights, rotation, loadings : ndarray of float64, shape (input, component)
        Between scaled columns.
    y_loadings : ndarray of float64, shape (target, component)
        Targets of one unit of each score.
    score_variance : ndarray of float64, shape (component,)
        Of training rows.
    rows : int
        Training rows.
    """

    mean_x: NDArray[np.float64]
    scale_x: NDArray[np.float64]
    spread_x: NDArray[np.float64]
    mean_y: NDArray[np.float64]
    scale_y: NDArray[np.float64]
    weights: NDArray[np.float64]
    rotation: NDArray[np.float64]
    loadings: NDArray[np.float64]
    y_loadings: NDArray[np.float64]
    score_variance: NDArray[np.float64]
    rows: int

    @property
    def components(self) -> int:
        """Number of latent variables."""
        return len(self.score_variance)


def pls_learner(components: int, *, is_scaled: bool) -> Learner:
    """Partial least squares with up to so many components.

    Parameters
    ----------
    components : int
        Most latent variables; no more than features are tried.
    is_scaled : bool
        Whether features are divided by their standard deviations.

    Returns
    -------
    Learner
        Errors are weighed by the variance of each target, so that units do not matter.
    """

    def nested(width: int, calibrate: Calibrate) -> NestedSettings:
        most = min(components, width)

        def path(state: State) -> State:
            latent = _fit(state, width, most, is_scaled=is_scaled)
            return coefficient_path(latent) | {"rows": state["count"]}

        return NestedSettings(
            tuple(range(1, most + 1)), path, calibrate, relative_errors, predict_with_gaps
        )

    return Learner(PlsReducer, nested, partial(_envelope, is_scaled=is_scaled))


def _fit(state: State, width: int, components: int, *, is_scaled: bool) -> State:
    """The latent variables of a state on the host."""
    pairs = pair_state(state)
    count = np.asarray(pairs["count"])
    has_gaps = bool((count != count.max()).any())
    return fit_latent(pairs, width, components, is_scaled=is_scaled, has_gaps=has_gaps)


def _envelope(
    backend: Backend,
    states: list[State],
    arrays: Mapping[str, np.ndarray],
    alpha: float,
    scores: Scores,
    *,
    is_scaled: bool,
) -> dict[str, np.ndarray]:
    """Latent variables of each fold's model and of the last one, and limits from left-out rows."""
    width, most = arrays["final_coef"].shape[0], int(arrays["path_error"].shape[1])
    # Cross-products alone are merged again, no sample of rows.
    reducer = PlsReducer(backend.xp, width, arrays["final_coef"].shape[1], 0, 0)
    merged = [
        merge_all(reducer, [s for n, s in enumerate(states) if n != fold])
        for fold in range(len(states) + 1)
    ]
    chosen = [*arrays["fold_choice"].astype(int), int(arrays["final_choice"])]
    models = [
        _cut(backend.state_to_host(_fit(state, width, most, is_scaled=is_scaled)), count)
        for state, count in zip(merged, chosen, strict=True)
    ]
    found = {
        f"guard_{own}": np.stack([model[name] for model in models])
        for own, name in _OF_INPUTS.items()
    }
    found |= {f"latent_{name}": np.stack([m[name] for m in models]) for name in _OTHERS}
    found["latent_components"] = np.asarray(chosen, dtype=np.int64)
    found["latent_rows"] = np.asarray([int(state["count"]) for state in merged], dtype=np.int64)
    seen = [
        contributions(guard_model(found, fold), backend.to_host(sampled(state)["x"]))
        for fold, state in enumerate(states)
    ]
    for name in ("t2", "spe"):
        left_out = np.concatenate([np.asarray(part[name]) for part in seen])
        found[f"envelope_{name}"] = np.array(
            empirical_limit(scores(f"guard/{name}", left_out), alpha)
        )
    return found


def _cut(model: dict[str, Any], components: int) -> dict[str, Any]:
    """The model without its later components, which stay as zeros of variance one."""
    later = np.arange(len(model["score_variance"])) >= components
    parts = {
        name: np.where(later, 0.0, model[name])
        for name in ("weights", "rotation", "loadings", "y_loadings")
    }
    return {**model, **parts, "score_variance": np.where(later, 1.0, model["score_variance"])}


def latent_model(arrays: Mapping[str, np.ndarray], number: int = -1) -> LatentModel:
    """One of the models in the arrays of a regression; the last is that of all training rows."""
    kept = slice(0, int(arrays["latent_components"][number]))
    watched = guard_model(arrays, number)
    own = {name: arrays[f"latent_{name}"][number] for name in _OTHERS}
    return LatentModel(
        mean_x=watched["mean"],
        scale_x=watched["scale"],
        spread_x=own["spread_x"],
        mean_y=own["mean_y"],
        scale_y=own["scale_y"],
        weights=own["weights"][:, kept],
        rotation=watched["rotation"][:, kept],
        loadings=watched["loadings"][:, kept],
        y_loadings=own["y_loadings"][:, kept],
        score_variance=watched["score_variance"][kept],
        rows=int(arrays["latent_rows"][number]),
    )
