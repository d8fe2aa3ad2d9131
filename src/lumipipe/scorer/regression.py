"""Numbers predicted from rows or windows of rows, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.features import measure_features
from lumipipe.features.described import restored
from lumipipe.kernels.rows import centred
from lumipipe.kernels.windows import window_batch
from lumipipe.models.pls import predict_with_gaps
from lumipipe.models.ridge import predict
from lumipipe.scorer.decision import yes_or_no
from lumipipe.scorer.guard import distances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BY_PREDICTION = "prediction"
MISSING = "a reading is missing"


def answers(
    model: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    rows: NDArray[np.float64],
    starts: NDArray[np.int64],
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    """What a regression says of windows of rows.

    Parameters
    ----------
    model : mapping
        The card of the model.
    arrays : mapping of str to ndarray
        Its arrays.
    rows : ndarray of float64, shape (row, channel)
        In the order of the model's channels, NaN where missing.
    starts : ndarray of int64, shape (window,)
        First row of each window.

    Returns
    -------
    columns : dict of str to ndarray of float64, shape (window,)
        Of each target NAME, ``NAME``, ``NAME lower``, ``NAME upper``; ``act``, where the costs of
        its request set a limit; then the distances of the guard.
    usable : ndarray of bool, shape (window,)
        Whether nothing is missing that the model needs.
    """
    own = rows[:, : model["watched"]].astype(model["dtype"])
    middle = centred(own, arrays["centre"].tolist(), model["log"])
    windows = window_batch(middle, starts, model["window_rows"])
    features = [restored(content) for content in model["features"]]
    x = measure_features(features, windows[:, : model["inputs"], :], model["rate_hz"])
    means = windows.astype(np.float64).mean(axis=0).T
    final = {name: arrays[name] for name in ("mean_x", "mean_y")}
    final["coef"] = arrays["coef"][None, ...]
    takes_gaps = bool(model["takes_gaps"])
    found = (predict_with_gaps if takes_gaps else predict)(final, x)[0]
    found = _clipped(model, found)
    last = rows[starts + (model["window_rows"] - 1)]
    half = _half_widths(model, arrays, found, last)
    columns: dict[str, NDArray[Any]] = {}
    for number, target in enumerate(model["targets"]):
        name, value = target["name"], found[:, number]
        columns[name] = value
        columns[f"{name} lower"] = _clipped(model, value - half[number])
        columns[f"{name} upper"] = _clipped(model, value + half[number])
    if "decision" in model:
        told = model["decision"]
        names = [target["name"] for target in model["targets"]]
        sign = 1.0 if "above" in told["event"] else -1.0
        score = sign * found[:, names.index(told["target"])]
        columns["act"] = yes_or_no(score > arrays["event_limit"])
    usable = np.isfinite(x).any(axis=1) if takes_gaps else np.isfinite(windows).all(axis=(0, 1))
    return columns | distances(arrays, x if takes_gaps else means), usable


def _clipped(model: Mapping[str, Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values within those that no answer passes."""
    least = -np.inf if model["least"] is None else model["least"]
    greatest = np.inf if model["greatest"] is None else model["greatest"]
    return np.clip(values, least, greatest)


def _half_widths(
    model: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    found: NDArray[np.float64],
    last: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Half-width of the interval of each target and window: that of its regime."""
    widths, interval = arrays["half_width"], model["interval"]
    if interval["by"] is None:
        return np.repeat(widths, len(found), axis=1)
    if interval["by"] == BY_PREDICTION:
        value = found[:, 0]
    else:
        names = [channel["name"] for channel in model["channels"]]
        value = last[:, names.index(interval["by"])]
    regime = np.searchsorted(np.asarray(interval["edges"]), value, side="right")
    # Where nothing tells the regime, nothing is promised.
    return np.where(np.isfinite(value), widths[:, regime], np.inf)
