"""A ridge classifier whose every figure is for groups that its model has not seen.

Nested grouped validation from the merged cross-products of folds, and the prediction of each
row by the model of its fold. Families that classify share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from lumipipe.comm.mapping import broadcast_arrays, map_over_ranks
from lumipipe.fold import merge_all
from lumipipe.models.ridge import RidgeReducer, fit_path, predict, sampled, squared_errors
from lumipipe.uncertainty.conformal import class_thresholds, margin_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, Backend, State
    from lumipipe.comm import Comm
    from lumipipe.fold import Leaves

    Fits = Mapping[tuple[int, int], dict[str, np.ndarray]]


@dataclass(frozen=True)
class NestedSettings:
    """What a nested fit needs to know.

    Parameters
    ----------
    penalties : tuple of float
        Ridge penalties to choose from.
    coverage : float
        Nominal coverage of the prediction sets.
    """

    penalties: tuple[float, ...]
    coverage: float


def fold_states(
    backend: Backend, reducer: RidgeReducer, folds: int, leaves: Leaves, comm: Comm
) -> list[State]:
    """The merged state of each fold, on every rank's device.

    Parameters
    ----------
    backend : Backend
        Where the states go.
    reducer : RidgeReducer
        Merges states.
    folds : int
        Number of folds.
    leaves : dict of (unit, fold) to State
        On rank 0, the leaves; merged in the order of their names.
    comm : Comm
        All ranks.

    Returns
    -------
    list of dict of str to array
        One state a fold.
    """
    packed: dict[str, np.ndarray] = {}
    for fold in range(folds if comm.rank == 0 else 0):
        parts = [
            backend.state_to_device(leaves[leaf]) for leaf in sorted(leaves) if leaf[1] == str(fold)
        ]
        merged = backend.state_to_host(merge_all(reducer, parts))
        packed |= {f"{fold}.{name}": array for name, array in merged.items()}
    states: list[State] = [{} for _ in range(folds)]
    for key, array in broadcast_arrays(comm, packed).items():
        number, name = key.split(".", 1)
        states[int(number)][name] = backend.asarray(array)
    return states


def outputs_of_fold(parameters: State, x: Array, fold: Array) -> Array:
    """Outputs of each row by the model of its own fold.

    Parameters
    ----------
    parameters : dict of str to array
        ``coef`` (fold, input, class), ``mean_x`` (fold, input), ``mean_y`` (fold, class).
    x : array, shape (row, input)
        Features.
    fold : array of int64, shape (row,)
        Fold of each row.

    Returns
    -------
    array of float64, shape (row, class)
        Larger is likelier.
    """
    xp = array_namespace(x)
    rows = []
    for number in range(parameters["coef"].shape[0]):
        model = {name: array[number, ...] for name, array in parameters.items()}
        own = predict(model | {"coef": model["coef"][None, ...]}, x)[0, ...]
        rows.append(xp.where((fold == number)[:, None], own, xp.zeros_like(own)))
    return sum(rows[1:], start=rows[0])


def nested_fit(
    settings: NestedSettings,
    backend: Backend,
    reducer: RidgeReducer,
    states: list[State],
    comm: Comm,
) -> dict[str, np.ndarray]:
    """Models, penalties and thresholds, each free of the fold that it is tested on.

    Parameters
    ----------
    settings : NestedSettings
        Penalties and coverage.
    backend : Backend
        Where the states are.
    reducer : RidgeReducer
        Merges states.
    states : list of dict of str to array
        State of each fold.
    comm : Comm
        Ranks that share the fits.

    Returns
    -------
    dict of str to ndarray
        ``fold_coef`` (fold, input, class), ``fold_mean_x``, ``fold_mean_y``,
        ``fold_penalty`` (fold,), ``fold_threshold`` (fold, class); the same with the prefix
        ``final_`` for the model of all folds; ``path_error`` (fold, penalty), the mean
        squared error on the fold of the models that did not see it.

    Notes
    -----
    *Method*: for folds p ≠ q, the model of all folds but p and q is validated on q. Its error
    there chooses the penalty of p's model and its margins there calibrate p's sets.

    *Cost*: F (F - 1) / 2 + F + 1 paths of fits of d³ / 3 flops a penalty, shared by the ranks.
    """
    folds = len(states)
    pairs = [(p, q) for p in range(folds) for q in range(p, folds)]
    fits = dict(
        zip(
            pairs,
            map_over_ranks(
                comm,
                len(pairs),
                lambda number: _fit_without(settings, backend, reducer, states, pairs[number]),
            ),
            strict=True,
        )
    )
    truth = [
        np.argmax(backend.to_host(sampled(state)["y"]), axis=1).astype(np.int64) for state in states
    ]
    counts = np.array([int(backend.to_host(state["count"])) for state in states])
    others = [[(p, q) for q in range(folds) if q != p] for p in range(folds)]
    alone = [(p, p) for p in range(folds)]
    chosen, final = [_choose(fits, others[p]) for p in range(folds)], _choose(fits, alone)
    penalties, coverage = settings.penalties, settings.coverage
    everything = backend.state_to_host(
        fit_path(merge_all(reducer, states), reducer.inputs, [penalties[final]])
    )
    own = [fits[pair] for pair in alone]
    return {
        "fold_coef": np.stack([own[p]["coef"][chosen[p]] for p in range(folds)]),
        "fold_mean_x": np.stack([fit["mean_x"] for fit in own]),
        "fold_mean_y": np.stack([fit["mean_y"] for fit in own]),
        "fold_penalty": np.array([penalties[c] for c in chosen]),
        "fold_threshold": np.stack(
            [_thresholds(fits, truth, others[p], chosen[p], coverage) for p in range(folds)]
        ),
        "final_coef": everything["coef"][0],
        "final_mean_x": everything["mean_x"],
        "final_mean_y": everything["mean_y"],
        "final_penalty": np.array(penalties[final]),
        "final_threshold": _thresholds(fits, truth, alone, final, coverage),
        "path_error": np.stack(
            [own[p][f"{p}.error"].sum(axis=1) / max(1, counts[p]) for p in range(folds)]
        ),
        "windows": counts,
    }


def _fit_without(
    settings: NestedSettings,
    backend: Backend,
    reducer: RidgeReducer,
    states: list[State],
    left_out: tuple[int, int],
) -> dict[str, np.ndarray]:
    """The path fitted without one or two folds, with its errors and outputs on them."""
    rest = [state for fold, state in enumerate(states) if fold not in left_out]
    path = fit_path(merge_all(reducer, rest), reducer.inputs, settings.penalties)
    results = {"": path} if left_out[0] == left_out[1] else {}
    for fold in sorted(set(left_out)):
        results[f"{fold}."] = {
            "error": squared_errors(states[fold], reducer.inputs, path),
            "outputs": predict(path, sampled(states[fold])["x"]),
        }
    return {
        prefix + name: array
        for prefix, arrays in results.items()
        for name, array in backend.state_to_host(arrays).items()
    }


def _pair(p: int, q: int) -> tuple[int, int]:
    """The key of a pair of folds."""
    return (min(p, q), max(p, q))


def _choose(
    fits: Fits,
    validations: list[tuple[int, int]],
) -> int:
    """Number of the penalty with the lowest mean squared error on the validating folds."""
    errors = sum(fits[_pair(p, q)][f"{q}.error"].sum(axis=1) for p, q in validations)
    return int(np.argmin(errors))


def _thresholds(
    fits: Fits,
    truth: list[NDArray[np.int64]],
    validations: list[tuple[int, int]],
    penalty: int,
    coverage: float,
) -> NDArray[np.float64]:
    """Thresholds of the classes from the margins on the validating folds."""
    scores, labels = [], []
    for p, q in validations:
        margins = margin_scores(fits[_pair(p, q)][f"{q}.outputs"][penalty])
        scores.append(margins[np.arange(len(truth[q])), truth[q]])
        labels.append(truth[q])
    classes = fits[_pair(*validations[0])][f"{validations[0][1]}.outputs"].shape[-1]
    return class_thresholds(np.concatenate(scores), np.concatenate(labels), classes, coverage)
