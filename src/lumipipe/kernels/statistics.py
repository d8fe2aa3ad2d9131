"""Statistics of each window and channel, over time.

Windows are (time, channel, window), time first. Which statistics make a feature is in
`lumipipe.features.statistics`; statistics of rows that merge are in `lumipipe.kernels.moments`.
Where a statistic is a ratio, a constant window gives 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array


def centred(x: Array) -> Array:
    """Deviations from the mean over time, exactly 0 for a constant window.

    Parameters
    ----------
    x : array, shape (time, ...)
        Windows.

    Returns
    -------
    array of float64, shape of `x`
        Values relative to the first sample, then to the mean of those.

    Examples
    --------
    >>> import numpy as np
    >>> centred(np.asarray([1.0, 3.0]))
    array([-1.,  1.])
    """
    xp = array_namespace(x)
    values = xp.astype(x, xp.float64)
    relative = values - values[:1, ...]
    return relative - xp.mean(relative, axis=0, keepdims=True)


def mean(x: Array) -> Array:
    """Mean over time: float64 (channel, window) of windows (time, channel, window)."""
    xp = array_namespace(x)
    return xp.sum(x, axis=0, dtype=xp.float64) / x.shape[0]


def standard_deviation(deviations: Array) -> Array:
    """Standard deviation over time (divided by the number of samples), of `centred` windows."""
    xp = array_namespace(deviations)
    return xp.sqrt(xp.mean(deviations * deviations, axis=0))


def skewness(deviations: Array) -> Array:
    """Third standardised moment over time, of `centred` windows.

    Parameters
    ----------
    deviations : array of float64, shape (time, channel, window)
        What `centred` gave.

    Returns
    -------
    array of float64, shape (channel, window)
        Biased, as the moments of the window itself.

    Examples
    --------
    >>> import numpy as np
    >>> float(skewness(centred(np.asarray([0.0, 1.0, 2.0]))))
    0.0
    """
    return _standardised_moment(deviations, 3)


def kurtosis(deviations: Array) -> Array:
    """Fourth standardised moment over time, of `centred` windows; 3 for a normal variable.

    Parameters
    ----------
    deviations : array of float64, shape (time, channel, window)
        What `centred` gave.

    Returns
    -------
    array of float64, shape (channel, window)
        Biased, as the moments of the window itself; not the excess over 3.

    Examples
    --------
    >>> import numpy as np
    >>> float(kurtosis(centred(np.asarray([-1.0, 1.0]))))
    1.0
    """
    return _standardised_moment(deviations, 4)


def minimum(x: Array) -> Array:
    """Smallest value over time: (channel, window) of windows (time, channel, window)."""
    return array_namespace(x).min(x, axis=0)


def maximum(x: Array) -> Array:
    """Largest value over time: (channel, window) of windows (time, channel, window)."""
    return array_namespace(x).max(x, axis=0)


def quantiles(x: Array, probabilities: Sequence[float]) -> Array:
    """Quantiles over time.

    Parameters
    ----------
    x : array, shape (time, channel, window)
        Windows.
    probabilities : sequence of float
        Between 0 and 1.

    Returns
    -------
    array of float64, shape (probability, channel, window)
        Between neighbours linear (type 7 of Hyndman & Fan 1996).

    Notes
    -----
    *Cost*: one sort over time.

    Examples
    --------
    >>> import numpy as np
    >>> quantiles(np.asarray([4.0, 1.0, 2.0])[:, None, None], [0.25])[:, 0, 0]
    array([1.5])
    """
    xp = array_namespace(x)
    time = x.shape[0]
    ordered = xp.sort(x, axis=0, stable=False)
    found = []
    for probability in probabilities:
        position = probability * (time - 1)
        low = min(int(position), max(time - 2, 0))
        below = xp.astype(ordered[low, ...], xp.float64)
        above = xp.astype(ordered[min(low + 1, time - 1), ...], xp.float64)
        found.append(below + (above - below) * (position - low))
    return xp.stack(found, axis=0)


def mean_absolute_difference(x: Array) -> Array:
    """Mean size of the step from one sample to the next: float64 (channel, window)."""
    xp = array_namespace(x)
    steps = xp.abs(x[1:, ...] - x[:-1, ...])
    return xp.sum(steps, axis=0, dtype=xp.float64) / max(x.shape[0] - 1, 1)


def linear_change(x: Array) -> Array:
    """What the straight line through a window rises by, from its first sample to its last.

    Parameters
    ----------
    x : array, shape (time, channel, window)
        Windows.

    Returns
    -------
    array of float64, shape (channel, window)
        Slope of the least-squares line times (time - 1); 0 for a window of one sample.

    Examples
    --------
    >>> import numpy as np
    >>> linear_change(np.asarray([1.0, 2.0, 6.0])[:, None, None])
    array([[5.]])
    """
    xp = array_namespace(x)
    time = x.shape[0]
    place = xp.arange(time, dtype=xp.float64, device=device(x)) - (time - 1) / 2
    # Sum of the squared places, (time - 1) time (time + 1) / 12, over time - 1.
    size = time * (time + 1) / 12
    return xp.sum(centred(x) * place[:, None, None], axis=0) / size


def root_mean_square(x: Array) -> Array:
    """Root of the mean square over time: float64 (channel, window)."""
    xp = array_namespace(x)
    values = xp.astype(x, xp.float64)
    return xp.sqrt(xp.mean(values * values, axis=0))


def crest_factor(x: Array) -> Array:
    """Largest size over root mean square: float64 (channel, window), 0 for a window of zeros."""
    xp = array_namespace(x)
    peak = xp.astype(xp.max(xp.abs(x), axis=0), xp.float64)
    return _ratio(peak, root_mean_square(x))


def correlations(deviations: Array) -> Array:
    """Pearson correlations of all pairs of channels, of `centred` windows.

    Parameters
    ----------
    deviations : array of float64, shape (time, channel, window)
        What `centred` gave.

    Returns
    -------
    array of float64, shape (pair, window)
        Pairs (0, 1), (0, 2), …, (1, 2), …; 0 where a channel is constant.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[[1.0], [2.0]], [[2.0], [0.0]]])
    >>> correlations(centred(x))[:, 0].round(12)
    array([-1.])
    """
    xp = array_namespace(deviations)
    _, channels, windows = deviations.shape
    size = xp.sqrt(xp.sum(deviations * deviations, axis=0))
    unit = deviations * _ratio(xp.ones_like(size), size)
    rows = [
        xp.sum(unit[:, i : i + 1, :] * unit[:, i + 1 :, :], axis=0) for i in range(channels - 1)
    ]
    if not rows:
        return xp.zeros((0, windows), dtype=xp.float64, device=device(deviations))
    return xp.concat(rows, axis=0)


def _standardised_moment(deviations: Array, power: int) -> Array:
    """Mean of a power of the deviations over that power of their standard deviation."""
    xp = array_namespace(deviations)
    scale = standard_deviation(deviations)
    unit = deviations * _ratio(xp.ones_like(scale), scale)
    square = unit * unit
    return xp.mean(square * (unit if power % 2 else square), axis=0)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """The quotient, and 0 where the denominator is 0."""
    xp = array_namespace(denominator)
    usable = denominator != 0.0
    safe = xp.where(usable, denominator, xp.ones_like(denominator))
    return xp.where(usable, numerator / safe, xp.zeros_like(safe))
