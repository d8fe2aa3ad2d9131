"""What a fitted regression or classifier needs to answer new rows without the data that taught it.

The score stage keeps it beside the answer; `lumipipe.tasks.bundle` makes a folder of it, which
`lumipipe.scorer` reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.guard import DISTANCES, guard_model
from lumipipe.families.interface import Model
from lumipipe.families.regression_scores import RegressionScores
from lumipipe.features.described import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.guarded_classifier import GuardedClassifier
    from lumipipe.families.regression import Regression
    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import StreamTable

BY_PREDICTION = "prediction"
"""What tells the width of an interval, where that is no channel."""
_OF_GUARD = ("mean", "scale", "rotation", "loadings", "score_variance", "low", "high")


def scorer_of(found: Regression, model: Model, leaves: Leaves) -> Model:
    """The final model of a regression with intervals as the scored rows have them.

    Parameters
    ----------
    found : Regression
        What was fitted.
    model : Model
        Its arrays.
    leaves : dict of (unit,) to State
        Scored rows.

    Returns
    -------
    Model
        As `regression_scorer` says.
    """
    scores = [RegressionScores(found, model, leaves, n) for n in range(len(found.targets))]
    regimes = found.settings.regimes
    return regression_scorer(
        found,
        model,
        np.stack([score.final_half_widths for score in scores]),
        [score.channel for score in scores],
        {} if regimes is None else {"by": regimes.channel, "edges": list(regimes.edges)},
    )


def regression_scorer(
    found: Regression,
    model: Model,
    half_width: NDArray[np.float64],
    targets: list[tuple[str, str]],
    regimes: Mapping[str, Any],
) -> Model:
    """The final model of a regression, with its guard and its intervals.

    Parameters
    ----------
    found : Regression
        What was fitted.
    model : Model
        Its arrays.
    half_width : ndarray of float64, shape (target, regime)
        Half-width of the interval.
    targets : list of tuple of str
        Name and unit of each target.
    regimes : mapping
        ``by``, a channel or `BY_PREDICTION`, and ``edges`` between regimes; empty for one.

    Returns
    -------
    Model
        Arrays of the final model alone, and a card of JSON values that says what rows it takes.
    """
    settings = found.settings
    own = _final(model.arrays)
    own["centre"] = np.array([middle for middle, _ in found.scales.values()])
    own["half_width"] = half_width
    by: str | None = regimes.get("by")
    beside = [] if by is None or by in {BY_PREDICTION, *found.guarded} else [by]
    card = {
        "kind": "regression",
        "channels": channels_of(found.stream, [*found.guarded, *beside]),
        "inputs": len(found.inputs),
        "watched": len(found.guarded),
        "log": [name in settings.log for name in found.guarded],
        "window_rows": settings.window_rows,
        "hop_rows": settings.hop_rows,
        "rate_hz": found.rate_hz,
        "is_timed": settings.window_rows > 1 and bool(np.isfinite(found.stream.rate_hz).any()),
        "dtype": str(np.dtype(found.stream.dtype)),
        "features": [described(feature) for feature in found.features],
        "targets": [{"name": name, "unit": unit} for name, unit in targets],
        "takes_gaps": found.learner is not None,
        "least": found.least if np.isfinite(found.least) else None,
        "greatest": found.greatest if np.isfinite(found.greatest) else None,
        "interval": {"coverage": found.coverage, "by": by, "edges": regimes.get("edges", [])},
        "guard_alpha": settings.guard_alpha,
    }
    return _deciding(Model(own, card), model)


def classifier_scorer(found: GuardedClassifier, model: Model) -> Model:
    """The final model of a classifier of windows, with its guard and its prediction sets.

    Parameters
    ----------
    found : GuardedClassifier
        What was fitted.
    model : Model
        Its arrays.

    Returns
    -------
    Model
        Arrays of the final model alone, and a card of JSON values that says what rows it takes.
    """
    names = [channel.name for channel in found.channels]
    own = _final(model.arrays) | {"threshold": model.arrays["final_threshold"]}
    card = {
        "kind": "windows",
        "channels": channels_of(found.stream, names),
        "window_rows": found.window_rows,
        "hop_rows": max(1, round(found.settings.hop_s * found.rate_hz)),
        "rate_hz": found.rate_hz,
        "is_timed": True,
        "scales": found.scales,
        "dtype": str(np.dtype(found.stream.dtype)),
        "features": [described(feature) for feature in found.features],
        "classes": list(found.classes),
        "interval": {"coverage": model.card["coverage"]},
        "guard_alpha": found.settings.guard_alpha,
    }
    return _deciding(Model(own, card), model)


def _deciding(scorer: Model, model: Model) -> Model:
    """The scorer with the limit that somebody acts on, where the model has one."""
    if "decision" not in model.card:
        return scorer
    limit = {"event_limit": model.arrays["final_event_limit"][0]}
    return Model(scorer.arrays | limit, scorer.card | {"decision": model.card["decision"]})


def _final(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays of the final model and of its guard."""
    guard = guard_model(arrays, -1)
    own = {name: arrays[f"final_{name}"] for name in ("coef", "mean_x", "mean_y")}
    own |= {f"guard_{name}": guard[name] for name in _OF_GUARD if name in guard}
    return own | {f"envelope_{name}": arrays[f"envelope_{name}"] for name in DISTANCES}


def channels_of(stream: StreamTable, names: list[str]) -> list[dict[str, str]]:
    """Name, quantity and unit of channels of a stream, in this order."""
    by_name = {channel.name: channel for channel in stream.channels}
    chosen = [by_name[name] for name in names]
    return [{"name": c.name, "quantity": c.quantity, "unit": c.unit} for c in chosen]
