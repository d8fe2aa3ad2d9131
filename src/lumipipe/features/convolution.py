"""Random convolutions of windows, with biases that no data have touched.

The convolution itself is in `lumipipe.kernels.convolution`. In the method's original form the
biases are quantiles of training windows; here they come from a synthetic reference process, so
that no person or machine that is held out can leak into the features of another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace, device
from pydantic import Field

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import scaled
from lumipipe.features.remembered import remembered
from lumipipe.kernels import philox
from lumipipe.kernels.convolution import (
    KERNELS,
    TAPS,
    ConvolutionParameters,
    dilation_plan,
)
from lumipipe.kernels.fused.convolution import proportion_positive

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array

_SUBSET_SIZE, _SUBSET, _PICK, _SERIES, _NOISE = range(0xC0F0, 0xC0F5)  # purposes of the draws
_MOST_CHANNELS = 9  # of a subset
_REFERENCES = 128  # windows of the reference process
_LOG10_MEMORY = (-2.5, -0.3)  # 1 - lag-one correlation of the reference process
_LOG10_AMPLITUDE = (-0.7, 0.2)  # in units of the channels' scales
_OFFSET_SD = 0.7
_GOLDEN = (math.sqrt(5.0) + 1.0) / 2.0


class RandomConvolutionSettings(config.Settings):
    """How many convolutions."""

    features: Annotated[int, Field(ge=len(KERNELS))] = 1000
    """Number of features; rounded down to a multiple of 84."""


@dataclass(frozen=True)
class RandomConvolution:
    """Shares of convolution outputs above biases, as in MiniRocket.

    Parameters
    ----------
    names : tuple of str
        ``convolution:number``.
    scales : tuple of float
        What each channel is divided by first.
    length : int
        Samples of a window.
    parameters : ConvolutionParameters
        Dilations, and the channel subset of each kernel.
    seed : int
        Key of the reference process.

    Notes
    -----
    *Method*: kernels, dilations and quantiles of [1]_. Each kernel's biases are quantiles of its
    output on one of 128 windows of a first-order autoregressive process with lag-one
    correlation 1 - 10^U(-2.5, -0.3), amplitude 10^U(-0.7, 0.2) and offset 0.7 N(0, 1).

    References
    ----------
    .. [1] Dempster, Schmidt & Webb, "MiniRocket: a very fast (almost) deterministic transform
       for time series classification", KDD 2021.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    length: int
    parameters: ConvolutionParameters
    seed: int

    Settings: ClassVar[type[config.Settings]] = RandomConvolutionSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: RandomConvolutionSettings,
        seed: int,
    ) -> RandomConvolution:
        """The feature for windows of `length` samples; subsets are drawn, biases come later."""
        del rate_hz
        if length < TAPS:
            raise InputError(
                "features.random_convolution",
                f"a window has {length} samples, but a kernel has {TAPS}",
                "take longer windows",
            )
        dilations, counts = dilation_plan(length, settings.features)
        subsets = tuple(
            _subset(number, len(channels), seed) for number in range(len(KERNELS) * len(dilations))
        )
        parameters = ConvolutionParameters(dilations, counts, subsets)
        names = tuple(f"convolution:{number:04d}" for number in range(parameters.features))
        return cls(names, scales, length, parameters, seed)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Shares, float32 (window, feature), of windows (time, channel, window) in float32."""
        del rate_hz
        xp = array_namespace(windows)
        x = scaled(xp.astype(windows, xp.float32), self.scales)
        biases = reference_biases(
            xp, device(windows), self.parameters, self.length, len(self.scales), self.seed
        )
        return xp.matrix_transpose(proportion_positive(x, self.parameters, biases))


@remembered
def reference_biases(
    xp: ModuleType,
    where: object,
    parameters: ConvolutionParameters,
    length: int,
    channels: int,
    seed: int,
) -> Array:
    """Biases of all features: float32 (feature,), the same on every array library.

    Parameters
    ----------
    xp : ModuleType
        Array namespace that computes them, in float64.
    where : object
        Its device.
    parameters : ConvolutionParameters
        Dilations, numbers of biases and channel subsets.
    length, channels : int
        Shape of a window.
    seed : int
        Key of the draws.

    Returns
    -------
    array of float32, shape (feature,)
        Quantiles at the fractions of multiples of the golden ratio, a sequence of low
        discrepancy. Kept for the next call.
    """
    series = reference_series(xp, where, length, channels, seed)
    found, first, width = [], 0, len(KERNELS)
    for number, dilation in enumerate(parameters.dilations):
        kernels = range(number * width, (number + 1) * width)
        output = _reference_output(
            series,
            [parameters.subsets[k] for k in kernels],
            dilation,
            [int(philox.uniform_float(k, (seed, _PICK)) * _REFERENCES) for k in kernels],
        )
        count = parameters.biases_per_kernel[number]
        quantiles = [
            [(first + kernel * count + i + 1) * _GOLDEN % 1.0 for kernel in range(width)]
            for i in range(count)
        ]
        fractions = xp.asarray(quantiles, dtype=xp.float64, device=where)
        biases = _column_quantiles(output, fractions)
        found.append(xp.reshape(xp.matrix_transpose(biases), (-1,)))
        first += width * count
    return xp.astype(xp.concat(found, axis=0), xp.float32)


def reference_series(xp: ModuleType, where: object, length: int, channels: int, seed: int) -> Array:
    """Windows of the reference process: float64 (time, channel, reference)."""
    shape = (channels, _REFERENCES)
    draws = philox.uniform(xp, where, (seed, _SERIES), (2, *shape))
    xp = array_namespace(draws)
    memory = 1.0 - xp.exp(math.log(10.0) * _between(draws[0, ...], _LOG10_MEMORY))
    amplitude = xp.exp(math.log(10.0) * _between(draws[1, ...], _LOG10_AMPLITUDE))
    noise = philox.normal(xp, where, (seed, _NOISE), (length + 1, *shape))
    kick = xp.sqrt(1.0 - memory * memory)
    steps = [noise[0, ...]]  # of unit variance already, so nothing needs to settle
    for time in range(1, length):
        steps.append(memory * steps[-1] + kick * noise[time, ...])
    return xp.stack(steps, axis=0) * amplitude + _OFFSET_SD * noise[length, ...]


def _between(uniform: Array, ends: tuple[float, float]) -> Array:
    """Uniform draws on [0, 1) moved to an interval."""
    return ends[0] + (ends[1] - ends[0]) * uniform


def _subset(number: int, channels: int, seed: int) -> tuple[int, ...]:
    """Channels of a kernel: their number is log-uniform, all subsets of it are as likely."""
    top = math.log2(min(channels, _MOST_CHANNELS) + 1)
    size = int(2.0 ** (top * philox.uniform_float(number, (seed, _SUBSET_SIZE))))
    order = sorted(
        range(channels),
        key=lambda c: philox.uniform_float(number * channels + c, (seed, _SUBSET)),
    )
    return tuple(sorted(order[: min(size, channels)]))


def _reference_output(
    series: Array, subsets: list[tuple[int, ...]], dilation: int, picks: list[int]
) -> Array:
    """Output of each kernel on its channels of its reference window: float64 (time, kernel)."""
    xp, where = array_namespace(series), device(series)
    length, channels, _ = series.shape
    member = [[float(c in subset) for subset in subsets] for c in range(channels)]
    chosen = xp.take(series, xp.asarray(picks, dtype=xp.int64, device=where), axis=2)
    x = xp.sum(chosen * xp.asarray(member, dtype=xp.float64, device=where)[None, :, :], axis=1)
    reach = TAPS // 2 * dilation
    zeros = xp.zeros((reach, len(subsets)), dtype=xp.float64, device=where)
    padded = xp.concat([zeros, x, zeros], axis=0)
    weights = [[2.0 if tap in kernel else -1.0 for kernel in KERNELS] for tap in range(TAPS)]
    weight = xp.asarray(weights, dtype=xp.float64, device=where)
    output = xp.zeros_like(x)
    for tap in range(TAPS):
        output = output + weight[tap, :] * padded[tap * dilation : tap * dilation + length, :]
    return output


def _column_quantiles(values: Array, fractions: Array) -> Array:
    """Quantiles of each column, linear between neighbours; both (row, column)."""
    xp = array_namespace(values)
    ordered = xp.sort(values, axis=0, stable=False)
    position = fractions * (values.shape[0] - 1)
    low = xp.astype(xp.floor(position), xp.int64)  # a fraction below 1 leaves room for low + 1
    column = xp.arange(values.shape[1], dtype=xp.int64, device=device(values))
    flat, index = xp.reshape(ordered, (-1,)), xp.reshape(low * values.shape[1] + column, (-1,))
    below = xp.reshape(xp.take(flat, index, axis=0), position.shape)
    above = xp.reshape(xp.take(flat, index + values.shape[1], axis=0), position.shape)
    return below + (above - below) * (position - xp.floor(position))
