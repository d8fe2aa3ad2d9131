"""Techniques in windows: margins at label changes, and models of others, of oneself, of both.

One pass gives a state for each recording. Models for unseen athletes, an athlete's personal model
and the model of both are merges of chosen states.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from array_api_compat import array_namespace
from pydantic import Field

from lumipipe.comm.mapping import broadcast_arrays
from lumipipe.config import PositiveFloat  # noqa: TC001  # settings are built at run time
from lumipipe.families.class_events import event_facts
from lumipipe.families.class_moments import class_moments
from lumipipe.families.grouped_ridge import (
    NestedSettings,
    fold_states,
    nested_fit,
    outputs_of_fold,
    set_thresholds,
)
from lumipipe.families.interface import Model
from lumipipe.families.window_classifier import ClassifierSettings, WindowClassifier
from lumipipe.fold import merge_all
from lumipipe.metrics.confusion import ConfusionReducer
from lumipipe.metrics.rows import RowsReducer, Together
from lumipipe.models.discriminant import balanced_brier, discriminant_path, discriminants
from lumipipe.models.ridge import sampled
from lumipipe.uncertainty.conformal import margin_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, State
    from lumipipe.comm import Comm
    from lumipipe.families.interface import Block, Pass
    from lumipipe.fold import Batch, Leaf, Leaves

STABLE, CHANGE = "stable", "change"
PERSONAL = ("own", "both")
"""Models beside the one of other athletes: of an athlete's other recordings, and of all others."""


class TechniqueSettings(ClassifierSettings):
    """How techniques are learnt from windows."""

    window_s: PositiveFloat = 3.0
    """Length of a window: two to four poling cycles."""
    margin_s: Annotated[float, Field(ge=0)] = 3.0
    """A window closer than this to a change of its label teaches nothing and is judged apart:
    labels to a second, values averaged over the last cycles, and a change that takes a cycle or
    two make a label there a matter of taste."""
    features: dict[str, dict[str, Any]] = {"statistics": {}, "ratios": {}}
    """Features by name, each with its own settings."""
    penalties: Annotated[list[PositiveFloat], Field(min_length=1)] = [
        10.0,
        100.0,
        1e3,
        1e4,
        1e5,
    ]
    """Penalties of the discriminants to choose from."""
    sample_rows: Annotated[int, Field(ge=16)] = 4096
    """Windows of each fold that choose the penalty and calibrate prediction sets."""


@dataclass(frozen=True)
class TechniqueClassifier(WindowClassifier):
    """A classifier that knows its own unsure places, and athletes of whom it has more."""

    settings: TechniqueSettings

    @property
    def margin_rows(self) -> int:
        """Rows on both sides of a window that must carry its label."""
        return round(self.settings.margin_s * self.rate_hz)

    @property
    def plan_rows(self) -> int:
        """Rows of a window with its margins."""
        return self.window_rows + 2 * self.margin_rows

    def truth_and_change(self, block: Block) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Class of each window by most of its rows, and whether it changes in or near it."""
        margin, classes = self.margin_rows, len(self.classes)
        if not self.per_row:
            return self._class_of_recording[block.recording], np.zeros(len(block.number), np.bool_)
        rows = block.labels[self.settings.label][block.starts[:, None] + np.arange(block.length)]
        inner = rows[:, margin : block.length - margin]
        counts = np.stack([(inner == c).sum(axis=1) for c in range(classes)], axis=1)
        return counts.argmax(axis=1).astype(np.int64), (rows != rows[:, :1]).any(axis=1)

    def fit(self, leaves: Leaves, comm: Comm) -> Model:
        """Models for athletes not seen, with penalties and thresholds, and personal ones."""
        backend, coverage = self.job.backend, self.job.request.evaluation.interval.coverage
        states = fold_states(backend, self.reducer, self.folds, leaves, comm)
        arrays = nested_fit(self._nested(coverage), backend, self.reducer, states, comm)
        arrays |= class_moments(backend, self.reducer, states)
        found = self._personal(leaves, arrays["fold_choice"]) if comm.rank == 0 else {}
        arrays |= broadcast_arrays(comm, found)
        card = {
            "classes": list(self.classes),
            "channels": [
                [c.name, c.quantity, c.unit]
                for c in (self.stream.channels[place] for place in self.inputs)
            ],
            "rate_hz": self.rate_hz,
            "window_rows": self.window_rows,
            "margin_rows": self.margin_rows,
            "features": [name for feature in self.features for name in feature.names],
            "penalties": list(self.settings.penalties),
            "fold_of_group": self.fold_of_group,
            "coverage": coverage,
        }
        return Model(arrays, card | event_facts(self.event, self.classes, arrays))

    def _nested(self, coverage: float) -> NestedSettings:
        """Discriminants whose penalty has the least Brier score, each class counting alike."""
        inputs, penalties = self.reducer.inputs, tuple(self.settings.penalties)

        def errors(state: State, path: State) -> Array:
            rows = sampled(state)
            xp = array_namespace(rows["x"])
            found = balanced_brier(discriminants(path, rows["x"]), rows["y"])
            seen = xp.astype(xp.sum(rows["y"], axis=0) > 0.0, xp.float64)
            classes = xp.maximum(xp.sum(seen), xp.ones_like(xp.sum(seen)))
            return found * xp.astype(state["count"], xp.float64) / classes

        return NestedSettings(
            penalties,
            lambda state: discriminant_path(state, inputs, penalties),
            set_thresholds(coverage, self.job.scores),
            errors,
            discriminants,
            self.event_limits,
        )

    def _personal(self, leaves: Leaves, choice: NDArray[np.float64]) -> dict[str, np.ndarray]:
        """Of each recording: the model of its athlete's others, and that of all others.

        Penalties are those of the models that have not seen the athlete.
        """
        backend, job = self.job.backend, self.job
        units = [row.unit for row in job.dataset.recordings]
        number_of = {row.id: number for number, row in enumerate(job.dataset.recordings)}
        inputs, classes = self.reducer.inputs, len(self.classes)
        states = {
            number_of[leaf[2]]: backend.state_to_device(leaves[leaf])
            for leaf in sorted(leaves, key=lambda leaf: number_of[leaf[2]])
        }
        found = {
            f"{kind}_{name}": np.zeros((len(units), *shape))
            for kind in PERSONAL
            for name, shape in (("coef", (inputs + 1, classes)), ("mean_x", (inputs,)))
        } | {f"{kind}_known": np.zeros(len(units), dtype=np.bool_) for kind in PERSONAL}
        for r in states:
            own = [q for q in states if q != r and units[q] == units[r]]
            teachers = {"own": own, "both": [q for q in states if q != r] if own else []}
            penalty = float(choice[self.fold_of_group[self.groups[r]]])
            for kind, numbers in teachers.items():
                if not numbers:
                    continue
                merged = merge_all(self.reducer, [states[q] for q in numbers])
                path = backend.state_to_host(discriminant_path(merged, inputs, [penalty]))
                if (path["mean_y"] > 0).sum() < 2:  # noqa: PLR2004  # nothing to tell apart
                    continue
                found[f"{kind}_coef"][r] = path["coef"][0]
                found[f"{kind}_mean_x"][r] = path["mean_x"]
                found[f"{kind}_known"][r] = True
        return found

    def score_pass(self, model: Model) -> Pass:
        """Each window by the models of others, of its athlete's other recordings, and of both."""
        xp, classes = self.job.backend.xp, len(self.classes)
        columns = {
            "number": ("int64", ()),
            "recording": ("int64", ()),
            "first_row": ("int64", ()),
            "truth": ("int64", ()),
            "change": ("bool", ()),
            "outputs": ("float64", (classes,)),
            "in_set": ("bool", (classes,)),
            **dict.fromkeys(PERSONAL, ("float64", (classes,))),
        }
        parts = {"confusion": ConfusionReducer(xp, classes), "rows": RowsReducer(xp, columns)}
        device = self.job.backend.state_to_device
        others = device({name: model.arrays[f"fold_{name}"] for name in ("coef", "mean_x")})
        personal = {
            kind: device({name: model.arrays[f"{kind}_{name}"] for name in ("coef", "mean_x")})
            for kind in PERSONAL
        }

        def measure(block: Block) -> Mapping[Leaf, Batch]:
            return self._measure_all(model, others, personal, block)

        return self._pass(Together(parts), measure)

    def _truth(self, block: Block) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The class of each window, and the numbers of those pure enough to be judged."""
        margin = self.margin_rows
        return super()._truth(replace(block, starts=block.starts + margin, length=self.window_rows))

    def _measure_training(self, block: Block) -> Mapping[Leaf, Batch]:
        """Features and one-hot classes by fold and recording, away from changes."""
        backend = self.job.backend
        truth, pure = self._truth(block)
        keep = pure[~self.truth_and_change(block)[1][pure]]
        fold, recording = self._fold(block)[keep], block.recording[keep]
        x = self._measure(block, keep)
        one_hot = backend.asarray(np.eye(len(self.classes))[truth[keep]])
        # The sample of a fold must not change when another athlete joins or leaves.
        number = backend.asarray(self.plan.own_numbers(block.number[keep]))
        host = {"x": x, "y": one_hot, "number": number}
        batches: dict[Leaf, Batch] = {}
        for r in np.unique(recording):
            place = np.flatnonzero(recording == r)
            chosen = backend.asarray(place)
            batches[str(fold[place[0]]), self.job.dataset.recordings[r].id] = {
                name: backend.xp.take(array, chosen, axis=0) for name, array in host.items()
            }
        return batches

    def _measure_all(
        self, model: Model, others: State, personal: Mapping[str, State], block: Block
    ) -> Mapping[Leaf, Batch]:
        """Outputs, sets and truth by athlete and by nearness of a change."""
        backend = self.job.backend
        truth, keep = self._truth(block)
        change = self.truth_and_change(block)[1][keep]
        fold, recording = self._fold(block)[keep], block.recording[keep]
        x = self._measure(block, keep)
        outputs = backend.to_host(outputs_of_fold(others, x, backend.asarray(fold), discriminants))
        host = {
            "number": block.number[keep],
            "recording": recording,
            "first_row": block.first_row + block.starts[keep] + self.margin_rows,
            "truth": truth[keep],
            "change": change,
            "predicted": np.argmax(outputs, axis=1),
            "outputs": outputs,
            "in_set": margin_scores(outputs) <= model.arrays["fold_threshold"][fold],
        } | {
            kind: self._outputs_of_recording(
                parameters, model.arrays[f"{kind}_known"], x, recording
            )
            for kind, parameters in personal.items()
        }
        group = self._group(block)[keep]
        batches: dict[Leaf, Batch] = {}
        for name in sorted(set(group)):
            for part, mask in ((STABLE, ~change), (CHANGE, change)):
                chosen = (group == name) & mask
                if chosen.any():
                    batches[str(name), part] = {
                        key: backend.asarray(array[chosen]) for key, array in host.items()
                    }
        return batches

    def _outputs_of_recording(
        self,
        parameters: State,
        known: NDArray[np.bool_],
        x: Array,
        recording: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Outputs of each window by the model of its recording; NaN where there is none."""
        backend = self.job.backend
        found = np.full((len(recording), len(self.classes)), np.nan)
        for r in np.unique(recording):
            if known[r]:
                model = {
                    "coef": parameters["coef"][int(r) : int(r) + 1, ...],
                    "mean_x": parameters["mean_x"][int(r), ...],
                }
                rows = np.flatnonzero(recording == r)
                own = backend.xp.take(x, backend.asarray(rows), axis=0)
                found[rows] = backend.to_host(discriminants(model, own)[0, ...])
        return found
