"""Soft sensor: what is measured seldom, from what is measured always, and settings for a target.

The regression is `lumipipe.families.regression` with latent variables (`lumipipe.families.latent`),
settings are found by `lumipipe.families.inversion`, the answer is made in
`lumipipe.families.soft_sensor_report`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from lumipipe.config import Fraction, Settings, Text
from lumipipe.errors import InputError
from lumipipe.families import soft_sensor_report, verdicts
from lumipipe.families.bundled import scorer_of
from lumipipe.families.latent import pls_learner
from lumipipe.families.reference import Reference, joined_targets
from lumipipe.families.regression import Regression
from lumipipe.families.regression_settings import RowsSettings, check_regression
from lumipipe.language import message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, EventKind, Job, Merging, Model, Outcome, Pass
    from lumipipe.fold import Leaves

_PASS = "rows"  # noqa: S105  # the name of the fold, no password
_VALUES_ALONE: dict[str, dict[str, object]] = {"polynomial": {}}


class Asset(Settings):
    """Nothing is asked about the process."""


class Train(RowsSettings):
    """How the targets are learnt from the inputs."""

    targets: Annotated[list[Text], Field(min_length=1)]
    """Channels that are predicted."""
    reference: Reference | None = None
    """The stream with the targets, where it is not that of the inputs."""
    components: Annotated[int, Field(ge=1)] = 10
    """Most latent variables; the folds of the training rows choose how many."""
    scaling: Literal["unit", "none"] = "unit"
    """Divide inputs by their standard deviations, or leave inputs of one unit as they are."""
    guard_alpha: Fraction = 0.05
    """Share of training rows that may lie outside the operating envelope, for each statistic."""


class Objective(Settings):
    """What equal settings are chosen by."""

    name: Text
    """What is counted, such as cost or CO2."""
    unit: Text
    """Its unit."""
    weights: Annotated[dict[str, float], Field(min_length=1)]
    """Input to what one unit of it counts."""


class Wanted(Settings):
    """A target that settings are asked for."""

    id: Text
    """Name of the product or grade."""
    quality: Annotated[dict[str, float], Field(min_length=1)]
    """Target to its wanted value; targets that are not named are free."""
    fixed: dict[str, float] = {}
    """Inputs that cannot be set, and the values that they have."""
    objective: Objective | None = None
    """What is kept low among equal settings; the nearest to the data are taken where absent."""


class Score(Settings):
    """How the model is judged, and what settings are asked of it."""

    inversion: list[Wanted] = []
    """Targets to find settings for."""
    confidence: Fraction = 0.95
    """Share of rows like the known ones that T² of proposed settings must lie among."""


class SoftSensor:
    """Quality from process data."""

    name = "soft_sensor"
    title = message("soft sensor and settings for a target")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "limits"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        targets = train.targets
        return soft_sensor_report.known_metrics(targets, inverted=bool(score.inversion))[0]

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse targets that are nowhere, and settings that cannot be found."""
        del asset
        apart = train.reference is not None
        check_regression(request, train, () if apart else train.targets, place)
        if train.reference is not None:
            _check_reference(request, train, train.reference.stream, place)
        for wanted in score.inversion:
            _check_wanted(request, train, wanted, place)
        known, with_unit = soft_sensor_report.known_metrics(
            train.targets, inverted=bool(score.inversion)
        )
        verdicts.check_conditions(request.evaluation.metrics, known, place, with_unit)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """One pass over the rows."""
        return {_PASS: regression(job).train_pass()}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models of all folds, and the one for new rows."""
        return regression(job).fit(leaves[_PASS], comm)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Units leave; sites do not join."""
        del leaves
        return regression(job).merging(_PASS)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """Each row by a model that has not seen it."""
        return {_PASS: regression(job).score_pass(model)}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """Errors on rows that the model has not seen, and settings for the wanted targets."""
        return soft_sensor_report.judge(job, model, leaves[_PASS], regression(job))

    def scorer(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Model:
        """What answers new rows without the data."""
        return scorer_of(regression(job), model, leaves[_PASS])


def regression(job: Job) -> Regression:
    """The regression of a request."""
    train, truth, units = job.train, None, {}
    if train.reference is not None:
        stream = job.dataset.streams[train.stream]
        targets = joined_targets(job, stream, train.reference, train.targets)
        samples = job.dataset.streams[train.reference.stream]
        units = {channel.name: channel.unit for channel in samples.channels}

        def truth(block: Block) -> NDArray[np.float64]:
            last = block.first_row + block.starts + (block.length - 1)
            own: NDArray[np.float64] = targets[last]
            return own

    def missing(block: Block) -> NDArray[np.float64]:
        """Inputs of the last row of a window that count as their mean."""
        gaps = np.isnan(found.values(block, found.inputs))
        return np.asarray(gaps.sum(axis=1), dtype=np.float64)

    found = Regression(
        job,
        train,
        tuple(train.targets),
        truth=truth,
        extra={"missing": missing},
        learner=pls_learner(train.components, is_scaled=train.scaling == "unit"),
        units=units,
    )
    return found


def _check_reference(request: Request, train: Train, stream: str, place: str) -> None:
    """Refuse a reference without the targets."""
    sources = [source for source in request.data if source.stream == stream]
    if not sources or stream == train.stream:
        names = sorted({source.stream for source in request.data} - {train.stream})
        raise InputError(place, f"train.reference.stream: no other stream {stream}", f"use {names}")
    names = [channel.name for channel in sources[0].channels]
    for target in train.targets:
        if target not in names:
            raise InputError(place, f"train.targets: no channel {target}", f"use {names}")


def _check_wanted(request: Request, train: Train, wanted: Wanted, place: str) -> None:
    """Refuse settings of features that have no inverse, and names that are nowhere."""
    where = f"score.inversion {wanted.id}"
    if train.features != _VALUES_ALONE or train.window_rows > 1 or train.log:
        raise InputError(
            place,
            f"{where}: settings can be found for the values of inputs alone",
            "leave out train.features, window_rows and log",
        )
    for target in wanted.quality:
        if target not in train.targets:
            raise InputError(
                place, f"{where}: {target} is no target", f"use {', '.join(train.targets)}"
            )
    (source, *_) = [source for source in request.data if source.stream == train.stream]
    single = [c.name for c in source.channels if c.columns is None and c.name not in train.targets]
    names = [name for name in single if name in train.inputs or not train.inputs]
    weights = {} if wanted.objective is None else wanted.objective.weights
    for name in (*wanted.fixed, *weights):
        if name not in names:
            raise InputError(place, f"{where}: {name} is no input", f"use {', '.join(names)}")
