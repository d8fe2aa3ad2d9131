"""Which signals tell wear: a ranking with its uncertainty, and why some take no rank.

The measures themselves are in `lumipipe.metrics.indicators`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import message, say
from lumipipe.metrics.indicators import (
    ROUNDING,
    is_constant,
    monotonicity,
    prognosability,
    trendability,
)
from lumipipe.metrics.lives import life_curve
from lumipipe.uncertainty.proportions import drawn_units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import State

FEWEST_ROWS = 2
"""Rows that a life needs: one step."""
_TAILS = (0.025, 0.975)
_NO_UNIT = message("no unit: not judged")
_ALONE = message("one unit: not judged")


@dataclass(frozen=True)
class Measure:
    """One measure of an indicator with its 95 % interval over units; NaN where not known."""

    value: float
    lower: float = float("nan")
    upper: float = float("nan")


_UNKNOWN = Measure(float("nan"))


@dataclass(frozen=True)
class Indicator:
    """What is said of one indicator.

    Parameters
    ----------
    name : str
        Name of the signal or feature.
    rank : int or None
        From 1, by the sum of the three measures; None where it takes no rank.
    reason : str
        Why it takes none.
    monotonicity, prognosability : Measure
        With their intervals.
    trendability : Measure
        Without one: it is the least over pairs of units, which no resampled set can go below.
    """

    name: str
    rank: int | None
    reason: str
    monotonicity: Measure
    trendability: Measure
    prognosability: Measure

    @property
    def fitness(self) -> float:
        """The sum of the three measures, from 0 to 3."""
        return self.monotonicity.value + self.trendability.value + self.prognosability.value


def rank_indicators(
    states: Mapping[str, State], names: Sequence[str], seed: int, rounding: float = ROUNDING
) -> list[Indicator]:
    """The indicators, the best first and those without a rank last.

    Parameters
    ----------
    states : mapping of str to State
        Unit to its finished state of `IndicatorReducer`, on the host; each a whole run to
        failure. Units of fewer than `FEWEST_ROWS` rows take no part.
    names : sequence of str
        Names of the indicators.
    seed : int
        Key of the resampling of units.
    rounding : float
        As for `is_constant`.

    Returns
    -------
    list of Indicator
        Indicators that are constant or have gaps take no rank; with fewer than two units none
        does, and only monotonicity is told.
    """
    lives = [state for state in states.values() if int(state["rows"]) >= FEWEST_ROWS]
    if not lives:
        return [Indicator(name, None, say(_NO_UNIT), *[_UNKNOWN] * 3) for name in names]
    measured = _measured(lives, names, seed)
    reasons = _reasons(lives, rounding)
    told = [_with_reason(one, why) for one, why in zip(measured, reasons, strict=True)]
    ranked = sorted((one for one in told if not one.reason), key=lambda one: -one.fitness)
    return [
        *(replace(one, rank=number) for number, one in enumerate(ranked, start=1)),
        *(one for one in told if one.reason),
    ]


def _with_reason(one: Indicator, reason: str) -> Indicator:
    """The indicator; without measures where its numbers carry none."""
    if reason in {"", _ALONE}:
        return replace(one, reason=reason)
    return Indicator(one.name, None, reason, _UNKNOWN, _UNKNOWN, _UNKNOWN)


def _reasons(lives: Sequence[State], rounding: float) -> list[str]:
    """Why each indicator takes no rank; empty where it takes one."""
    constant = is_constant(_stacked(lives, "low"), _stacked(lives, "high"), rounding)
    missing = _stacked(lives, "missing").sum(axis=0)
    alone = _ALONE if len(lives) == 1 else ""
    return [
        say("{gaps} rows without reading", gaps=gaps)
        if gaps
        else say("constant")
        if still
        else say(alone)
        for gaps, still in zip(missing.tolist(), constant.tolist(), strict=True)
    ]


def _measured(lives: Sequence[State], names: Sequence[str], seed: int) -> list[Indicator]:
    """The three measures of each indicator."""
    net, rows = _stacked(lives, "net"), _stacked(lives, "rows")
    first, last = (_stacked(lives, name)[:, 0, :] for name in ("first", "last"))
    steady = _resampled(lambda weight: monotonicity(net, rows, weight), len(lives), seed)
    nothing = [_UNKNOWN] * len(names)
    if len(lives) == 1:
        return [
            Indicator(name, None, "", *measures)
            for name, *measures in zip(names, steady, nothing, nothing, strict=True)
        ]
    # Missing readings have no place in sums; their indicators take no rank.
    first, last = np.nan_to_num(first, posinf=0, neginf=0), np.nan_to_num(last, posinf=0, neginf=0)
    curves = np.nan_to_num(np.stack([np.asarray(life_curve(state)) for state in lives]))
    alike = [Measure(float(value)) for value in trendability(curves)]
    ends = _resampled(lambda weight: prognosability(first, last, weight), len(lives), seed)
    return [
        Indicator(name, None, "", *measures)
        for name, *measures in zip(names, steady, alike, ends, strict=True)
    ]


def _resampled(
    measure: Callable[[NDArray[np.float64]], NDArray[np.float64]], units: int, seed: int
) -> list[Measure]:
    """A measure of each indicator, with its interval when units are drawn again."""
    (plain,) = measure(np.ones((1, units)))
    if units == 1:
        return [Measure(value) for value in plain.tolist()]
    drawn = measure(drawn_units(units, seed).astype(np.float64))
    lower, upper = np.quantile(drawn, _TAILS, axis=0)
    return [Measure(*found) for found in zip(plain.tolist(), lower, upper, strict=True)]


def _stacked(lives: Sequence[State], name: str) -> NDArray[np.float64]:
    """One array of the states of all units, unit first."""
    return np.stack([np.asarray(state[name]) for state in lives])
