"""Windows out of rows, in the layout that the window kernels want.

Which rows form a window is in `lumipipe.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from lumipipe.backend import Array


def window_batch(rows: Array, starts: Array, length: int) -> Array:
    """Windows, time first, so that a shift in time is an offset of rows.

    Parameters
    ----------
    rows : array, shape (row, channel)
        Samples.
    starts : array of int64, shape (window,)
        First row of each window; each window must end within `rows`.
    length : int
        Rows of a window.

    Returns
    -------
    array of the dtype of `rows`, shape (time, channel, window)
        Windows lie side by side in memory.

    Notes
    -----
    *Cost*: one gather; its int64 index takes 8 bytes for each value.

    Examples
    --------
    >>> import numpy as np
    >>> window_batch(np.arange(5.0)[:, None], np.asarray([0, 2]), 3)[:, 0, :]
    array([[0., 2.],
           [1., 3.],
           [2., 4.]])
    """
    xp = array_namespace(rows)
    where, (_, channels) = device(rows), rows.shape
    time = xp.arange(length, dtype=xp.int64, device=where)[:, None, None]
    channel = xp.arange(channels, dtype=xp.int64, device=where)[None, :, None]
    index = (starts[None, None, :] + time) * channels + channel
    flat = xp.take(xp.reshape(rows, (-1,)), xp.reshape(index, (-1,)), axis=0)
    return xp.reshape(flat, (length, channels, starts.shape[0]))
