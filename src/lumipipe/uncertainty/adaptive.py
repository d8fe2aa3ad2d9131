"""Intervals that follow drifting data: the level of miscoverage is one number that learns.

Thresholds for data that do not drift are in `lumipipe.uncertainty.conformal`.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.uncertainty.conformal import finite_rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Adapted:
    """What an adaptive run gave for each row.

    Parameters
    ----------
    half_widths : ndarray of float64, shape (row,)
        In the unit of the scores, fixed before the row's truth is known; infinity where no score
        of the calibration is wide enough, 0 where the narrowest is too wide.
    miscoverage : ndarray of float64, shape (row,)
        Level at which the half-width was taken; it may leave 0 … 1. NaN in a regime that was not
        calibrated.
    known : ndarray of bool, shape (row,)
        Whether the row has a truth.
    covered : ndarray of bool, shape (row,)
        Whether the row's score lies within the half-width; False where there is no truth.
    state : ndarray of float64, shape (regime,)
        Level after the last truth that was told, with which a later run goes on.
    """

    half_widths: NDArray[np.float64]
    miscoverage: NDArray[np.float64]
    known: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    state: NDArray[np.float64]

    @property
    def achieved(self) -> float:
        """Share of the rows with a truth that were covered; NaN where there are none."""
        count = int(self.known.sum())
        return float(self.covered.sum() / count) if count else math.nan


def adapt(
    scores: NDArray[np.float64],
    calibration: NDArray[np.float64],
    coverage: float,
    rate: float = 0.005,
    delay: int = 0,
    window: int = 0,
    state: NDArray[np.float64] | None = None,
) -> Adapted:
    """Half-widths of rows in the order of time, from the truths that were known before each.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Size of each row's residual, 0 or more; NaN where the truth never becomes known.
    calibration : ndarray of float64, shape (case,)
        Scores of known cases from before the first row; with a window in the order of time.
    coverage : float
        Nominal coverage.
    rate : float
        Step of the level for each truth, above 0: large follows fast and is restless.
    delay : int
        Number of further rows that pass before a row's truth is known; 0 where it is known
        before the next row.
    window : int
        Half-widths are quantiles of so many latest scores, those of the rows among them; 0 keeps
        `calibration` as it is.
    state : ndarray of float64, shape (1,), optional
        Level to begin with; 1 - `coverage` where none is given.

    Returns
    -------
    Adapted
        Half-widths, levels, what was covered, and the state.

    Notes
    -----
    *Method*: after each truth the level a becomes a + rate · (1 - coverage - error), where the
    error is 1 for a row that was missed [1]_; the half-width is the score of the rank at 1 - a.
    The level does not rise past what missing rows can bring it to, so that it does not run away
    where all residuals are zero.

    *Accuracy*: with positive scores, whatever they are, the share missed of n truths differs
    from 1 - coverage by no more than (max(a, 1 - a) + (1 + delay) rate) / (n rate), where a is the
    first level, 0 … 1; the truths of the last `delay` rows do not count. Where errors hang
    together, a late truth is answered too often and the promise is kept by intervals without
    bound: the longer the delay, the smaller the rate should be.

    *Cost*: a few operations a row, and with a window a shift of its sorted scores.

    References
    ----------
    .. [1] I. Gibbs and E. Candès, "Adaptive conformal inference under distribution shift",
       Advances in Neural Information Processing Systems 34 (2021), Eq. 2 and Proposition 4.1.

    Examples
    --------
    >>> drifted = adapt(np.full(2000, 3.0), np.arange(1.0, 100.0) / 20, 0.9, rate=0.05)
    >>> float(round(drifted.achieved, 2))
    0.9
    """
    one = np.zeros(len(scores), dtype=np.int64)
    return adapt_by_regime(scores, one, [calibration], coverage, rate, delay, window, state)


def adapt_by_regime(
    scores: NDArray[np.float64],
    regimes: NDArray[np.int64],
    calibration: Sequence[NDArray[np.float64]],
    coverage: float,
    rate: float = 0.005,
    delay: int = 0,
    window: int = 0,
    state: NDArray[np.float64] | None = None,
) -> Adapted:
    """As `adapt`, with a level and calibration scores for each regime.

    Parameters
    ----------
    scores : ndarray of float64, shape (row,)
        Size of each row's residual, as in `adapt`.
    regimes : ndarray of int64, shape (row,)
        Regime of each row.
    calibration : sequence of ndarray of float64, shape (case,)
        Scores of known cases of each regime.
    coverage : float
        Nominal coverage within each regime.
    rate : float
        Step of a level for each truth of its regime.
    delay : int
        As in `adapt`; rows of all regimes count.
    window : int
        As in `adapt`, for each regime.
    state : ndarray of float64, shape (regime,), optional
        Levels to begin with.

    Returns
    -------
    Adapted
        Without bound where a row is in a regime without calibration.
    """
    half_widths, levels = np.full(len(scores), np.inf), np.full(len(scores), np.nan)
    start = np.full(len(calibration), 1 - coverage) if state is None else state
    after = np.empty(len(calibration))
    for regime, before in enumerate(calibration):
        rows = np.flatnonzero(regimes == regime)
        # Before row t, the truths of rows up to t - 1 - delay are told; before the end likewise.
        told = np.searchsorted(rows, np.append(rows, len(scores)) - delay)
        level = _Level(float(start[regime]), rate, 1 - coverage, 1 + (1 + delay) * rate)
        pool = _Scores(before, window)
        found = _run(scores[rows].tolist(), told.tolist(), level, pool)
        half_widths[rows], levels[rows] = found
        after[regime] = level.value
    known = ~np.isnan(scores)
    return Adapted(half_widths, levels, known, known & (scores <= half_widths), after)


@dataclass
class _Level:
    """The level of miscoverage, which learns."""

    value: float
    rate: float
    target: float
    highest: float

    def learn(self, *, missed: bool) -> None:
        """Take one truth into account."""
        self.value = min(self.value + self.rate * (self.target - missed), self.highest)


def _run(
    scores: list[float], told: list[int], level: _Level, pool: _Scores
) -> tuple[list[float], list[float]]:
    """Half-widths and levels; before row t and at the end, `told` scores are known."""
    half_widths: list[float] = []
    levels: list[float] = []
    done = 0
    for row, ready in enumerate(told):
        for score, width in zip(scores[done:ready], half_widths[done:ready], strict=True):
            if not math.isnan(score):
                level.learn(missed=score > width)
                pool.add(score)
        done = ready
        if row < len(scores):
            half_widths.append(pool.quantile(1 - level.value))
            levels.append(level.value)
    return half_widths, levels


class _Scores:
    """Sorted scores: those of the calibration, or the latest ones.

    Parameters
    ----------
    calibration : ndarray of float64, shape (case,)
        Scores to begin with; NaN is left out.
    window : int
        How many of the latest to keep; 0 keeps those to begin with.
    """

    def __init__(self, calibration: NDArray[np.float64], window: int) -> None:
        known = calibration[~np.isnan(calibration)].tolist()
        self._window = window
        self._latest = deque(known[-window:] if window else ())
        self._sorted = sorted(self._latest if window else known)

    def add(self, score: float) -> None:
        """Take the score in, and drop the oldest where there are too many."""
        if not self._window:
            return
        if len(self._latest) == self._window:
            del self._sorted[bisect_left(self._sorted, self._latest.popleft())]
        self._latest.append(score)
        insort(self._sorted, score)

    def quantile(self, coverage: float) -> float:
        """The score of the finite-sample rank; infinity above the last, 0 below the first."""
        rank = finite_rank(len(self._sorted), coverage)
        if rank > len(self._sorted):
            return math.inf
        return self._sorted[rank - 1] if rank > 0 else 0.0
