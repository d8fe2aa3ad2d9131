"""Thresholds of one regime each, and what stands in where a regime has too few cases.

A regime is any group that is known before the truth is: a load, a season, a kind of machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from lumipipe.language import say
from lumipipe.uncertainty.conformal import binned_quantile, class_thresholds, finite_rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Fallback: TypeAlias = Literal["pooled", "none"]


@dataclass(frozen=True)
class RegimeThresholds:
    """A threshold for each regime, and where it comes from.

    Parameters
    ----------
    values : ndarray of float64, shape (regime,)
        Thresholds in the unit of the scores; infinity where nothing is promised.
    counts : ndarray of int64, shape (regime,)
        Calibration cases of each regime.
    sources : tuple of {"own", "pooled", "none"}
        Whether the threshold is of the regime's own cases, of all cases, or infinite.
    needed : int
        Cases that a regime must have for a threshold of its own.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    sources: tuple[str, ...]
    needed: int

    def at(self, regimes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The threshold of each row, float64 (row,); infinity in a regime that is none of these."""
        known = (regimes >= 0) & (regimes < len(self.values))
        return np.where(known, self.values[np.where(known, regimes, 0)], np.inf)

    def notes(self) -> tuple[str | None, ...]:
        """What a reader must know of each regime's threshold; None where it is its own."""
        return tuple(map(self._note, self.sources, self.counts.tolist()))

    def _note(self, source: str, count: int) -> str | None:
        few = say("calibrated on {count}, needs {needed}", count=count, needed=self.needed)
        return {
            "own": None,
            "pooled": say("{few}: width of all regimes, no promise for this one alone", few=few),
            "none": say("{few}: no bound", few=few),
        }[source]


def regime_thresholds(
    scores: NDArray[np.float64],
    regimes: NDArray[np.int64],
    number: int,
    coverage: float,
    fallback: Fallback = "pooled",
    least: int = 1,
) -> RegimeThresholds:
    """Thresholds from the scores of rows or units.

    Parameters
    ----------
    scores : ndarray of float64, shape (case,)
        Calibration scores; cases whose score is NaN are left out.
    regimes : ndarray of int64, shape (case,)
        Regime of each case, 0 … `number` - 1; cases of none of these are left out.
    number : int
        Number of regimes.
    coverage : float
        Nominal coverage within each regime.
    fallback : {"pooled", "none"}
        What a regime with too few cases gets: the threshold of all cases, which promises nothing
        for that regime alone, or infinity.
    least : int
        Cases that a regime must have, where that is more than the coverage needs.

    Returns
    -------
    RegimeThresholds
        With sources, from which it says which regimes fell back.

    Examples
    --------
    >>> found = regime_thresholds(np.arange(12.0), np.repeat([0, 1], [9, 3]), 2, 0.9)
    >>> found.values, found.sources
    (array([ 8., 11.]), ('own', 'pooled'))
    """
    used = ~np.isnan(scores) & (regimes >= 0) & (regimes < number)
    scores, regimes = scores[used], regimes[used]
    return _with_fallback(
        class_thresholds(scores, regimes, number, coverage),
        float(class_thresholds(scores, np.zeros_like(regimes), 1, coverage)[0]),
        np.bincount(regimes, minlength=number),
        max(least, _needed(coverage)),
        fallback,
    )


def binned_regime_thresholds(
    counts: NDArray[np.int64],
    edges: Sequence[float],
    coverage: float,
    fallback: Fallback = "pooled",
    least: int = 1,
) -> RegimeThresholds:
    """Thresholds from counts of scores in bins.

    Parameters
    ----------
    counts : ndarray of int64, shape (regime, bin)
        Number of calibration scores of each regime in each bin.
    edges : sequence of float
        Upper edge of each bin, rising.
    coverage : float
        Nominal coverage within each regime.
    fallback : {"pooled", "none"}
        As in `regime_thresholds`.
    least : int
        As in `regime_thresholds`.

    Returns
    -------
    RegimeThresholds
        With sources, from which it says which regimes fell back.
    """
    return _with_fallback(
        binned_quantile(counts, edges, coverage),
        float(binned_quantile(counts.sum(axis=0), edges, coverage)),
        counts.sum(axis=-1),
        max(least, _needed(coverage)),
        fallback,
    )


def _needed(coverage: float) -> int:
    """The smallest number of scores that have a finite threshold."""
    count = 1
    while finite_rank(count, coverage) > count:
        count += 1
    return count


def _with_fallback(
    own: NDArray[np.float64],
    pooled: float,
    counts: NDArray[np.int64],
    needed: int,
    fallback: Fallback,
) -> RegimeThresholds:
    """`own` where there are cases enough, else what the fallback gives."""
    other, source = (pooled, "pooled") if fallback == "pooled" else (np.inf, "none")
    if counts.sum() < needed:
        other, source = np.inf, "none"
    enough = counts >= needed
    sources = tuple("own" if has else source for has in enough)
    return RegimeThresholds(np.where(enough, own, other), counts, sources, needed)
