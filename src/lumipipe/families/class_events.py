"""Classes that somebody acts on: the event of a classifier, its limits, what they led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.errors import InputError
from lumipipe.families.decisions import Costs, Decisions, chosen_limits, in_json
from lumipipe.families.money import AS_BEFORE
from lumipipe.language import many, say
from lumipipe.uncertainty.decision_cost import event_margin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import Question
    from lumipipe.families.interface import Model
    from lumipipe.families.window_classifier import WindowClassifier
    from lumipipe.uncertainty.scores import Scores


@dataclass(frozen=True)
class ClassCosts:
    """The event of a classifier: some of its classes.

    Parameters
    ----------
    costs : Costs
        What a miss and a false alarm cost.
    members : tuple of int
        Places of the classes that somebody acts on.
    """

    costs: Costs
    members: tuple[int, ...]

    @classmethod
    def of(cls, question: Question, classes: Sequence[str]) -> ClassCosts | None:
        """The costs and classes of a question; None where it states no costs or no classes.

        Raises
        ------
        InputError
            If a class is not there, or all classes are acted on.
        """
        costs, event = Costs.of(question), question.event
        if costs is None or event is None:
            return None
        for name in event.classes:
            if name not in classes:
                raise InputError(
                    "question.event",
                    f"{name} is no class of these data",
                    f"use some of {', '.join(classes)}",
                )
        members = tuple(sorted({list(classes).index(name) for name in event.classes}))
        if len(members) == len(classes):
            raise InputError(
                "question.event", "holds all classes", "leave out those that nobody acts on"
            )
        return cls(costs, members)

    def calibrate(
        self,
        scores: Scores,
        model: str,
        outputs: NDArray[np.float64],
        targets: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Limits of one model, from rows that it has not seen: float64 (probability,)."""
        margin = event_margin(outputs, self.members)
        is_event = targets[:, list(self.members)].sum(axis=1) > 0
        event = scores(f"{model}/event", margin[is_event])
        other = scores(f"{model}/no event", margin[~is_event])
        return np.array(list(chosen_limits(self.costs, event, other).values()))

    def facts(self, classes: Sequence[str]) -> dict[str, Any]:
        """What the card of a model says of its limits, in their order."""
        return {
            "event": [classes[place] for place in self.members],
            "break_even": self.costs.break_even,
            "cost_of_miss": self.costs.miss,
            "cost_of_false_alarm": self.costs.false_alarm,
            "currency": self.costs.currency,
            "limits_of": list(self.costs.probabilities),
        }


def event_facts(
    event: ClassCosts | None, classes: Sequence[str], arrays: Mapping[str, NDArray[Any]]
) -> dict[str, Any]:
    """What the card of a model says of its limits; nothing where there are none."""
    if event is None:
        return {}
    limits = dict(zip(event.costs.probabilities, arrays["final_event_limit"].tolist(), strict=True))
    return {"decision": event.facts(classes) | {"limits": in_json(limits)}}


def class_decisions(
    found: WindowClassifier, model: Model, rows: Mapping[str, NDArray[Any]]
) -> Decisions | str:
    """What would have been decided on scored windows.

    Parameters
    ----------
    found : WindowClassifier
        What was fitted.
    model : Model
        Its arrays, with the limits of each fold.
    rows : mapping of str to ndarray
        ``number``, ``recording``, ``truth`` and ``outputs`` of windows.

    Returns
    -------
    Decisions or str
        Why nothing can be said, where the request names no classes.
    """
    event = found.event
    if event is None:
        return say("question.event does not name the classes that somebody acts on")
    margin = event_margin(rows["outputs"], event.members)
    fold = found.folds_of(rows["number"], rows["recording"])
    limits = model.arrays["fold_event_limit"][fold]
    names = list(event.costs.probabilities)
    random = isinstance(found.split, RandomSplit)
    groups = fold if random else np.array([found.groups[r] for r in rows["recording"]])
    return Decisions(
        event=np.isin(rows["truth"], event.members),
        acts={
            **{name: margin > limits[:, place] for place, name in enumerate(names)},
            AS_BEFORE: np.isin(rows["outputs"].argmax(axis=1), event.members),
        },
        cluster=np.unique(groups, return_inverse=True)[1].astype(np.int64),
        limits=dict(zip(names, model.arrays["final_event_limit"].tolist(), strict=True)),
        score=say(
            "output of {classes}, less that of the likeliest other class",
            classes=", ".join(found.classes[place] for place in event.members),
        ),
        chosen_on=say(
            "The limit of each held-out group was chosen on windows of the other groups, by models "
            "that had not seen them."
        ),
        cases=many("windows"),
    )
