"""Split conformal prediction: thresholds of scores with the finite-sample rank.

A score says how badly a label or a prediction fits a row; the threshold of a class is a high
quantile of the scores of calibration rows that truly are of that class (Mondrian; Vovk, Gammerman
& Shafer 2005, ch. 4). Thresholds by regime are in `lumipipe.uncertainty.regimes`, for data that
drift in `lumipipe.uncertainty.adaptive`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def finite_rank(count: int, coverage: float) -> int:
    """The rank that a threshold has among `count` scores: ⌈(count + 1) · coverage⌉.

    Parameters
    ----------
    count : int
        Number of calibration scores.
    coverage : float
        Nominal coverage.

    Returns
    -------
    int
        From 1; above `count` where there are too few scores for any threshold.

    Examples
    --------
    >>> finite_rank(9, 0.9), finite_rank(8, 0.9)
    (9, 9)
    """
    # A product such as 10 * 0.9 may round up past the whole number that is meant.
    return math.ceil((count + 1) * coverage - 1e-9)


def conformal_quantile(scores: NDArray[np.float64], coverage: float) -> float:
    """The threshold below which a new score falls with probability `coverage` or more.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Calibration scores, exchangeable with the new one.
    coverage : float
        Nominal coverage between 0 and 1.

    Returns
    -------
    float
        The score of rank ⌈(n + 1) · coverage⌉; infinity where n is too small for the rank.

    References
    ----------
    .. [1] J. Lei et al., "Distribution-free predictive inference for regression", J. Am.
       Stat. Assoc. 113 (2018) 1094-1111, Eq. 3.

    Examples
    --------
    >>> conformal_quantile(np.arange(9.0), 0.9)
    8.0
    >>> conformal_quantile(np.arange(8.0), 0.9)
    inf
    """
    rank = finite_rank(len(scores), coverage)
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


def binned_quantile(
    counts: NDArray[np.int64], edges: Sequence[float], coverage: float
) -> NDArray[np.float64]:
    """The thresholds of `conformal_quantile` where scores are known by their bins.

    Parameters
    ----------
    counts : ndarray of int64, shape (..., bin)
        Number of calibration scores in each bin.
    edges : sequence of float
        Upper edge of each bin, rising.
    coverage : float
        Nominal coverage.

    Returns
    -------
    ndarray of float64, shape (...)
        The upper edge of the bin that holds the score of the rank, so that the promise of the
        exact threshold holds; infinity where there are too few scores.

    Examples
    --------
    >>> binned_quantile(np.array([[4, 5, 0], [4, 4, 0]]), [1.0, 2.0, np.inf], 0.9)
    array([ 2., inf])
    """
    total = counts.sum(axis=-1)
    rank = np.vectorize(finite_rank, otypes=[np.int64])(total, coverage)
    place = (counts.cumsum(axis=-1) < rank[..., None]).sum(axis=-1)
    return np.asarray(np.append(edges, math.inf)[place], dtype=np.float64)


def class_thresholds(
    scores: NDArray[np.float64], labels: NDArray[np.int64], classes: int, coverage: float
) -> NDArray[np.float64]:
    """The threshold of each class.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Score of each calibration row's true class.
    labels : ndarray of int64, shape (row,)
        True class of each calibration row.
    classes : int
        Number of classes.
    coverage : float
        Nominal coverage.

    Returns
    -------
    ndarray of float64, shape (class,)
        Infinity for a class with too few rows: it is then in every set.
    """
    return np.array([conformal_quantile(scores[labels == c], coverage) for c in range(classes)])


def margin_scores(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """How badly each class fits each row: the best other output less the class's own.

    Parameters
    ----------
    outputs : ndarray of float64, shape (..., class)
        Outputs of a classifier, larger is likelier; at least two classes.

    Returns
    -------
    ndarray of float64, shape (..., class)
        Negative for the class that is predicted, positive for the others.

    Examples
    --------
    >>> margin_scores(np.array([[0.7, 0.2, 0.1]])).round(2)
    array([[-0.5,  0.5,  0.6]])
    """
    ordered = np.sort(outputs, axis=-1)
    best, second = ordered[..., -1:], ordered[..., -2:-1]
    others = np.where(outputs == best, second, best)
    return others - outputs
