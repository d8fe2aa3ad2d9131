"""Distances to centres, and the sums that one step of k-means needs.

The loop of k-means is a model; the sums of two parts of the data simply add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from lumipipe.backend import Array, State

_BLOCK_VALUES = 2**18  # of float64: 2 MiB stay in a cache


def squared_distance(x: Array, centres: Array) -> Array:
    """Squared Euclidean distance of each row to each centre.

    Parameters
    ----------
    x : array, shape (row, channel)
        Rows without missing values.
    centres : array, shape (centre, channel)
        Centres.

    Returns
    -------
    array of float64, shape (row, centre)
        Never negative.

    Notes
    -----
    *Method*: |x|² - 2 x·c + |c|² about the mean of the centres, in float64.

    *Cost*: one matrix product of rows times channels times centres.

    *Accuracy*: absolute error about 2**-52 times channels times the largest squared distance to
    the mean of the centres; a common offset of rows and centres does not matter.

    Examples
    --------
    >>> import numpy as np
    >>> squared_distance(np.asarray([[3.0, 4.0]]), np.zeros((1, 2)))
    array([[25.]])
    """
    xp = array_namespace(x)
    wide = xp.astype(centres, xp.float64)
    middle = xp.mean(wide, axis=0)
    rows, points = xp.astype(x, xp.float64) - middle, wide - middle
    products = xp.matmul(rows, xp.matrix_transpose(points))
    row_size = xp.sum(rows * rows, axis=1)[:, None]
    found = row_size - 2.0 * products + xp.sum(points * points, axis=1)[None, :]
    return xp.where(found > 0.0, found, xp.zeros_like(found))


def assign_sums(x: Array, centres: Array) -> State:
    """Rows of each cluster: how many, their sum, and their squared distance to the centre.

    Parameters
    ----------
    x : array, shape (row, channel)
        Rows without missing values.
    centres : array, shape (centre, channel)
        Centres.

    Returns
    -------
    dict of str to array
        ``count`` int64 (centre,); ``sum`` float64 (centre, channel); ``inertia`` float64 ().
        A row belongs to its nearest centre, the first of several; a cluster without rows has
        exactly 0.

    Notes
    -----
    *Method*: as `squared_distance`, but about the first centre, and less the size of the row,
    which does not tell the nearest centre. Sums are a product with the indicator matrix, so
    their order is fixed; the squared distances follow from them, the sizes of all rows and
    those of the centres.

    *Cost*: two matrix products of rows times channels times centres.

    *Accuracy*: squared distances are compared, and added to the inertia, with an absolute error of
    about 2**-52 times channels times the largest squared distance to the first centre; a row as
    near to two centres as that may go to either.

    Examples
    --------
    >>> import numpy as np
    >>> assign_sums(np.asarray([[1.0], [2.0]]), np.asarray([[0.0], [9.0]]))["sum"]
    array([[3.],
           [0.]])
    """
    xp = array_namespace(x)
    rows, (clusters, channels) = x.shape[0], centres.shape
    size = max(1, _BLOCK_VALUES // max(clusters, channels, 1))
    state = {
        "count": xp.zeros((clusters,), dtype=xp.int64, device=device(x)),
        "sum": xp.zeros((clusters, channels), dtype=xp.float64, device=device(x)),
        "inertia": xp.zeros((), dtype=xp.float64, device=device(x)),
    }
    for first in range(0, rows, size):
        part = _block_sums(x[first : min(first + size, rows), :], centres)
        state = {name: state[name] + part[name] for name in state}
    return state


def _block_sums(x: Array, centres: Array) -> State:
    """`assign_sums` of at least one row, of rows that fit a cache."""
    xp = array_namespace(x)
    wide = xp.astype(centres, xp.float64)
    middle = wide[0, :]  # not the mean: ties of whole numbers stay ties
    z, points = x - middle, wide - middle
    sizes = xp.sum(points * points, axis=1)
    nearest = xp.argmin(sizes - xp.matmul(z, 2.0 * xp.matrix_transpose(points)), axis=1)
    numbers = xp.arange(centres.shape[0], dtype=nearest.dtype, device=device(x))
    chosen = numbers[:, None] == nearest[None, :]
    sums = xp.matmul(xp.astype(chosen, xp.float64), z)
    count = xp.sum(xp.astype(chosen, xp.int64), axis=1, dtype=xp.int64)
    number = xp.astype(count, xp.float64)
    flat = xp.reshape(z, (-1,))
    inertia = xp.vecdot(flat, flat) + xp.sum(number * sizes) - 2.0 * xp.sum(sums * points)
    return {
        "count": count,
        "sum": sums + number[:, None] * middle,
        "inertia": xp.where(inertia > 0.0, inertia, xp.zeros_like(inertia)),
    }
