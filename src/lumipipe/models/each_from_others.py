"""Each channel predicted from all others, from the cross-products that a guard has anyway.

The limits of the residuals are set in `lumipipe.families.sensors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

from lumipipe.kernels.solve import eigh_descending
from lumipipe.models.pca import standardised

if TYPE_CHECKING:
    from lumipipe.backend import Array, State

_PENALTY = 1e-3  # of the variance of a channel: no instrument is told better than to 3 % of it


def fit_each_from_others(state: State) -> State:
    """Ridge regressions of each channel on the others.

    Parameters
    ----------
    state : dict of str to array
        A state of `lumipipe.models.pca.PairReducer`.

    Returns
    -------
    dict of str to array
        ``mean`` and ``scale`` float64 (channel,); ``weight`` float64 (channel, channel), whose row
        j turns standardised values into the residual of channel j: 1 at j, and at the others
        their coefficients with the sign turned.

    Notes
    -----
    *Method*: with P the inverse of the correlations plus a penalty on the diagonal, row j of P
    over its diagonal element is 1 at j and minus the coefficients of the ridge regression of j
    on the others, by the inverse of a matrix in blocks: all regressions from one inverse.

    *Cost*: one eigendecomposition, about 9 channels³ flops.
    """
    model = standardised(state)
    xp = array_namespace(model["correlation"])
    values, vectors = eigh_descending(model["correlation"])
    # Correlations of pairs with gaps may have eigenvalues below 0, which no rows have.
    damped = xp.where(values > 0.0, values, xp.zeros_like(values)) + _PENALTY
    inverse = xp.matmul(vectors / damped[None, :], xp.matrix_transpose(vectors))
    weight = inverse / xp.linalg.diagonal(inverse)[:, None]
    return {"mean": model["mean"], "scale": model["scale"], "weight": weight}


def residuals_from_others(model: State, x: Array) -> Array:
    """What each value of a row is above its prediction from the others.

    Parameters
    ----------
    model : dict of str to array
        From `fit_each_from_others`.
    x : array, shape (row, channel)
        Rows in the units of the model; NaN where a value is missing.

    Returns
    -------
    array of float64, shape (row, channel)
        In scales of the model; NaN where the value is missing. A missing value counts as the
        mean where it predicts others.

    Examples
    --------
    >>> import numpy as np
    >>> both = {"mean": np.zeros(2), "scale": np.ones(2), "weight": np.array([[1, -1], [-1, 1.0]])}
    >>> residuals_from_others(both, np.array([[3.0, 1.0]]))
    array([[ 2., -2.]])
    """
    xp = array_namespace(x)
    values = xp.astype(x, xp.float64)
    absent = xp.isnan(values)
    zero = xp.zeros((), dtype=xp.float64, device=device(x))
    z = xp.where(absent, zero, (values - model["mean"]) / model["scale"])
    found = xp.matmul(z, xp.matrix_transpose(model["weight"]))
    return xp.where(absent, zero + xp.nan, found)
