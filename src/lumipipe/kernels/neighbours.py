"""Values against those around them: medians of few neighbours, some of which are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from lumipipe.backend import Array


def median_of(values: Array, there: Array) -> tuple[Array, Array]:
    """The median of those values of each row that are there, and how many are.

    Parameters
    ----------
    values : array of float64, shape (row, neighbour)
        Finite where `there`.
    there : array of bool, shape (row, neighbour)
        Which values count.

    Returns
    -------
    tuple of array
        float64 (row,), the mean of the middle two where their number is even, NaN where there is
        none; int64 (row,).

    Notes
    -----
    *Cost*: one sort of each row.

    Examples
    --------
    >>> import numpy as np
    >>> median, count = median_of(np.asarray([[3.0, 1.0, 8.0]]), np.asarray([[True, True, False]]))
    >>> median.tolist(), count.tolist()
    ([2.0], [2])
    """
    xp = array_namespace(values)
    count = xp.sum(xp.astype(there, xp.int64), axis=-1)
    rising = xp.sort(xp.where(there, values, xp.full_like(values, xp.inf)), axis=-1)
    place = xp.arange(values.shape[-1], dtype=xp.int64, device=device(values))
    zeros = xp.zeros_like(rising)
    lower, upper = (
        xp.sum(xp.where(place == (at // 2)[..., None], rising, zeros), axis=-1)
        for at in (xp.maximum(count - 1, xp.zeros_like(count)), count)
    )
    median = 0.5 * lower + 0.5 * upper
    return xp.where(count > 0, median, xp.full_like(median, xp.nan)), count
