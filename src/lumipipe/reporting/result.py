"""The result of a request: what every family fills and every report is made from.

Figures are declared in `lumipipe.reporting.figures.declared`. What two runs of equal content
may differ in stands under `Result.run` and nowhere else.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from lumipipe.reporting.cost import Cost  # noqa: TC001 - Pydantic reads it
from lumipipe.reporting.figures.declared import Figure  # noqa: TC001 - Pydantic reads it
from lumipipe.reporting.parts import Cell, Interval, Part, Sentence, Text

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class Asked(Part):
    """What was asked, as far as a reader of the report needs it."""

    id: Sentence
    """Name of the request."""
    title: Sentence
    """Title of the request."""
    family: Sentence
    """The analysis that answered it."""
    decision: Sentence
    """What somebody will do or not do, depending on the answer."""
    unit_of_decision: Sentence
    """What one answer is about, such as one bearing or one recording."""
    not_to_be_used_for: list[Sentence] = []
    """Uses that the answer must not be put to."""
    language: Text = "en"
    """Language of the report."""
    owner: Text | None = None
    """Who owns the data."""
    baseline: Text | None = None
    """What is done today, with which the answer is compared."""


class Metric(Interval):
    """One number by which the answer is judged."""

    name: Sentence
    """Name by which programs know it."""
    label: Sentence
    """Name by which people know it, with its unit."""
    confidence: Share | None = None
    """Confidence or coverage probability of the interval."""
    count: Count | None = None
    """Number of cases behind it."""
    of: Text | None = None
    """What was counted, such as recordings."""
    condition: Text | None = None
    """What was asked of it, such as ``>= 0.8``."""
    met: bool | None = None
    """Whether the condition is met; null where that is not decided."""
    note: Text | None = None
    """What a reader must know beside the number."""


class Unit(Part):
    """The answer for one unit of decision."""

    id: Sentence
    """Name of the unit."""
    verdict: Sentence
    """A short word, such as fault, no fault, inconclusive or correct."""
    sentence: Text = ""
    """The answer in a sentence."""
    values: dict[Text, Cell] = {}
    """Further numbers and words; a number may come with its interval."""


class Achieved(Part):
    """How often intervals or sets held, and how wide they are."""

    achieved: Share | None
    """Share of the cases, not used for training or calibration, that they contained."""
    lower: Share | None = None
    """Lower end of the interval of `achieved`."""
    upper: Share | None = None
    """Upper end of the interval of `achieved`."""
    count: Count | None = None
    """Number of cases."""
    width: float | None = None
    """Mean width of the intervals, or mean size of the sets; null where one has no bound."""
    median_width: float | None = None
    """Median width of the intervals; null where half of them have no bound."""
    unbounded: Count | None = None
    """Number of intervals without a bound on a side."""
    note: Text | None = None
    """What a reader must know beside the numbers."""


class CoverageGroup(Achieved):
    """How often the intervals held within one group."""

    name: Sentence
    """Name of the group, such as a regime or a class."""


class Coverage(Achieved):
    """How often the intervals held, against how often they should."""

    nominal: Share
    """The share that was promised."""
    width_unit: Text | None = None
    """Unit of the widths."""
    groups: list[CoverageGroup] = []
    """The same by group."""


class Split(Part):
    """How the data were divided into those that teach and those that test."""

    kind: Sentence
    """Kind of split, such as unit, time or random."""
    sentence: Sentence
    """The split in a sentence."""
    because: Text | None = None
    """Why a random split was accepted; the report then warns on its first page."""


class LeftOut(Part):
    """Something that was not used."""

    what: Sentence
    """What was left out."""
    reason: Sentence
    """Why."""


class NotAnswered(Part):
    """A question that the data cannot carry."""

    question: Sentence
    """The question."""
    reason: Sentence
    """Why it has no answer."""


class Money(Part):
    """What the answer means in money."""

    sentence: Sentence
    """The view from the two costs of the request."""


class Section(Part):
    """A part of the report that the family adds."""

    title: Sentence
    """Heading."""
    paragraphs: list[Sentence] = []
    """Text, one entry a paragraph."""
    figures: list[Figure] = []
    """Figures, in order."""


class StagePart(Part):
    """What a part of a stage took on rank 0; parts overlap, since reading goes on meanwhile."""

    seconds: float
    """How long."""
    nbytes: int = 0
    """Bytes that it handled; 0 where none were counted."""
    rows: int = 0
    """Rows that it handled; 0 where none were counted."""


class Stage(Part):
    """One stage of the run."""

    name: Sentence
    """Name of the stage, such as train."""
    seconds: float | None = None
    """How long it took."""
    backend: Text | None = None
    """Array library of the stage, where it differs from that of the run."""
    ranks: int | None = None
    """Number of ranks of the stage, where it differs from that of the run."""
    parts: dict[Text, StagePart] = {}
    """What the seconds went to, by name, such as read, decode, transfer, compute and merge."""


class Run(Part):
    """Everything in which two runs of equal content may differ."""

    backend: Text | None = None
    """Array library that computed."""
    device: Text | None = None
    """Device that computed."""
    ranks: int | None = None
    """Number of ranks."""
    versions: dict[Text, Text] = {}
    """Version of each package."""
    digests: dict[Text, Text] = {}
    """SHA-256 of inputs and outputs."""
    started: Text | None = None
    """When the run began, UTC."""
    seconds: float | None = None
    """How long the run took."""
    stages: list[Stage] = []
    """Stages of the run."""
    cost: Cost | None = None
    """Quote and bill; null where no scheduler ran it."""


class Result(Part):
    """The answer to a request, with all that a report shows."""

    lumipipe_result: Literal[1]
    """Version of this form."""
    request: Asked
    """What was asked."""
    answer: Sentence
    """The answer in one sentence, with its interval."""
    verdict: Literal["supported", "not_supported", "inconclusive"]
    """Whether the data carry the answer."""
    would_change: Sentence
    """What would change the answer."""
    metrics: list[Metric] = []
    """The numbers by which the answer is judged."""
    units: list[Unit] = []
    """One entry per unit of decision."""
    coverage: Coverage | None = None
    """Nominal and achieved coverage; null where the analysis gives no intervals."""
    split: Split
    """How training and test data were divided."""
    counts: dict[Text, Count] = {}
    """How many of what went in, such as machines and recordings."""
    left_out: list[LeftOut] = []
    """What was left out and why."""
    not_answered: list[NotAnswered] = []
    """Questions that the data cannot carry."""
    not_answered_reason: Text | None = None
    """Why no question stayed open; needed where `not_answered` is empty."""
    money: Money | None = None
    """What the answer means in money; null where the request gives no costs."""
    sections: list[Section] = []
    """What the family adds to the report."""
    run: Run
    """When, where and with what it was computed."""

    @model_validator(mode="after")
    def _says_why_nothing_is_open(self) -> Result:
        if not self.not_answered and not self.not_answered_reason:
            raise ValueError("not_answered is empty; say why in not_answered_reason")
        return self


def schema_text() -> str:
    """The JSON schema of a result as JSON text, the same bytes each time."""
    return json.dumps(Result.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
