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

from lumipipe.config import GroupSplit, Identifier, PositiveFloat, RandomSplit, Settings
from lumipipe.errors import InputError
from lumipipe.families.grouped_ridge import (
    fold_states,
    nested_fit,
    outputs_of_fold,
    ridge_settings,
    set_thresholds,
)
from lumipipe.families.interface import Model, Pass
from lumipipe.families.leakage import Sides, leakage_tests
from lumipipe.features import FEATURES, build_features, measure_features
from lumipipe.kernels.philox import uniform_at
from lumipipe.kernels.windows import window_batch
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

    from lumipipe.backend import Array
    from lumipipe.comm import Comm
    from lumipipe.config import Request
    from lumipipe.families.interface import Block, Job
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.reporting.result import LeakageTest
    from lumipipe.store.dataset import ChannelRow, StreamTable
    from lumipipe.windows import WindowPlan

_RATE_TOLERANCE = 0.02  # windows are counted in samples, so one rate must serve all
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
    classifier_split(request)


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
        return tuple(sorted({known[r][self.settings.label] for r in self._used}))

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
            max(1, round(self.settings.window_s * self.rate_hz)),
            max(1, round(self.settings.hop_s * self.rate_hz)),
            self.settings.windows_per_chunk,
        )
        have = {self.groups[r] for r in np.unique(plan.recording)}
        without = sorted({self.groups[r] for r in self._used} - have)
        if without:
            raise InputError(
                "window_s",
                f"no recording of {without[0]} holds a window of {self.settings.window_s:g} s",
                "shorten the window, or leave that group out",
            )
        return plan

    @cached_property
    def features(self) -> list[Any]:
        """The features that are asked for."""
        channels = [
            channel if channel.scale is not None else replace(channel, scale=_typical(channel))
            for channel in self.stream.channels
        ]
        settings, length = self.settings.features, self.plan.length
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
        backend = self.job.backend
        coverage = self.job.request.evaluation.interval.coverage
        states = fold_states(backend, self.reducer, self.folds, leaves, comm)
        nested = ridge_settings(
            self.settings.penalties, self.reducer.inputs, set_thresholds(coverage)
        )
        arrays = nested_fit(nested, backend, self.reducer, states, comm)
        card = {
            "classes": list(self.classes),
            "channels": [[c.name, c.quantity, c.unit] for c in self.stream.channels],
            "rate_hz": self.rate_hz,
            "window_rows": self.plan.length,
            "features": [name for feature in self.features for name in feature.names],
            "penalties": list(self.settings.penalties),
            "fold_of_group": self.fold_of_group,
            "coverage": coverage,
        }
        return Model(arrays, card)

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
        fold = self._folds_of(number, recording)
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
        x = self._measure(block, keep)
        one_hot = backend.asarray(np.eye(len(self.classes))[truth[keep]])
        number = backend.asarray(block.number[keep])
        batches: dict[Leaf, Batch] = {}
        for value in np.unique(fold):
            chosen = backend.asarray(np.flatnonzero(fold == value))
            batches[str(value),] = {
                name: backend.xp.take(array, chosen, axis=0)
                for name, array in (("x", x), ("y", one_hot), ("number", number))
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
            return np.array([f"fold {number}" for number in self._fold(block)], dtype=object)
        return np.array([self.groups[r] for r in block.recording], dtype=object)

    def _fold(self, block: Block) -> NDArray[np.int64]:
        """The fold of each window of a block."""
        return self._folds_of(block.number, block.recording)

    def _folds_of(
        self, number: NDArray[np.int64], recording: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """The fold of windows, by number and recording."""
        if isinstance(self.split, RandomSplit):
            draws = uniform_at(number, (self.job.seed, _PURPOSE))
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
        starts = self.job.backend.asarray(block.starts[keep])
        windows = window_batch(block.rows, starts, block.length)
        # Signals have at most 24 bits; half the bytes halve the time of features.
        single = self.job.backend.xp.astype(windows, self.job.backend.xp.float32)
        return measure_features(self.features, single, self.rate_hz)
