"""Where to act, when a miss and a false alarm have a cost: limits of scores, and what they cost.

A limit is chosen on scores of cases that the model has not seen and that test nothing; what it
costs is told of other cases. Costs and scores alone are here: which cases are which is the
family's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CERTAIN = 100.0  # percent
_SHARE = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)\s*(%|percent\b|prosent)?")


def break_even(cost_of_miss: float, cost_of_false_alarm: float) -> float:
    """The probability of the event above which acting costs less than not acting.

    Parameters
    ----------
    cost_of_miss, cost_of_false_alarm : float
        In one currency, not both 0.

    Returns
    -------
    float
        Cost of a false alarm over the sum of both.

    References
    ----------
    .. [1] C. Elkan, "The foundations of cost-sensitive learning", Proc. IJCAI (2001) 973-978,
       Eq. 2, with what is done right costing nothing.

    Examples
    --------
    >>> break_even(12000.0, 800.0)
    0.0625
    """
    return cost_of_false_alarm / (cost_of_miss + cost_of_false_alarm)


def least_cost_limits(
    event: NDArray[np.float64],
    other: NDArray[np.float64],
    probabilities: Sequence[float],
) -> NDArray[np.float64]:
    """The limits of a score above which acting would have cost least.

    Parameters
    ----------
    event, other : ndarray of float64, shape (case,)
        Scores of cases with and without the event, larger where the event is likelier; the model
        has seen none of them. Infinite scores are taken as they are.
    probabilities : sequence of float
        `break_even` of each pair of costs, from 0 to 1.

    Returns
    -------
    ndarray of float64, shape (probability,)
        Act where the score is above. Half way between the two scores that the limit parts; minus
        infinity where always acting costs least, infinity where never acting does. Of limits that
        cost alike, the one with the fewest actions.

    Notes
    -----
    *Method*: with p the break-even probability, p for each false alarm and 1 - p for each miss are
    added up for each limit. The limit is also where the isotonic regression of the event on the
    score passes p, so that no probabilities need to be fitted.

    *Cost*: one sort; the order of cases does not matter.

    Examples
    --------
    >>> least_cost_limits(np.array([0.0, 3.0]), np.array([1.0, 2.0]), [0.5, 0.1, 1.0])
    array([ 2.5, -inf,  inf])
    """
    scores = np.unique(np.concatenate([event, other]))  # sorted
    missed = np.append(0, np.searchsorted(np.sort(event), scores, side="right"))
    false = len(other) - np.append(0, np.searchsorted(np.sort(other), scores, side="right"))
    below, above = np.append(-np.inf, scores), np.append(scores, np.inf)
    limits = np.empty(len(probabilities))
    for number, p in enumerate(probabilities):
        cost = p * false + (1 - p) * missed
        best = len(cost) - 1 - int(np.argmin(cost[::-1]))
        limits[number] = _between(below[best], above[best])
    return limits


def _between(below: float, above: float) -> float:
    """A number that parts two scores; of an open end, that end."""
    if np.isinf(below) and below < 0:
        return -np.inf
    if np.isinf(above):
        return np.inf
    middle = below + (above - below) / 2
    return float(middle if middle < above else below)


def costs(
    event: NDArray[np.bool_],
    acts: NDArray[np.bool_],
    cost_of_miss: float,
    cost_of_false_alarm: float,
) -> NDArray[np.float64]:
    """The cost of each decision.

    Parameters
    ----------
    event, acts : ndarray of bool, shape (case,)
        Whether there was something to act on, and whether somebody acts.
    cost_of_miss, cost_of_false_alarm : float
        In one currency.

    Returns
    -------
    ndarray of float64, shape (case,)
        0 where the decision was right.

    Examples
    --------
    >>> costs(np.array([True, True, False]), np.array([True, False, True]), 10.0, 1.0)
    array([ 0., 10.,  1.])
    """
    missed, false = event & ~acts, acts & ~event
    return np.asarray(cost_of_miss * missed + cost_of_false_alarm * false, dtype=np.float64)


def event_margin(outputs: NDArray[np.float64], members: Sequence[int]) -> NDArray[np.float64]:
    """The best output of the classes that somebody acts on, less the best of the others.

    Parameters
    ----------
    outputs : ndarray of float64, shape (row, class)
        Larger is likelier.
    members : sequence of int
        Places of the classes that are acted on; neither none nor all.

    Returns
    -------
    ndarray of float64, shape (row,)
        Above 0 where one of them is the likeliest class.

    Examples
    --------
    >>> event_margin(np.array([[0.5, 0.2, 0.3]]), [1, 2]).round(3)
    array([-0.2])
    """
    inside = np.zeros(outputs.shape[1], dtype=np.bool_)
    inside[list(members)] = True
    return np.asarray(outputs[:, inside].max(axis=1) - outputs[:, ~inside].max(axis=1))


def odds_ratio(first: float, second: float) -> float:
    """How many times larger the odds of one probability are than those of another.

    Parameters
    ----------
    first, second : float
        Probabilities from 0 to 1.

    Returns
    -------
    float
        1 or more, whichever of the two is larger; infinity where one alone is 0 or 1.

    Examples
    --------
    >>> round(odds_ratio(0.2, 0.5), 9), odds_ratio(0.0, 0.5), odds_ratio(1.0, 1.0)
    (4.0, inf, 1.0)
    """
    if first == second:
        return 1.0
    low, high = sorted((first, second))
    if low == 0 or high == 1:
        return float("inf")
    return high * (1 - low) / (low * (1 - high))


def stated_probability(words: str) -> float | None:
    """The probability in a sentence such as "probability of a fault above 0.3".

    Parameters
    ----------
    words : str
        What the request says of when somebody acts.

    Returns
    -------
    float or None
        None where there is no number, more than one, or one that is no probability.

    Examples
    --------
    >>> stated_probability("a needed opening is likelier than 30 %")
    0.3
    >>> stated_probability("temperature above 80") is None
    True
    """
    found = _SHARE.findall(words)
    if len(found) != 1:
        return None
    number, percent = found[0]
    value = float(number.replace(",", ".")) / (_CERTAIN if percent else 1.0)
    return value if 0 <= value <= 1 else None
