"""Maps s to a s + b one after another: exponential averages, stores that run down and fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from lumipipe.backend import Array


def affine_scan(a: Array, b: Array) -> tuple[Array, Array]:
    """The map of all steps up to each one.

    Parameters
    ----------
    a, b : array of float64, shape (..., step)
        Step t takes the state s to ``a[t] s + b[t]``.

    Returns
    -------
    tuple of array of float64, shape (..., step)
        Slope and offset of the map from before the first step to after each one; the state
        itself is ``slope s + offset``.

    Notes
    -----
    *Method*: maps compose, (a, b) then (c, d) is (a c, b c + d), so that spans of doubled length
    are joined in each round. *Cost*: as many rounds as the number of steps has bits, each over
    all of them.

    References
    ----------
    .. [1] Blelloch, Prefix sums and their applications, CMU-CS-90-190 (1990), section 1.4.

    Examples
    --------
    >>> import numpy as np
    >>> slope, offset = affine_scan(np.asarray([0.5, 0.5, 0.5]), np.asarray([1.0, 0.0, 2.0]))
    >>> slope.tolist(), offset.tolist()
    ([0.5, 0.25, 0.125], [1.0, 0.5, 2.25])
    """
    xp = array_namespace(a)
    reach, steps = 1, a.shape[-1]
    while reach < steps:
        joined = b[..., reach:] + a[..., reach:] * b[..., :-reach]
        b = xp.concat([b[..., :reach], joined], axis=-1)
        a = xp.concat([a[..., :reach], a[..., reach:] * a[..., :-reach]], axis=-1)
        reach *= 2
    return a, b
