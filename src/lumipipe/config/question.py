"""Section `question`: what is to be decided, and by which analysis."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from lumipipe.config.settings import Settings, Text


class Event(Settings):
    """What the two costs are of, where the analysis does not know it: classes, or a limit."""

    classes: list[Text] = []
    """Classes that somebody acts on."""
    target: Text | None = None
    """What is predicted; needed where there are several."""
    above: float | None = None
    """The event is a true value above this, in the unit of what is predicted."""
    below: float | None = None
    """The event is a true value below this."""

    @model_validator(mode="after")
    def _one_kind(self) -> Event:
        if [bool(self.classes), self.above is not None, self.below is not None].count(True) != 1:
            raise ValueError("tells no event; give classes, above or below, one of them")
        return self


class Question(Settings):
    """What is to be decided, and by which analysis."""

    decision: Text
    """What somebody will do or not do, depending on the answer."""
    family: Text
    """The analysis: a name from the registry of families."""
    unit_of_decision: Text
    """What one answer is about, such as one bearing or one recording."""
    cost_of_miss: Annotated[float, Field(ge=0)] | None = None
    """Cost of one missed event, in `currency`."""
    cost_of_false_alarm: Annotated[float, Field(ge=0)] | None = None
    """Cost of one false alarm, in `currency`."""
    currency: str = "EUR"
    """Currency of the two costs."""
    event: Event | None = None
    """What is missed at that cost; monitoring has it in score.event."""
    will_act_if: str | None = None
    """The condition under which somebody will act."""
    not_to_be_used_for: Annotated[list[Text], Field(min_length=1)]
    """Uses that the answer must not be put to."""
