"""Critical power and the work above it, from efforts to exhaustion.

Whether an effort was one is not told from its numbers: the request declares it. The best of
ordinary training lies below what a person could do, so a line through it would be too low.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from lumipipe.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORTEST_S, LONGEST_S = 120.0, 1200.0
"""Efforts between which work grows with time along a line."""
FEWEST, SPREAD = 3, 3.0
"""Efforts that are needed, and the longest over the shortest of them."""


def fit_critical_power(efforts: Sequence[tuple[float, float]], confidence: float) -> dict[str, Any]:
    """Critical power and the work above it.

    Parameters
    ----------
    efforts : sequence of (float, float)
        Duration in s and mean power in W; NaN where there is none.
    confidence : float
        Of the intervals.

    Returns
    -------
    dict
        ``power`` (W) and ``work`` (J), each as [value, standard uncertainty, lower, upper];
        ``correlation`` of the two; ``left_w``, root of the mean square of what the line leaves, in
        W; ``efforts``, their number. Or ``refused``, why there is none.

    Notes
    -----
    *Method*: work = work' + critical power times duration [1]_, fitted as mean power over the
    inverse of duration: least squares in power, or in work with the weight of the inverse
    square of duration, since errors of a power meter are alike in W. Uncertainties are those of
    the linear model, from the spread about the line (Student, two degrees of freedom less than
    efforts); the calibration error that all efforts share is not in them.

    References
    ----------
    .. [1] Monod and Scherrer, The work capacity of a synergic muscular group, Ergonomics 8 (1965)
       329-338.

    Examples
    --------
    >>> efforts = [(180.0, 250.0 + 18000 / 180), (420.0, 250.0 + 18000 / 420), (900.0, 270.0)]
    >>> found = fit_critical_power(efforts, 0.95)
    >>> round(found["power"][0], 6), round(found["work"][0], 6)
    (250.0, 18000.0)
    """
    points = np.array([e for e in efforts if np.isfinite(e[1]) and SHORTEST_S <= e[0] <= LONGEST_S])
    reason = _reason(points)
    if reason is not None:
        return {"refused": reason}
    inverse, power = 1.0 / points[:, 0], points[:, 1]
    centred = inverse - inverse.mean()
    spread = float(centred @ centred)
    work = float(centred @ power) / spread
    critical = float(power.mean()) - work * float(inverse.mean())
    left = power - critical - work * inverse
    freedom = len(points) - 2
    variance = float(left @ left) / freedom
    u_work = np.sqrt(variance / spread)
    u_power = np.sqrt(variance * (1.0 / len(points) + inverse.mean() ** 2 / spread))
    if work <= 0.0 or critical <= 0.0:
        return {
            "refused": say(
                "the mean power does not fall from short to long efforts as that of efforts "
                "to exhaustion does"
            )
        }
    quantile = float(special.stdtrit(freedom, (1.0 + confidence) / 2.0))
    root = np.sqrt(1.0 / len(points) + inverse.mean() ** 2 / spread)
    return {
        "power": _with_interval(critical, u_power, quantile),
        "work": _with_interval(work, u_work, quantile),
        "correlation": -float(inverse.mean() / np.sqrt(spread) / root),
        "left_w": float(np.sqrt((left @ left) / len(points))),
        "efforts": len(points),
    }


def _reason(points: np.ndarray) -> str | None:
    """Why no line is laid through efforts; None where one is."""
    if len(points) < FEWEST:
        return say(
            "{points} declared efforts of {shortest_s:.0f} to {longest_s:.0f} s have a "
            "power; {fewest} are needed",
            points=len(points),
            shortest_s=SHORTEST_S,
            longest_s=LONGEST_S,
            fewest=FEWEST,
        )
    longest, shortest = points[:, 0].max(), points[:, 0].min()
    if longest < SPREAD * shortest:
        return say(
            "the efforts last {shortest:.0f} to {longest:.0f} s; the longest must last "
            "{spread:g} times the shortest for the line to be told from its slope",
            shortest=shortest,
            longest=longest,
            spread=SPREAD,
        )
    return None


def _with_interval(value: float, u: float, quantile: float) -> list[float]:
    """Value, standard uncertainty and both ends of its interval."""
    return [float(value), float(u), float(value - quantile * u), float(value + quantile * u)]
