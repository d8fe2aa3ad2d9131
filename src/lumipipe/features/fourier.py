"""Random Fourier features of rows or windows; the formula is in `lumipipe.kernels.fourier`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias

from array_api_compat import array_namespace, device
from pydantic import Field

from lumipipe import config
from lumipipe.features.interface import scaled
from lumipipe.features.remembered import remembered
from lumipipe.kernels.fourier import fourier_features, gaussian_draws
from lumipipe.kernels.statistics import linear_change, mean

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array


Inputs: TypeAlias = Literal["values", "mean", "mean_and_change"]


class RandomFourierSettings(config.Settings):
    """How many features, of which kernel."""

    features: Annotated[int, Field(ge=1)] = 512
    """Number of features."""
    bandwidth: config.PositiveFloat = 1.0
    """Bandwidth of the kernel, in scales of the channels times the root of the inputs' number."""
    of: Inputs = "values"
    """What of each channel of a window is an input: all values, their mean, or their mean and what
    the straight line through them rises by."""


@dataclass(frozen=True)
class RandomFourier:
    """Random Fourier features of a Gaussian kernel over the values of a window, or their trend.

    A row of a table is a window of one sample; a longer window gives all its values, or what
    they say of level and trend.

    Parameters
    ----------
    names : tuple of str
        ``fourier:number``.
    scales : tuple of float
        What each channel is divided by first.
    bandwidth : float
        Of the kernel.
    seed : int
        Key of the draws.
    of : {"values", "mean", "mean_and_change"}
        What of a window is an input.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    bandwidth: float
    seed: int
    of: Inputs = "values"

    Settings: ClassVar[type[config.Settings]] = RandomFourierSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: RandomFourierSettings,
        seed: int,
    ) -> RandomFourier:
        """The feature for windows of `length` samples; frequencies are drawn when first used."""
        del rate_hz
        names = tuple(f"fourier:{number:04d}" for number in range(settings.features))
        each = {"values": length, "mean": 1, "mean_and_change": 2}[settings.of]
        bandwidth = settings.bandwidth * math.sqrt(each * len(channels))
        return cls(names, scales, bandwidth, seed, settings.of)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Features (window, feature) of windows (time, channel, window), in their dtype."""
        del rate_hz
        xp = array_namespace(windows)
        x = self._inputs(scaled(windows, self.scales))
        frequencies, phases = _draws(
            xp, device(windows), self.seed, x.shape[0], len(self.names), self.bandwidth
        )
        return fourier_features(
            xp.matrix_transpose(x),
            xp.astype(frequencies, windows.dtype),
            xp.astype(phases, windows.dtype),
        )

    def _inputs(self, x: Array) -> Array:
        """What the kernel compares of windows (time, channel, window): (input, window)."""
        xp = array_namespace(x)
        if self.of == "values":
            return xp.reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))
        parts = [mean(x)] if self.of == "mean" else [mean(x), linear_change(x)]
        return xp.astype(xp.concat(parts, axis=0), x.dtype)


@remembered
def _draws(
    xp: ModuleType, where: object, seed: int, inputs: int, features: int, bandwidth: float
) -> tuple[Array, Array]:
    """Frequencies for a bandwidth, and phases."""
    frequencies, phases = gaussian_draws(xp, where, seed, inputs, features)
    return frequencies / bandwidth, phases
