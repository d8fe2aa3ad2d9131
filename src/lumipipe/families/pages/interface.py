"""What makes a reader's page: the subject that it is about, and what is told of each item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lumipipe.language import say

if TYPE_CHECKING:
    from lumipipe.families.interface import Job, Model, Outcome
    from lumipipe.reporting.result import Reader, Result, Section


@dataclass(frozen=True)
class Subject:
    """A judged request.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What was trained.
    outcome : Outcome
        What was found, with the family's own facts.
    """

    job: Job
    model: Model
    outcome: Outcome

    @property
    def result(self) -> Result:
        """The answer."""
        return self.outcome.result

    @property
    def facts(self) -> Any:
        """What the family made the answer of."""
        return self.outcome.facts

    @property
    def is_of_persons(self) -> bool:
        """Whether the data come from people."""
        return bool(self.job.request.rights.personal_data != "none")


class Told(NamedTuple):
    """What a page says of an item."""

    sentence: str
    """In one sentence, or a few."""
    sections: Sequence[Section] = ()
    """What shows it."""
    is_answered: bool = True
    """Whether something is said of it."""


Teller: TypeAlias = Callable[[Subject], Told]


def not_stated(what: str, key: str) -> Told:
    """What is said of something that only the request can state.

    Parameters
    ----------
    what : str
        What is not stated, in the current language.
    key : str
        Key of the request that would state it.
    """
    return Told(
        say("{what}: not stated in the request; {key} would state it.", what=what, key=key),
        is_answered=False,
    )


def unstated(key: str) -> Told:
    """What is said of an item whose name tells by itself what the request does not state."""
    return Told(say("Not stated in the request; {key} would state it.", key=key), is_answered=False)


def not_here(reason: str) -> Told:
    """What is said of something that this analysis does not have; `reason` is a sentence."""
    return Told(say("Not for this analysis: {reason}", reason=reason), is_answered=False)


def read_by(reader: Reader, sections: Sequence[Section]) -> list[Section]:
    """The sections, put on a reader's page unless they stand on one."""
    return [
        section if section.reader is not None else section.model_copy(update={"reader": reader})
        for section in sections
    ]
