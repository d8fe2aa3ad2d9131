"""The error of a model in two parts: what is independent, and what neighbours share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Spread(NamedTuple):
    """Parts of the error of a prediction."""

    independent: float
    """Standard deviation from case to case within a group."""
    shared: float
    """Root of the mean square that all cases of a group have in common, bias included."""
    mean: float
    """Mean error, with its sign."""
    groups: int
    """Groups with a case."""
    cases: int
    """Cases."""


def spread_of(error: NDArray[np.float64], group: NDArray[np.int64]) -> Spread | None:
    """Independent and shared part of errors.

    Parameters
    ----------
    error : ndarray of float64, shape (case,)
        Truth less prediction, of cases that did not teach.
    group : ndarray of int64, shape (case,)
        What hangs together: a held-out group, or a stretch of neighbours.

    Returns
    -------
    Spread or None
        None with fewer than two groups, or without two cases in any.

    Notes
    -----
    *Method*: with s² the pooled variance within groups, the shared variance is the mean over
    groups of the squared mean error less s² over its cases, or 0 (one-way analysis of variance
    about zero, so that a bias counts as shared).

    Examples
    --------
    >>> found = spread_of(np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 0, 1, 1]))
    >>> round(found.independent, 3), round(found.shared, 3), found.mean
    (1.414, 4.359, 4.0)
    """
    _, place = np.unique(group, return_inverse=True)
    counts = np.bincount(place)
    freedom = int((counts - 1).sum())
    if len(counts) < 2 or freedom < 1:  # noqa: PLR2004 - a spread needs two
        return None
    means = np.bincount(place, error) / counts
    within = float(((error - means[place]) ** 2).sum()) / freedom
    shared = float(np.mean(means**2 - within / counts))
    return Spread(
        float(np.sqrt(within)),
        float(np.sqrt(max(0.0, shared))),
        float(error.mean()),
        len(counts),
        len(error),
    )
