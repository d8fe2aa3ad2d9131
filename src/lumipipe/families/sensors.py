"""Sensors that read other than the others say: each input of a model predicted from the rest.

It takes the states that the operating envelope (`lumipipe.families.guard`) has folded anyway. The
envelope tells that a row is unlike the known ones; this tells whether one sensor alone is why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.fold import merge_all
from lumipipe.models.each_from_others import fit_each_from_others, residuals_from_others
from lumipipe.models.monitor import sampled_rows
from lumipipe.uncertainty.control_limits import empirical_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, Backend, State
    from lumipipe.families.guard import Guard

MENDED = ("t2_mended", "spe_mended", "excess_mended")
"""What `sensor_scores` says of rows with their suspect mended."""
LEAST_TOLD = 0.75
"""Share of an input's variance that the others must tell, or it cannot be validated by them."""
_PREFIX = "others_"


def sensor_arrays(guard: Guard, backend: Backend, states: list[State]) -> dict[str, np.ndarray]:
    """The regressions of each input on the others, with their limits.

    Parameters
    ----------
    guard : Guard
        Merges states.
    backend : Backend
        Where the states are.
    states : list of dict of str to array
        State of the inputs of each fold.

    Returns
    -------
    dict of str to ndarray
        Parameters with the prefix ``others_``, one entry for the model without each fold and a
        last one for that of all; ``sensor_limit`` and ``sensor_error`` (input,), in scales of
        the inputs: what the size of a left-out residual passes with the chance alpha over the
        number of inputs, and the root of the mean square of those residuals.

    Notes
    -----
    *Method*: each fold is judged by the model of the others, so the limits hold for stretches of
    time that the regressions have not seen. Alpha is shared out, so that a good row has a
    sensor above its limit with the chance alpha at most (Bonferroni).
    """
    width = guard.reducer.channels
    without = [
        merge_all(guard.reducer, [s for n, s in enumerate(states) if n != fold])
        for fold in range(len(states))
    ]
    models = [fit_each_from_others(state) for state in (*without, merge_all(guard.reducer, states))]
    seen = [
        backend.to_host(residuals_from_others(model, sampled_rows(state, width)))
        for model, state in zip(models, states, strict=False)
    ]
    host = [backend.state_to_host(model) for model in models]
    arrays = {_PREFIX + name: np.stack([model[name] for model in host]) for name in host[0]}
    sizes = [
        guard.scores(f"sensor {number}", np.abs(column))
        for number, column in enumerate(np.concatenate(seen).T)
    ]
    alpha = guard.alpha / width
    arrays["sensor_limit"] = np.array([empirical_limit(size, alpha) for size in sizes])
    arrays["sensor_error"] = np.array(
        [np.sqrt(np.mean(size**2)) if len(size) else np.nan for size in sizes]
    )
    arrays["sensor_told"] = 1.0 - arrays["sensor_error"] ** 2  # of a variance of 1
    return arrays


def sensor_scores(
    guard: Guard,
    backend: Backend,
    arrays: Mapping[str, np.ndarray],
    inputs: Array,
    judge: NDArray[np.int64],
) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """How far each sensor reads from what the others say, and the envelope without the worst one.

    Parameters
    ----------
    guard : Guard
        The operating envelope.
    backend : Backend
        Where `inputs` are.
    arrays : mapping of str to ndarray
        What `sensor_arrays` and `lumipipe.families.guard.guard_arrays` returned.
    inputs : array of float64, shape (row, input)
        NaN where missing.
    judge : ndarray of int64, shape (row,)
        Number of the model that judges a row.

    Returns
    -------
    dict of str to ndarray
        ``excess`` float64 (row, input), the residual over its limit, above 0 where the sensor
        reads high, NaN where missing; ``suspect`` int64 (row,), the input with the greatest
        residual in left-out standard deviations, which rare rows do not widen as they widen
        limits; ``t2_mended``, ``spe_mended`` and ``excess_mended`` float64 (row,), distances and
        greatest excess with the suspect's value replaced by what the others say.

    Notes
    -----
    *Method*: a fault of one sensor raises its own residual the most, in standard deviations,
    whatever the size of the fault (Cauchy and Schwarz on the elements of the inverse covariance;
    the square is the contribution by reconstruction of [1]_).

    *Accuracy*: naming needs more inputs than what moves them; among three inputs that two things
    move, a fault of any looks like that of any other.

    References
    ----------
    .. [1] C. F. Alcala and S. J. Qin, "Reconstruction-based contribution for process monitoring",
       Automatica 45 (2009) 1593-1600.
    """
    residual = np.full(inputs.shape, np.nan)
    scale = arrays[f"{_PREFIX}scale"][judge]
    for number in np.unique(judge):
        mine = np.flatnonzero(judge == number)
        model = {
            name.removeprefix(_PREFIX): array[number]
            for name, array in arrays.items()
            if name.startswith(_PREFIX)
        }
        rows = backend.xp.take(inputs, backend.asarray(mine), axis=0)
        residual[mine] = backend.to_host(
            residuals_from_others(backend.state_to_device(model), rows)
        )
    excess = np.sign(residual) * _over(np.abs(residual), arrays["sensor_limit"])
    known = np.where(np.isnan(residual), 0.0, np.abs(residual))
    suspect = np.argmax(_over(known, arrays["sensor_error"]), axis=1)
    row = np.arange(len(judge))
    error = np.nan_to_num(residual[row, suspect])
    taken = np.zeros(residual.shape)
    taken[row, suspect] = error * scale[row, suspect]
    weight = arrays[f"{_PREFIX}weight"][judge, :, suspect]
    rest = _over(np.abs(residual - error[:, None] * weight), arrays["sensor_limit"])
    mended = guard.distances(backend, arrays, inputs - backend.asarray(taken), judge)
    return {
        "excess": excess,
        "suspect": suspect,
        "t2_mended": mended["t2"],
        "spe_mended": mended["spe"],
        "excess_mended": np.where(np.isnan(rest), 0.0, rest).max(axis=1),
    }


def _over(size: NDArray[np.float64], limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sizes over limits; a sensor that never differed (limit 0) has infinity where it does."""
    never = np.where(size > 0, np.inf, np.where(np.isnan(size), np.nan, 0.0))
    return np.where(limit > 0, size / np.where(limit > 0, limit, 1.0), never)
