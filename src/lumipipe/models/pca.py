"""Principal components of standardised channels, and the two distances that monitor with them.

Control limits are in `lumipipe.uncertainty.control_limits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

from lumipipe.kernels.moments import merge_pair_comoments, pair_comoments
from lumipipe.kernels.rows import minus_row, rows_in_a_cache
from lumipipe.kernels.solve import eigh_descending, is_constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class PairReducer:
    """Cross-products over the rows in which both channels of a pair are present.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    channels : int
        Columns of ``x``; the batch has ``x`` (row, channel), NaN where a value is missing.
    """

    xp: Any
    channels: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp, shape = self.xp, (self.channels, self.channels)
        return {
            "count": xp.zeros(shape, dtype=xp.int64, device=self.device),
            "mean": xp.zeros(shape, dtype=xp.float64, device=self.device),
            "comoment": xp.zeros(shape, dtype=xp.float64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        return self.merge(state, pair_comoments(batch["x"]))

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        return merge_pair_comoments(first, second)


def standardised(state: State) -> State:
    """Mean, scale and correlation of the channels of a `PairReducer` state.

    Returns
    -------
    dict of str to array
        ``mean`` and ``scale`` float64 (channel,); ``correlation`` float64 (channel, channel)
        of unbiased covariances; ``constant`` bool (channel,). A constant channel is centred,
        not scaled, and its correlations are zero.
    """
    count, comoment = state["count"], state["comoment"]
    xp = array_namespace(comoment)
    pairs = xp.astype(count, xp.float64)
    covariance = comoment / xp.where(count > 1, pairs - 1.0, xp.ones_like(pairs))
    mean = xp.linalg.diagonal(state["mean"])
    variance = xp.linalg.diagonal(covariance)
    constant = is_constant(variance, mean, xp.linalg.diagonal(pairs))
    scale = xp.where(constant, xp.ones_like(variance), xp.sqrt(variance))
    weight = xp.where(constant, xp.zeros_like(scale), 1.0 / scale)
    correlation = covariance * weight[:, None] * weight[None, :]
    return {"mean": mean, "scale": scale, "correlation": correlation, "constant": constant}


def fit_pca(state: State, components: int) -> State:
    """A principal-component model of standardised channels.

    Parameters
    ----------
    state : dict of str to array
        A state of `PairReducer`.
    components : int
        Components that span the model.

    Returns
    -------
    dict of str to array
        ``mean``, ``scale`` (channel,); ``loadings`` (channel, component); ``score_variance``
        (component,); ``residual_eigenvalues`` (channel - component,), for the SPE limit.
    """
    model = standardised(state)
    eigenvalues, vectors = eigh_descending(model["correlation"])
    return {
        "mean": model["mean"],
        "scale": model["scale"],
        "constant": model["constant"],
        "rotation": vectors[:, :components],
        "loadings": vectors[:, :components],
        "score_variance": eigenvalues[:components],
        "residual_eigenvalues": eigenvalues[components:],
    }


def for_rows(model: State, dtype: Any) -> State:
    """The parameters of a model as `distances` takes them.

    Parameters
    ----------
    model : dict of str to array
        From `fit_pca` or `lumipipe.models.pls.fit_pls`.
    dtype : dtype
        Of the rows.

    Returns
    -------
    dict of str to array
        ``near``, the mean to the last bit of `dtype`, and small matrices with the rest of the mean
        and the scales in them.
    """
    mean, scale = model["mean"], model["scale"]
    xp = array_namespace(mean)
    near = xp.astype(mean, dtype)
    rest = (mean - near)[None, :]
    rotation = model["rotation"] / scale[:, None]
    one = xp.ones((1, 1), dtype=xp.float64, device=device(mean))
    # A last score that is always 1 takes the rest of the mean with the same product.
    found = {
        "near": near,
        "rotation": xp.concat([rotation, 0.0 * rotation[:, :1]], axis=1),
        "start": xp.concat([xp.matmul(rest, rotation), -one], axis=1)[0, :],
        "loadings": xp.concat([xp.matrix_transpose(model["loadings"]) * scale, rest], axis=0),
        "t2": xp.concat([1.0 / model["score_variance"][:, None], 0.0 * one], axis=0),
        "spe": 1.0 / (scale * scale)[:, None],
    }
    return {name: xp.astype(array, dtype) for name, array in found.items()}


def distances(model: State, x: Array) -> State:
    """Hotelling's T² and SPE of rows.

    Parameters
    ----------
    model : dict of str to array
        From `for_rows`, for the dtype of `x`.
    x : array of float32 or float64, shape (row, channel)
        Rows in the units of the model.

    Returns
    -------
    dict of str to array
        ``t2`` and ``spe`` float64 (row,); NaN where a value is missing, which `contributions`
        allows for.

    Notes
    -----
    *Method*: in the precision of the rows, a megabyte of them at a time.

    *Cost*: two products of rows times channels times components.

    *Accuracy*: SPE is the sum of squared residuals, never |x|² - |t|², which cancels.
    """
    xp = array_namespace(x)
    rows, channels = x.shape
    size = rows_in_a_cache(x, channels)
    found = [
        _block_distances(model, x[first : min(first + size, rows), :])
        for first in range(0, max(rows, 1), size)
    ]
    return {
        name: xp.astype(xp.concat([part[i] for part in found]), xp.float64)
        for i, name in enumerate(("t2", "spe"))
    }


def _block_distances(model: State, x: Array) -> tuple[Array, Array]:
    """T² and SPE of rows that fit a cache."""
    xp = array_namespace(x)
    residual = minus_row(x, model["near"])
    scores = minus_row(xp.matmul(residual, model["rotation"]), model["start"])
    residual -= xp.matmul(scores, model["loadings"])
    residual *= residual
    t2 = xp.matmul(scores * scores, model["t2"])
    return t2[:, 0], xp.matmul(residual, model["spe"])[:, 0]


def contributions(model: State, x: Array) -> State:
    """Hotelling's T² and SPE of rows with gaps, and what each channel contributes.

    Parameters
    ----------
    model : dict of str to array
        From `fit_pca` or `lumipipe.models.pls.fit_pls`.
    x : array, shape (row, channel)
        Rows in the units of the model; NaN where a value is missing.

    Returns
    -------
    dict of str to array
        ``t2`` and ``spe`` float64 (row,); ``t2_contribution`` and ``spe_contribution``
        float64 (row, channel), which sum to them; ``z`` float64 (row, channel), the
        standardised value itself; ``missing`` int64 (row,), values set to the mean.

    Notes
    -----
    *Method*: T² contributions by partial decomposition, Σ_a (t_a / s_a) x_j r_ja / s_a
    (Westerhuis, Gurden & Smilde 2000, Eq. 8); SPE contributions are squared residuals
    (Miller, Swanson & Heckler 1998). A missing value is replaced by the mean of the training
    rows, which adds nothing to either distance but its share of the correlation.

    *Accuracy*: SPE is the sum of squared residuals, never |x|² - |t|², which cancels.
    """
    xp = array_namespace(x)
    values = xp.astype(x, xp.float64)
    absent = xp.isnan(values)
    zero = xp.zeros((), dtype=xp.float64, device=device(x))
    z = xp.where(absent, zero, (values - model["mean"]) / model["scale"])
    scores = xp.matmul(z, model["rotation"])
    weighted = scores / model["score_variance"]
    t2_contribution = z * xp.matmul(weighted, xp.matrix_transpose(model["rotation"]))
    residual = z - xp.matmul(scores, xp.matrix_transpose(model["loadings"]))
    return {
        "t2": xp.sum(t2_contribution, axis=1),
        "spe": xp.sum(residual * residual, axis=1),
        "t2_contribution": t2_contribution,
        "spe_contribution": residual * residual,
        "z": z,
        "missing": xp.sum(xp.astype(absent, xp.int64), axis=1),
    }
