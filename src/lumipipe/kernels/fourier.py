"""Random Fourier features: rows whose inner products approach a Gaussian kernel.

What is done with them is in `lumipipe.features.fourier`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from lumipipe.kernels import philox

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array

_FREQUENCIES, _PHASES = 0xF0A1, 0xF0A2  # purposes of the draws


def gaussian_draws(
    xp: ModuleType, where: object, seed: int, inputs: int, features: int
) -> tuple[Array, Array]:
    """Frequencies and phases for a Gaussian kernel of unit bandwidth.

    Parameters
    ----------
    xp : ModuleType
        Array namespace of the result.
    where : object
        Device of the result.
    seed : int
        Key of the draws; the first features of a longer list are those of a shorter one.
    inputs, features : int
        Columns of the rows, and of the features.

    Returns
    -------
    frequencies : array of float64, shape (input, feature)
        Standard normal; divide by the bandwidth for another kernel.
    phases : array of float64, shape (feature,)
        Uniform on [0, 2π).

    Examples
    --------
    >>> import numpy as np
    >>> gaussian_draws(np, "cpu", 1, 3, 8)[0].shape
    (3, 8)
    """
    drawn = philox.normal(xp, where, (seed, _FREQUENCIES), (features, inputs))
    phases = philox.uniform(xp, where, (seed, _PHASES), (features,)) * (2.0 * math.pi)
    return array_namespace(drawn).matrix_transpose(drawn), phases


def fourier_features(x: Array, frequencies: Array, phases: Array) -> Array:
    """Random Fourier features of rows.

    Parameters
    ----------
    x : array, shape (row, input)
        Rows without missing values.
    frequencies : array of the dtype of `x`, shape (input, feature)
        Draws from the kernel's spectral density.
    phases : array of the dtype of `x`, shape (feature,), radian
        Uniform draws.

    Returns
    -------
    array of the dtype of `x`, shape (row, feature)
        sqrt(2 / features) cos(x · frequency + phase).

    Notes
    -----
    *Method*: Rahimi & Recht [1]_, section 3.

    *Accuracy*: an inner product misses the kernel by about sqrt(1 / features).

    References
    ----------
    .. [1] Rahimi & Recht, "Random features for large-scale kernel machines", NIPS 2007.

    Examples
    --------
    >>> import numpy as np
    >>> fourier_features(np.zeros((1, 1)), np.ones((1, 2)), np.zeros(2))
    array([[1., 1.]])
    """
    xp = array_namespace(x)
    return xp.cos(xp.matmul(x, frequencies) + phases) * math.sqrt(2.0 / phases.shape[0])
