"""Arithmetic of all rows with one row, and sums of rows, where a row is short.

A loop over 64 channels is too short to be fast, so some rows are taken as one long row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array

_LONG = 2**10  # values of a row that is long enough
_CACHED_BITS = 2**23  # of rows, a megabyte, stay in a cache


def rows_in_a_cache(x: Array, width: int) -> int:
    """How many rows of `width` values of the dtype of `x` stay in a cache, one at least.

    Examples
    --------
    >>> import numpy as np
    >>> rows_in_a_cache(np.zeros((0, 64), np.float32), 64)
    4096
    """
    xp = array_namespace(x)
    return int(max(1, _CACHED_BITS // (xp.finfo(x.dtype).bits * max(1, width))))


def minus_row(x: Array, row: Array) -> Array:
    """Rows less one row.

    Parameters
    ----------
    x : array of float32 or float64, shape (row, channel)
        Rows.
    row : array of the same dtype, shape (channel,)
        What is taken from each.

    Returns
    -------
    array of the dtype of `x`, shape (row, channel)
        A new array.

    Examples
    --------
    >>> import numpy as np
    >>> minus_row(np.asarray([[1.0, 2.0], [3.0, 6.0]]), np.asarray([1.0, 2.0]))
    array([[0., 0.],
           [2., 4.]])
    """
    xp = array_namespace(x)
    many = _rows_in_a_long_one(x)
    return xp.reshape(_long_rows(x, many) - xp.tile(row, (many,)), x.shape)


def sum_rows(x: Array) -> Array:
    """The sum of rows.

    Parameters
    ----------
    x : array of float32 or float64, shape (row, channel)
        Rows that fit a cache.

    Returns
    -------
    array of float64, shape (channel,)
        In the precision of `x` up to the last few terms, which depend on the shape alone.

    Examples
    --------
    >>> import numpy as np
    >>> sum_rows(np.asarray([[1.0, 2.0], [3.0, 6.0]]))
    array([4., 8.])
    """
    xp = array_namespace(x)
    many = _rows_in_a_long_one(x)
    rows = _long_rows(x, many)
    ones = xp.ones((1, rows.shape[0]), dtype=x.dtype, device=device(x))
    parts = xp.reshape(xp.matmul(ones, rows), (many, x.shape[1]))
    return xp.sum(parts, axis=0, dtype=xp.float64)


def _long_rows(x: Array, many: int) -> Array:
    """So many rows as one."""
    return array_namespace(x).reshape(x, (x.shape[0] // many, many * x.shape[1]))


def _rows_in_a_long_one(x: Array) -> int:
    """How many rows are taken as one: a power of two that divides their number."""
    rows, channels = x.shape
    many = 1
    while 2 * many * channels <= _LONG and rows % (2 * many) == 0 and rows:
        many *= 2
    return many


def centred(rows: Array, centre: Sequence[float], is_log: Sequence[bool]) -> Array:
    """Rows, or the logarithms of some of their channels, less a centre of each channel.

    Parameters
    ----------
    rows : array of float32 or float64, shape (row, channel)
        NaN where missing.
    centre : sequence of float, length channel
        What is taken from each channel, or from its logarithm.
    is_log : sequence of bool, length channel
        Whether a channel's logarithm is taken; NaN where it is not above 0.

    Returns
    -------
    array of the dtype of `rows`, shape (row, channel)
        NaN where missing.

    Examples
    --------
    >>> import numpy as np
    >>> centred(np.asarray([[1.0, 5.0], [-1.0, 6.0]]), [0.5, 5.0], [True, False])
    array([[-0.5,  0. ],
           [ nan,  1. ]])
    """
    xp, where = array_namespace(rows), device(rows)
    if any(is_log):
        chosen = xp.asarray(list(is_log), dtype=xp.bool, device=where)[None, :]
        nothing = xp.full_like(rows, xp.nan)
        logarithm = xp.log(xp.where(chosen & (rows > 0), rows, xp.ones_like(rows)))
        rows = xp.where(chosen, xp.where(rows > 0, logarithm, nothing), rows)
    return rows - xp.asarray(list(centre), dtype=rows.dtype, device=where)[None, :]
