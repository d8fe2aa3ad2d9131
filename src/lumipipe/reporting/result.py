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


Verdict: TypeAlias = Literal["supported", "not_supported", "inconclusive"]
Reader: TypeAlias = Literal["engineer", "coach", "metrologist", "authority"]
"""Who a page of the report is for."""
LeakageStatus: TypeAlias = Literal["none", "found", "by_design", "not_tested"]


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
    approver: Text | None = None
    """Who answers for the analysis; null where nobody is named."""


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


class LeakageTest(Part):
    """Whether something that tests a model has taught it."""

    name: Sentence
    """Name by which programs know the test."""
    label: Sentence
    """What would be a leak."""
    status: LeakageStatus
    """`none` where no leak was found, `found` where one was, `by_design` where the question
    asks for what is shared, `not_tested` with the reason in the sentence."""
    count: Count | None = None
    """Tested rows or windows, or models, that are concerned; null where not tested."""
    sentence: Sentence
    """What was found."""


class LeftOut(Part):
    """Something that was not used."""

    what: Sentence
    """What was left out."""
    reason: Sentence
    """Why."""
    is_recording: bool = False
    """Whether it is a whole recording, with which a run ends with code 3."""


class NotAnswered(Part):
    """A question that the data cannot carry."""

    question: Sentence
    """The question."""
    reason: Sentence
    """Why it has no answer."""


class Deviation(Part):
    """Something in which a run differs from the plan that was registered for it."""

    name: Sentence
    """What it is, as a path in the plan, such as evaluation.metrics.macro_f1."""
    before: Text
    """How it stands in the plan."""
    after: Text
    """How it was scored."""


class RegisteredPlan(Part):
    """The plan that a run is held to."""

    number: Count
    """Which of the plans in the folder of the run, from 1."""
    sha256: Sentence
    """SHA-256 of the plan's file."""
    notes: list[Sentence] = []
    """What a reader must know of its history."""


class Comparison(Part):
    """The answer held against what is done today, or against what is had without a model."""

    name: Sentence
    """Name by which programs know what it is held against."""
    metric: Sentence
    """What is compared; the name of a metric where there is one of that name."""
    baseline: float | None
    """The figure of what it is held against."""
    difference: float | None
    """Figure of the answer less that of the baseline."""
    lower: float | None = None
    """Lower end of the interval of the difference; null where there is none."""
    upper: float | None = None
    """Upper end."""
    confidence: Share | None = None
    """Confidence of the interval."""
    outcome: Literal["better", "worse", "not_told_apart"]
    """By the whole interval; not told apart where there is none."""
    sentence: Sentence
    """The same in words."""

    @property
    def is_with_today(self) -> bool:
        """Whether it is held against what is done today, not against a model of nothing."""
        return self.name in {"stated", "fixed_alarm"}


class Policy(Part):
    """A way to decide, and what it would have cost on the tested cases."""

    name: Sentence
    """`chosen`, `always`, `never`, `today`, `as_before` or `stated`."""
    label: Sentence
    """What it is."""
    acts: Share
    """Share of the cases in which somebody acts."""
    cost: float
    """Mean cost of a decision."""
    lower: float | None = None
    """Lower end of its interval; null where there is none."""
    upper: float | None = None
    """Upper end."""
    saved: float | None = None
    """Mean that the chosen limit saves against it, decision by decision; null for itself."""
    saved_lower: float | None = None
    """Lower end of the interval of `saved`."""
    saved_upper: float | None = None
    """Upper end."""


class Money(Part):
    """What the answer means in money."""

    sentence: Sentence
    """The view from the two costs of the request: when acting pays, and what to do."""
    tested: Text | None = None
    """What that would have cost on the tested cases, beside other ways to decide."""
    period: Text | None = None
    """What that comes to in a month and a year; null where nothing says how often one decides."""
    decisions_per_year: float | None = None
    """Decisions of one machine in a year, where the request decides each hour or other time."""
    contradiction: Text | None = None
    """Where the request acts otherwise than its own costs say."""
    currency: Text | None = None
    """Currency of all costs."""
    break_even: Share | None = None
    """Probability of the event above which acting costs less than not acting."""
    limit: float | None = None
    """Limit of the score for new cases; null where none is chosen or it has no bound."""
    act: Literal["always", "never", "above_limit", "below_limit"] | None = None
    """What costs least for new cases; null where none is chosen."""
    policies: list[Policy] = []
    """Ways to decide, the chosen one first; empty where no limit is chosen."""


class Section(Part):
    """A part of the report that the family adds."""

    title: Sentence
    """Heading."""
    paragraphs: list[Sentence] = []
    """Text, one entry a paragraph."""
    figures: list[Figure] = []
    """Figures, in order."""
    reader: Reader | None = None
    """On whose page it stands; after all pages where null."""


class PageItem(Part):
    """One of the things that a reader must find, and what is said of it."""

    name: Sentence
    """Name by which programs know it."""
    label: Sentence
    """What it is."""
    sentence: Sentence
    """What was found, or why there is nothing to be found."""
    is_answered: bool = True
    """Whether something is said; not so where the request does not state it or it cannot be."""


class ReaderPage(Part):
    """A page for one kind of reader; sections that name the reader stand on it."""

    reader: Reader
    """Whose page it is."""
    lead: Sentence
    """The page in a sentence."""
    items: list[PageItem]
    """All that this reader must find, in order."""


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


class Terms(Part):
    """What the terms of use of the data permitted, and what has to be done for it."""

    verdict: Text
    """Permit, or permit with duties."""
    rules: list[Text]
    """Names of the rules that permit."""
    duties: list[Text] = []
    """What has to be done: an action and, in parentheses, with what."""
    policies: list[Text] = []
    """Names of the policies, which what is made from the data inherits."""
    attributions: list[Text] = []
    """How the sources are named."""
    valid_until: Text | None = None
    """Last day of use of what is made; null where nobody set one."""
    warnings: list[Text] = []
    """Where two places state unlike terms."""


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
    content_digest: Text | None = None
    """SHA-256 of the list of request, plan and products but for the report: the name of a crate."""
    plan_registered: Text | None = None
    """When the plan was registered, UTC."""
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
    verdict: Verdict
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
    leakage: list[LeakageTest] = []
    """Whether anything that tests has taught."""
    counts: dict[Text, Count] = {}
    """How many of what went in, such as machines and recordings."""
    extent: Text | None = None
    """How many machines or persons, recordings and days the data are of."""
    left_out: list[LeftOut] = []
    """What was left out and why."""
    not_answered: list[NotAnswered] = []
    """Questions that the data cannot carry."""
    not_answered_reason: Text | None = None
    """Why no question stayed open; needed where `not_answered` is empty."""
    plan: RegisteredPlan | None = None
    """The plan that was registered before the test slice was scored; null where none was."""
    deviations: list[Deviation] = []
    """What differs from that plan."""
    rules: list[Sentence] = []
    """Rules of standards that were applied, each with its citation and who checked it."""
    comparisons: list[Comparison] = []
    """The answer held against what is done today, or had without a model."""
    not_compared: Text | None = None
    """Why there is no comparison."""
    money: Money | None = None
    """What the answer means in money; null where the request gives no costs."""
    pages: list[ReaderPage] = []
    """Pages for kinds of readers."""
    sections: list[Section] = []
    """What the family adds to the report."""
    terms: Terms | None = None
    """What the terms of use permitted; null where nobody states any."""
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
