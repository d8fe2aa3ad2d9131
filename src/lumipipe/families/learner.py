"""What a regression learns with: a reducer, its models to choose from, and its own envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from lumipipe.backend import Backend, State
    from lumipipe.families.grouped_ridge import Calibrate, NestedSettings
    from lumipipe.uncertainty.scores import Scores


@dataclass(frozen=True)
class Learner:
    """Models of features with gaps, and the distances of rows from those that they know.

    Parameters
    ----------
    reducer : callable
        The reducer of features and targets, NaN where missing, from the array namespace, the
        numbers of features, targets and sampled rows, and a seed.
    nested : callable
        What `lumipipe.families.grouped_ridge.nested_fit` takes, from the number of features and
        the calibration.
    envelope : callable
        Parameters with the prefix ``guard_`` and limits ``envelope_t2`` and ``envelope_spe``, as
        `lumipipe.families.guard.guard_arrays` gives them, but of features: from backend, states of
        the folds, fitted arrays, the share of rows that may lie outside, and what takes the
        distances that set the limits.
    """

    reducer: Callable[[Any, int, int, int, int], Any]
    nested: Callable[[int, Calibrate], NestedSettings]
    envelope: Callable[
        [Backend, list[State], Mapping[str, np.ndarray], float, Scores], dict[str, np.ndarray]
    ]
