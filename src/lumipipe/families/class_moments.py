"""Mean of features in each class and their spread within classes, for the readers' pages.

They come from the cross-products that the classifier is fitted on, so that they are the same from
joined data and from sites, and no window stands in them by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.fold import merge_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import Backend, State
    from lumipipe.models.ridge import RidgeReducer

_FEWEST = 2  # windows whose mean is that of none of them
_ROUNDING = 1e-6  # of a level, and of the whole variance: products are in single precision


def class_moments(
    backend: Backend, reducer: RidgeReducer, states: Sequence[State]
) -> dict[str, NDArray[np.float64]]:
    """What the training windows of each class look like, without each fold.

    Parameters
    ----------
    backend : Backend
        Where the states are.
    reducer : RidgeReducer
        Merges them; its targets are one-hot classes.
    states : sequence of dict of str to array
        State of each fold.

    Returns
    -------
    dict of str to ndarray of float64
        ``fold_class_mean`` (fold, class, feature), of the windows of the other folds, NaN where a
        class has fewer than two, and ``fold_spread`` (fold, feature), the standard deviation within
        classes of all of them together; NaN where a feature does not vary.

    Notes
    -----
    *Method*: with one-hot targets the cross-product of a feature and a class, both centred, is the
    class' number of windows times the distance of its mean from that of all; the sum of squares
    within classes is that about the mean of all less those distances' share. *Accuracy*: that of
    the cross-products; a spread below a thousandth of the whole one counts as none.
    """
    means, spreads = [], []
    for fold in range(len(states)):
        others = [state for number, state in enumerate(states) if number != fold]
        mean, spread = _of_classes(backend.state_to_host(merge_all(reducer, others)), reducer)
        means.append(mean)
        spreads.append(spread)
    return {"fold_class_mean": np.stack(means), "fold_spread": np.stack(spreads)}


def _of_classes(
    state: dict[str, np.ndarray], reducer: RidgeReducer
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean (class, feature) and spread (feature,)."""
    inputs, count = reducer.inputs, float(state["count"])
    windows = np.rint(count * state["mean"][inputs:])
    cross = state["comoment"][:inputs, inputs:].T
    whole = np.diagonal(state["comoment"])[:inputs]
    there = windows > 0
    away = np.zeros_like(cross)
    away[there] = cross[there] / windows[there, None]
    mean = np.where(windows[:, None] >= _FEWEST, state["mean"][:inputs] + away, np.nan)
    within = whole - (windows[:, None] * away**2).sum(axis=0)
    freedom = count - there.sum()
    noise = count * (_ROUNDING * state["mean"][:inputs]) ** 2
    varies = (within > _ROUNDING * whole + noise) & (freedom > 0)
    spread = np.full(inputs, np.nan)
    spread[varies] = np.sqrt(within[varies] / freedom)
    return mean, spread
