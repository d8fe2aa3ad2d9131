"""Linear models whose every figure is for groups that they have not seen.

Nested grouped validation from the merged cross-products of folds, and the prediction of each
row by the model of its fold. Families that classify share it with those that predict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from lumipipe.comm.mapping import broadcast_arrays, map_over_ranks
from lumipipe.fold import merge_all
from lumipipe.models.ridge import fit_path, predict, sampled, squared_errors
from lumipipe.uncertainty.conformal import conformal_quantile, margin_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import Array, Backend, State
    from lumipipe.comm import Comm
    from lumipipe.fold import Leaves, Reducer
    from lumipipe.uncertainty.scores import Scores

    Calibrate = Callable[
        [str, NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]], NDArray[np.float64]
    ]
    Fits = Mapping[tuple[int, int], dict[str, np.ndarray]]


@dataclass(frozen=True)
class NestedSettings:
    """What a nested fit needs to know.

    Parameters
    ----------
    choices : tuple of float
        What is chosen from, such as ridge penalties.
    path : callable of State
        The models of all choices: ``coef`` (choice, input, target), ``mean_x``, ``mean_y``, and
        ``rows`` (), those that means and scales come from.
    calibrate : callable of str and ndarrays
        Thresholds from the name of a model and outputs (row, target), targets (row, target) and
        numbers (row,) of rows that it has not seen.
    errors : callable of State and State
        Sums of squared errors (choice, target), in one unit, of a path of models on the state of
        rows that they have not seen.
    predict : callable of State and Array
        Outputs (choice, row, target) of a path of models.
    event_limits : callable like `calibrate`, optional
        Limits above which somebody acts, where misses and false alarms have a cost.
    """

    choices: tuple[float, ...]
    path: Callable[[State], State]
    calibrate: Calibrate
    errors: Callable[[State, State], Array]
    predict: Callable[[State, Array], Array] = predict
    event_limits: Calibrate | None = None


def ridge_settings(
    penalties: Sequence[float],
    inputs: int,
    calibrate: Calibrate,
    event_limits: Calibrate | None = None,
) -> NestedSettings:
    """Ridge regression with a penalty to choose."""
    return NestedSettings(
        tuple(penalties),
        lambda state: fit_path(state, inputs, penalties),
        calibrate,
        lambda state, path: squared_errors(state, inputs, path),
        event_limits=event_limits,
    )


def set_thresholds(coverage: float, scores: Scores) -> Calibrate:
    """Thresholds of prediction sets: those of each class, from margins of one-hot targets."""

    def calibrate(
        model: str,
        outputs: NDArray[np.float64],
        targets: NDArray[np.float64],
        number: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        del number
        truth = np.argmax(targets, axis=1)
        margins = margin_scores(outputs)[np.arange(len(truth)), truth]
        own = [scores(f"{model}/class {c}", margins[truth == c]) for c in range(outputs.shape[1])]
        return np.array([conformal_quantile(margin, coverage) for margin in own])

    return calibrate


def fold_states(
    backend: Backend, reducer: Reducer, folds: int, leaves: Leaves, comm: Comm
) -> list[State]:
    """The merged state of each fold, on every rank's device.

    Parameters
    ----------
    backend : Backend
        Where the states go.
    reducer : Reducer
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


def outputs_of_fold(
    parameters: State,
    x: Array,
    fold: Array,
    outputs: Callable[[State, Array], Array] = predict,
) -> Array:
    """Outputs of each row by the model of its own fold.

    Parameters
    ----------
    parameters : dict of str to array
        ``coef`` (fold, input, class), ``mean_x`` (fold, input), ``mean_y`` (fold, class).
    x : array, shape (row, input)
        Features.
    fold : array of int64, shape (row,)
        Fold of each row.
    outputs : callable of State and Array
        Outputs (choice, row, class) of a path of models.

    Returns
    -------
    array of float64, shape (row, class)
        Larger is likelier.
    """
    xp = array_namespace(x)
    rows = []
    for number in range(parameters["coef"].shape[0]):
        model = {name: array[number, ...] for name, array in parameters.items()}
        own = outputs(model | {"coef": model["coef"][None, ...]}, x)[0, ...]
        rows.append(xp.where((fold == number)[:, None], own, xp.zeros_like(own)))
    return sum(rows[1:], start=rows[0])


def nested_fit(
    settings: NestedSettings,
    backend: Backend,
    reducer: Reducer,
    states: list[State],
    comm: Comm,
) -> dict[str, np.ndarray]:
    """Models, penalties and thresholds, each free of the fold that it is tested on.

    Parameters
    ----------
    settings : NestedSettings
        Choices, and how they are fitted and calibrated.
    backend : Backend
        Where the states are.
    reducer : Reducer
        Merges states, which have a ``count`` of rows and a sample of them.
    states : list of dict of str to array
        State of each fold.
    comm : Comm
        Ranks that share the fits.

    Returns
    -------
    dict of str to ndarray
        ``fold_coef`` (fold, input, target), ``fold_mean_x``, ``fold_mean_y``,
        ``fold_choice`` (fold,), ``fold_rows`` (fold,), ``fold_threshold`` (fold, ...); the
        same with the prefix ``final_`` for the model of all folds; ``path_error`` (fold, choice),
        the mean squared error on the fold of the models that did not see it; ``fold_event_limit``
        (fold, limit) and ``final_event_limit`` where `settings` has limits for events.

    Notes
    -----
    *Method*: for folds p ≠ q, the model of all folds but p and q is validated on q. Its error
    there chooses p's model, and its outputs there calibrate it.

    *Cost*: F (F - 1) / 2 + F + 1 paths of fits, shared by the ranks.
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
    rows = [backend.state_to_host(sampled(state)) for state in states]
    counts = np.array([int(backend.to_host(state["count"])) for state in states])
    others = [[(p, q) for q in range(folds) if q != p] for p in range(folds)]
    alone = [(p, p) for p in range(folds)]
    chosen, final = [_choose(fits, others[p]) for p in range(folds)], _choose(fits, alone)
    everything = backend.state_to_host(settings.path(merge_all(reducer, states)))
    own = [fits[pair] for pair in alone]

    def calibrated(calibrate: Calibrate, name: str) -> dict[str, np.ndarray]:
        by_fold = [
            _thresholds(calibrate, f"fold {p}", fits, rows, others[p], chosen[p])
            for p in range(folds)
        ]
        last = _thresholds(calibrate, "final", fits, rows, alone, final)
        return {f"fold_{name}": np.stack(by_fold), f"final_{name}": last}

    events = settings.event_limits
    return {
        "fold_coef": np.stack([own[p]["coef"][chosen[p]] for p in range(folds)]),
        "fold_mean_x": np.stack([fit["mean_x"] for fit in own]),
        "fold_mean_y": np.stack([fit["mean_y"] for fit in own]),
        "fold_rows": np.stack([fit["rows"] for fit in own]),
        "fold_choice": np.array([settings.choices[c] for c in chosen]),
        **calibrated(settings.calibrate, "threshold"),
        "final_coef": everything["coef"][final],
        "final_mean_x": everything["mean_x"],
        "final_mean_y": everything["mean_y"],
        "final_rows": everything["rows"],
        "final_choice": np.array(settings.choices[final]),
        "path_error": np.stack(
            [own[p][f"{p}.error"].sum(axis=1) / max(1, counts[p]) for p in range(folds)]
        ),
        "windows": counts,
        **({} if events is None else calibrated(events, "event_limit")),
    }


def _fit_without(
    settings: NestedSettings,
    backend: Backend,
    reducer: Reducer,
    states: list[State],
    left_out: tuple[int, int],
) -> dict[str, np.ndarray]:
    """The path fitted without one or two folds, with its errors and outputs on them."""
    rest = [state for fold, state in enumerate(states) if fold not in left_out]
    path = settings.path(merge_all(reducer, rest))
    results = {"": path} if left_out[0] == left_out[1] else {}
    for fold in sorted(set(left_out)):
        results[f"{fold}."] = {
            "error": settings.errors(states[fold], path),
            "outputs": settings.predict(path, sampled(states[fold])["x"]),
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
    """Number of the choice with the lowest mean squared error on the validating folds."""
    errors = sum(fits[_pair(p, q)][f"{q}.error"].sum(axis=1) for p, q in validations)
    return int(np.argmin(errors))


def _thresholds(  # of one model, on the folds that it is validated on
    calibrate: Calibrate,
    model: str,
    fits: Fits,
    rows: list[dict[str, NDArray[Any]]],
    validations: list[tuple[int, int]],
    choice: int,
) -> NDArray[np.float64]:
    """Thresholds from the outputs on the sampled rows of the validating folds."""
    outputs = [fits[_pair(p, q)][f"{q}.outputs"][choice] for p, q in validations]
    seen = [rows[q] for _, q in validations]
    return calibrate(
        model,
        np.concatenate(outputs),
        np.concatenate([part["y"] for part in seen]),
        np.concatenate([part["number"] for part in seen]),
    )
