"""Partial least squares from merged cross-products.

Settings for a wanted target are in `lumipipe.families.inversion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

from lumipipe.kernels.solve import positive_part
from lumipipe.models.pca import PairReducer, standardised
from lumipipe.models.ridge import sampled
from lumipipe.models.sample import merge_samples, sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

_EPS = 2.0**-52
_PAIR, _SAMPLE = "pair_", "sample_"


@dataclass(frozen=True)
class PlsReducer:
    """Cross-products of pairs of inputs and targets, and a uniform sample of rows.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    inputs, targets : int
        Columns of ``x`` and of ``y``; the batch has ``x`` (row, input), ``y`` (row, target),
        NaN where a value is missing, and ``number`` int64 (row,).
    sample_rows : int
        Rows that are kept to choose and to calibrate on.
    seed : int
        Key of the sample.

    Notes
    -----
    The state has ``count`` (), the rows; the state of a `lumipipe.models.pca.PairReducer` over
    the columns of ``[x, y]`` with the prefix ``pair_``; the sample's rows with ``sample_``.
    """

    xp: Any
    inputs: int
    targets: int
    sample_rows: int
    seed: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp, kept = self.xp, {"x": self.inputs, "y": self.targets}
        rows = {
            name: xp.zeros((0, width), dtype=xp.float64, device=self.device)
            for name, width in kept.items()
        }
        rows["number"] = xp.zeros((0,), dtype=xp.int64, device=self.device)
        rows["priority"] = xp.zeros((0,), dtype=xp.float64, device=self.device)
        count = xp.zeros((), dtype=xp.int64, device=self.device)
        return self._joined(count, self._pairs().empty(), rows)

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp = self.xp
        values = {name: xp.astype(batch[name], xp.float64) for name in ("x", "y")}
        rows = sample(
            self.seed, self.sample_rows, values | {"number": batch["number"]}, batch["number"]
        )
        count = xp.asarray(values["x"].shape[0], dtype=xp.int64, device=self.device)
        pairs = self._pairs()
        both = {"x": xp.concat([values["x"], values["y"]], axis=1)}
        return self.merge(state, self._joined(count, pairs.update(pairs.empty(), both), rows))

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        rows = merge_samples(self.sample_rows, sampled(first), sampled(second))
        pairs = self._pairs().merge(pair_state(first), pair_state(second))
        return self._joined(first["count"] + second["count"], pairs, rows)

    def _pairs(self) -> PairReducer:
        """The reducer of the cross-products."""
        return PairReducer(self.xp, self.inputs + self.targets, self.device)

    @staticmethod
    def _joined(count: Array, pairs: State, rows: State) -> State:
        """The parts as one state."""
        return {
            "count": count,
            **{_PAIR + name: array for name, array in pairs.items()},
            **{_SAMPLE + name: array for name, array in rows.items()},
        }


def pair_state(state: State) -> State:
    """The cross-products of a state of `PlsReducer`."""
    return {
        name.removeprefix(_PAIR): array for name, array in state.items() if name.startswith(_PAIR)
    }


def fit_latent(
    state: State,
    inputs: int,
    components: int,
    *,
    is_scaled: bool = True,
    has_gaps: bool = False,
) -> State:
    """Latent variables of the inputs that predict the targets.

    Parameters
    ----------
    state : dict of str to array
        A state of `lumipipe.models.pca.PairReducer` over the columns of ``[x, y]``.
    inputs : int
        Columns of ``x``.
    components : int
        Latent variables.
    is_scaled : bool
        Whether inputs are divided by their standard deviations; targets always are.
    has_gaps : bool
        Whether values were missing, so that the correlation of merged pairs may have
        eigenvalues below zero; those are cut away.

    Returns
    -------
    dict of str to array
        ``mean_x``, ``scale_x``, what inputs are divided by, and ``spread_x``, their standard
        deviations (input,); ``mean_y``, ``scale_y`` (target,); between scaled
        columns: ``weights``, ``rotation``, which takes inputs to scores, and ``loadings``
        (input, component), ``y_loadings`` (target, component); ``score_variance`` (component,);
        ``cxx`` (input, input), the products of the scaled inputs.

    Notes
    -----
    *Method*: modified kernel algorithm 2 of [1]_: only the cross-products are deflated. Where
    nothing is left to explain, further components are zero, with a variance of one.

    References
    ----------
    .. [1] B. S. Dayal and J. F. MacGregor, "Improved PLS algorithms", J. Chemometrics 11
       (1997) 73-85.
    """
    model = standardised(state)
    scale, constant, correlation = model["scale"], model["constant"], model["correlation"]
    xp = array_namespace(scale)
    if has_gaps:
        correlation = positive_part(correlation)
    one = xp.ones_like(scale)
    own = scale if not is_scaled else one
    own = xp.concat([own[:inputs], one[inputs:]])
    products = correlation * own[:, None] * own[None, :]
    cxx, cxy = products[:inputs, :inputs], products[:inputs, inputs:]
    return {
        "mean_x": model["mean"][:inputs],
        "scale_x": (scale / own)[:inputs],
        "spread_x": scale[:inputs],
        "mean_y": model["mean"][inputs:],
        "scale_y": scale[inputs:],
        "constant": constant[:inputs],
        "cxx": cxx,
        **_components(cxx, cxy, components),
    }


def _components(cxx: Array, cxy: Array, components: int) -> State:
    """Weights, rotations, loadings and variances of latent variables, one column a component."""
    xp = array_namespace(cxx)
    inputs, zero = cxx.shape[0], xp.zeros((), dtype=xp.float64, device=device(cxx))
    least = inputs * _EPS * xp.sum(xp.linalg.diagonal(cxx))
    first: Array | None = None
    columns: dict[str, list[Array]] = {
        name: [] for name in ("weights", "rotation", "loadings", "y_loadings", "score_variance")
    }
    for _ in range(components):
        left, strength, _right = xp.linalg.svd(cxy, full_matrices=False)
        first = strength[0] if first is None else first
        weight = left[:, 0]
        rotation = weight
        for loading, earlier in zip(columns["loadings"], columns["rotation"], strict=True):
            rotation = rotation - xp.sum(loading * weight) * earlier
        image = xp.matmul(cxx, rotation)
        variance = xp.sum(rotation * image)
        usable = (variance > least * xp.sum(rotation * rotation)) & (
            strength[0] > inputs * _EPS * first
        )
        variance = xp.where(usable, variance, zero + 1.0)
        weight, rotation = xp.where(usable, weight, zero), xp.where(usable, rotation, zero)
        loading = xp.where(usable, image / variance, zero)
        target = xp.matmul(xp.matrix_transpose(cxy), rotation) / variance
        cxy = cxy - variance * loading[:, None] * target[None, :]
        for name, array in zip(columns, (weight, rotation, loading, target, variance), strict=True):
            columns[name].append(array)
    variances = columns.pop("score_variance")
    found = {name: xp.stack(parts, axis=1) for name, parts in columns.items()}
    return found | {"score_variance": xp.stack(variances)}


def coefficient_path(latent: State) -> State:
    """The linear models with one component, with two, and so on.

    Parameters
    ----------
    latent : dict of str to array
        From `fit_latent`.

    Returns
    -------
    dict of str to array
        ``coef`` float64 (component, input, target) in the units of the data; ``mean_x``,
        ``mean_y``, ``scale_y``.
    """
    xp = array_namespace(latent["rotation"])
    rotation, targets = latent["rotation"], latent["y_loadings"]
    parts = [rotation[:, a, None] * targets[None, :, a] for a in range(rotation.shape[1])]
    sums = [sum(parts[1 : a + 1], start=parts[0]) for a in range(len(parts))]
    coef = xp.stack(sums) / latent["scale_x"][:, None] * latent["scale_y"]
    return {"coef": coef, **{name: latent[name] for name in ("mean_x", "mean_y", "scale_y")}}


def predict_with_gaps(model: State, x: Array) -> Array:
    """Predictions of each model of a path; a missing input counts as its mean.

    Parameters
    ----------
    model : dict of str to array
        ``coef`` (model, input, target), ``mean_x`` (input,), ``mean_y`` (target,).
    x : array, shape (row, input)
        Inputs; NaN where missing.

    Returns
    -------
    array of float64, shape (model, row, target)
        The fitted means of the targets.
    """
    xp = array_namespace(x)
    centred = xp.astype(x, xp.float64) - model["mean_x"]
    centred = xp.where(xp.isnan(centred), xp.zeros_like(centred), centred)
    return xp.matmul(centred[None, :, :], model["coef"]) + model["mean_y"]


def relative_errors(state: State, path: State) -> Array:
    """Sums of squared errors of a path of models, in variances of each target.

    Parameters
    ----------
    state : dict of str to array
        State of `PlsReducer` of rows that the models have not seen.
    path : dict of str to array
        From `coefficient_path`.

    Returns
    -------
    array of float64, shape (component, target)
        Of the sampled rows, as many times over as there are rows to each of them; targets
        that are missing add nothing.
    """
    rows = sampled(state)
    xp = array_namespace(rows["x"])
    error = (rows["y"] - predict_with_gaps(path, rows["x"])) / path["scale_y"]
    error = xp.where(xp.isnan(error), xp.zeros_like(error), error)
    times = xp.astype(state["count"], xp.float64) / max(1, rows["x"].shape[0])
    return xp.sum(error * error, axis=1) * times


def importance(latent: State) -> Array:
    """Variable importance in projection: above one, an input counts more than on average.

    Parameters
    ----------
    latent : dict of str to array
        From `fit_latent`, with the components that are used.

    Returns
    -------
    array of float64, shape (input,)
        The mean of the squares is one.

    References
    ----------
    .. [1] I.-G. Chong and C.-H. Jun, "Performance of some variable selection methods when
       multicollinearity is present", Chemom. Intell. Lab. Syst. 78 (2005) 103-112, Eq. 5.
    """
    xp = array_namespace(latent["weights"])
    explained = xp.sum(latent["y_loadings"] ** 2, axis=0) * latent["score_variance"]
    share = explained / xp.sum(explained)
    weights = latent["weights"]
    return xp.sqrt(weights.shape[0] * xp.sum(weights * weights * share, axis=1))


def fit_pls(state: State, inputs: int, components: int) -> State:
    """A partial-least-squares model of standardised inputs and targets that monitors.

    Parameters
    ----------
    state : dict of str to array
        A state of `lumipipe.models.pca.PairReducer` over the columns of ``[x, y]``.
    inputs : int
        Columns of ``x``.
    components : int
        Latent variables.

    Returns
    -------
    dict of str to array
        ``mean``, ``scale`` (input,); ``rotation`` (input, component), which takes
        standardised inputs to scores; ``loadings`` (input, component); ``coef`` (input,
        target) between standardised columns; ``score_variance`` (component,);
        ``residual_eigenvalues`` (input,) of the inputs' residual correlation.
    """
    latent = fit_latent(state, inputs, components)
    xp = array_namespace(latent["rotation"])
    p = latent["loadings"]
    residual = latent["cxx"] - xp.matmul(p * latent["score_variance"], xp.matrix_transpose(p))
    return {
        "mean": latent["mean_x"],
        "scale": latent["scale_x"],
        "constant": latent["constant"],
        "rotation": latent["rotation"],
        "loadings": p,
        "coef": xp.matmul(latent["rotation"], xp.matrix_transpose(latent["y_loadings"])),
        "score_variance": latent["score_variance"],
        "residual_eigenvalues": xp.linalg.eigvalsh(residual),
    }
