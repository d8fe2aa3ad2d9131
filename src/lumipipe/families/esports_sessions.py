"""Whether persons get better from session to session: a slope each, where there are enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lumipipe.families.esports_numbers import spoken
from lumipipe.metrics.quantiles import at_shares
from lumipipe.reporting.parts import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.esports import Sessions
    from lumipipe.families.esports_numbers import Numbers, Played


@dataclass(frozen=True)
class Course:
    """What one measure of a person did over the sessions.

    Parameters
    ----------
    unit : str
        The person.
    measure : str
        Name and unit of the measure.
    values : tuple of float
        One a session, in their order.
    slope : Interval
        Change from one session to the next, with its interval of 95 %.
    """

    unit: str
    measure: str
    values: tuple[float, ...]
    slope: Interval


def courses(numbers: Numbers, settings: Sessions) -> list[Course]:
    """The course of each measure of each person who has enough sessions."""
    found = []
    for unit, own in numbers.persons.items():
        ordered = _in_order(own, settings.order)
        if len(ordered) < settings.fewest:
            continue
        for measure, values in _measures(numbers, ordered).items():
            if np.isfinite(values).all():
                found.append(Course(unit, measure, tuple(values.tolist()), slope(values)))
    return found


def _in_order(own: list[Played], order: str) -> list[Played]:
    """Recordings that tell their place, sorted by it: as numbers where all are, else as text."""
    told = [played for played in own if played.known.get(order)]
    try:
        return sorted(told, key=lambda played: float(played.known[order]))
    except ValueError:
        return sorted(told, key=lambda played: played.known[order])


def _measures(numbers: Numbers, ordered: list[Played]) -> dict[str, NDArray[np.float64]]:
    """What is followed from session to session."""
    found = {"actions (1/min)": np.array([numbers.rate(played).value for played in ordered])}
    for name in numbers.events.latencies:
        medians = [
            at_shares(p.latencies[name].counts, p.latencies[name].edges, (0.5,))[0] for p in ordered
        ]
        found[f"median {spoken(name)} (s)"] = np.array(medians)
    return found


def slope(values: NDArray[np.float64]) -> Interval:
    """Slope of a straight line over equal steps, with Student's interval of 95 %.

    Parameters
    ----------
    values : ndarray of float64, shape (session,)
        Three at least.

    Returns
    -------
    Interval
        Change from one value to the next.

    Examples
    --------
    >>> found = slope(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> round(found.value, 9), round(found.upper - found.lower, 9)
    (1.0, 0.0)
    """
    x = np.arange(len(values)) - (len(values) - 1) / 2.0
    spread = float(x @ x)
    value = float(x @ values) / spread
    residual = values - values.mean() - value * x
    freedom = len(values) - 2
    u = float(np.sqrt(residual @ residual / freedom / spread))
    half = float(special.stdtrit(freedom, 0.975)) * u
    return Interval(value=value, lower=value - half, upper=value + half)
