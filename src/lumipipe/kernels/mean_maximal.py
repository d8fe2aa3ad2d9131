"""Means over windows of a running total, and the greatest of each length.

A running total is the integral of a reading: energy of power, distance of speed. Cut into even
steps it gives the mean over any window as one difference. What a reading stands for and where a
total is broken is decided elsewhere, in `lumipipe.families.session_clock`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array


def window_means(total: Array, run: Array, length: int) -> tuple[Array, Array]:
    """Mean over each window of some steps, and whether the window lies in one run.

    Parameters
    ----------
    total : array of float64, shape (..., edge)
        Running total at the edges of even steps.
    run : array of int64, shape (edge,)
        Number of the run that an edge belongs to, rising; no window goes from one to another.
    length : int
        Steps of a window, at least 1.

    Returns
    -------
    tuple of array, shape (..., edge - length) and (edge - length,)
        Means, in units of the total per step, float64; and bool. Both are empty where the
        total is shorter than a window.

    Notes
    -----
    *Cost*: one subtraction a window. *Accuracy*: exact where totals are whole numbers below 2**53,
    such as watts at whole seconds; else a mean is off by the spacing of the total over `length`.

    Examples
    --------
    >>> import numpy as np
    >>> total, run = np.asarray([0.0, 2.0, 6.0, 6.0, 9.0]), np.asarray([0, 0, 0, 1, 1])
    >>> means, inside = window_means(total, run, 1)
    >>> means[inside].tolist()
    [2.0, 4.0, 3.0]
    """
    inside = run[length:] == run[:-length]
    return (total[..., length:] - total[..., :-length]) / length, inside


def best_means(total: Array, run: Array, lengths: Sequence[int]) -> Array:
    """The greatest mean over a window of each length.

    Parameters
    ----------
    total : array of float64, shape (..., edge)
        Running total at the edges of even steps.
    run : array of int64, shape (edge,)
        Number of the run that an edge belongs to, rising.
    lengths : sequence of int
        Steps of the windows, each at least 1.

    Returns
    -------
    array of float64, shape (..., length)
        NaN where no run holds a window of that length.

    Notes
    -----
    *Cost*: one pass over the total for each length, and memory of one total.

    Examples
    --------
    >>> import numpy as np
    >>> total, run = np.asarray([0.0, 2.0, 6.0, 7.0]), np.asarray([0, 0, 0, 0])
    >>> best_means(total, run, [1, 2, 4]).tolist()
    [4.0, 3.0, nan]
    """
    xp = array_namespace(total)
    where = device(total)
    lowest = xp.asarray(-xp.inf, dtype=xp.float64, device=where)
    none = xp.full(total.shape[:-1], xp.nan, dtype=xp.float64, device=where)
    found = []
    for length in lengths:
        if length >= total.shape[-1]:
            found.append(none)
            continue
        means, inside = window_means(total, run, length)
        best = xp.max(xp.where(inside, means, lowest), axis=-1)
        found.append(xp.where(xp.any(inside), best, none))
    return xp.stack(found, axis=-1)
