"""Linear discriminants whose classes weigh alike, however often each occurs.

They come from the state that ridge regression on one-hot classes has
(`lumipipe.models.ridge`): nothing else is folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

from lumipipe.kernels.solve import is_constant, ridge_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array, State

_NEVER = -1e3  # log odds of a class that the model was never shown


def discriminant_path(state: State, inputs: int, penalties: Sequence[float]) -> State:
    """Discriminants of equal classes for a path of penalties.

    Parameters
    ----------
    state : dict of str to array
        A state of `lumipipe.models.ridge.RidgeReducer` whose targets are one-hot classes, with
        at least two rows.
    inputs : int
        Columns of ``x``.
    penalties : sequence of float
        Added to the cross-products of standardised inputs within classes, above 0: the same
        penalty weighs less the more rows there are.

    Returns
    -------
    dict of str to array
        ``coef`` float64 (penalty, input + 1, class), the last row being the constant;
        ``mean_x`` float64 (input,); ``mean_y`` float64 (class,), shares of the classes, which
        outputs do not use; ``rows`` int64 ().

    Notes
    -----
    *Method*: of class c with n_c rows, mean m_c (less that of all rows) and the common W, the
    sum of squares within classes, the discriminant is mᵀ Σ⁻¹ x - mᵀ Σ⁻¹ m / 2 with
    Σ = (W + penalty I) / (n - classes). Linear discriminant analysis [1]_ adds log n_c; here each
    class is as likely as any other, so that a rare one is not passed over.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning (2009),
       Eq. 4.10 and section 4.3.1.
    """
    comoment, mean = state["comoment"], state["mean"]
    xp, where = array_namespace(comoment), device(comoment)
    count = xp.astype(state["count"], xp.float64)
    variance = xp.linalg.diagonal(comoment)[:inputs] / (count - 1.0)
    constant = is_constant(variance, mean[:inputs], count)
    one = xp.ones((), dtype=xp.float64, device=where)
    weight = xp.where(constant, 0.0 * one, 1.0 / xp.where(constant, one, xp.sqrt(variance)))
    rows = mean[inputs:] * count
    seen = rows > 0.5  # noqa: PLR2004  # a count, up to rounding
    safe = xp.where(seen, rows, one)
    centre = comoment[:inputs, inputs:] * weight[:, None] / safe[None, :]
    total = comoment[:inputs, :inputs] * weight[:, None] * weight[None, :]
    within = total - xp.matmul(centre * safe[None, :], xp.matrix_transpose(centre))
    freedom = xp.maximum(count - xp.sum(xp.astype(seen, xp.float64)), one)
    path = xp.asarray(list(penalties), dtype=xp.float64, device=where)
    coef = ridge_path(within, centre, path) * freedom
    constant_row = xp.where(seen, -0.5 * xp.sum(coef * centre[None, :, :], axis=1), _NEVER * one)
    return {
        "coef": xp.concat([coef * weight[None, :, None], constant_row[:, None, :]], axis=1),
        "mean_x": mean[:inputs],
        "mean_y": mean[inputs:],
        "rows": state["count"],
    }


def discriminants(model: State, x: Array) -> Array:
    """Outputs of each model of a path.

    Parameters
    ----------
    model : dict of str to array
        What `discriminant_path` returned, or a choice of its penalties.
    x : array, shape (row, input)
        Inputs.

    Returns
    -------
    array of float64, shape (model, row, class)
        Log-likelihoods of the classes up to a number that all of a row share.
    """
    xp = array_namespace(x)
    centred = xp.astype(x, xp.float64) - model["mean_x"]
    return xp.matmul(centred[None, :, :], model["coef"][:, :-1, :]) + model["coef"][:, -1:, :]


def balanced_brier(outputs: Array, truth: Array) -> Array:
    """Mean squared error of the probabilities of each class's rows.

    Parameters
    ----------
    outputs : array of float64, shape (model, row, class)
        From `discriminants`.
    truth : array of float64, shape (row, class)
        One-hot classes.

    Returns
    -------
    array of float64, shape (model, class)
        For the rows of each class, the mean sum of squared differences of probabilities and
        truth, from 0 to 2; 0 for a class without rows. Each class counts alike in their sum.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
       Weather Review 78 (1950) 1-3, Eq. 2.

    Examples
    --------
    >>> import numpy as np
    >>> balanced_brier(np.zeros((1, 2, 2)), np.eye(2))
    array([[0.5, 0.5]])
    """
    xp = array_namespace(outputs)
    odds = xp.exp(outputs - xp.max(outputs, axis=-1, keepdims=True))
    probability = odds / xp.sum(odds, axis=-1, keepdims=True)
    error = xp.sum((probability - truth[None, :, :]) ** 2, axis=-1)
    rows = xp.sum(truth, axis=0)
    return xp.matmul(error, truth) / xp.maximum(rows, xp.ones_like(rows))[None, :]
