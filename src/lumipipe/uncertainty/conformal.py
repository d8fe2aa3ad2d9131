"""Split conformal prediction with the finite-sample rank, by class.

A score says how badly a label fits a row; the threshold of a class is a high quantile of the
scores of calibration rows that truly are of that class (Mondrian; Vovk, Gammerman & Shafer
2005, ch. 4).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    # A product such as 10 * 0.9 may round up past the whole number that is meant.
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    if rank > len(scores):
        return math.inf
    return float(np.partition(scores, rank - 1)[rank - 1])


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
