"""Rows or windows to a number: features, ridge, a guard, and a blind model for each row.

Families that predict something share it. One pass gives the cross-products of each fold and
those of the inputs themselves. Every figure is for rows that the model has not seen, on which
its penalty was not chosen and its interval not calibrated. What is made of the scored rows is in
`lumipipe.families.regression_scores`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.errors import InputError
from lumipipe.families.grouped_ridge import (
    fold_states,
    nested_fit,
    outputs_of_fold,
    ridge_settings,
)
from lumipipe.families.guard import DISTANCES, Guard, guard_arrays, has_ranges
from lumipipe.families.interface import Dealt, Merging, Model, Pass, recording_spans
from lumipipe.families.limit_events import LimitCosts
from lumipipe.families.regression_settings import (
    centre_and_scale,
)
from lumipipe.families.roles import CALIBRATE, TEST, TRAIN, Roles
from lumipipe.families.row_folds import RowFolds, last_rows
from lumipipe.families.sensors import MENDED, sensor_arrays, sensor_scores
from lumipipe.features import build_features, measure_features
from lumipipe.fold import merge_all
from lumipipe.kernels.rows import centred
from lumipipe.kernels.windows import window_batch
from lumipipe.language import say
from lumipipe.metrics.residuals import ResidualBins
from lumipipe.metrics.rows import Renamed, RowsReducer, Together
from lumipipe.models.monitor import MonitorReducer
from lumipipe.models.pls import pair_state
from lumipipe.models.ridge import RidgeReducer
from lumipipe.partition import Span
from lumipipe.splits import key_of_rows
from lumipipe.uncertainty.conformal import conformal_quantile
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import Array, State
    from lumipipe.comm import Comm
    from lumipipe.families.grouped_ridge import NestedSettings
    from lumipipe.families.interface import Block, Job
    from lumipipe.families.learner import Learner
    from lumipipe.families.regression_settings import RegressionSettings, RowsSettings
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.store.dataset import StreamTable
    from lumipipe.uncertainty.scores import Scores
    from lumipipe.windows import WindowPlan

    Thresholds = Callable[[Scores, NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]]

_LEAST, _GREATEST = 1e-4, 1e3  # residuals that are told apart, in spreads of the target


@dataclass(frozen=True)
class Regression:
    """A regression with its folds.

    Parameters
    ----------
    job : Job
        The request and its data.
    settings : RowsSettings
        How it learns.
    targets : tuple of str
        Names of what is predicted; channels of the stream unless `truth` is given.
    truth : callable of Block, optional
        Targets of each window: float64 (window, target), NaN where not known; the target
        channels at the last row of the window where not given.
    key : callable of Block, optional
        What is held out together within a recording: int64 (window,); needed where the split
        is by a group that is no attribute of recordings.
    key_name : str
        What the keys are called.
    thresholds : callable, optional
        Half-width of the interval of each target, or more, from residuals (row, target) and
        numbers (row,) of rows that the model has not seen; scores go through the first argument.
    numbered : bool
        Whether `thresholds` takes the numbers of rows in the stream, so that a unit that leaves
        changes them; else a row's number is its own within its unit.
    extra : mapping of str to callable of Block
        Further columns of the scored rows: float64 (window,).
    times : bool
        Whether blocks of scored rows have their times, for `extra`.
    watched : tuple of str
        Channels that the guard watches beside the inputs, such as settings of operation.
    least, greatest : float
        Values that no prediction passes.
    sensors : bool
        Whether each input is predicted from the others, too; scored rows then have the columns
        of `lumipipe.families.sensors.sensor_scores`.
    learner : Learner, optional
        What it learns with, gaps included; ridge regression on rows without gaps where absent.
    units : mapping of str to str
        Units of targets that are no channels of the stream.
    """

    job: Job
    settings: RowsSettings
    targets: tuple[str, ...]
    truth: Callable[[Block], NDArray[np.float64]] | None = None
    key: Callable[[Block], NDArray[np.int64]] | None = None
    key_name: str = "group"
    thresholds: Thresholds | None = None
    extra: Mapping[str, Callable[[Block], NDArray[np.float64]]] = field(default_factory=dict)
    times: bool = False
    watched: tuple[str, ...] = ()
    least: float = -np.inf
    greatest: float = np.inf
    sensors: bool = False
    learner: Learner | None = None
    numbered: bool = False
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> StreamTable:
        """The stream with the inputs."""
        return self.job.dataset.streams[self.settings.stream]

    @cached_property
    def columns(self) -> dict[str, int]:
        """Number of each channel of the stream."""
        return {channel.name: number for number, channel in enumerate(self.stream.channels)}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Channels that predict; a group of them by the name of the group."""
        chosen = self.settings.inputs or [n for n in self.columns if n not in self.targets]
        members = {
            name: [c.name for c in self.stream.channels if c.group == name] for name in chosen
        }
        return tuple(member for name in chosen for member in members[name] or [name])

    @cached_property
    def guarded(self) -> tuple[str, ...]:
        """Channels that the guard watches: the inputs first."""
        return self.inputs + tuple(name for name in self.watched if name not in self.inputs)

    @cached_property
    def scales(self) -> dict[str, tuple[float, float]]:
        """Centre and scale of each input, and of what is watched beside."""
        return {
            name: centre_and_scale(
                self.stream.channels[self.columns[name]], is_log=name in self.settings.log
            )
            for name in self.guarded
        }

    @cached_property
    def held_out(self) -> RowFolds:
        """What is held out of what."""
        return RowFolds(self.job, self.settings, self.stream, self.key)

    @property
    def split(self) -> Any:
        """How training and test are kept apart."""
        return self.held_out.split

    @property
    def is_dealt(self) -> bool:
        """Whether each fold is the test of a model of its own."""
        return self.held_out.is_dealt

    @property
    def roles(self) -> Roles:
        """Rows that train, calibrate and test."""
        return self.held_out.roles

    @property
    def folds(self) -> int:
        """Number of folds."""
        return self.held_out.folds

    def plan(self, *spans: Sequence[Span]) -> WindowPlan:
        """Windows of rows that lie in spans of each recording and, if longer than a row, no gap."""
        whole = [[span] for span in recording_spans(self.stream)]
        pieces = whole if self.settings.window_rows == 1 else self.stream.segments
        cut = [
            [part for one in own for part in _inside(pieces[r], one)]
            for r, own in enumerate(zip(*spans, strict=True))
        ]
        return plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            cut,
            self.settings.window_rows,
            self.settings.hop_rows,
            self.settings.windows_per_chunk,
        )

    @cached_property
    def score_plan(self) -> WindowPlan:
        """All windows."""
        return self.plan(self.roles.train, self.roles.calibrate, self.roles.test)

    @cached_property
    def features(self) -> list[Any]:
        """The features that are asked for."""
        scaled = [
            replace(self.stream.channels[self.columns[name]], scale=self.scales[name][1])
            for name in self.inputs
        ]
        length, rate = self.settings.window_rows, self.rate_hz
        return build_features(self.settings.features, scaled, length, rate, self.job.seed)

    @property
    def rate_hz(self) -> float:
        """Rate of the rows, or 1 where only their order is known."""
        rates = np.asarray(self.stream.rate_hz)
        known = rates[np.isfinite(rates)]
        return float(np.median(known)) if len(known) else 1.0

    @cached_property
    def reducer(self) -> Any:
        """The reducer of cross-products and sampled rows."""
        made: Any = RidgeReducer if self.learner is None else self.learner.reducer
        rows = self.settings.sample_rows
        return made(self.job.backend.xp, self.width, len(self.targets), rows, self.job.seed)

    @property
    def width(self) -> int:
        """Number of features."""
        return len([name for feature in self.features for name in feature.names])

    @cached_property
    def nested(self) -> NestedSettings:
        """The models to choose from."""
        limits = None if self.event is None else self._event_limits
        if self.learner is not None:
            nested = self.learner.nested(self.width, self._calibrate)
            return replace(nested, event_limits=limits)
        penalties = cast("RegressionSettings", self.settings).penalties
        return ridge_settings(penalties, self.width, self._calibrate, limits)

    @cached_property
    def event(self) -> LimitCosts | None:
        """A true value that somebody acts on, where the request has costs and says it."""
        return LimitCosts.of(self.job.request.question, self.targets)

    @cached_property
    def guard(self) -> Guard:
        """What watches the inputs."""
        rows, alpha = self.settings.sample_rows, self.settings.guard_alpha
        reducer = MonitorReducer(self.job.backend.xp, len(self.guarded), rows, self.job.seed)
        return Guard(reducer, alpha, self.job.scores)

    @cached_property
    def _together(self) -> Together:
        parts: dict[str, Any] = {"fit": self.reducer}
        if self.learner is None:
            watched: dict[str, Any] = {"guard": self.guard.reducer}
            if has_ranges(self.job):
                watched["range"] = self.guard.ranges
            parts |= {name: Renamed(reducer, {"x": "inputs"}) for name, reducer in watched.items()}
        return Together(parts)

    def train_pass(self) -> Pass:
        """Cross-products of each fold and of calibrating rows."""
        if not self.is_dealt and not any(span.size for span in self.roles.test):
            raise InputError("evaluation.split", "leaves no row to test", "declare fewer rows")
        return Pass(self.stream, self.train_plan, self._together, self._measure_training)

    @cached_property
    def train_plan(self) -> WindowPlan:
        """Windows that train and calibrate."""
        return self.plan(self.roles.train, self.roles.calibrate)

    def fit(self, leaves: Leaves, comm: Comm) -> Model:
        """The models of all folds with their intervals and guards, and the one of all of them."""
        backend, together = self.job.backend, self._together
        folds = {leaf: state for leaf, state in leaves.items() if leaf[1] != "calibrate"}
        states = fold_states(backend, together, self.folds, folds, comm)
        if any(int(backend.to_host(state["fit.count"])) == 0 for state in states):
            raise InputError(
                "evaluation.split", "leaves a fold without a usable row", "use fewer folds"
            )
        parts = [together.part(state, "fit") for state in states]
        arrays = nested_fit(self.nested, backend, self.reducer, parts, comm)
        if self.learner is None:
            watched = [together.part(state, "guard") for state in states]
            ranges = [together.part(state, "range") for state in states if has_ranges(self.job)]
            arrays |= guard_arrays(self.guard, backend, watched, ranges)
            if self.sensors:
                arrays |= sensor_arrays(self.guard, backend, watched)
        else:
            alpha = self.settings.guard_alpha
            arrays |= self.learner.envelope(backend, parts, arrays, alpha, self.job.scores)
            arrays |= {"envelope_beyond": np.array(np.inf)}
        card = self._card(self._spread(merge_all(self.reducer, parts)))
        if self.event is not None:
            card["decision"] = self.event.facts(self.targets, arrays["final_event_limit"])
        return Model(arrays, card)

    def merging(self, name: str) -> Merging:
        """How the leaves of this regression's pass, of that name, merge apart from the data."""
        held_out = self.held_out
        anew = ""
        if isinstance(self.split, RandomSplit):
            anew = "rows are dealt to folds at random by their number in the whole data"
        dealt = {}
        if held_out.fold_of_group:
            dealt[name] = Dealt(held_out.groups, held_out.fold_of_group)
        alone = anew
        if self.learner is not None:
            alone = "its components are chosen on rows, which do not leave a site"
        return Merging(dealt, {"rate_hz": self.rate_hz}, (name,), alone=alone, anew=anew)

    def _spread(self, state: State) -> NDArray[np.float64]:
        """Standard deviation of each target; 1 where it is constant."""
        pairs = state if self.learner is None else pair_state(state)
        squares = self.job.backend.to_host(pairs["comoment"]).diagonal()[self.width :]
        count = self.job.backend.to_host(pairs["count"])
        rows = count if count.ndim == 0 else count.diagonal()[self.width :]
        spread = np.sqrt(squares / np.maximum(rows, 1))
        return np.where(spread > 0, spread, 1.0)

    def _card(self, spread: NDArray[np.float64]) -> dict[str, Any]:
        """What the arrays mean."""
        channels = [self.stream.channels[self.columns[name]] for name in self.inputs]
        return {
            "inputs": [[c.name, c.quantity, c.unit] for c in channels],
            "watched": list(self.guarded[len(self.inputs) :]),
            "centre_and_scale": [list(pair) for pair in self.scales.values()],
            "log": list(self.settings.log),
            "targets": list(self.targets),
            "window_rows": self.settings.window_rows,
            "features": [name for feature in self.features for name in feature.names],
            "penalties" if self.learner is None else "choices": list(self.nested.choices),
            "fold_of_group": self.held_out.fold_of_group,
            "coverage": self.coverage,
            "spread": spread.tolist(),
        }

    @property
    def coverage(self) -> float:
        """Nominal coverage of the intervals."""
        return float(self.job.request.evaluation.interval.coverage)

    def _calibrate(
        self,
        model: str,
        outputs: NDArray[np.float64],
        truth: NDArray[np.float64],
        number: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Half-width of the interval of each target."""
        outputs = np.clip(outputs, self.least, self.greatest)
        if self.thresholds is not None:
            return self.thresholds(self.job.scores.below(model), truth - outputs, number)
        residual = np.abs(truth - outputs)
        sizes = [
            self.job.scores(f"{model}/target {target}", column[np.isfinite(column)])
            for target, column in enumerate(residual.T)
        ]
        return np.array([conformal_quantile(size, self.coverage) for size in sizes])

    def _event_limits(
        self,
        model: str,
        outputs: NDArray[np.float64],
        truth: NDArray[np.float64],
        number: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Limits of predictions past which somebody acts."""
        del number
        assert self.event is not None
        outputs = np.clip(outputs, self.least, self.greatest)
        return self.event.calibrate(self.job.scores, model, outputs, truth)

    def score_pass(self, model: Model) -> Pass:
        """Each row by the model that has not seen its fold, with what the guard says."""
        xp = self.job.backend.xp
        whole = ("number", "recording", "row", "role", "fold", "key", "regime", "content")
        columns = {
            **dict.fromkeys(whole, ("int64", ())),
            "truth": ("float64", (len(self.targets),)),
            "prediction": ("float64", (len(self.targets),)),
            **dict.fromkeys((*DISTANCES, *self.extra), ("float64", ())),
        }
        if self.sensors:
            columns |= dict.fromkeys(MENDED, ("float64", ()))
            columns |= {"excess": ("float64", (len(self.guarded),)), "suspect": ("int64", ())}
        parts: dict[str, Any] = {"rows": RowsReducer(xp, columns)}
        for number in range(len(self.targets)):
            bins = self.residual_bins(model, number)
            parts[f"bins{number}"] = Renamed(bins, {"residual": f"residual{number}"})
        arrays = model.arrays
        parameters = {
            name: np.concatenate([arrays[f"fold_{name}"], arrays[f"final_{name}"][None]])
            for name in ("coef", "mean_x", "mean_y")
        }
        there = self.job.backend.state_to_device(parameters)

        def measure(block: Block) -> Mapping[Leaf, Batch]:
            return self._measure_scores(there, model, block)

        return Pass(self.stream, self.score_plan, Together(parts), measure, times=self.times)

    def residual_bins(self, model: Model, target: int) -> ResidualBins:
        """The counts of residuals of a target that calibrate its intervals, by regime."""
        spread = float(model.card["spread"][target])
        regimes = len(self.regime_names)
        return ResidualBins(self.job.backend.xp, _LEAST * spread, _GREATEST * spread, regimes)

    @property
    def regime_names(self) -> list[str]:
        """Regimes that have intervals of their own."""
        regimes = self.settings.regimes
        return [say("all rows")] if regimes is None else regimes.names

    def answers(self, model: Model, inputs: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """What the final model says of inputs that are in no file.

        Parameters
        ----------
        model : Model
            From `fit`.
        inputs : ndarray of float64, shape (row, input)
            In the units of the channels; for windows of one row, and nothing watched beside.

        Returns
        -------
        dict of str to ndarray
            ``prediction`` (row, target); ``t2``, ``spe`` and ``beyond`` (row,).
        """
        backend, arrays = self.job.backend, model.arrays
        rows = self._centred(backend.asarray(inputs))
        windows = backend.xp.matrix_transpose(rows)[None, :, :]
        x, means = self._measured(windows)
        names = ("coef", "mean_x", "mean_y")
        final = backend.state_to_device({name: arrays[f"final_{name}"] for name in names})
        found = self.nested.predict(final | {"coef": final["coef"][None, :, :]}, x)[0, ...]
        judge = np.full(len(inputs), self.folds)
        return {
            "prediction": np.clip(backend.to_host(found), self.least, self.greatest),
            **self._distances(arrays, x, means, judge),
        }

    def _distances(
        self, arrays: Mapping[str, np.ndarray], x: Array, inputs: Array, judge: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float64]]:
        """T² and SPE of rows, each by the envelope of its own model."""
        watched = inputs if self.learner is None else x
        return self.guard.distances(self.job.backend, arrays, watched, judge)

    def _measure_training(self, block: Block) -> Mapping[Leaf, Batch]:
        """Features, targets and inputs by fold; rows with a gap take part where it is learnt."""
        backend = self.job.backend
        windows, truth = self._windows(block), self._truth(block)
        role, fold = self.held_out.role(block), self.held_out.fold(block)
        names = np.where(role == TRAIN, fold.astype(str).astype(object), "calibrate")
        x, inputs = self._measured(windows)
        known = np.isfinite(truth)
        usable = self._is_usable(windows, x)
        usable &= known.all(axis=1) if self.learner is None else known.any(axis=1)
        # The sample of a fold must not change when another unit joins or leaves.
        own = self.train_plan.own_numbers(block.number)
        number = self._number(block) if self.numbered else own
        batches: dict[Leaf, Batch] = {}
        for name in sorted(set(names[usable])):
            mine = np.flatnonzero((names == name) & usable)
            chosen = backend.asarray(mine)
            batches[str(name),] = {
                "x": backend.xp.take(x, chosen, axis=0),
                "inputs": backend.xp.take(inputs, chosen, axis=0),
                "y": backend.asarray(truth[mine]),
                "number": backend.asarray(number[mine]),
            }
        return batches

    def _measure_scores(
        self, parameters: dict[str, Array], model: Model, block: Block
    ) -> Mapping[Leaf, Batch]:
        """Predictions and what is known beside them; NaN where an input is missing."""
        backend = self.job.backend
        windows, role = self._windows(block), self.held_out.role(block)
        fold = self.held_out.fold(block)
        judge = np.where(role == TRAIN, fold, self.folds)
        x, inputs = self._measured(windows)
        outputs = outputs_of_fold(parameters, x, backend.asarray(judge), self.nested.predict)
        found = np.clip(backend.to_host(outputs), self.least, self.greatest)
        usable = self._is_usable(windows, x)
        truth, prediction = self._truth(block), np.where(usable[:, None], found, np.nan)
        host = {
            "number": self._number(block),
            "recording": block.recording,
            "row": last_rows(block) - self._first_rows[block.recording],
            "role": np.where((role == TRAIN) & self.is_dealt, TEST, role),
            "fold": judge,
            "key": self.held_out.key_of(block),
            "regime": self._regime(block),
            "content": self._content(block),
            "truth": truth,
            "prediction": prediction,
            **{
                f"residual{number}": np.where(self._calibrates(role), column, np.nan)
                for number, column in enumerate((truth - prediction).T)
            },
            **self._distances(model.arrays, x, inputs, judge),
            **{name: column(block) for name, column in self.extra.items()},
        }
        if self.sensors:
            host |= sensor_scores(self.guard, backend, model.arrays, inputs, judge)
        return {(): {name: backend.asarray(array) for name, array in host.items()}}

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        """First row of each recording in the stream."""
        return np.asarray([s.first for s in recording_spans(self.stream)], dtype=np.int64)

    def _number(self, block: Block) -> NDArray[np.int64]:
        """A number of each window that is the same in all passes."""
        return last_rows(block)

    def _windows(self, block: Block) -> Array:
        """Inputs, and what is watched beside, about their centres: (time, channel, window)."""
        backend = self.job.backend
        order = np.asarray([self.columns[name] for name in self.guarded], dtype=np.int64)
        rows = self._centred(backend.xp.take(block.rows, backend.asarray(order), axis=1))
        return window_batch(rows, backend.asarray(block.starts), block.length)

    def _centred(self, rows: Array) -> Array:
        """Inputs (row, input), or their logarithms, less their centres."""
        centres = [middle for middle, _ in self.scales.values()]
        return centred(rows, centres, [name in self.settings.log for name in self.guarded])

    def _measured(self, windows: Array) -> tuple[Array, Array]:
        """Features of the inputs (window, feature), and all means (window, channel)."""
        xp = self.job.backend.xp
        predict_from = windows[:, : len(self.inputs), :]
        features = measure_features(self.features, predict_from, self.rate_hz)
        means = xp.mean(xp.astype(windows, xp.float64), axis=0)
        return features, xp.matrix_transpose(means)

    def _is_usable(self, windows: Array, x: Array) -> NDArray[np.bool_]:
        """Whether no input of a window is missing; with a learner, whether any is there."""
        xp = self.job.backend.xp
        usable = (
            xp.all(xp.isfinite(windows), axis=(0, 1))
            if self.learner is None
            else xp.any(xp.isfinite(x), axis=1)
        )
        found: NDArray[np.bool_] = self.job.backend.to_host(usable)
        return found

    def _truth(self, block: Block) -> NDArray[np.float64]:
        """Targets of each window."""
        if self.truth is not None:
            return self.truth(block)
        return self.values(block, self.targets)

    def values(self, block: Block, channels: Sequence[str]) -> NDArray[np.float64]:
        """Channels at the last row of each window: float64 (window, channel)."""
        backend = self.job.backend
        rows = backend.asarray(block.starts + (block.length - 1))
        order = np.asarray([self.columns[name] for name in channels], dtype=np.int64)
        found = backend.xp.take(block.rows, rows, axis=0)
        found = backend.xp.take(found, backend.asarray(order), axis=1)
        return np.asarray(backend.to_host(found), dtype=np.float64)

    def _calibrates(self, role: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Rows that set the interval of the final model: kept for it, or trained on by others."""
        kept = any(span.size for span in self.roles.calibrate)
        return np.asarray(role == (CALIBRATE if kept else TRAIN))

    def _content(self, block: Block) -> NDArray[np.int64]:
        """The same for rows of equal inputs and targets; the row's own number for windows."""
        if self.settings.window_rows > 1 or self.truth is not None:
            return self._number(block)
        return key_of_rows(self.values(block, (*self.inputs, *self.targets)))

    def _regime(self, block: Block) -> NDArray[np.int64]:
        """Regime of each window by its last row; one past the last where it is not known."""
        regimes = self.settings.regimes
        if regimes is None:
            return np.zeros(len(block.starts), dtype=np.int64)
        value = self.values(block, (regimes.channel,))[:, 0]
        place = np.searchsorted(np.asarray(regimes.edges), value, side="right")
        return np.where(np.isfinite(value), place, len(regimes.edges) + 1).astype(np.int64)


def _inside(pieces: Sequence[Span], span: Span) -> list[Span]:
    """The parts of pieces that lie within a span."""
    cut = [Span(max(p.first, span.first), min(p.stop, span.stop)) for p in pieces]
    return [part for part in cut if part.first < part.stop]
