"""Classes of windows of signals, each with its prediction set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.features import measure_features
from lumipipe.features.described import restored
from lumipipe.kernels.windows import levels, window_batch
from lumipipe.models.ridge import predict
from lumipipe.scorer.decision import yes_or_no
from lumipipe.scorer.guard import distances
from lumipipe.uncertainty.conformal import margin_scores
from lumipipe.uncertainty.decision_cost import event_margin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def answers(
    model: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    rows: NDArray[np.float64],
    starts: NDArray[np.int64],
) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    """What a classifier says of windows of rows.

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
    columns : dict of str to ndarray, shape (window,)
        ``class``; ``set``, the classes that are not ruled out, with ``|`` between them;
        ``output NAME`` of each class, larger is likelier; ``act``, where the costs of its request
        set a limit; then the distances of the guard.
    usable : ndarray of bool, shape (window,)
        Whether no reading is missing.
    """
    windows = window_batch(rows.astype(model["dtype"]), starts, model["window_rows"])
    usable = np.isfinite(windows).all(axis=(0, 1))
    # What is missing is refused, so any number may stand there.
    single = np.where(usable, windows, 0.0).astype(np.float32)
    features = [restored(content) for content in model["features"]]
    x = measure_features(features, single, model["rate_hz"])
    final = {"mean_x": arrays["mean_x"], "mean_y": arrays["mean_y"], "coef": arrays["coef"][None]}
    outputs = predict(final, x)[0]
    classes = np.array(model["classes"], dtype=object)
    in_set = margin_scores(outputs) <= arrays["threshold"]
    sets = ["|".join(classes[row]) for row in in_set]
    columns: dict[str, NDArray[Any]] = {
        "class": classes[np.argmax(outputs, axis=1)],
        "set": np.array(sets, dtype=object),
    }
    columns |= {f"output {name}": outputs[:, n] for n, name in enumerate(classes)}
    if "decision" in model:
        members = [model["classes"].index(name) for name in model["decision"]["event"]]
        columns["act"] = yes_or_no(event_margin(outputs, members) > arrays["event_limit"])
    return columns | distances(arrays, levels(single, model["scales"])), usable
