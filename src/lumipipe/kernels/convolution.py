"""Convolution with the 84 fixed kernels of MiniRocket, and the share of outputs above a bias.

A kernel has 9 weights, three of them 2 and six of them -1, and is dilated. Where
channel subsets and biases come from is in `lumipipe.features.convolution`; the body for CuPy's
arrays is in `lumipipe.kernels.fused.convolution`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lumipipe.backend import Array

TAPS = 9  # weights of a kernel
KERNELS = tuple(combinations(range(TAPS), 3))  # where the weights are 2
_MOST_DILATIONS = 32
_BYTE, _SHORT = 2**8 - 1, 2**16 - 1  # largest counts
_FEW_ROWS = 32  # below this, one sum is faster than another halving


@dataclass(frozen=True)
class ConvolutionParameters:
    """What is convolved with what; biases come beside it, one for each feature.

    Features are ordered by dilation, then kernel, then bias.

    Parameters
    ----------
    dilations : tuple of int
        Samples between the taps of a kernel; 8 times the largest is below the window's length.
    biases_per_kernel : tuple of int, length dilation
        Biases of each kernel at each dilation.
    subsets : tuple of tuple of int, length dilation * kernel
        Channels whose sum each kernel sees, by dilation and then kernel.
    """

    dilations: tuple[int, ...]
    biases_per_kernel: tuple[int, ...]
    subsets: tuple[tuple[int, ...], ...]

    @property
    def features(self) -> int:
        """Number of features."""
        return len(KERNELS) * sum(self.biases_per_kernel)


def dilation_plan(length: int, features: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Dilations for windows of a length, and the biases of each kernel at each dilation.

    Parameters
    ----------
    length : int
        Samples of a window, at least 9.
    features : int
        Wanted number of features, at least 84; it is rounded down to a multiple of 84.

    Returns
    -------
    dilations : tuple of int
        Rising, spaced evenly on a logarithmic scale from 1 to (length - 1) / 8.
    biases_per_kernel : tuple of int, length dilation
        They sum to features / 84.

    Raises
    ------
    ValueError
        If there are fewer than 9 samples or 84 features; take longer windows or more features.

    References
    ----------
    .. [1] Dempster, Schmidt & Webb, "MiniRocket: a very fast (almost) deterministic transform
       for time series classification", KDD 2021, section 3.1.2.

    Examples
    --------
    >>> dilation_plan(100, 500)
    ((1, 3, 6, 12), (2, 1, 1, 1))
    """
    wanted = features // len(KERNELS)
    if length < TAPS or wanted < 1:
        raise ValueError(
            f"{length} samples and {features} features; need at least {TAPS} and {len(KERNELS)}"
        )
    steps = min(wanted, _MOST_DILATIONS)
    top = math.log2((length - 1) / (TAPS - 1))
    # The tiny factor keeps whole powers whole.
    raw = [int(2 ** (top * i / max(steps - 1, 1)) * (1 + 1e-12)) for i in range(steps)]
    dilations = tuple(sorted(set(raw)))
    counts = [raw.count(dilation) * wanted // steps for dilation in dilations]
    for extra in range(wanted - sum(counts)):
        counts[extra % len(counts)] += 1
    return dilations, tuple(counts)


def proportion_positive(x: Array, parameters: ConvolutionParameters, biases: Array) -> Array:
    """Share of the outputs of each convolution that lie above each of its biases.

    Parameters
    ----------
    x : array of float32 or float64, shape (time, channel, window)
        Windows.
    parameters : ConvolutionParameters
        Dilations, channel subsets and numbers of biases.
    biases : array of the dtype of `x`, shape (feature,)
        One for each feature.

    Returns
    -------
    array of float32, shape (feature, window)
        Between 0 and 1. Where dilation number plus kernel number is even, windows are padded
        with zeros to keep their length; elsewhere only whole overlaps count.

    Notes
    -----
    *Method*: convolution is linear, so channels are summed first, and with A the sum of minus
    all shifted inputs and G = 3 times a shifted one, each output is A + G_a + G_b + G_c. Sums
    that kernels of one subset share are made once. A shift is an offset of rows. What is
    counted is halved as bytes first, which is fast while time is even.

    *Cost*: for each window and sample, about 2 operations a kernel and dilation where all share
    a subset and 5 where none do, and one comparison and one byte sum a feature. On a CPU, calls
    with time times window near 100,000 took four fifths of the time of calls of 50,000 for one
    channel of 512 samples.

    *Accuracy*: an output within float rounding of its bias may fall on either side, which moves
    a feature by 1 / time.

    References
    ----------
    .. [1] Dempster, Schmidt & Webb, "MiniRocket: a very fast (almost) deterministic transform
       for time series classification", KDD 2021.

    Examples
    --------
    >>> import numpy as np
    >>> parameters = ConvolutionParameters((1,), (1,), ((0,),) * 84)
    >>> x = np.ones((9, 1, 1), np.float32)
    >>> proportion_positive(x, parameters, np.full(84, -1, np.float32))[1]  # the weights sum to 0
    array([1.], dtype=float32)
    """
    xp = array_namespace(x)
    channels = _padded_channels(x, max(parameters.dilations, default=0))
    margin = (channels[0].shape[0] - x.shape[0]) // 2
    found: list[Array] = []
    first = 0
    for number, dilation in enumerate(parameters.dilations):
        shifts = _Shifts(channels, margin, x.shape[0], dilation)
        count = parameters.biases_per_kernel[number]
        subsets = parameters.subsets[number * len(KERNELS) : (number + 1) * len(KERNELS)]
        shares: dict[int, Array] = {}
        for kernel, output in _outputs(shifts, subsets, number):
            at = first + kernel * count
            shares[kernel] = _shares_above(output, biases[at : at + count])
        found += [shares[kernel] for kernel in range(len(KERNELS))]
        first += len(KERNELS) * count
    return xp.concat(found, axis=0)


class _Shifts:
    """Shifted sums of channels at one dilation; only the rows that are asked for."""

    def __init__(self, channels: Sequence[Array], margin: int, length: int, dilation: int) -> None:
        self.length, self.dilation = length, dilation
        reach = TAPS // 2 * dilation
        rows = slice(margin - reach, margin + length + reach)
        self.channels = [channel[rows, :] for channel in channels]
        self.totals = [self._total(channel) for channel in self.channels]

    def _total(self, channel: Array) -> Array:
        """Sum of all nine shifts of a padded channel, for all rows."""
        total = channel[: self.length, :] + channel[self.dilation : self.dilation + self.length, :]
        for tap in range(2, TAPS):
            total += channel[tap * self.dilation : tap * self.dilation + self.length, :]
        return total

    def tripled(self, subset: tuple[int, ...]) -> Array:
        """Three times the sum of the padded channels of a subset."""
        total = self.channels[subset[0]]
        for channel in subset[1:]:
            total = total + self.channels[channel]
        return total * 3.0

    def minus_all(self, subset: tuple[int, ...], rows: slice) -> Array:
        """Minus the sum of all shifts of the channels of a subset."""
        total = -self.totals[subset[0]][rows, :]
        for channel in subset[1:]:
            total -= self.totals[channel][rows, :]
        return total


def _outputs(
    shifts: _Shifts, subsets: Sequence[tuple[int, ...]], parity: int
) -> Iterator[tuple[int, Array]]:
    """Kernels and their outputs (time, window), those that share a channel subset together."""
    groups: dict[tuple[tuple[int, ...], bool], list[int]] = {}
    for kernel, subset in enumerate(subsets):
        groups.setdefault((subset, (parity + kernel) % 2 == 0), []).append(kernel)
    tripled: dict[tuple[int, ...], Array] = {}
    for (subset, padded), kernels in sorted(groups.items()):
        if subset not in tripled:
            tripled = {subset: shifts.tripled(subset)}
        cut = 0 if padded else TAPS // 2 * shifts.dilation
        rows = slice(cut, shifts.length - cut)
        base = shifts.minus_all(subset, rows)
        yield from _kernel_outputs(base, tripled[subset], kernels, shifts.dilation, rows)


def _kernel_outputs(
    base: Array, tripled: Array, kernels: Sequence[int], dilation: int, rows: slice
) -> Iterator[tuple[int, Array]]:
    """Outputs of kernels of one subset; sums over the first one and two taps are kept."""
    last: tuple[int, int] | tuple[()] = ()
    one = two = base
    for kernel in kernels:
        a, b, c = KERNELS[kernel]
        at = [slice(rows.start + tap * dilation, rows.stop + tap * dilation) for tap in (a, b, c)]
        if last[:1] != (a,):
            one = base + tripled[at[0], :]
        if last != (a, b):
            two = one + tripled[at[1], :]
        last = (a, b)
        yield kernel, two + tripled[at[2], :]


def _padded_channels(x: Array, dilation: int) -> list[Array]:
    """Each channel (time, window) between the zeros that the largest dilation reaches."""
    xp = array_namespace(x)
    _, channels, windows = x.shape
    zeros = xp.zeros((TAPS // 2 * dilation, windows), dtype=x.dtype, device=device(x))
    return [xp.concat([zeros, x[:, channel, :], zeros], axis=0) for channel in range(channels)]


def _shares_above(output: Array, biases: Array) -> Array:
    """Share of the rows (time) of an output above each bias: float32 (bias, window)."""
    xp = array_namespace(output)
    above = xp.astype(output[None, :, :] > biases[:, None, None], xp.uint8)
    rows, most = output.shape[0], 1  # `most` is what a byte may hold by now
    while rows % 2 == 0 and rows > _FEW_ROWS and most <= _BYTE // 2:
        rows, most = rows // 2, most * 2
        above = above[:, :rows, :] + above[:, rows:, :]
    wide = xp.uint16 if output.shape[0] <= _SHORT else xp.uint32
    total = xp.sum(xp.astype(above, wide), axis=1, dtype=wide)
    return xp.astype(total, xp.float32) / output.shape[0]
