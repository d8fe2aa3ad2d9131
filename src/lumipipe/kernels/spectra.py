"""Averaged spectra, and spectra of squared envelopes.

The frequencies at which a bearing's faults show are in `lumipipe.kernels.kinematics`; bands
and features are in `lumipipe.features.spectral` and `lumipipe.features.envelope`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array, State

_FRAME_VALUES = 2**18  # values that are transformed at a time: 1 to 2 MiB stay in a cache


def hann(xp: ModuleType, where: object, length: int) -> Array:
    """The periodic Hann window: float64 (length,) on the device `where`."""
    xp = array_namespace(xp.zeros(0))
    phase = xp.arange(length, dtype=xp.float64, device=where) * (2.0 * math.pi / length)
    return 0.5 - 0.5 * xp.cos(phase)


def frequencies(xp: ModuleType, where: object, length: int, rate_hz: float) -> Array:
    """Frequencies of the bins of a real transform of `length` samples: float64 (bin,), Hz."""
    xp = array_namespace(xp.zeros(0))
    bins = xp.arange(length // 2 + 1, dtype=xp.float64, device=where)
    return bins * (rate_hz / length)


def periodograms(frames: Array, rate_hz: float) -> Array:
    """One-sided power spectral densities of frames, each less its mean, under a Hann window.

    Parameters
    ----------
    frames : array of float32 or float64, shape (time, ...)
        Frames, time first.
    rate_hz : float
        Samples per second.

    Returns
    -------
    array of the dtype of `frames`, shape (bin, ...), unit of `frames` squared per Hz
        Sums over bins times rate / length give the variance, up to the window.

    Notes
    -----
    *Accuracy*: relative to the spectrum's mean, below 1e-6 for float32 and 1e-12 for float64,
    also where the signal's offset is a thousand times its standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.cos(2 * np.pi * np.arange(64) / 8)
    >>> int(np.argmax(periodograms(tone, 64.0)))
    8
    """
    xp = array_namespace(frames)
    length = frames.shape[0]
    window = hann(xp, device(frames), length)
    taper = xp.astype(xp.reshape(window, (length,) + (1,) * (frames.ndim - 1)), frames.dtype)
    # Twice: the first mean of float32 frames is rounded to the size of their offset.
    transform = xp.fft.rfft(_less_mean(_less_mean(frames)) * taper, axis=0)
    power = xp.real(transform) ** 2 + xp.imag(transform) ** 2
    factor = xp.full((power.shape[0],), 2.0, dtype=xp.float64, device=device(frames))
    bins = xp.arange(power.shape[0], dtype=xp.int64, device=device(frames))
    alone = (bins == 0) | (2 * bins == length)  # these two have no mirror image
    factor = xp.where(alone, 0.5 * factor, factor) / (rate_hz * xp.sum(window * window))
    factor = xp.reshape(factor, (-1,) + (1,) * (frames.ndim - 1))
    return power * xp.astype(factor, power.dtype)


def welch_sums(x: Array, rate_hz: float, segment: int, overlap: int) -> State:
    """Sum of the periodograms of overlapping segments, and their number: Welch's mean in parts.

    Parameters
    ----------
    x : array of float32 or float64, shape (time, channel, window)
        Signals of at least `segment` samples.
    rate_hz : float
        Samples per second.
    segment, overlap : int
        Samples of a segment, and of two neighbours together; overlap < segment.

    Returns
    -------
    dict of str to array
        ``power`` float64 (bin, channel, window), unit of `x` squared per Hz, and ``count``
        int64 (): the mean is their quotient, and the sums of two parts of the data add.

    Notes
    -----
    *Method*: Welch 1967, with the mean of each segment removed under a periodic Hann window.

    *Cost*: one transform for each segment, in blocks that stay in the cache.

    *Accuracy*: relative to the spectrum's mean, below 1e-6 of scipy.signal.welch for float32
    and below 1e-12 for float64.

    References
    ----------
    .. [1] Welch, "The use of fast Fourier transform for the estimation of power spectra",
       IEEE Trans. Audio Electroacoust. 15, 1967.

    Examples
    --------
    >>> import numpy as np
    >>> sums = welch_sums(np.zeros((16, 1, 1)), 1.0, 8, 4)
    >>> int(sums["count"]), sums["power"].shape
    (3, (5, 1, 1))
    """
    xp = array_namespace(x)
    where, (samples, channels, windows) = device(x), x.shape
    step = segment - overlap
    count = (samples - segment) // step + 1
    block = max(1, _FRAME_VALUES // max(1, segment * channels * windows))
    power = xp.zeros((segment // 2 + 1, channels, windows), dtype=xp.float64, device=where)
    time = xp.arange(segment, dtype=xp.int64, device=where)[:, None]
    for first in range(0, count, block):
        stop = min(first + block, count)
        start = xp.arange(first, stop, dtype=xp.int64, device=where)[None, :] * step
        frames = xp.take(x, xp.reshape(time + start, (-1,)), axis=0)
        frames = xp.reshape(frames, (segment, stop - first, channels, windows))
        power = power + xp.sum(periodograms(frames, rate_hz), axis=1, dtype=xp.float64)
    return {"power": power, "count": xp.asarray(count, dtype=xp.int64, device=where)}


def squared_envelope_spectrum(x: Array, rate_hz: float, band_hz: tuple[float, float]) -> Array:
    """Amplitudes of the spectrum of the squared envelope of a band of each signal.

    Parameters
    ----------
    x : array of float32 or float64, shape (time, ...)
        Signals, time first.
    rate_hz : float
        Samples per second.
    band_hz : tuple of 2 float
        Lowest and highest frequency of the band; bins at 0 and at half the rate stay out.

    Returns
    -------
    array of the dtype of `x`, shape (bin, ...), unit of `x` squared
        Bin k is at k * rate / time; as many bins as the band has. Bin 0 is the mean of the
        squared envelope.

    Raises
    ------
    ValueError
        If no bin lies within the band; widen the band or lengthen the signals.

    Notes
    -----
    *Method*: the bins of the band are moved to 0 and transformed back with M points. The
    squared envelope of B bins has its own bins in ±(B - 1), so it is exact, without aliasing,
    when M >= 2 B; shifting the band does not change it.

    *Cost*: one long real transform and two short ones of M < 2.5 B points.

    *Accuracy*: relative to the largest amplitude, 1e-6 for float32 and 1e-14 for float64.

    References
    ----------
    .. [1] Randall & Antoni, "Rolling element bearing diagnostics: a tutorial", Mech. Syst.
       Signal Process. 25, 2011, section 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(400) / 400
    >>> x = (1 + np.cos(2 * np.pi * 5 * t)) * np.cos(2 * np.pi * 100 * t)
    >>> squared_envelope_spectrum(x, 400.0, (80.0, 120.0))[[0, 5, 10]].round(6)
    array([1.5 , 1.  , 0.25])
    """
    xp = array_namespace(x)
    samples = x.shape[0]
    first = max(1, math.ceil(band_hz[0] * samples / rate_hz))
    stop = min((samples - 1) // 2, math.floor(band_hz[1] * samples / rate_hz)) + 1
    bins = stop - first
    if bins < 1:
        raise ValueError(f"no bin lies in {band_hz} Hz; widen the band or lengthen the signals")
    points = fast_length(2 * bins)
    band = xp.fft.rfft(x, axis=0)[first:stop, ...]
    rest = xp.zeros((points - bins, *x.shape[1:]), dtype=band.dtype, device=device(x))
    signal = xp.fft.ifft(xp.concat([band, rest], axis=0), axis=0) * (2.0 * points / samples)
    squared = xp.real(signal) ** 2 + xp.imag(signal) ** 2
    return xp.abs(xp.fft.rfft(squared, axis=0)[:bins, ...]) / points


def _less_mean(frames: Array) -> Array:
    """Frames less their mean over time, in the dtype of `frames`."""
    xp = array_namespace(frames)
    centre = xp.sum(frames, axis=0, keepdims=True, dtype=xp.float64) / frames.shape[0]
    return frames - xp.astype(centre, frames.dtype)


def fast_length(least: int) -> int:
    """The smallest number of at least `least` whose prime factors are 2, 3 and 5."""
    number = max(1, least)
    while True:
        rest = number
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return number
        number += 1
