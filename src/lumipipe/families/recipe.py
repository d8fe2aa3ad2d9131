"""Mixes with side streams: what they will do, and which meet a specification with least primary.

The regression is `lumipipe.families.regression` with whole mixes held out, the search
`lumipipe.families.recipe_search`, the answer `lumipipe.families.recipe_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from lumipipe.config import Fraction, GroupSplit, RandomSplit, Settings, Text
from lumipipe.errors import InputError
from lumipipe.families import recipe_report, verdicts
from lumipipe.families.bundled import scorer_of
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.recipe_report import METRICS
from lumipipe.families.recipe_search import AMOUNT, mix_thresholds
from lumipipe.families.regression import Regression
from lumipipe.families.regression_scores import WITH_UNIT
from lumipipe.families.regression_settings import RegressionSettings, check_regression
from lumipipe.language import message
from lumipipe.splits import key_of_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Merging, Model, Outcome, Pass
    from lumipipe.fold import Leaves

_PASS = "rows"  # noqa: S105  # the name of the fold, no password
MIX = "mix"
"""What ``evaluation.split.by`` calls rows of equal materials."""


class Material(Settings):
    """One material of the mixes."""

    kind: Literal["primary", "side_stream", "other"]
    """Whether it is taken from nature for this, comes from another process, or is neither."""
    origin: Text
    """Where it comes from."""
    batch: str = NOT_STATED
    """Batch or delivery that was used."""
    composition: str = NOT_STATED
    """What is known of its composition and of how it varies."""


class Asset(Settings):
    """What the mixes are made of."""

    materials: Annotated[dict[str, Material], Field(min_length=2)]
    """Channel to the material whose amount it is; rows with equal amounts are one mix."""


class Train(RegressionSettings):
    """How the property of a mix is learnt."""

    target: Text
    """Channel of the property."""


class Specification(Settings):
    """What a mix must do."""

    at: dict[str, float] = {}
    """Inputs that are no materials, such as an age, and where the property is asked for."""
    at_least: float | None = None
    """Lowest value of the property."""
    at_most: float | None = None
    """Highest value of the property."""
    probability: Fraction = 0.9
    """With which a mix like the known ones must meet it."""

    @model_validator(mode="after")
    def _one_side(self) -> Specification:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give at_least or at_most; one of the two")
        return self


class Score(Settings):
    """How the model is judged, and what is searched with it."""

    specification: Specification
    """What the mixes are searched for."""
    candidates: Annotated[int, Field(ge=0)] = 20_000
    """Blends of three known mixes that are tried beside the known mixes."""
    shown: Annotated[int, Field(ge=1)] = 5
    """Mixes that the report shows."""


class Recipe:
    """Side streams as inputs of a product."""

    name = "recipe"
    title = message("recipes with side streams")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = (MIX,)
    events: EventKind = "limits"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse splits that hold no mix out, and conditions that are no inputs."""
        check_regression(request, train, (train.target,), place)
        split = request.evaluation.split
        if not isinstance(split, RandomSplit) and not (
            isinstance(split, GroupSplit) and split.by == MIX
        ):
            raise InputError(
                place,
                f"evaluation.split.kind {split.kind} does not hold mixes out",
                "use {kind: group, by: mix}",
            )
        inputs = train.inputs or [
            channel.name
            for source in request.data
            if source.stream == train.stream
            for channel in source.channels
            if channel.name != train.target
        ]
        for name in asset.materials:
            if name not in inputs:
                raise InputError(place, f"asset.materials: {name} is no input", f"use {inputs}")
        others = sorted(set(inputs) - set(asset.materials))
        if sorted(score.specification.at) != others:
            raise InputError(
                place,
                f"score.specification.at has {sorted(score.specification.at)}",
                f"give a value for each input that is no material: {others}",
            )
        verdicts.check_conditions(request.evaluation.metrics, METRICS, place, WITH_UNIT)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """One pass over the rows."""
        return {_PASS: regression(job).train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models of all folds, and the one for new mixes."""
        return regression(job).fit(leaves[_PASS], comm)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Units leave, and sites join."""
        del leaves
        return regression(job).merging(_PASS)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each row by the model that has not seen its mix."""
        return {_PASS: regression(job).score_pass(model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Errors on mixes held out, duplicates, and the mixes that meet the specification."""
        return recipe_report.judge(job, model, leaves[_PASS], regression(job))

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model:
        """What answers new rows without the data."""
        return scorer_of(regression(job), model, leaves[_PASS])


def regression(job: Job) -> Regression:
    """The regression of a request, with mixes as groups."""
    materials = tuple(job.asset.materials)
    target = job.train.target

    def key(block: Block) -> NDArray[np.int64]:
        return key_of_rows(found.values(block, materials))

    def tried(block: Block) -> NDArray[np.float64]:
        """The same for rows of one mix under equal conditions."""
        return key_of_rows(found.values(block, found.inputs)).astype(float)

    def row(block: Block) -> NDArray[np.float64]:
        """The same for rows that are equal in all."""
        return key_of_rows(found.values(block, (*found.inputs, target))).astype(float)

    def amount(name: str) -> Callable[[Block], NDArray[np.float64]]:
        return lambda block: found.values(block, (name,))[:, 0]

    coverage = float(job.request.evaluation.interval.coverage)
    found = Regression(
        job,
        job.train,
        (target,),
        key=key,
        key_name=MIX,
        thresholds=mix_thresholds(job.score.specification, coverage),
        extra={"tried": tried, "row_key": row, **{AMOUNT + n: amount(n) for n in materials}},
    )
    return found
