"""The operating envelope of a model: T² and SPE of its inputs, and the range of each of them.

A model answers for inputs like those that it has learnt from; the guard tells whether they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.fold import merge_all
from lumipipe.models.monitor import MonitorReducer, contributions, fit_monitor, sampled_rows
from lumipipe.models.ranges import RangeReducer, beyond
from lumipipe.uncertainty.control_limits import empirical_limit
from lumipipe.uncertainty.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, Backend, State
    from lumipipe.families.interface import Job
    from lumipipe.fold import Reducer

DISTANCES = ("t2", "spe", "beyond")
"""What is compared with the operating envelope."""
_PAST = 0.05  # of its range, by which an input may lie past the training rows
_ROUNDING = 1e-20  # SPE of residuals that are rounding: 1e-10 of a standard deviation
_SHARE = 0.9  # of the variance of the inputs that the components of the guard carry


@dataclass(frozen=True)
class Guard:
    """What watches the inputs of a model.

    Parameters
    ----------
    reducer : MonitorReducer
        Folds the inputs.
    alpha : float
        Share of training rows that may lie outside, for each statistic.
    scores : Scores
        Takes the distances that set its limits.
    """

    reducer: MonitorReducer
    alpha: float
    scores: Scores = field(default_factory=Scores)

    @property
    def ranges(self) -> RangeReducer:
        """Folds the least and greatest of each input."""
        return RangeReducer(self.reducer.xp, self.reducer.channels, self.reducer.device)

    def distances(
        self,
        backend: Backend,
        arrays: Mapping[str, np.ndarray],
        inputs: Array,
        judge: NDArray[np.int64],
    ) -> dict[str, NDArray[np.float64]]:
        """T² and SPE of rows, each by the guard of its own model.

        Parameters
        ----------
        backend : Backend
            Where `inputs` are.
        arrays : mapping of str to ndarray
            What `guard_arrays` returned.
        inputs : array of float64, shape (row, input)
            NaN where missing.
        judge : ndarray of int64, shape (row,)
            Number of the model that judges a row.

        Returns
        -------
        dict of str to ndarray of float64, shape (row,)
            ``t2`` and ``spe``, and ``beyond``, how far outside the range of an input, in widths
            of the range.
        """
        found = {name: np.full(len(judge), np.nan) for name in DISTANCES}
        for number in np.unique(judge):
            mine = judge == number
            model = backend.state_to_device(guard_model(arrays, int(number)))
            # All rows: a product of fewer rows may round their sums in another order.
            seen = contributions(model, inputs)
            # A learner with an envelope of its own may keep no ranges.
            seen["beyond"] = (
                beyond(model["low"], model["high"], inputs) if "low" in model else 0.0 * seen["t2"]
            )
            for name, column in found.items():
                column[mine] = backend.to_host(seen[name])[mine]
        return found


def has_ranges(job: Job) -> bool:
    """Whether least and greatest inputs are kept; of persons not, for each is that of one."""
    return job.request.rights.personal_data == "none"


def guard_model(arrays: Mapping[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """The parameters of one of the guards in the arrays of a model."""
    prefix = "guard_"
    return {
        name.removeprefix(prefix): array[number]
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def is_inside(
    arrays: Mapping[str, np.ndarray], distances: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Whether rows with these `Guard.distances` lie in the operating envelope."""
    inside = np.ones(len(distances["t2"]), dtype=np.bool_)
    for name in DISTANCES:
        inside &= distances[name] <= arrays[f"envelope_{name}"]
    return inside


def guard_arrays(
    guard: Guard, backend: Backend, states: list[State], ranges: list[State]
) -> dict[str, np.ndarray]:
    """The guards of all folds and of all rows, with their limits.

    Parameters
    ----------
    guard : Guard
        Merges states.
    backend : Backend
        Where the states are.
    states : list of dict of str to array
        State of the inputs of each fold.
    ranges : list of dict of str to array
        Least and greatest inputs of each fold; empty where they are those of persons, and no
        input has a range then.

    Returns
    -------
    dict of str to ndarray
        Parameters with the prefix ``guard_``, one entry for the model without each fold and a
        last one for that of all; ``envelope_t2`` and ``envelope_spe`` (), the limits that a
        share `alpha` of left-out rows is above, and ``envelope_beyond`` ().

    Notes
    -----
    *Method*: as many principal components as carry nine tenths of the variance of the
    standardised inputs, one fewer than inputs at most. Each fold is judged by the model of the
    others; the limits are those of all folds so judged. No input may lie past the training rows
    by more than a twentieth of their range: T² sees one input that leaves its range only where
    that is far. Where the components carry all that varies, SPE is rounding, and its limit lies
    above that.
    """
    width = guard.reducer.channels
    whole = merge_all(guard.reducer, states)
    components = _components(backend, whole, width)
    models = [
        fit_monitor(state, "pca", width, components)
        for state in (*_without_each(guard.reducer, states), whole)
    ]
    ends: list[State] = [{} for _ in models]
    if ranges:
        ends = [*_without_each(guard.ranges, ranges), merge_all(guard.ranges, ranges)]
    seen = [
        contributions(model, sampled_rows(state, width))
        for model, state in zip(models, states, strict=False)
    ]
    host = [backend.state_to_host(m | e) for m, e in zip(models, ends, strict=True)]
    arrays = {f"guard_{name}": np.stack([model[name] for model in host]) for name in host[0]}
    for name in ("t2", "spe"):
        left_out = np.concatenate([backend.to_host(part[name]) for part in seen])
        limit = empirical_limit(guard.scores(f"guard/{name}", left_out), guard.alpha)
        arrays[f"envelope_{name}"] = np.array(limit)
    arrays["envelope_spe"] = np.maximum(arrays["envelope_spe"], _ROUNDING)
    return arrays | {"envelope_beyond": np.array(_PAST)}


def _without_each(reducer: Reducer, states: list[State]) -> list[State]:
    """For each fold the state of the others."""
    return [
        merge_all(reducer, [state for n, state in enumerate(states) if n != fold])
        for fold in range(len(states))
    ]


def _components(backend: Backend, state: State, width: int) -> int:
    """Components that carry most of the variance of the inputs."""
    if width == 1:
        return 1
    full = fit_monitor(state, "pca", width, width - 1)
    variances = backend.to_host(full["score_variance"])
    rest = backend.to_host(full["residual_eigenvalues"])
    total = float(variances.sum() + np.clip(rest, 0.0, None).sum())
    return int(np.searchsorted(np.cumsum(variances), _SHARE * total) + 1)
