"""Ridge regression from merged cross-products: the whole path, its folds, its residuals.

One pass over the data gives a state for each leaf. A fold of a cross-validation is fitted on
the merge of the other leaves and validated on its own; states are never subtracted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

from lumipipe.kernels.moments import comoments, merge_comoments
from lumipipe.kernels.solve import is_constant, ridge_path
from lumipipe.models.sample import merge_samples, sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lumipipe.backend import Array, State

_PREFIX = "sample_"


@dataclass(frozen=True)
class RidgeReducer:
    """Cross-products of inputs and targets, and a uniform sample of rows.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    inputs, targets : int
        Columns of ``x`` and of ``y``.
    sample_rows : int
        Rows that are kept for the calibration of residuals.
    seed : int
        Key of the sample.

    Notes
    -----
    The batch has ``x`` (row, input), ``y`` (row, target) and ``number`` int64 (row,); products
    are in the precision of ``x``, as in `lumipipe.kernels.moments.comoments`. The
    state has ``count``, ``mean`` and ``comoment`` of the columns of ``[x, y]``, and the
    sample's rows under names with the prefix ``sample_``.
    """

    xp: Any
    inputs: int
    targets: int
    sample_rows: int
    seed: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp, width = self.xp, self.inputs + self.targets
        kept = {"x": self.inputs, "y": self.targets}
        return {
            "count": xp.zeros((), dtype=xp.int64, device=self.device),
            "mean": xp.zeros((width,), dtype=xp.float64, device=self.device),
            "comoment": xp.zeros((width, width), dtype=xp.float64, device=self.device),
            **{
                _PREFIX + name: xp.zeros((0, size), dtype=xp.float64, device=self.device)
                for name, size in kept.items()
            },
            _PREFIX + "number": xp.zeros((0,), dtype=xp.int64, device=self.device),
            _PREFIX + "priority": xp.zeros((0,), dtype=xp.float64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        rows = sample(self.seed, self.sample_rows, dict(batch), batch["number"])
        rows |= {name: self.xp.astype(rows[name], self.xp.float64) for name in ("x", "y")}
        new = comoments(batch["x"], batch["y"])
        return self.merge(state, new | {_PREFIX + name: array for name, array in rows.items()})

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        rows = merge_samples(self.sample_rows, sampled(first), sampled(second))
        return merge_comoments(first, second) | {
            _PREFIX + name: array for name, array in rows.items()
        }


def sampled(state: State) -> State:
    """The sample's rows of a state: ``x``, ``y``, ``number`` and ``priority``."""
    return {
        name.removeprefix(_PREFIX): array
        for name, array in state.items()
        if name.startswith(_PREFIX)
    }


def fit_path(state: State, inputs: int, penalties: Sequence[float]) -> State:
    """Ridge models for a path of penalties.

    Parameters
    ----------
    state : dict of str to array
        A state of `RidgeReducer` with at least two rows.
    inputs : int
        Columns of ``x``.
    penalties : sequence of float
        Penalties on coefficients of standardised inputs, each divided by nothing: the same
        penalty weighs less the more rows there are.

    Returns
    -------
    dict of str to array
        ``coef`` float64 (penalty, input, target) in the inputs' own units, ``mean_x``
        float64 (input,), ``mean_y`` float64 (target,), ``rows`` int64 (), those that means and
        scales come from.

    Notes
    -----
    *Method*: inputs are scaled by the standard deviation of the state's rows; inputs that
    are constant within rounding get a coefficient of zero.
    """
    comoment, mean = state["comoment"], state["mean"]
    xp = array_namespace(comoment)
    where = device(comoment)
    count = xp.astype(state["count"], xp.float64)
    variance = xp.linalg.diagonal(comoment)[:inputs] / (count - 1.0)
    constant = is_constant(variance, mean[:inputs], count)
    one = xp.ones((), dtype=xp.float64, device=where)
    scale = xp.where(constant, one, xp.sqrt(variance))
    weight = xp.where(constant, 0.0 * one, 1.0 / scale)
    cxx = comoment[:inputs, :inputs] * weight[:, None] * weight[None, :]
    cxy = comoment[:inputs, inputs:] * weight[:, None]
    path = xp.asarray(list(penalties), dtype=xp.float64, device=where)
    coef = ridge_path(cxx, cxy, path) * weight[None, :, None]
    rows = state["count"]
    return {"coef": coef, "mean_x": mean[:inputs], "mean_y": mean[inputs:], "rows": rows}


def squared_errors(state: State, inputs: int, model: State) -> Array:
    """Sums of squared residuals of a path of models on the rows of a state, without the rows.

    Parameters
    ----------
    state : dict of str to array
        State of the rows that validate.
    inputs : int
        Columns of ``x``.
    model : dict of str to array
        What `fit_path` returned.

    Returns
    -------
    array of float64, shape (penalty, target)
        Exact up to rounding: centred part from the cross-products, plus the part of the
        mean residual.
    """
    xp = array_namespace(state["comoment"])
    coef = model["coef"]
    cxx = state["comoment"][:inputs, :inputs]
    cxy = state["comoment"][:inputs, inputs:]
    cyy = xp.linalg.diagonal(state["comoment"])[inputs:]
    count = xp.astype(state["count"], xp.float64)
    fitted = xp.sum(coef * (xp.matmul(cxx, coef) - 2.0 * cxy[None, :, :]), axis=1)
    shift_x = state["mean"][:inputs] - model["mean_x"]
    shift_y = state["mean"][inputs:] - model["mean_y"]
    bias = shift_y[None, :] - xp.sum(coef * shift_x[None, :, None], axis=1)
    return cyy[None, :] + fitted + count * bias * bias


def predict(model: State, x: Array) -> Array:
    """Predictions of each model of a path.

    Parameters
    ----------
    model : dict of str to array
        What `fit_path` returned, or a choice of its penalties.
    x : array, shape (row, input)
        Inputs.

    Returns
    -------
    array of float64, shape (model, row, target)
        The fitted means of the targets.
    """
    xp = array_namespace(x)
    centred = xp.astype(x, xp.float64) - model["mean_x"]
    return xp.matmul(centred[None, :, :], model["coef"]) + model["mean_y"]
