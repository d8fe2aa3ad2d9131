"""Windows of signals to classes: features, grouped ridge, and a blind model for each window.

Families that recognise something in windows share it. One pass gives the cross-products of
each fold; every figure is for a group that its model has not seen, its penalty was not chosen
on and its prediction sets were not calibrated on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.config import GroupSplit, Identifier, PositiveFloat, RandomSplit, Settings, Text
from lumipipe.errors import InputError
from lumipipe.families.class_events import ClassCosts, event_facts
from lumipipe.families.class_moments import class_moments
from lumipipe.families.grouped_ridge import (
    fold_states,
    nested_fit,
    outputs_of_fold,
    ridge_settings,
    set_thresholds,
)
from lumipipe.families.interface import Dealt, Merging, Model, Pass
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.features import FEATURES, build_features, measure_features
from lumipipe.kernels.philox import uniform_at
from lumipipe.kernels.windows import window_batch
from lumipipe.language import term
from lumipipe.metrics.confusion import ConfusionReducer
from lumipipe.metrics.rows import RowsReducer, Together
from lumipipe.models.ridge import RidgeReducer
from lumipipe.readers.units import STANDARD_GRAVITY
from lumipipe.splits import deal, group_of
from lumipipe.uncertainty.conformal import margin_scores
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, State
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.grouped_ridge import Calibrate
    from lumipipe.families.interface import Block, Job
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.reporting.result import LeakageTest
    from lumipipe.store.dataset import ChannelRow, StreamTable
    from lumipipe.windows import WindowPlan

_RATE_TOLERANCE = 0.02  # windows are counted in samples, so one rate must serve all
_FEWEST_CLASSES = 2
_FEWEST_FOLDS = 3  # one to test, one to choose on, one to fit
_PURPOSE = 0xF01D  # keeps the draws of random folds apart from others of the same seed


class ClassifierSettings(Settings):
    """How classes are learnt from windows."""

    label: Identifier
    """The label to recognise."""
    stream: Identifier = "main"
    """The stream with the signals."""
    leave_out: dict[str, list[str]] = {}
    """Label or attribute to the values whose recordings take no part."""
    inputs: Annotated[list[Text], Field(min_length=1)] | None = None
    """Channels that features are made of; all of the stream where absent."""
    window_s: PositiveFloat = 4.0
    """Length of a window."""
    hop_s: PositiveFloat = 1.0
    """From the start of one window to the next."""
    purity: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of a window's samples that must carry its label."""
    features: dict[str, dict[str, Any]] = {
        "random_convolution": {"features": 504},
        "statistics": {},
        "spectral": {},
    }
    """Features by name, each with its own settings."""
    penalties: Annotated[list[PositiveFloat], Field(min_length=1)] = [
        30.0,
        100.0,
        300.0,
        1e3,
        3e3,
        1e4,
    ]
    """Ridge penalties to choose from."""
    sample_rows: Annotated[int, Field(ge=16)] = 512
    """Windows of each fold that calibrate its prediction sets."""
    windows_per_chunk: Annotated[int, Field(ge=1)] = 256
    """Windows that are computed together."""


def classifier_split(request: Request) -> GroupSplit | RandomSplit:
    """The split of the request, of the kinds that hold windows out for a classifier."""
    split = request.evaluation.split
    if not isinstance(split, GroupSplit | RandomSplit):
        raise InputError(
            "evaluation.split",
            f"kind {split.kind} does not fit a classifier of windows",
            "hold out groups: {kind: group, by: unit}",
        )
    return split


def check_classifier(request: Request, settings: ClassifierSettings, place: str) -> None:
    """Refuse a label without meaning, unknown features, and splits that hold nothing out."""
    labels = sorted({name for source in request.data for name in source.labels})
    if settings.label not in labels:
        raise InputError(
            place,
            f"label {settings.label} is no label of the data",
            f"declare it with its meaning under data.labels; known: {', '.join(labels) or 'none'}",
        )
    for name in settings.features:
        if name not in FEATURES:
            raise InputError(place, f"no feature {name}", f"use {', '.join(FEATURES)}")
    _check_inputs(request, settings, place)
    classifier_split(request)


def _check_inputs(request: Request, settings: ClassifierSettings, place: str) -> None:
    """Refuse inputs that no source of the stream declares."""
    known = [
        channel
        for source in request.data
        if source.stream == settings.stream
        for channel in source.channels
    ]
    if any(channel.columns is not None for channel in known):
        return  # names come from the files
    for name in settings.inputs or ():
        if name not in {channel.name for channel in known}:
            raise InputError(
                place,
                f"inputs: {name} is no channel of stream {settings.stream}",
                f"use {', '.join(dict.fromkeys(channel.name for channel in known))}",
            )


def _typical(channel: ChannelRow) -> float:
    """Amplitude of a quantity that is known before any data: gravity for acceleration, else 1."""
    return STANDARD_GRAVITY if channel.quantity == "acceleration" else 1.0


@dataclass(frozen=True)
class WindowClassifier:
    """A classifier of windows with its folds.

    Parameters
    ----------
    job : Job
        The request and its data.
    settings : ClassifierSettings
        How it learns.
    split : GroupSplit or RandomSplit
        What is held out together.
    """

    job: Job
    settings: ClassifierSettings
    split: GroupSplit | RandomSplit

    @property
    def stream(self) -> StreamTable:
        """The stream with the signals."""
        return self.job.dataset.streams[self.settings.stream]

    @property
    def per_row(self) -> bool:
        """Whether the label changes within a recording."""
        return self.settings.label in self.stream.label_names

    @cached_property
    def rate_hz(self) -> float:
        """The one rate of all recordings."""
        rates = np.asarray(self.stream.rate_hz)[self._used]
        middle = float(np.median(rates))
        far = np.flatnonzero(~(np.abs(rates - middle) <= _RATE_TOLERANCE * middle))
        if len(far):
            name = self.job.dataset.recordings[int(self._used[far[0]])].id
            raise InputError(
                f"recording {name}",
                f"its rate is {rates[far[0]]:.4g} Hz where others have {middle:.4g} Hz",
                "set prepare.grid to bring all recordings to one rate",
            )
        return middle

    @cached_property
    def _used(self) -> NDArray[np.int64]:
        """Numbers of the recordings that take part."""
        out = self.settings.leave_out
        used = [
            number
            for number, known in enumerate(self.job.known())
            if not any(known.get(name) in values for name, values in out.items())
        ]
        if not used:
            raise InputError("leave_out", "leaves no recording", "leave out fewer values")
        return np.asarray(used, dtype=np.int64)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their codes."""
        if self.per_row:
            return self.stream.label_names[self.settings.label]
        known = self.job.known()
        found = tuple(sorted({known[r][self.settings.label] for r in self._used}))
        if len(found) < _FEWEST_CLASSES:
            raise InputError(
                "train.label",
                f"all recordings are of one class ({found[0]})",
                "give recordings of at least two classes",
            )
        return found

    @cached_property
    def _class_of_recording(self) -> NDArray[np.int64]:
        """Code of the class of each recording; -1 for one that takes no part."""
        known, label = self.job.known(), self.settings.label
        codes = np.full(len(known), -1, dtype=np.int64)
        for r in self._used:
            codes[r] = self.classes.index(known[r][label])
        return codes

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The group of each recording; that of one that takes no part is empty."""
        known = self.job.known()
        by = self.split.by if isinstance(self.split, GroupSplit) else "recording"
        found = group_of(by, [known[r] for r in self._used], "evaluation.split.by")
        groups = [""] * len(known)
        for number, group in zip(self._used, found, strict=True):
            groups[number] = group
        return tuple(groups)

    @cached_property
    def fold_of_group(self) -> dict[str, int]:
        """The fold of each group; of each fold's own number for a random split."""
        if isinstance(self.split, RandomSplit):
            return {str(fold): fold for fold in range(self.split.folds)}
        dealt = deal([self.groups[r] for r in self._used], self.split.folds)
        if len(set(dealt.values())) < _FEWEST_FOLDS:
            raise InputError(
                "evaluation.split",
                f"there are {len(dealt)} groups to hold out by {self.split.by}",
                f"give at least {_FEWEST_FOLDS}: one to test, one to choose on, one to fit",
            )
        return dealt

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(set(self.fold_of_group.values()))

    @property
    def window_rows(self) -> int:
        """Rows that features are made of."""
        return max(1, round(self.settings.window_s * self.rate_hz))

    @property
    def plan_rows(self) -> int:
        """Rows that a window needs around it, itself included."""
        return self.window_rows

    @cached_property
    def plan(self) -> WindowPlan:
        """Windows and chunks of the recordings that take part."""
        used = set(self._used.tolist())
        plan = plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            [
                pieces if number in used else []
                for number, pieces in enumerate(self.stream.segments)
            ],
            self.plan_rows,
            max(1, round(self.settings.hop_s * self.rate_hz)),
            self.settings.windows_per_chunk,
        )
        have = {self.groups[r] for r in np.unique(plan.recording)}
        without = sorted({self.groups[r] for r in self._used} - have)
        if without:
            raise InputError(
                "window_s",
                f"no recording of {without[0]} holds {self.plan_rows / self.rate_hz:g} s in a "
                "piece",
                "shorten the window, or leave that group out",
            )
        return plan

    @cached_property
    def inputs(self) -> list[int]:
        """Places of the channels that features are made of, in the stream."""
        names = [channel.name for channel in self.stream.channels]
        wanted = names if self.settings.inputs is None else self.settings.inputs
        for name in wanted:
            if name not in names:
                raise InputError("inputs", f"{name} is no channel", f"use {', '.join(names)}")
        return [names.index(name) for name in wanted]

    @property
    def channels(self) -> list[ChannelRow]:
        """The channels that features are made of."""
        return [self.stream.channels[place] for place in self.inputs]

    @property
    def scales(self) -> list[float]:
        """Typical amplitude of each of these channels, known before any data."""
        return [_typical(c) if c.scale is None else c.scale for c in self.channels]

    @cached_property
    def features(self) -> list[Any]:
        """The features that are asked for."""
        pairs = zip(self.channels, self.scales, strict=True)
        channels = [replace(channel, scale=scale) for channel, scale in pairs]
        settings, length = self.settings.features, self.window_rows
        return build_features(settings, channels, length, self.rate_hz, self.job.seed)

    @cached_property
    def reducer(self) -> RidgeReducer:
        """The reducer of cross-products and sampled rows."""
        width = sum(len(feature.names) for feature in self.features)
        sample_rows = self.settings.sample_rows
        return RidgeReducer(
            self.job.backend.xp, width, len(self.classes), sample_rows, self.job.seed
        )

    def train_pass(self) -> Pass:
        """Cross-products and a sample of rows for each fold of each unit."""
        return self._pass(self.reducer, self._measure_training)

    def fit(self, leaves: Leaves, comm: Comm) -> Model:
        """The models of all folds with their thresholds, and the one for new data."""
        states = fold_states(self.job.backend, self.reducer, self.folds, leaves, comm)
        return self.fitted(states, comm)

    def fitted(self, states: list[State], comm: Comm) -> Model:
        """The models from the merged cross-products of each fold."""
        coverage = self.job.request.evaluation.interval.coverage
        nested = ridge_settings(
            self.settings.penalties,
            self.reducer.inputs,
            set_thresholds(coverage, self.job.scores),
            self.event_limits,
        )
        arrays = nested_fit(nested, self.job.backend, self.reducer, states, comm)
        arrays |= class_moments(self.job.backend, self.reducer, states)
        card = {**self.facts, "fold_of_group": self.fold_of_group}
        return Model(arrays, card | event_facts(self.event, self.classes, arrays))

    @cached_property
    def event(self) -> ClassCosts | None:
        """What somebody acts on, where the request has costs and says it."""
        return ClassCosts.of(self.job.request.question, self.classes)

    @property
    def event_limits(self) -> Calibrate | None:
        """Limits above which somebody acts, from outputs of models on rows that they never saw."""
        event, scores = self.event, self.job.scores
        if event is None:
            return None
        return lambda model, outputs, targets, _: event.calibrate(scores, model, outputs, targets)

    @property
    def facts(self) -> dict[str, Any]:
        """What the arrays of the model mean, but for who was held out with whom."""
        return {
            "classes": list(self.classes),
            "channels": [[c.name, c.quantity, c.unit] for c in self.channels],
            "rate_hz": self.rate_hz,
            "window_rows": self.window_rows,
            "features": [name for feature in self.features for name in feature.names],
            "penalties": list(self.settings.penalties),
            "coverage": self.job.request.evaluation.interval.coverage,
        }

    def merging(self, name: str, leaves: Mapping[str, Leaves]) -> Merging:
        """How the leaves of this classifier's pass merge apart from the data.

        Parameters
        ----------
        name : str
            The pass.
        leaves : mapping of str to Leaves
            Leaves of training; nothing is said of the windows of each class without them.
        """
        common: dict[str, Any] = {"classes": list(self.classes), "rate_hz": self.rate_hz}
        if self.per_row and name in leaves:
            # Of labels of rows the store tells names; another store has those that are shown.
            means = [self.learnt(state)["mean"] for state in leaves[name].values()]
            seen = np.any([mean[self.reducer.inputs :] > 0 for mean in means], axis=0)
            common["windows of each class"] = seen.tolist()
        if self.event is not None:
            common["decision"] = self.event.facts(self.classes)
        dealt = {} if isinstance(self.split, RandomSplit) else {name: self._dealt}
        labels = {} if self.per_row else {self.settings.label: list(self.classes)}
        return Merging(dealt, common, (name,), labels)

    @property
    def _dealt(self) -> Dealt:
        return Dealt(self.groups, self.fold_of_group)

    def learnt(self, state: State) -> State:
        """Cross-products and sampled rows of features in a state."""
        return state

    def score_pass(self, model: Model) -> Pass:
        """Each window by the model that has not seen its group."""
        xp, classes = self.job.backend.xp, len(self.classes)
        columns = {
            "number": ("int64", ()),
            "recording": ("int64", ()),
            "first_row": ("int64", ()),
            "truth": ("int64", ()),
            "outputs": ("float64", (classes,)),
            "in_set": ("bool", (classes,)),
        }
        parts = {"confusion": ConfusionReducer(xp, classes), "rows": RowsReducer(xp, columns)}
        parameters = self.job.backend.state_to_device(
            {name: model.arrays[f"fold_{name}"] for name in ("coef", "mean_x", "mean_y")}
        )

        def measure(block: Block) -> Mapping[Leaf, Batch]:
            return self._measure_scores(parameters, model.arrays["fold_threshold"], block)

        return self._pass(Together(parts), measure)

    def leakage(self, model: Model, number: NDArray[np.int64]) -> list[LeakageTest]:
        """Whether any of the scored windows, given by number, has taught the model that judged it.

        Parameters
        ----------
        model : Model
            From `fit`.
        number : ndarray of int64, shape (window,)
            Windows with one label, which are those that teach and test.
        """
        plan = self.plan
        recording = plan.recording[number]
        units = [row.unit for row in self.job.dataset.recordings]
        fold = self.folds_of(number, recording)
        return leakage_tests(
            Sides(
                split=self.split,
                taught_in=fold,
                judged_by=fold,
                unit=np.unique(units, return_inverse=True)[1].astype(np.int64)[recording],
                recording=recording,
                first_row=plan.start[number],
                length=plan.length,
                scaler_rows=model.arrays["fold_rows"],
            )
        )

    def _pass(self, reducer: Any, measure: Any) -> Pass:
        """A pass over the windows of this classifier."""
        labels = (self.settings.label,) if self.per_row else ()
        return Pass(self.stream, self.plan, reducer, measure, labels)

    def _measure_training(self, block: Block) -> Mapping[Leaf, Batch]:
        """Features and one-hot classes by fold."""
        backend = self.job.backend
        truth, keep = self._truth(block)
        fold = self._fold(block)[keep]
        measured = self._measure_windows(self._windows(block, keep))
        one_hot = backend.asarray(np.eye(len(self.classes))[truth[keep]])
        # The sample of a fold must not change when another unit joins or leaves.
        number = backend.asarray(self.plan.own_numbers(block.number[keep]))
        batches: dict[Leaf, Batch] = {}
        for value in np.unique(fold):
            chosen = backend.asarray(np.flatnonzero(fold == value))
            batches[str(value),] = {
                name: backend.xp.take(array, chosen, axis=0)
                for name, array in {**measured, "y": one_hot, "number": number}.items()
            }
        return batches

    def _measure_scores(
        self, parameters: dict[str, Array], thresholds: NDArray[np.float64], block: Block
    ) -> Mapping[Leaf, Batch]:
        """Outputs, sets and truth by held-out group."""
        backend = self.job.backend
        truth, keep = self._truth(block)
        fold = self._fold(block)[keep]
        x = self._measure(block, keep)
        outputs = backend.to_host(outputs_of_fold(parameters, x, backend.asarray(fold)))
        host = {
            "number": block.number[keep],
            "recording": block.recording[keep],
            "first_row": block.first_row + block.starts[keep],
            "truth": truth[keep],
            "predicted": np.argmax(outputs, axis=1),
            "outputs": outputs,
            "in_set": margin_scores(outputs) <= thresholds[fold],
        }
        group = self._group(block)[keep]
        return {
            (str(name),): {
                key: backend.asarray(array[group == name]) for key, array in host.items()
            }
            for name in sorted(set(group))
        }

    def _group(self, block: Block) -> NDArray[np.object_]:
        """The held-out group of each window; for a random split, its fold."""
        if isinstance(self.split, RandomSplit):
            return np.array(
                [term("fold {number}", number=number) for number in self._fold(block)], dtype=object
            )
        return np.array([self.groups[r] for r in block.recording], dtype=object)

    def _fold(self, block: Block) -> NDArray[np.int64]:
        """The fold of each window of a block."""
        return self.folds_of(block.number, block.recording)

    def folds_of(
        self, number: NDArray[np.int64], recording: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The fold of windows, by number and recording."""
        if isinstance(self.split, RandomSplit):
            # Its own number, so that the draw stays when another unit joins or leaves.
            draws = uniform_at(self.plan.own_numbers(number), (self.job.seed, _PURPOSE))
            return np.asarray(np.floor(draws * self.split.folds), dtype=np.int64)
        folds = [self.fold_of_group[self.groups[r]] for r in recording]
        return np.asarray(folds, dtype=np.int64)

    def _truth(self, block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The class of each window, and the numbers of those pure enough to be used."""
        label = self.settings.label
        if not self.per_row:
            truth = self._class_of_recording[block.recording]
            return truth, np.arange(len(truth))
        rows = block.labels[label][block.starts[:, None] + np.arange(block.length)]
        counts = np.stack([(rows == c).sum(axis=1) for c in range(len(self.classes))], axis=1)
        pure = counts.max(axis=1) >= self.settings.purity * block.length
        return counts.argmax(axis=1).astype(np.int64), np.flatnonzero(pure)

    def _measure(self, block: Block, keep: NDArray[np.int64]) -> Array:
        """Features of the kept windows: float64 (window, feature) on the device."""
        return measure_features(self.features, self._windows(block, keep), self.rate_hz)

    def _windows(self, block: Block, keep: NDArray[np.int64]) -> Array:
        """The kept windows: float32 (time, channel, window) on the device."""
        backend = self.job.backend
        before = (block.length - self.window_rows) // 2  # rows around a window are no input
        rows = block.rows
        if self.settings.inputs is not None:
            rows = backend.xp.take(rows, backend.asarray(np.asarray(self.inputs)), axis=1)
        starts = backend.asarray(block.starts[keep] + before)
        windows = window_batch(rows, starts, self.window_rows)
        # Signals have at most 24 bits; half the bytes halve the time of features.
        return backend.xp.astype(windows, backend.xp.float32)

    def _measure_windows(self, windows: Array) -> dict[str, Array]:
        """What training learns of windows, beside their classes."""
        return {"x": measure_features(self.features, windows, self.rate_hz)}
