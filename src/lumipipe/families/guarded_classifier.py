"""A classifier of windows that also knows what its windows looked like: what a bundle needs.

The guard watches level and spread of each input channel; it sees no shapes. Least and greatest
values, which are those of single units, it keeps of machines alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lumipipe.config import Fraction  # noqa: TC001  # settings are built at run time
from lumipipe.families.grouped_ridge import fold_states
from lumipipe.families.guard import Guard, guard_arrays, has_ranges
from lumipipe.families.interface import Model, Pass
from lumipipe.families.window_classifier import ClassifierSettings, WindowClassifier
from lumipipe.kernels.windows import levels
from lumipipe.metrics.rows import Renamed, Together
from lumipipe.models.monitor import MonitorReducer

if TYPE_CHECKING:
    from lumipipe.backend import Array, State
    from lumipipe.comm import Comm
    from lumipipe.fold import Leaves

_LEARNT, _WATCHED, _RANGE = "fit", "guard", "range"  # parts of a state


class GuardedSettings(ClassifierSettings):
    """How classes are learnt from windows, and which windows to come are refused."""

    guard_alpha: Fraction = 0.01
    """Share of training windows that may lie outside the envelope of a bundle, by statistic."""


@dataclass(frozen=True)
class GuardedClassifier(WindowClassifier):
    """A classifier with the guard that its bundle has."""

    settings: GuardedSettings

    @cached_property
    def guard(self) -> Guard:
        """What watches level and spread of each input channel."""
        rows, watched = self.settings.sample_rows, 2 * len(self.channels)
        reducer = MonitorReducer(self.job.backend.xp, watched, rows, self.job.seed)
        return Guard(reducer, self.settings.guard_alpha, self.job.scores)

    @cached_property
    def _together(self) -> Together:
        watched: dict[str, Any] = {_WATCHED: self.guard.reducer}
        if has_ranges(self.job):
            watched[_RANGE] = self.guard.ranges
        renamed = {name: Renamed(part, {"x": "levels"}) for name, part in watched.items()}
        return Together({_LEARNT: self.reducer, **renamed})

    def train_pass(self) -> Pass:
        """Cross-products, a sample of rows and the guard for each fold of each unit."""
        return self._pass(self._together, self._measure_training)

    def fit(self, leaves: Leaves, comm: Comm) -> Model:
        """The models of all folds with their thresholds, and the one for new data; guards of each.

        The card is that of a classifier without a guard.
        """
        backend = self.job.backend
        states = fold_states(backend, self._together, self.folds, leaves, comm)
        model = self.fitted([self.learnt(state) for state in states], comm)
        watched = [self._together.part(state, _WATCHED) for state in states]
        ranges = [self._together.part(state, _RANGE) for state in states if has_ranges(self.job)]
        guard = guard_arrays(self.guard, backend, watched, ranges)
        return Model(model.arrays | guard, model.card)

    def learnt(self, state: State) -> State:
        """Cross-products and sampled rows of features in a state, without those of the guard."""
        return self._together.part(state, _LEARNT)

    def _measure_windows(self, windows: Array) -> dict[str, Array]:
        """Features, and the level and spread that the guard watches."""
        return super()._measure_windows(windows) | {"levels": levels(windows, self.scales)}
