"""How far bearing faults stand out of the squared envelope's spectrum of each window.

The spectrum is in `lumipipe.kernels.spectra`, the fault frequencies of a bearing are in
`lumipipe.kernels.kinematics`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace
from pydantic import Field

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels.spectra import squared_envelope_spectrum

if TYPE_CHECKING:
    from lumipipe.backend import Array


class EnvelopeSettings(config.Settings):
    """Which band, and which frequencies."""

    band_hz: tuple[config.PositiveFloat, config.PositiveFloat]
    """Lowest and highest frequency of the band whose envelope is taken, in Hz."""
    shaft_hz: config.PositiveFloat
    """Rotations of the shaft per second."""
    orders: Annotated[dict[config.Text, config.PositiveFloat], Field(min_length=1)]
    """Fault frequencies by name, as multiples of the shaft's."""
    harmonics: Annotated[int, Field(ge=1)] = 3
    """Harmonics of each frequency."""
    tolerance: Annotated[float, Field(ge=0, lt=0.5)] = 0.02
    """Largest relative deviation by slip of the rolling elements."""
    floor: config.PositiveFloat = 1e-9
    """Added to the mean squared envelope of a scaled channel before its logarithm."""


@dataclass(frozen=True)
class Envelope:
    """Peaks of the squared envelope's spectrum near fault frequencies, over its median.

    Parameters
    ----------
    names : tuple of str
        ``channel:fault``, then ``channel:level``.
    scales : tuple of float
        What each channel is divided by first.
    band_hz : tuple of 2 float
        Band whose envelope is taken.
    bins : tuple of tuple of (int, int), length fault
        First and last bin of each harmonic of each fault.
    floor : float
        Added to the mean squared envelope before its logarithm.

    Notes
    -----
    *Method*: log(1 + mean over harmonics of the largest amplitude near each / median
    amplitude); the level is the logarithm of the mean squared envelope.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    band_hz: tuple[float, float]
    bins: tuple[tuple[tuple[int, int], ...], ...]
    floor: float

    Settings: ClassVar[type[config.Settings]] = EnvelopeSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: EnvelopeSettings,
        seed: int,
    ) -> Envelope:
        """The feature for windows of `length` samples; nothing is drawn."""
        del seed
        low, high = settings.band_hz
        if not low < high <= rate_hz / 2:
            raise InputError(
                "features.envelope.band_hz",
                f"[{low:g}, {high:g}] does not rise within half the rate, {rate_hz / 2:g} Hz",
                "choose a band below half the sampling rate",
            )
        bins = tuple(
            _harmonic_bins(name, order, settings, length / rate_hz)
            for name, order in settings.orders.items()
        )
        names = [f"{channel}:{fault}" for fault in settings.orders for channel in channels]
        names += [f"{channel}:level" for channel in channels]
        return cls(tuple(names), scales, settings.band_hz, bins, settings.floor)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Prominences, float64 (window, feature), of windows (time, channel, window)."""
        xp = array_namespace(windows)
        spectrum = squared_envelope_spectrum(scaled(windows, self.scales), rate_hz, self.band_hz)
        spectrum = xp.astype(spectrum, xp.float64)
        ordered = xp.sort(spectrum[1:, ...], axis=0, stable=False)
        median = ordered[ordered.shape[0] // 2, ...]
        quiet = median == 0.0
        background = xp.where(quiet, xp.ones_like(median), median)
        blocks = []
        for harmonics in self.bins:
            peaks = [xp.max(spectrum[a : b + 1, ...], axis=0) for a, b in harmonics]
            height = xp.mean(xp.stack(peaks, axis=0), axis=0) / background
            blocks.append(xp.where(quiet, xp.zeros_like(height), xp.log1p(height)))
        return by_window([*blocks, xp.log(spectrum[0, ...] + self.floor)])


def _harmonic_bins(
    name: str, order: float, settings: EnvelopeSettings, duration_s: float
) -> tuple[tuple[int, int], ...]:
    """First and last bin of the harmonics of a fault that the band can show."""
    low, high = settings.band_hz
    last = math.floor((high - low) * duration_s) - 1
    found = []
    for harmonic in range(1, settings.harmonics + 1):
        centre = harmonic * order * settings.shaft_hz * duration_s
        first = min(math.ceil(centre * (1 - settings.tolerance)), round(centre))
        stop = max(math.floor(centre * (1 + settings.tolerance)), round(centre))
        if first >= 1 and stop <= last:
            found.append((first, stop))
    if not found:
        raise InputError(
            f"features.envelope.orders.{name}",
            f"{order * settings.shaft_hz:.4g} Hz is not between the resolution of a window "
            f"({1 / duration_s:.4g} Hz) and the width of the band ({high - low:.4g} Hz)",
            "take longer windows or a wider band",
        )
    return tuple(found)
