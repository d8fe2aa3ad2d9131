"""Partial least squares from merged cross-products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from lumipipe.models.pca import standardised

if TYPE_CHECKING:
    from lumipipe.backend import Array, State


def fit_pls(state: State, inputs: int, components: int) -> State:
    """A partial-least-squares model of standardised inputs and targets.

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

    Notes
    -----
    *Method*: modified kernel algorithm 2 of [1]_: only the cross-products are deflated.

    References
    ----------
    .. [1] B. S. Dayal and J. F. MacGregor, "Improved PLS algorithms", J. Chemometrics 11
       (1997) 73-85.
    """
    model = standardised(state)
    xp = array_namespace(model["correlation"])
    cxx = model["correlation"][:inputs, :inputs]
    cxy = model["correlation"][:inputs, inputs:]
    rotations: list[Array] = []
    loadings: list[Array] = []
    targets: list[Array] = []
    variances: list[Array] = []
    for _ in range(components):
        weight = xp.linalg.svd(cxy, full_matrices=False)[0][:, 0]
        rotation = weight
        for loading, earlier in zip(loadings, rotations, strict=True):
            rotation = rotation - xp.sum(loading * weight) * earlier
        image = xp.matmul(cxx, rotation)
        variance = xp.sum(rotation * image)
        loading = image / variance
        target = xp.matmul(xp.matrix_transpose(cxy), rotation) / variance
        cxy = cxy - variance * loading[:, None] * target[None, :]
        rotations, loadings = [*rotations, rotation], [*loadings, loading]
        targets, variances = [*targets, target], [*variances, variance]
    r, p, q = xp.stack(rotations, axis=1), xp.stack(loadings, axis=1), xp.stack(targets, axis=1)
    residual = cxx - xp.matmul(p * xp.stack(variances), xp.matrix_transpose(p))
    return {
        "mean": model["mean"][:inputs],
        "scale": model["scale"][:inputs],
        "constant": model["constant"][:inputs],
        "rotation": r,
        "loadings": p,
        "coef": xp.matmul(r, xp.matrix_transpose(q)),
        "score_variance": xp.stack(variances),
        "residual_eigenvalues": xp.linalg.eigvalsh(residual),
    }
