"""Cycles of a force that comes and goes, such as that of a pole: contacts, rates, peaks.

A cycle runs from one onset of contact to the next. Which of these numbers describe a window is
in `lumipipe.features.poling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

from lumipipe.kernels.spectra import fast_length

if TYPE_CHECKING:
    from lumipipe.backend import Array, State

_AS_HIGH = 0.9  # the shortest lag that is nearly as good is the cycle, and not two of them


def contact_state(force: Array, on: float, off: float) -> Array:
    """Whether there is contact, with hysteresis.

    Parameters
    ----------
    force : array, shape (time, ...)
        Force, in any unit.
    on, off : float
        Contact begins at `on` and ends below `off`, which is not above it; same unit.

    Returns
    -------
    array of bool, shape of `force`
        False until the force has once been at one of the two levels.

    Notes
    -----
    *Method*: each sample sets the state, ends it, or keeps the one before; such maps compose, so
    the state is filled forward in steps of 1, 2, 4, … samples.

    Examples
    --------
    >>> import numpy as np
    >>> contact_state(np.asarray([0.0, 5.0, 9.0, 5.0, 1.0, 5.0]), 8.0, 2.0).astype(int)
    array([0, 0, 1, 1, 0, 0])
    """
    xp, where = array_namespace(force), device(force)
    one = xp.ones(force.shape, dtype=xp.int8, device=where)
    state = xp.where(force >= on, one, xp.where(force < off, 0 * one, -one))
    step = 1
    while step < force.shape[0]:
        state = xp.where(state < 0, xp.concat([-one[:step, ...], state[:-step, ...]]), state)
        step *= 2
    return state > 0


def onsets(state: Array) -> Array:
    """Where contact begins: bool of the shape of `state` (time, ...); never at the first sample."""
    xp = array_namespace(state)
    return xp.concat([xp.zeros_like(state[:1, ...]), state[1:, ...] & ~state[:-1, ...]])


def cycle_statistics(force: Array, rate_hz: float, on: float, off: float) -> State:
    """Means over the whole cycles of each window.

    Parameters
    ----------
    force : array, shape (time, ...)
        Windows, time first.
    rate_hz : float
        Samples per second.
    on, off : float
        As in `contact_state`.

    Returns
    -------
    dict of str to array of float64, shape (...)
        ``cycles`` that are whole; their ``rate`` (1/s), ``contact`` time (s), ``peak`` (as the
        force) and ``impulse`` during contact (force times s), each 0 where no cycle is whole.

    Notes
    -----
    *Accuracy*: onsets are known to a sample, so the rate of n cycles that take T seconds to
    1 / (T `rate_hz`) of itself.

    Examples
    --------
    >>> import numpy as np
    >>> found = cycle_statistics(np.asarray([0.0, 9, 9, 0, 0, 7, 0, 0, 0, 8]), 4.0, 5.0, 2.0)
    >>> {name: float(value) for name, value in found.items()}
    {'cycles': 2.0, 'rate': 1.0, 'contact': 0.375, 'peak': 8.0, 'impulse': 3.125}
    """
    xp = array_namespace(force)
    state = contact_state(force, on, off)
    begins = onsets(state)
    number = xp.cumulative_sum(xp.astype(begins, xp.int64), axis=0)
    cycles = xp.astype(xp.maximum(number[-1, ...] - 1, 0 * number[-1, ...]), xp.float64)
    whole = (number >= 1) & (number < number[-1:, ...])
    some = xp.maximum(cycles, xp.ones_like(cycles))
    samples = xp.sum(xp.astype(whole, xp.float64), axis=0)
    touching = xp.astype(whole & state, xp.float64)
    values = xp.astype(force, xp.float64)
    peaks = xp.concat([xp.zeros_like(values[:1, ...]), peak_so_far(values, begins)[:-1, ...]])
    closes = xp.astype(begins & (number > 1), xp.float64)
    return {
        "cycles": cycles,
        "rate": cycles * rate_hz / xp.maximum(samples, xp.ones_like(samples)),
        "contact": xp.sum(touching, axis=0) / some / rate_hz,
        "peak": xp.sum(peaks * closes, axis=0) / some,
        "impulse": xp.sum(touching * values, axis=0) / some / rate_hz,
    }


def peak_so_far(values: Array, begins: Array) -> Array:
    """The largest value since the last beginning, by a scan in steps of 1, 2, 4, … samples.

    Parameters
    ----------
    values : array, shape (time, ...)
        What is compared.
    begins : array of bool, shape of `values`
        Where the comparison begins anew.

    Returns
    -------
    array, shape of `values`
        Equal to a loop over time.

    Examples
    --------
    >>> import numpy as np
    >>> peak_so_far(np.asarray([3.0, 1.0, 2.0]), np.asarray([False, True, False]))
    array([3., 1., 2.])
    """
    xp = array_namespace(values)
    best, closed, step = values, begins, 1
    while step < values.shape[0]:
        # The first `step` samples look at themselves: their past is complete.
        earlier = xp.concat([best[:step, ...], best[:-step, ...]])
        best = xp.where(closed, best, xp.maximum(best, earlier))
        closed = closed | xp.concat([closed[:step, ...], closed[:-step, ...]])
        step *= 2
    return best


def autocorrelation_rate(x: Array, rate_hz: float, band_hz: tuple[float, float]) -> Array:
    """The rate at which each window repeats itself: another way to count than by onsets.

    Parameters
    ----------
    x : array, shape (time, ...)
        Windows, time first.
    rate_hz : float
        Samples per second.
    band_hz : tuple of float
        Slowest and fastest rate to look for; a window should hold two of the slowest cycles.

    Returns
    -------
    array of float64, shape (...), Hz
        0 for a constant window, or one that correlates with itself at no lag of the band.

    Notes
    -----
    *Method*: autocorrelation by a padded Fourier transform, divided by the number of pairs at
    each lag; the shortest lag at a peak that is at least 0.9 of the highest, with a parabola
    through its neighbours.

    *Accuracy*: better than 1 % from eight cycles on, since the pieces of cycles at the ends of a
    window move the peak.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(2 * np.pi * 0.8 * np.arange(1000) / 100)
    >>> round(float(autocorrelation_rate(wave, 100.0, (0.3, 3.0))), 2)
    0.8
    """
    xp, where = array_namespace(x), device(x)
    values = xp.astype(x, xp.float64)
    values = values - xp.mean(values, axis=0, keepdims=True)
    rows = x.shape[0]
    spectrum = xp.fft.rfft(values, n=fast_length(2 * rows), axis=0)
    power = spectrum * xp.conj(spectrum)  # irfft wants a complex type
    products = xp.fft.irfft(power, n=fast_length(2 * rows), axis=0)[:rows, ...]
    first = max(1, int(rate_hz / band_hz[1]))
    last = max(first, min(rows - 2, int(rate_hz / band_hz[0]) + 1))
    lags = xp.arange(first - 1, last + 2, dtype=xp.float64, device=where)
    lags = xp.reshape(lags, (-1,) + (1,) * (x.ndim - 1))
    likeness = products[first - 1 : last + 2, ...] / (rows - lags)
    middle, left, right = likeness[1:-1, ...], likeness[:-2, ...], likeness[2:, ...]
    peak = (middle >= left) & (middle >= right) & (middle > 0.0)
    height = xp.where(peak, middle, xp.zeros_like(middle))
    top = xp.max(height, axis=0, keepdims=True)
    good = peak & (height >= _AS_HIGH * top) & (top > 0.0)
    bend = xp.where(good, left - 2.0 * middle + right, -xp.ones_like(middle))
    bend = xp.where(bend < 0.0, bend, -xp.ones_like(bend))
    rates = rate_hz / (lags[1:-1, ...] + 0.5 * (left - right) / bend)
    return xp.max(xp.where(good, rates, xp.zeros_like(rates)), axis=0)
