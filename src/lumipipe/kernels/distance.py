"""Distances to centres, and the sums that one step of k-means needs.

The loop of k-means is a model; the sums of two parts of the data simply add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

from lumipipe.kernels.rows import minus_row, rows_in_a_cache

if TYPE_CHECKING:
    from lumipipe.backend import Array, State


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

    *Accuracy*: in the precision of the rows, with float64 sums of blocks. Squared distances are
    compared, and added to the inertia, with an absolute error of about 2**-52 (for float32 rows
    2**-23) times channels times the largest squared distance to the first centre; a row as near
    to two centres as that may go to either.

    Examples
    --------
    >>> import numpy as np
    >>> assign_sums(np.asarray([[1.0], [2.0]]), np.asarray([[0.0], [9.0]]))["sum"]
    array([[3.],
           [0.]])
    """
    xp = array_namespace(x)
    rows, (clusters, channels) = x.shape[0], centres.shape
    size = rows_in_a_cache(x, max(clusters, channels))
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
    xp, dtype = array_namespace(x), x.dtype
    near = xp.astype(centres[0, :], dtype)  # not the mean: ties of whole numbers stay ties
    z = minus_row(x, near)
    wide = xp.astype(centres, xp.float64) - near
    sizes = xp.sum(wide * wide, axis=1)
    points = xp.matrix_transpose(xp.astype(wide, dtype))
    nearest = xp.argmax(minus_row(xp.matmul(z, points), xp.astype(0.5 * sizes, dtype)), axis=1)
    numbers = xp.arange(centres.shape[0], dtype=nearest.dtype, device=device(x))
    chosen = xp.astype(numbers[:, None] == nearest[None, :], dtype)
    sums = xp.astype(xp.matmul(chosen, z), xp.float64)
    ones = xp.ones((x.shape[0], 1), dtype=dtype, device=device(x))
    number = xp.astype(xp.matmul(chosen, ones)[:, 0], xp.float64)
    flat = xp.reshape(z, (-1,))
    size = xp.astype(xp.vecdot(flat, flat), xp.float64)
    inertia = size + xp.sum(number * sizes) - 2.0 * xp.sum(sums * wide)
    return {
        "count": xp.astype(xp.round(number), xp.int64),
        "sum": sums + number[:, None] * xp.astype(near, xp.float64),
        "inertia": xp.where(inertia > 0.0, inertia, xp.zeros_like(inertia)),
    }
