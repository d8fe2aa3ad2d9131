"""A true value past a limit: the event of a regression, its limits, what they led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.decisions import Costs, Decisions, chosen_limits, in_json
from lumipipe.families.money import AS_BEFORE
from lumipipe.language import many, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Question
    from lumipipe.families.regression_scores import RegressionScores
    from lumipipe.uncertainty.scores import Scores


@dataclass(frozen=True)
class LimitCosts:
    """The event of a regression: a true value past a limit.

    Parameters
    ----------
    costs : Costs
        What a miss and a false alarm cost.
    target : int
        Number of the target.
    sign : float
        1 where values above the limit are the event, -1 where those below are.
    limit : float
        In the unit of the target.
    """

    costs: Costs
    target: int
    sign: float
    limit: float

    @classmethod
    def of(cls, question: Question, targets: Sequence[str]) -> LimitCosts | None:
        """The costs and the limit of a question; None where it states no costs or no limit.

        Raises
        ------
        InputError
            If the target is not there, or it is not said which one is meant.
        """
        costs, event = Costs.of(question), question.event
        if costs is None or event is None or event.classes:
            return None
        name = targets[0] if event.target is None and len(targets) == 1 else event.target
        if name is None or name not in targets:
            problem = "says no target" if name is None else f"has no target {name}"
            raise InputError("question.event", problem, f"use one of {', '.join(targets)}")
        place = list(targets).index(name)
        if event.above is not None:
            return cls(costs, place, 1.0, event.above)
        return cls(costs, place, -1.0, float(event.below or 0.0))

    def is_event(self, truth: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether true values are past the limit."""
        return np.asarray(self.sign * truth > self.sign * self.limit)

    def calibrate(
        self,
        scores: Scores,
        model: str,
        outputs: NDArray[np.float64],
        truth: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Limits of one model, from rows that it has not seen: float64 (probability,)."""
        score, true = self.sign * outputs[:, self.target], truth[:, self.target]
        known = np.isfinite(score) & np.isfinite(true)
        happened = self.is_event(true)
        event = scores(f"{model}/event", score[known & happened])
        other = scores(f"{model}/no event", score[known & ~happened])
        return np.array(list(chosen_limits(self.costs, event, other).values()))

    def facts(self, targets: Sequence[str], limits: NDArray[np.float64]) -> dict[str, Any]:
        """What the card of a model says of the limits of its prediction."""
        own = dict(zip(self.costs.probabilities, (self.sign * limits).tolist(), strict=True))
        return {
            "target": targets[self.target],
            "event": {"above" if self.sign > 0 else "below": self.limit},
            "break_even": self.costs.break_even,
            "cost_of_miss": self.costs.miss,
            "cost_of_false_alarm": self.costs.false_alarm,
            "currency": self.costs.currency,
            "limits": in_json(own, self.sign),
        }


def limit_decisions(
    scores: Sequence[RegressionScores],
    rows: Mapping[str, NDArray[Any]] | None = None,
    cluster: NDArray[np.int64] | None = None,
) -> Decisions | str:
    """What would have been decided on scored rows.

    Parameters
    ----------
    scores : sequence of RegressionScores
        One a target.
    rows : mapping of str to ndarray, optional
        ``truth``, ``prediction`` and ``fold`` of known rows; those of the scores where absent.
    cluster : ndarray of int64, shape (row,), optional
        What hangs together of them.

    Returns
    -------
    Decisions or str
        Why nothing can be said, where the request states no limit.
    """
    event = scores[0].regression.event
    if event is None:
        return say("question.event states no limit of what is predicted (above or below)")
    own = scores[event.target]
    if rows is None or cluster is None:
        rows, cluster = own.known, own.clusters
    arrays = own.model.arrays
    stacked = np.concatenate([arrays["fold_event_limit"], arrays["final_event_limit"][None]])
    limits = stacked[rows["fold"]]
    names, (name, unit) = list(event.costs.probabilities), own.channel
    final = event.sign * stacked[-1]
    return Decisions(
        event=event.is_event(rows["truth"]),
        acts={
            one: event.sign * rows["prediction"] > limits[:, place]
            for place, one in enumerate(names)
        }
        | {AS_BEFORE: event.is_event(rows["prediction"])},
        cluster=cluster,
        limits=dict(zip(names, final.tolist(), strict=True)),
        score=say("predicted {name} in {unit}", name=name, unit=unit),
        chosen_on=say(
            "Limits were chosen on rows that the models had not seen, none of which they are "
            "tested on."
        ),
        cases=many("rows"),
        is_below=event.sign < 0,
    )
