"""What somebody decides on a score: limits that cost least, chosen where nothing is tested.

The maths is in `lumipipe.uncertainty.decision_cost`, what a report says of it in
`lumipipe.families.money`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.uncertainty.decision_cost import break_even, least_cost_limits, stated_probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.config import Question

CHOSEN, DEARER_MISS, DEARER_ALARM, STATED = "chosen", "dearer_miss", "dearer_alarm", "stated"
FACTOR = 2.0
"""By how much each cost may be wrong, for the sensitivity."""


@dataclass(frozen=True)
class Costs:
    """The two costs of a request.

    Parameters
    ----------
    miss, false_alarm : float
        In `currency`; one of them above 0.
    currency : str
        What they are in.
    will_act_if : str or None
        When somebody acts, in the words of the request.
    """

    miss: float
    false_alarm: float
    currency: str
    will_act_if: str | None = None

    @classmethod
    def of(cls, question: Question) -> Costs | None:
        """The costs of a question; None where it does not state both, or both are 0."""
        miss, false = question.cost_of_miss, question.cost_of_false_alarm
        if miss is None or false is None or not miss + false:
            return None
        return cls(miss, false, question.currency, question.will_act_if)

    @property
    def break_even(self) -> float:
        """Probability from which acting pays."""
        return break_even(self.miss, self.false_alarm)

    @property
    def stated(self) -> float | None:
        """The probability in `will_act_if`."""
        return None if self.will_act_if is None else stated_probability(self.will_act_if)

    @property
    def probabilities(self) -> dict[str, float]:
        """Probabilities that limits are chosen for: as stated, with each cost off, as is acted."""
        found = {
            CHOSEN: self.break_even,
            DEARER_MISS: break_even(FACTOR * self.miss, self.false_alarm),
            DEARER_ALARM: break_even(self.miss, FACTOR * self.false_alarm),
        }
        return found if self.stated is None else found | {STATED: self.stated}


@dataclass(frozen=True)
class Decisions:
    """What would have been decided on the tested cases.

    Parameters
    ----------
    event : ndarray of bool, shape (case,)
        Whether there was something to act on.
    acts : dict of str to ndarray of bool, shape (case,)
        Whether somebody acts: by the limit of each of `Costs.probabilities`, and by other ways.
    cluster : ndarray of int64, shape (case,)
        What hangs together.
    limits : dict of str to float
        Limit of the score for new cases, for each of `Costs.probabilities`.
    score : str
        What the score is, with its unit, in the current language.
    chosen_on : str
        Where the limits that were tested come from, as a sentence.
    cases : str
        What a decision is about, many of them: a name that was marked by `many`.
    is_below : bool
        Whether somebody acts below the limit.
    """

    event: NDArray[np.bool_]
    acts: dict[str, NDArray[np.bool_]]
    cluster: NDArray[np.int64]
    limits: dict[str, float]
    score: str
    chosen_on: str
    cases: str
    is_below: bool = False


def chosen_limits(
    costs: Costs, event: NDArray[np.float64], other: NDArray[np.float64]
) -> dict[str, float]:
    """Limits of a score from cases with and without the event that the model has not seen."""
    names = costs.probabilities
    found = least_cost_limits(event, other, list(names.values()))
    return dict(zip(names, found.tolist(), strict=True))


def crossed_limits(
    costs: Costs,
    score: NDArray[np.float64],
    event: NDArray[np.bool_],
    group: NDArray[np.int64],
) -> tuple[dict[str, NDArray[np.bool_]], dict[str, float]]:
    """Whether each case is acted on, by limits from the cases of all other groups.

    Parameters
    ----------
    costs : Costs
        What a miss and a false alarm cost.
    score : ndarray of float64, shape (case,)
        Of models that have seen none of the cases.
    event : ndarray of bool, shape (case,)
        Whether there was something to act on.
    group : ndarray of int64, shape (case,)
        What is held out together; at least two.

    Returns
    -------
    acts : dict of str to ndarray of bool, shape (case,)
        For each of `Costs.probabilities`.
    limits : dict of str to float
        Those for new cases, from all groups.
    """
    acts = {name: np.zeros(len(score), dtype=np.bool_) for name in costs.probabilities}
    for one in np.unique(group):
        own = group == one
        limits = chosen_limits(costs, score[~own & event], score[~own & ~event])
        for name, limit in limits.items():
            acts[name][own] = score[own] > limit
    return acts, chosen_limits(costs, score[event], score[~event])


def in_json(limits: Mapping[str, float], sign: float = 1.0) -> dict[str, float | str]:
    """Limits for a card: JSON has no infinity, so always and never are words.

    A sign of -1 is that of limits below which somebody acts.

    Examples
    --------
    >>> in_json({"chosen": 0.5, "dearer_miss": -np.inf, "dearer_alarm": np.inf})
    {'chosen': 0.5, 'dearer_miss': 'always', 'dearer_alarm': 'never'}
    """
    words = {-np.inf * sign: "always", np.inf * sign: "never"}
    return {name: words.get(limit, limit) for name, limit in limits.items()}
