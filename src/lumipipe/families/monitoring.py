"""Process monitoring: T² and SPE of a model of normal operation, with honest limits.

One pass gives the cross-products of blocks of normal rows and a sample of the rows
themselves. The model is fitted on all blocks; the limits come from theory and from rows that
did not fit the model they are judged by. Training is in
`monitoring_training`, scoring in `monitoring_scoring`, the answer in `monitoring_report`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from lumipipe.config import Fraction, Identifier, Settings, SourceSplit, TimeSplit
from lumipipe.errors import InputError
from lumipipe.families import monitoring_report, verdicts
from lumipipe.families.interface import Merging, Model
from lumipipe.families.monitoring_decisions import check_alarm
from lumipipe.families.monitoring_scores import ALARM_RATE, METRICS
from lumipipe.families.monitoring_scoring import score_pass
from lumipipe.families.monitoring_training import by_model, columns, fit_one, train_pass
from lumipipe.language import message, term

if TYPE_CHECKING:
    import numpy as np

    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import EventKind, Job, Outcome, Pass
    from lumipipe.fold import Leaves


class ModelOfNormal(Settings):
    """The model of normal operation of one stream."""

    kind: Literal["pca", "pls"] = "pca"
    """Principal components of all channels, or latent variables that predict `quality`."""
    components: Annotated[int, Field(ge=1)]
    """Number of components."""
    quality: list[str] = []
    """Channels that the latent variables predict; only for pls."""
    one_model_for: Literal["unit", "stream"] = "unit"
    """Whether each unit has its own model or all normal rows of the stream share one."""


class Train(Settings):
    """How normal operation is learnt."""

    models: Annotated[dict[Identifier, ModelOfNormal], Field(min_length=1)]
    """Model of each stream that is monitored."""
    alpha: Fraction = 0.01
    """Share of normal rows that may raise an alarm, for each statistic."""
    blocks: Annotated[int, Field(ge=2)] = 10
    """Blocks of neighbouring normal rows that are left out in turn to set the limits."""
    sample_rows: Annotated[int, Field(ge=100)] = 10_000
    """Normal rows of each block, and rows that calibrate, that set the limits."""
    rows_per_chunk: Annotated[int, Field(ge=1)] = 4096
    """Rows that are computed together."""


class Event(Settings):
    """Where the known fault is, for the figures of detection."""

    label: Identifier | None = None
    """Label of rows that is set during the fault."""
    value: str | None = None
    """Value of the label during the fault."""
    from_row: Annotated[int, Field(ge=0)] | None = None
    """First row of the fault in each recording, from 0."""
    recordings: list[str] | None = None
    """Recordings that have the fault; all that are tested where absent."""

    @model_validator(mode="after")
    def _one_way(self) -> Event:
        if (self.label is None) == (self.from_row is None):
            raise ValueError("give label with its value, or from_row; one of the two")
        if (self.label is None) != (self.value is None):
            raise ValueError("label and value belong together; give both")
        return self


_LIMITS = (term("empirical"), term("theoretical"), term("training"))  # as requests name them


class Score(Settings):
    """How the monitoring is judged."""

    limits: Literal["empirical", "theoretical", "training"] = "empirical"
    """Which limits raise alarms: from left-out rows, from theory, or from the training rows."""
    event: Event | None = None
    """The known fault."""


class Asset(Settings):
    """Nothing needs to be known about the plant."""


class Monitoring:
    """Multivariate statistical process monitoring."""

    name = "monitoring"
    title = message("process monitoring by T² and SPE")
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset
    groups: tuple[str, ...] = ()
    events: EventKind = "rows"

    def metrics(self, train: Train, score: Score) -> dict[str, str]:
        """Metrics by name, and the side on which they are good."""
        del train, score
        return METRICS

    def check(self, request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
        """Refuse unknown streams and channels, and splits that do not fit."""
        del asset
        split = request.evaluation.split
        if not isinstance(split, TimeSplit | SourceSplit):
            raise InputError(
                place,
                f"evaluation.split.kind {split.kind} does not fit monitoring",
                "say which rows or sources are normal: kind: time or kind: source",
            )
        channels: dict[str, list[str]] = {}
        for source in request.data:
            channels[source.stream] = [channel.name for channel in source.channels]
        for name, model in train.models.items():
            if name not in channels:
                raise InputError(
                    place, f"train.models: no stream {name}", f"use {', '.join(channels)}"
                )
            _check_model(name, model, channels[name], place)
        first, event = getattr(split, "train_first_rows", None), score.event
        if event is not None and event.from_row is not None and event.from_row < (first or 0):
            raise InputError(
                place,
                f"score.event.from_row {event.from_row} lies in the {first} rows that are normal",
                "declare fewer normal rows, or a later fault",
            )
        labels = {name for source in request.data for name in source.labels}
        if score.event is not None and score.event.label not in {None, *labels}:
            raise InputError(
                place, f"score.event: no label {score.event.label}", f"use {sorted(labels)}"
            )
        verdicts.check_conditions(request.evaluation.metrics, METRICS, place)
        open_ones = sorted(request.evaluation.metrics.keys() - {ALARM_RATE})
        if score.event is None and open_ones:
            raise InputError(
                place,
                f"evaluation.metrics.{open_ones[0]} would stay open: no score.event says which "
                "rows are a fault and which are normal",
                f"add score.event, or use {ALARM_RATE}",
            )
        check_alarm(request, list(train.models))

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Cross-products and sampled rows of the blocks of normal and of calibrating rows."""
        return {name: train_pass(job, name) for name in job.train.models}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models with their limits; rank 0 fits, for states are small."""
        if comm.rank:
            return Model({}, {})
        arrays: dict[str, np.ndarray] = {}
        card: dict[str, Any] = {"family": self.name, "alpha": job.train.alpha, "streams": {}}
        for stream, settings in job.train.models.items():
            table = job.dataset.streams[stream]
            inputs, quality = columns(settings, table)
            names = [table.channels[i].name for i in inputs]
            units = [table.channels[i].unit for i in inputs]
            card["streams"][stream] = {"channels": names, "units": units}
            for key, parts in by_model(settings, leaves[stream]).items():
                own = replace(job, scores=job.scores.below(stream).below(key))
                fitted, facts = fit_one(own, settings, len(inputs), len(quality), key, parts)
                arrays |= {f"{stream}/{key}/{name}": array for name, array in fitted.items()}
                card["streams"][stream].setdefault("models", {})[key] = facts
        return Model(arrays, card)

    def merging(self, job: Job, leaves: dict[str, Leaves]) -> Merging:
        """Units leave; sites join where all normal rows share a model."""
        del leaves
        own = sorted(n for n, m in job.train.models.items() if m.one_model_for == "unit")
        alone = ""
        if own:
            alone = f"each unit has its own model of {own[0]}; set one_model_for: stream"
        return Merging(passes=tuple(job.train.models), alone=alone)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """T², SPE and contributions of each row by the model of its unit."""
        return {name: score_pass(job, model, name) for name in job.train.models}

    def judge(self, job: Job, model: Model, leaves: dict[str, Leaves]) -> Outcome:
        """False alarms and missed detections, contributions, and the verdict."""
        return monitoring_report.judge(job, model, leaves)


def _check_model(name: str, model: ModelOfNormal, channels: list[str], place: str) -> None:
    """Refuse quality channels that do not exist, and more components than channels."""
    for channel in model.quality:
        if channel not in channels:
            raise InputError(
                place, f"train.models.{name}.quality: no channel {channel}", f"use {channels}"
            )
    if (model.kind == "pls") != bool(model.quality):
        raise InputError(
            place,
            f"train.models.{name}: quality goes with pls and pls with quality",
            "name the quality channels, or use kind: pca",
        )
    if model.components >= len(channels) - len(model.quality):
        raise InputError(
            place,
            f"train.models.{name}.components is {model.components} of "
            f"{len(channels) - len(model.quality)} channels, so SPE would be nothing",
            "use fewer components",
        )
