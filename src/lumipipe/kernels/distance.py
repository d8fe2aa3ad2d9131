"""Distances to centres, and the sums that one step of k-means needs.

The loop of k-means is a model; the sums of two parts of the data simply add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

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
    *Method*: sums are a product with the indicator matrix, so their order is fixed.

    *Accuracy*: a row as near to two centres as `squared_distance` can tell may go to either.

    Examples
    --------
    >>> import numpy as np
    >>> assign_sums(np.asarray([[1.0], [2.0]]), np.asarray([[0.0], [9.0]]))["sum"]
    array([[3.],
           [0.]])
    """
    xp = array_namespace(x)
    where, (clusters, _) = device(x), centres.shape
    if x.shape[0] == 0:
        found = xp.zeros((0, clusters), dtype=xp.float64, device=where)
        nearest = xp.zeros((0,), dtype=xp.int64, device=where)
    else:
        found = squared_distance(x, centres)
        nearest = xp.argmin(found, axis=1)
    numbers = xp.arange(clusters, dtype=nearest.dtype, device=where)
    chosen = nearest[:, None] == numbers[None, :]
    indicator = xp.astype(chosen, xp.float64)
    return {
        "count": xp.sum(xp.astype(chosen, xp.int64), axis=0, dtype=xp.int64),
        "sum": xp.matmul(xp.matrix_transpose(indicator), xp.astype(x, xp.float64)),
        "inertia": xp.sum(xp.where(chosen, found, xp.zeros_like(found))),
    }
