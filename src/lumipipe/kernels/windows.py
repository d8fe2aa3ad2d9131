"""Windows out of rows, in the layout that the window kernels want.

Which rows form a window is in `lumipipe.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array

_FLOOR = 1e-3  # of a scale, below which a spread is none


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


def levels(windows: Array, scales: Sequence[float]) -> Array:
    """Level and spread of each channel of windows: whether signals are alike at a glance.

    Parameters
    ----------
    windows : array of float32 or float64, shape (time, channel, window)
        Windows.
    scales : sequence of float, length channel
        Typical amplitudes, known before the data, that channels are divided by.

    Returns
    -------
    array of float64, shape (window, 2 channel)
        Means, then logarithms of standard deviations plus a thousandth.

    Notes
    -----
    *Accuracy*: the spread is that of deviations from the mean, never a difference of squares.

    Examples
    --------
    >>> import numpy as np
    >>> levels(np.asarray([[[1.0]], [[3.0]]]), [1.0]).round(3).tolist()
    [[2.0, 0.001]]
    """
    xp, where = array_namespace(windows), device(windows)
    scale = xp.asarray(list(scales), dtype=xp.float64, device=where)
    x = xp.astype(windows, xp.float64) / scale[None, :, None]
    mean = xp.mean(x, axis=0)
    centred = x - mean[None, :, :]
    spread = xp.sqrt(xp.mean(centred * centred, axis=0))
    return xp.matrix_transpose(xp.concat([mean, xp.log(spread + _FLOOR)], axis=0))
