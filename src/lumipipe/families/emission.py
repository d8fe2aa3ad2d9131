"""Emissions predicted from process data, and whether such a monitor would pass its audits.

The regression is `lumipipe.families.regression`, with each sensor checked against the others
(`lumipipe.families.sensors`). Which hours count is in `lumipipe.families.emission_hours`, audits in
`lumipipe.families.emission_audits`, averages in `lumipipe.families.emission_averages`, the answer
in `lumipipe.families.emission_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, model_validator

from lumipipe.config import (
    Fraction,
    PositiveFloat,
    RandomSplit,
    Settings,
    SourceSplit,
    Text,
    TimeSplit,
)
from lumipipe.errors import InputError
from lumipipe.families import emission_report, verdicts
from lumipipe.families.audited import Audited
from lumipipe.families.bundled import scorer_of
from lumipipe.families.emission_hours import LOAD, PERIOD, period_ns
from lumipipe.families.emission_report import METRICS
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.regression import Regression
from lumipipe.families.regression_scores import WITH_UNIT
from lumipipe.families.regression_settings import RegressionSettings, check_regression
from lumipipe.language import message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Merging, Model, Outcome, Pass
    from lumipipe.fold import Leaves

_PASS = "rows"  # noqa: S105  # the name of the fold, no password
_PERCENT_OR_MORE = ("median_ra",)


class ReferenceMethod(Settings):
    """What the model is compared with."""

    method: Text
    """Method or instrument of the reference."""
    laboratory: str = NOT_STATED
    """Who measured."""
    u: PositiveFloat | None = None
    """Standard uncertainty that all its readings share, in the unit of the target; what the
    certificate of the target's channel states where absent."""


class Asset(Audited):
    """The emission point."""

    installation: Text
    """What emits."""
    emission_point: str = NOT_STATED
    """Where it is measured."""
    pollutant: Text
    """What is measured, in words, such as NOx as NO2."""
    reference_conditions: str = NOT_STATED
    """Temperature, pressure, moisture and oxygen that the concentrations are referred to."""
    per_ppm: PositiveFloat | None = None
    """What 1 ppm of the pollutant is in the unit of the target: molar mass over molar volume."""
    reference: ReferenceMethod
    """What the model is compared with."""


class Train(RegressionSettings):
    """How the emission is learnt."""

    target: Text
    """Channel of the pollutant."""


class Averages(Settings):
    """Over what is averaged."""

    rows: Annotated[int, Field(ge=1)] | None = None
    """Rows of one average, counted from the first tested row of each recording."""
    hours: PositiveFloat | None = None
    """Hours of one average by the clock, such as 0.5 or 24; needs times."""
    least_capture: Fraction = 0.75
    """Share of the rows that must be valid, or no average is given."""

    @model_validator(mode="after")
    def _one_length(self) -> Averages:
        if (self.rows is None) == (self.hours is None):
            raise ValueError("give rows or hours; one of the two")
        return self


class Score(Settings):
    """How the model is judged."""

    rules: Text = "pems"
    """Table of limits: a name or the path of a YAML file."""
    audit_rows: Annotated[int, Field(ge=3)] = 9
    """Runs of one audit; each is one row, and they follow each other."""
    least_share: Fraction = 0.95
    """Share of the audits that must meet a limit."""
    averages: Averages = Averages(rows=24)
    """Over what is averaged."""
    load: str | None = None
    """Channel of the load, whose thirds in the training rows are the regimes of the coverage."""


class Emission:
    """Predictive emission monitoring."""

    name = "emission"
    title = message("emissions from process data")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "limits"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse splits that are no test of later hours, windows, and averages without a clock."""
        del asset
        check_regression(request, train, (train.target,), place)
        split = request.evaluation.split
        if not isinstance(split, SourceSplit | TimeSplit | RandomSplit):
            raise InputError(
                place,
                f"evaluation.split.kind {split.kind} does not test later hours",
                "use source (whole periods) or time (the first rows train)",
            )
        if train.window_rows != 1 or train.hop_rows != 1:
            raise InputError(
                place, "train.window_rows: each row has a prediction here", "leave it out"
            )
        sources = [source for source in request.data if source.stream == train.stream]
        if score.averages.hours is not None and any(s.time.kind == "order" for s in sources):
            raise InputError(
                place, "score.averages.hours: the rows have only an order", "give rows instead"
            )
        channels = [channel.name for channel in sources[0].channels]
        if score.load is not None and score.load not in channels:
            raise InputError(
                place, f"score.load: no channel {score.load}", f"use {', '.join(channels)}"
            )
        verdicts.check_conditions(
            request.evaluation.metrics, METRICS, place, (*WITH_UNIT, *_PERCENT_OR_MORE)
        )

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """One pass over the rows."""
        return {_PASS: regression(job).train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models of all folds, of the emission and of each sensor, and the final ones."""
        return regression(job).fit(leaves[_PASS], comm)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Units leave, and sites join."""
        del leaves
        return regression(job).merging(_PASS)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each row by models that have not seen it."""
        return {_PASS: regression(job).score_pass(model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Audits of the tested hours, sensors, averages with their intervals."""
        return emission_report.judge(job, model, leaves[_PASS], regression(job))

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model:
        """What answers new rows without the data."""
        return scorer_of(regression(job), model, leaves[_PASS])


def regression(job: Job) -> Regression:
    """The regression of a request, with its sensors watched."""

    def load(block: Block) -> NDArray[np.float64]:
        return found.values(block, (job.score.load,))[:, 0]

    def period(block: Block) -> NDArray[np.float64]:
        """Number of the period of the clock; whole numbers, exact in float64."""
        times = block.time_ns
        if times is None:
            raise TypeError("the pass did not ask for times")
        number = times[1 + block.starts + (block.length - 1)] // period_ns(hours)
        return number.astype(np.float64)

    hours = job.score.averages.hours
    by_clock = hours is not None
    found = Regression(
        job,
        job.train,
        (job.train.target,),
        extra=({LOAD: load} if job.score.load else {}) | ({PERIOD: period} if by_clock else {}),
        times=by_clock,
        sensors=True,
    )
    return found
