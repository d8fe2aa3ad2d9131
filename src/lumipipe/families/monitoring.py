"""Process monitoring: T² and SPE of a model of normal operation, with honest limits.

One pass gives the cross-products of blocks of normal rows and a sample of the rows
themselves. The model is fitted on all blocks; the limits come from theory and from rows that
did not fit the model they are judged by. What the answer looks like is in
`lumipipe.families.monitoring_report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from lumipipe.config import Fraction, Identifier, Settings, SourceSplit, TimeSplit
from lumipipe.errors import InputError
from lumipipe.families import monitoring_report, verdicts
from lumipipe.families.interface import Model, Pass, recording_spans
from lumipipe.fold import merge_all
from lumipipe.metrics.rows import RowsReducer, Together
from lumipipe.metrics.sums import SumsReducer
from lumipipe.models.monitor import MonitorReducer, distances, fit_monitor, sampled_rows
from lumipipe.partition import Span, share
from lumipipe.uncertainty.control_limits import empirical_limit, spe_limit, t2_limit
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import State
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, Job, Outcome
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.store.dataset import StreamTable

POOLED = "all"
STATISTICS = ("t2", "spe")


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
    title = "process monitoring by T² and SPE"
    train_section: type[Settings] = Train
    score_section: type[Settings] = Score
    asset_section: type[Settings] = Asset

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
        labels = {name for source in request.data for name in source.labels}
        if score.event is not None and score.event.label not in {None, *labels}:
            raise InputError(
                place, f"score.event: no label {score.event.label}", f"use {sorted(labels)}"
            )
        verdicts.check_conditions(request.evaluation.metrics, monitoring_report.METRICS, place)

    def train_passes(self, job: Job) -> dict[str, Pass]:
        """Cross-products and sampled rows of the blocks of normal and of calibrating rows."""
        return {name: _train_pass(job, name) for name in job.train.models}

    def fit(self, job: Job, leaves: dict[str, Leaves], comm: Comm) -> Model:
        """The models with their limits; rank 0 fits, for states are small."""
        if comm.rank:
            return Model({}, {})
        arrays: dict[str, np.ndarray] = {}
        card: dict[str, Any] = {"family": self.name, "alpha": job.train.alpha, "streams": {}}
        for stream, settings in job.train.models.items():
            table = job.dataset.streams[stream]
            inputs, quality = _columns(settings, table)
            names = [table.channels[i].name for i in inputs]
            units = [table.channels[i].unit for i in inputs]
            card["streams"][stream] = {"channels": names, "units": units}
            for key, parts in _by_model(settings, leaves[stream]).items():
                fitted, facts = _fit_one(job, settings, len(inputs), len(quality), key, parts)
                arrays |= {f"{stream}/{key}/{name}": array for name, array in fitted.items()}
                card["streams"][stream].setdefault("models", {})[key] = facts
        return Model(arrays, card)

    def score_passes(self, job: Job, model: Model) -> dict[str, Pass]:
        """T², SPE and contributions of each row by the model of its unit."""
        return {name: _score_pass(job, model, name) for name in job.train.models}

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


@dataclass(frozen=True)
class _Roles:
    """Which rows of each recording train, calibrate and test."""

    train: list[Span]
    calibrate: list[Span]
    test: list[Span]


def roles(job: Job, table: StreamTable) -> _Roles:
    """Rows of each recording that train, calibrate and test, in rows of the stream.

    Raises
    ------
    InputError
        If the split is by seconds and the rows have no rate.
    """
    split, rows = job.request.evaluation.split, recording_spans(table)
    nothing = [Span(span.first, span.first) for span in rows]
    if isinstance(split, TimeSplit):
        first = [
            Span(span.first, min(span.stop, span.first + _training_rows(split, table, r)))
            for r, span in enumerate(rows)
        ]
        rest = [Span(part.stop, span.stop) for part, span in zip(first, rows, strict=True)]
        return _Roles(first, nothing, rest)
    sources = [row.source for row in job.dataset.recordings]
    if not isinstance(split, SourceSplit):
        raise TypeError(f"a split by {split.kind} was let through")
    named = {*split.train, *split.calibrate}
    test = set(split.test) or {source for source in sources if source not in named}
    chosen = [
        [
            span if source in names else empty
            for span, source, empty in zip(rows, sources, nothing, strict=True)
        ]
        for names in (split.train, split.calibrate, test)
    ]
    return _Roles(*chosen)


def _training_rows(split: TimeSplit, table: StreamTable, recording: int) -> int:
    """Rows at the start of a recording that train."""
    if split.train_first_rows is not None:
        return split.train_first_rows
    rate = float(table.rate_hz[recording])
    if not np.isfinite(rate):
        raise InputError(
            "evaluation.split",
            "train_first_s needs a rate, and the rows have only an order",
            "use train_first_rows",
        )
    return int(np.ceil((split.train_first_s or 0.0) * rate))


def _columns(settings: ModelOfNormal, table: StreamTable) -> tuple[list[int], list[int]]:
    """Numbers of the channels that are monitored, and of those that are predicted."""
    quality = [i for i, c in enumerate(table.channels) if c.name in settings.quality]
    return [i for i in range(len(table.channels)) if i not in quality], quality


def _train_pass(job: Job, stream: str) -> Pass:
    """The pass over the normal and the calibrating rows of a stream."""
    table, settings = job.dataset.streams[stream], job.train.models[stream]
    part, backend = roles(job, table), job.backend
    inputs, quality = _columns(settings, table)
    order = backend.asarray(np.asarray([*inputs, *quality], dtype=np.int64))
    plan = plan_windows(
        [row.unit for row in job.dataset.recordings],
        [
            [s for s in (train, calibrate) if s.size]
            for train, calibrate in zip(part.train, part.calibrate, strict=True)
        ],
        1,
        1,
        job.train.rows_per_chunk,
    )
    reducer = MonitorReducer(backend.xp, len(table.channels), job.train.sample_rows, job.seed)

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        row = block.first_row + block.starts
        role = _leaf_of(part, block.recording, row, job.train.blocks)
        batches: dict[Leaf, Batch] = {}
        for name in sorted(set(role)):
            chosen = np.flatnonzero(role == name)
            x = backend.xp.take(block.rows, backend.asarray(block.starts[chosen]), axis=0)
            batches[name,] = {
                "x": backend.xp.take(x, order, axis=1),
                "number": backend.asarray(row[chosen]),
            }
        return batches

    return Pass(table, plan, reducer, measure)


def _leaf_of(
    part: _Roles, recording: NDArray[np.int64], row: NDArray[np.int64], blocks: int
) -> NDArray[np.object_]:
    """``calibrate`` or the number of the block of each row."""
    names = np.empty(len(row), dtype=object)
    for r in np.unique(recording):
        mine = np.flatnonzero(recording == r)
        train = part.train[r]
        inside = (row[mine] >= train.first) & (row[mine] < train.stop)
        edges = [share(train.size, blocks, b).stop for b in range(blocks)]
        block = np.searchsorted(edges, row[mine] - train.first, side="right")
        names[mine] = np.where(inside, [f"block {b:03d}" for b in block], "calibrate")
    return names


def _by_model(settings: ModelOfNormal, leaves: Leaves) -> dict[str, dict[Leaf, State]]:
    """Leaves of each model: those of one unit, or all of them."""
    models: dict[str, dict[Leaf, State]] = {}
    for leaf in sorted(leaves):
        key = leaf[0] if settings.one_model_for == "unit" else POOLED
        models.setdefault(key, {})[leaf] = leaves[leaf]
    return models


def _fit_one(  # one model from its settings, its place and its leaves
    job: Job,
    settings: ModelOfNormal,
    inputs: int,
    quality: int,
    key: str,
    leaves: Mapping[Leaf, State],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Model and limits from the leaves of normal and of calibrating rows."""
    reducer = MonitorReducer(job.backend.xp, inputs + quality, job.train.sample_rows, job.seed)
    device = {leaf: job.backend.state_to_device(state) for leaf, state in leaves.items()}
    blocks: dict[str, State] = {}
    for name in sorted({leaf[-1] for leaf in device if leaf[-1] != "calibrate"}):
        blocks[name] = merge_all(reducer, [device[leaf] for leaf in device if leaf[-1] == name])
    calibrate = [device[leaf] for leaf in device if leaf[-1] == "calibrate"]
    normal = merge_all(reducer, list(blocks.values()))
    rows = int(job.backend.to_host(normal["count"]).max(initial=0))
    if rows <= settings.components + 1:
        raise InputError(
            f"unit {key}",
            f"it has {rows} normal rows for {settings.components} components",
            "declare more normal rows or use fewer components",
        )
    fitted = fit_monitor(normal, settings.kind, inputs, settings.components)
    if calibrate:
        left_out = [distances(fitted, sampled_rows(merge_all(reducer, calibrate), inputs))]
    else:
        left_out = [
            distances(
                fit_monitor(
                    merge_all(reducer, [s for n, s in blocks.items() if n != name]),
                    settings.kind,
                    inputs,
                    settings.components,
                ),
                sampled_rows(state, inputs),
            )
            for name, state in blocks.items()
        ]
    seen = distances(fitted, sampled_rows(normal, inputs))
    host = job.backend.state_to_host(fitted)
    limits = {}
    theory = {
        "t2": t2_limit(rows, settings.components, job.train.alpha),
        "spe": spe_limit(host["residual_eigenvalues"], job.train.alpha),
    }
    for statistic in STATISTICS:
        apart = np.concatenate([job.backend.to_host(part[statistic]) for part in left_out])
        limits[statistic] = {
            "theoretical": theory[statistic],
            "training": empirical_limit(job.backend.to_host(seen[statistic]), job.train.alpha),
            "empirical": empirical_limit(apart, job.train.alpha),
            "left_out_rows": len(apart),
            "above_theoretical": float(np.mean(apart > theory[statistic])),
        }
        limits[statistic]["above_training"] = float(np.mean(apart > limits[statistic]["training"]))
    return host, {"rows": rows, "limits": _finite(limits), "constant": host["constant"].tolist()}


def _finite(limits: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """Limits with None where too few rows give none, since JSON has no infinity."""
    return {
        statistic: {name: value if np.isfinite(value) else None for name, value in row.items()}
        for statistic, row in limits.items()
    }


def _score_pass(job: Job, model: Model, stream: str) -> Pass:
    """The pass over all rows of a stream."""
    table, settings, backend = job.dataset.streams[stream], job.train.models[stream], job.backend
    part = roles(job, table)
    inputs, _ = _columns(settings, table)
    order = backend.asarray(np.asarray(inputs, dtype=np.int64))
    facts = model.card["streams"][stream]["models"]
    device = {
        key: backend.state_to_device(
            {
                name.removeprefix(f"{stream}/{key}/"): array
                for name, array in model.arrays.items()
                if name.startswith(f"{stream}/{key}/")
            }
        )
        for key in facts
    }
    plan = plan_windows(
        [row.unit for row in job.dataset.recordings],
        [[span] if span.size else [] for span in recording_spans(table)],
        1,
        1,
        job.train.rows_per_chunk,
    )
    wide = {
        "t2_contribution": (len(inputs),),
        "spe_contribution": (len(inputs),),
        "z2": (len(inputs),),
    }
    xp = backend.xp
    reducer = Together(
        {
            "rows": RowsReducer(
                xp,
                {
                    "recording": ("int64", ()),
                    "row": ("int64", ()),
                    "phase": ("int64", ()),
                    "event": ("bool", ()),
                    "t2": ("float64", ()),
                    "spe": ("float64", ()),
                    "t2_alarm": ("bool", ()),
                    "spe_alarm": ("bool", ()),
                    "missing": ("int64", ()),
                },
            ),
            "alarms": SumsReducer(xp, wide),
        }
    )
    event = job.score.event
    units = [row.unit for row in job.dataset.recordings]

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        row = block.first_row + block.starts
        key = units[block.recording[0]] if settings.one_model_for == "unit" else POOLED
        if key not in device:
            raise InputError(
                f"unit {key}", "has no normal rows to learn from", "declare some, or leave it out"
            )
        x = xp.take(block.rows, backend.asarray(block.starts), axis=0)
        found = distances(device[key], xp.take(x, order, axis=1))
        host = {name: backend.to_host(found[name]) for name in ("t2", "spe", "missing")}
        phase = _phase_of(part, block.recording, row)
        in_event = _event_rows(job, event, table, block, row) & (phase == TEST)
        columns = {
            "recording": block.recording,
            "row": row
            - np.asarray([span.first for span in recording_spans(table)])[block.recording],
            "phase": phase,
            "event": in_event,
            **host,
        }
        for statistic in STATISTICS:
            limit = facts[key]["limits"][statistic][job.score.limits]
            columns[f"{statistic}_alarm"] = host[statistic] > (np.inf if limit is None else limit)
        alarm = backend.asarray((columns["t2_alarm"] | columns["spe_alarm"]) & (phase == TEST))
        weight = xp.astype(alarm, xp.float64)[:, None]
        found["z2"] = found["z"] * found["z"]
        batch = {name: backend.asarray(array) for name, array in columns.items()}
        batch |= {name: found[name] * weight for name in wide}
        return {(): batch}

    labels = (event.label,) if event is not None and event.label is not None else ()
    return Pass(table, plan, reducer, measure, labels)


TRAIN, CALIBRATE, TEST = 0, 1, 2


def _phase_of(
    part: _Roles, recording: NDArray[np.int64], row: NDArray[np.int64]
) -> NDArray[np.int64]:
    """TRAIN, CALIBRATE, TEST or -1 for each row."""
    phase = np.full(len(row), -1, dtype=np.int64)
    for number, spans in ((TRAIN, part.train), (CALIBRATE, part.calibrate), (TEST, part.test)):
        first = np.asarray([span.first for span in spans])[recording]
        stop = np.asarray([span.stop for span in spans])[recording]
        phase[(row >= first) & (row < stop)] = number
    return phase


def _event_rows(
    job: Job,
    event: Event | None,
    table: StreamTable,
    block: Block,
    row: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each row lies in the known fault."""
    inside = np.zeros(len(row), dtype=bool)
    if event is None:
        return inside
    if event.label is not None:
        code = table.label_names[event.label].index(event.value or "1")
        inside = block.labels[event.label][block.starts] == code
    elif event.from_row is not None:
        first = np.asarray([span.first for span in recording_spans(table)])[block.recording]
        inside = row - first >= event.from_row
    if event.recordings is not None:
        ids = [job.dataset.recordings[r].id for r in block.recording]
        inside = inside & np.asarray([name in event.recordings for name in ids])
    return inside
