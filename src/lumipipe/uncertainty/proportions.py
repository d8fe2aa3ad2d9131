"""Intervals for counted shares, and for statistics of counts resampled by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def clopper_pearson(hits: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a binomial share.

    Parameters
    ----------
    hits, total : int
        Counted events and trials that do not depend on each other.
    confidence : float
        Two-sided confidence.

    Returns
    -------
    tuple of float
        Lower and upper bound; (0, 1) where nothing was tried.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404-413.

    Examples
    --------
    >>> [round(bound, 3) for bound in clopper_pearson(8, 10)]
    [0.444, 0.975]
    """
    tail = (1 - confidence) / 2
    lower = special.betaincinv(hits, total - hits + 1, tail) if hits else 0.0
    upper = special.betaincinv(hits + 1, total - hits, 1 - tail) if hits < total else 1.0
    return float(lower), float(upper)


def trials_needed(half_width: float, share: float = 0.5, confidence: float = 0.95) -> int:
    """Trials after which the exact interval of a share is narrow enough.

    Parameters
    ----------
    half_width : float
        Half of the interval's length that is wanted, above 0 and below 0.5.
    share : float
        The share that is expected; 0.5 needs most trials.
    confidence : float
        Two-sided confidence.

    Returns
    -------
    int
        The least number from which on `clopper_pearson` is no wider, for the whole number of
        hits next to `share`.

    Examples
    --------
    >>> trials_needed(0.1), trials_needed(0.2)
    (104, 27)
    """
    trials = 1
    while True:
        # Twice as many trials are always narrower, so a run of that length has no wider one after.
        wide = [
            n for n in range(trials, 2 * trials + 2) if _half(n, share, confidence) > half_width
        ]
        if not wide:
            return trials
        trials = wide[-1] + 1


def _half(trials: int, share: float, confidence: float) -> float:
    """Half of the length of the exact interval."""
    lower, upper = clopper_pearson(round(share * trials), trials, confidence)
    return (upper - lower) / 2.0


def bootstrap_units(
    counts: NDArray[np.int64],
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    seed: int,
    confidence: float = 0.95,
    draws: int = 2000,
) -> tuple[float, float]:
    """Percentile interval of a statistic when whole units are drawn again.

    Parameters
    ----------
    counts : ndarray of int64, shape (unit, ...)
        Counts of each unit, such as one confusion matrix a person.
    statistic : callable
        Takes counts of shape (draw, ...) summed over units, returns float64 (draw,).
    seed : int
        Key of the draws.
    confidence : float
        Two-sided confidence.
    draws : int
        Number of resampled sets of units.

    Returns
    -------
    tuple of float
        Lower and upper bound; both NaN with fewer than two units, where nothing is known
        about the spread between units.

    References
    ----------
    .. [1] B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    units = len(counts)
    if units < 2:  # noqa: PLR2004  # a spread needs two
        return float("nan"), float("nan")
    values = statistic(np.tensordot(drawn_units(units, seed, draws), counts, axes=1))
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail])
    return float(lower), float(upper)


def drawn_units(units: int, seed: int, draws: int = 2000) -> NDArray[np.int64]:
    """How often each unit is drawn when as many as there are, are drawn again.

    Parameters
    ----------
    units : int
        Number of units, at least one.
    seed : int
        Key of the draws.
    draws : int
        Number of resampled sets of units.

    Returns
    -------
    ndarray of int64, shape (draw, unit)
        Rows that sum to the number of units.

    Examples
    --------
    >>> drawn_units(4, 1, 3).sum(axis=1)
    array([4, 4, 4])
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, 0xB007]))
    drawn = generator.integers(0, units, size=(draws, units))
    return np.stack([np.bincount(row, minlength=units) for row in drawn])


def share_between_units(
    hits: NDArray[np.int64],
    totals: NDArray[np.int64],
    confidence: float = 0.95,
    correlation: float = 0.0,
) -> tuple[float, float, float]:
    """Interval of a pooled share whose trials hang together within units.

    Parameters
    ----------
    hits, totals : ndarray of int64, shape (unit,)
        Events and trials of each unit.
    confidence : float
        Two-sided confidence.
    correlation : float
        Correlation of one trial with the next within a unit, 0 or more and below 1.

    Returns
    -------
    tuple of float
        Lower bound, upper bound, and the number of independent trials that would know as
        much.

    Notes
    -----
    *Method*: the variance of the ratio estimator between units gives the effective number of
    trials; a binomial interval is taken at that number. It is never larger than the number
    of trials, lessened by their correlation r as for a first-order process: (1 - r) / (1 + r).

    References
    ----------
    .. [1] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small
       expected number of positive counts", Survey Methodology 24 (1998) 193-201.
    """
    total, units = int(totals.sum()), len(totals)
    if total == 0:
        return 0.0, 1.0, 0.0
    share = float(hits.sum() / total)
    effective = total * (1 - correlation) / (1 + correlation)
    if units > 1 and 0 < share < 1:
        residual = hits - share * totals
        variance = units / (units - 1) * float((residual**2).sum()) / total**2
        if variance > 0:
            effective = min(effective, share * (1 - share) / variance)
            ratio = special.ndtri((1 + confidence) / 2) / special.stdtrit(
                units - 1, (1 + confidence) / 2
            )
            effective *= float(ratio) ** 2
    tail = (1 - confidence) / 2
    good = share * effective
    lower = special.betaincinv(good, effective - good + 1, tail) if good > 0 else 0.0
    upper = special.betaincinv(good + 1, effective - good, 1 - tail) if share < 1 else 1.0
    return float(lower), float(upper), effective
