"""Random Fourier features of rows of a table; the formula is in `lumipipe.kernels.fourier`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace, device
from pydantic import Field

from lumipipe import config
from lumipipe.features.interface import scaled
from lumipipe.features.remembered import remembered
from lumipipe.kernels.fourier import fourier_features, gaussian_draws

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array


class RandomFourierSettings(config.Settings):
    """How many features, of which kernel."""

    features: Annotated[int, Field(ge=1)] = 512
    """Number of features."""
    bandwidth: config.PositiveFloat = 1.0
    """Bandwidth of the kernel, in scales of the channels times the root of their number."""


@dataclass(frozen=True)
class RandomFourier:
    """Random Fourier features of a Gaussian kernel over the values of a window.

    A row of a table is a window of one sample; a longer window gives all its values.

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
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    bandwidth: float
    seed: int

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
        bandwidth = settings.bandwidth * math.sqrt(length * len(channels))
        return cls(names, scales, bandwidth, seed)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Features (window, feature) of windows (time, channel, window), in their dtype."""
        del rate_hz
        xp = array_namespace(windows)
        time, channels, count = windows.shape
        x = xp.reshape(scaled(windows, self.scales), (time * channels, count))
        frequencies, phases = _draws(
            xp, device(windows), self.seed, time * channels, len(self.names), self.bandwidth
        )
        return fourier_features(
            xp.matrix_transpose(x),
            xp.astype(frequencies, windows.dtype),
            xp.astype(phases, windows.dtype),
        )


@remembered
def _draws(
    xp: ModuleType, where: object, seed: int, inputs: int, features: int, bandwidth: float
) -> tuple[Array, Array]:
    """Frequencies for a bandwidth, and phases."""
    frequencies, phases = gaussian_draws(xp, where, seed, inputs, features)
    return frequencies / bandwidth, phases
