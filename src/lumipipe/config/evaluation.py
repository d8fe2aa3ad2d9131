"""Section `evaluation`: how the answer is put to the test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from lumipipe.config.moments import End
from lumipipe.config.settings import Fraction, Identifier, PositiveFloat, Settings, Text

if TYPE_CHECKING:
    from datetime import datetime


class GroupSplit(Settings):
    """Each group is held out in turn; nothing of one group is on both sides."""

    kind: Literal["group"]
    by: Text = "unit"
    """`unit`, `recording`, `source` or a label: what is held out together."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Number of folds that the groups are dealt to; one fold a group where absent."""


class TimeSplit(Settings):
    """Earlier rows train, later ones test.

    The training part is a length of each recording, or all rows up to a date. A date without a
    time is the whole day in UTC, whatever `time.zone` is; a time is written with its zone.
    """

    kind: Literal["time"]
    train_first_s: PositiveFloat | None = None
    """Length of the training part."""
    train_first_rows: Annotated[int, Field(ge=1)] | None = None
    """Number of rows of the training part."""
    train_until: End | None = None
    """Last moment of the training part: a day, which counts whole, in UTC; or a time with a zone,
    such as 2025-12-31T18:00:00+02:00."""
    calibrate_until: End | None = None
    """Last moment of the rows after `train_until` that limits and intervals are set on; written
    in the same way. Later rows test."""

    @model_validator(mode="after")
    def _one_length(self) -> TimeSplit:
        lengths = (self.train_first_s, self.train_first_rows, self.train_until)
        if sum(length is not None for length in lengths) != 1:
            raise ValueError(
                "give train_first_s, train_first_rows or train_until; one of the three"
            )
        if self.calibrate_until is None:
            return self
        if self.train_until is None:
            raise ValueError("calibrate_until goes with a date; give train_until")
        if self.calibrate_until <= self.train_until:
            raise ValueError(
                "calibrate_until does not lie after train_until; write the later date there"
            )
        return self

    @property
    def dates(self) -> list[datetime]:
        """Last moments of the training and of the calibrating part, where they are dates."""
        return [date for date in (self.train_until, self.calibrate_until) if date is not None]


class SourceSplit(Settings):
    """Whole sources train, calibrate or test."""

    kind: Literal["source"]
    train: Annotated[list[Identifier], Field(min_length=1)]
    """Sources that the model is fitted on."""
    calibrate: list[Identifier] = []
    """Sources that limits are set on."""
    test: list[Identifier] = []
    """Sources that are judged; all others where empty."""


class RandomSplit(Settings):
    """Windows are dealt at random; neighbours of one recording stand on both sides."""

    kind: Literal["random"]
    because: Text
    """Why a split that flatters is wanted; it is named on page 1 of the report."""
    folds: Annotated[int, Field(ge=2)] = 5
    """Number of folds."""


class NoSplit(Settings):
    """Nothing is learnt from these data, so nothing is held out."""

    kind: Literal["none"]


Split: TypeAlias = Annotated[
    GroupSplit | TimeSplit | SourceSplit | RandomSplit | NoSplit, Field(discriminator="kind")
]


class Interval(Settings):
    """The interval or prediction set that is asked for."""

    coverage: Fraction = 0.90
    """Nominal coverage."""
    by: Literal["regime"] | None = None
    """`regime`: intervals must be set for each of `train.regimes` by itself."""


class FixedAlarm(Settings):
    """An alarm of today: a channel past a limit."""

    channel: Text
    """Name of the channel."""
    above: float | None = None
    """In alarm above this, in the unit of the channel."""
    below: float | None = None
    """In alarm below this."""

    @model_validator(mode="after")
    def _some_limit(self) -> FixedAlarm:
        if self.above is None and self.below is None:
            raise ValueError("has no limit; give above, below or both")
        return self


class Baseline(Settings):
    """What is used today, with what is known of how well it does."""

    words: Text
    """What it is."""
    metric: Identifier | None = None
    """A metric of this analysis of which today's figure is known."""
    value: float | None = None
    """That figure, from the same kind of cases."""
    alarm: FixedAlarm | None = None
    """Today's alarm, which is then tried on the same rows; for monitoring."""

    @model_validator(mode="after")
    def _pair(self) -> Baseline:
        if (self.metric is None) != (self.value is None):
            raise ValueError("metric and value belong together; give both")
        return self


def _in_words(value: Any) -> Any:
    """Words alone as a block."""
    return {"words": value} if isinstance(value, str) else value


def _as_given(baseline: Baseline | None) -> Any:
    """A block of words alone as the words, as requests had them before there were blocks."""
    if baseline is None or baseline == Baseline(words=baseline.words):
        return baseline and baseline.words
    return baseline.model_dump(mode="json")


class Evaluation(Settings):
    """How the answer is put to the test."""

    split: Split
    """How training and test are kept apart, decided before windows are cut."""
    interval: Interval = Interval()
    metrics: dict[str, str] = {}
    """Metric to the condition that makes the answer `supported`, such as macro_f1: ">= 0.8"."""
    baseline: Annotated[
        Baseline | None,
        BeforeValidator(_in_words, json_schema_input_type=Text | Baseline | None),
        PlainSerializer(_as_given),
    ] = None
    """What is used today: words, or with a figure or an alarm that the answer is held against."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 1
    """Key of all random draws."""
    plan_signed: bool = False
    """Whether the plan is registered before anything is scored; what changes afterwards is named on
    page 1 of the report. A folder that has a plan is held to it, whatever stands here."""
    stopping_rule: Text | None = None
    """When data are complete and the slice is scored; once, with all data, where absent."""

    @field_validator("metrics")
    @classmethod
    def _conditions(cls, value: dict[str, str]) -> dict[str, str]:
        for name, condition in value.items():
            if not re.fullmatch(r"\s*(>=|<=)\s*-?\d+(\.\d+)?\s*", condition):
                raise ValueError(f'{name}: no condition; write it like ">= 0.8"')
        return value
