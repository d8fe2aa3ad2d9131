"""Intervals of remaining lives: whole units calibrate, each by one random instant.

A unit's rows hang together, so they count once. The interval is as wide as units of a like
predicted life need it; it is never wider than from 0 to the cap, at which lives are no longer told
apart.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.kernels.philox import uniform_at
from lumipipe.language import say
from lumipipe.uncertainty.by_unit import drawn_scores
from lumipipe.uncertainty.conformal import conformal_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_UNITS = 0x4C1F  # purpose of the draws of calibrating units


def regime_of(predicted: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """The stretch between `edges` that each predicted life lies in, from 0."""
    return np.searchsorted(np.asarray(edges), predicted, side="right").astype(np.int64)


def regime_names(edges: Sequence[float]) -> list[str]:
    """The stretches in words, from the lowest."""
    inner = [say("{a:g} to {b:g}", a=a, b=b) for a, b in pairwise(edges)]
    return [
        say("below {edge:g}", edge=edges[0]),
        *inner,
        say("{edges:g} and more", edges=edges[-1]),
    ]


def unit_half_widths(
    residual: NDArray[np.float64],
    regime: NDArray[np.int64],
    unit: NDArray[np.int64],
    number: NDArray[np.int64],
    regimes: int,
    coverage: float,
    seed: int,
) -> NDArray[np.float64]:
    """Half-width of the interval in each regime.

    Parameters
    ----------
    residual : ndarray of float64, shape (row,)
        Truth less prediction, of units that the model has not seen; NaN for rows that do not
        count.
    regime, unit, number : ndarray of int64, shape (row,)
        Regime and unit of each row, and its number in the dataset, which decides the draw.
    regimes : int
        Number of regimes.
    coverage : float
        Nominal coverage.
    seed : int
        Key of the draws.

    Returns
    -------
    ndarray of float64, shape (regime,)
        Infinity where too few units have been in the regime.

    Notes
    -----
    *Method*: split conformal prediction with one score a unit and regime, that of a random row of
    the unit among those in the regime. It holds for a unit and an instant drawn in this way.

    Examples
    --------
    >>> row = np.arange(12)
    >>> unit_half_widths(np.arange(12.0), row // 10, row, row, 2, 0.9, seed=1)
    array([ 9., inf])
    """
    names, place = np.unique(unit, return_inverse=True)
    widths = []
    for r in range(regimes):
        scores = np.where(regime == r, np.abs(residual), np.nan)
        drawn = drawn_scores(scores, place.astype(np.int64), len(names), number, seed)
        widths.append(conformal_quantile(drawn[~np.isnan(drawn)], coverage))
    return np.asarray(widths, dtype=np.float64)


def ends(
    predicted: NDArray[np.float64], half_width: NDArray[np.float64], cap: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of each interval; at the cap lies all that is longer."""
    return np.clip(predicted - half_width, 0.0, cap), np.clip(predicted + half_width, 0.0, cap)


class Drawn(NamedTuple):
    """Coverage when some units calibrate and others are judged, again and again.

    Parameters
    ----------
    coverage : ndarray of float64, shape (draw,)
        Share of the judged instants whose interval held, each unit counting once.
    width : ndarray of float64, shape (draw,)
        Mean width of the intervals, likewise.
    calibrating, judged : int
        Units of each draw.
    """

    coverage: NDArray[np.float64]
    width: NDArray[np.float64]
    calibrating: int
    judged: int


def drawn_coverage(
    rows: Mapping[str, NDArray[np.float64]],
    edges: Sequence[float],
    cap: float,
    coverage: float,
    seed: int,
    draws: int = 20,
    units: int = 30,
) -> Drawn | None:
    """What intervals from `units` units hold for other units, over `draws` drawings.

    Parameters
    ----------
    rows : mapping of str to ndarray, shape (row,)
        ``truth`` (capped) and ``prediction`` by a model that has not seen the unit; ``unit`` and
        ``number``.
    edges : sequence of float
        Of the regimes of predicted life.
    cap : float
        Life at which the target is cut.
    coverage : float
        Nominal coverage.
    seed : int
        Key of the draws.
    draws : int
        Number of drawings.
    units : int
        Units that calibrate; as many others are judged.

    Returns
    -------
    Drawn or None
        None with fewer than twice `units` units.
    """
    names, place = np.unique(rows["unit"], return_inverse=True)
    if len(names) < 2 * units:
        return None
    predicted, number = rows["prediction"], rows["number"].astype(np.int64)
    residual, regime = rows["truth"] - predicted, regime_of(rows["prediction"], edges)
    numbers, found = np.arange(len(names), dtype=np.int64), []
    for draw in range(draws):
        order = np.argsort(uniform_at(numbers + draw * len(names), (seed, _UNITS)), kind="stable")
        side = np.zeros(len(names), dtype=np.int64)
        side[order[:units]], side[order[units : 2 * units]] = 1, 2
        taught, judged = (np.flatnonzero(side[place] == s) for s in (1, 2))
        width = unit_half_widths(
            residual[taught],
            regime[taught],
            place[taught],
            number[taught],
            len(edges) + 1,
            coverage,
            seed + draw,
        )
        low, high = ends(predicted[judged], width[regime[judged]], cap)
        held = (low <= rows["truth"][judged]) & (rows["truth"][judged] <= high)
        # Each unit counts once: the mean of its rows is what one random instant gives on average.
        weight = 1.0 / np.bincount(place[judged])[place[judged]]
        found.append([np.average(x, weights=weight) for x in (held, high - low)])
    held_share, mean_width = np.asarray(found).T
    return Drawn(held_share, mean_width, units, units)


def one_instant(unit: NDArray[np.int64], number: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Place of one random row of each unit, in the order of units.

    Parameters
    ----------
    unit, number : ndarray of int64, shape (row,)
        Unit of each row, and its number in the dataset, which decides the draw.
    seed : int
        Key of the draws.

    Returns
    -------
    ndarray of int64, shape (unit,)
        Each unit once.
    """
    names, place = np.unique(unit, return_inverse=True)
    rows = np.arange(len(unit), dtype=np.float64)
    return drawn_scores(rows, place.astype(np.int64), len(names), number, seed).astype(np.int64)
