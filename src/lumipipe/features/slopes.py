"""Slopes along neighbouring channels, such as wavenumbers: a spectrum without its base line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace
from pydantic import Field, field_validator

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled

if TYPE_CHECKING:
    from lumipipe.backend import Array


class SlopesSettings(config.Settings):
    """How wide a slope is taken."""

    points: Annotated[int, Field(ge=3)] = 15
    """Neighbouring channels that a parabola is fitted to, an odd number."""

    @field_validator("points")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"points is {value}; take an odd number")
        return value


@dataclass(frozen=True)
class Slopes:
    """The slope of a parabola through a channel and its neighbours, per channel.

    The channels must be neighbours on one axis, in steps of about one size. A row of a table is a
    window of one sample; of a longer window, the mean is taken first.

    Parameters
    ----------
    names : tuple of str
        ``slope of channel``: the one in the middle.
    scales : tuple of float
        What each channel is divided by first.
    points : int
        Channels of one slope.

    Notes
    -----
    *Method*: Savitzky & Golay 1964; the slope of the parabola of least squares through 2 h + 1
    points is Σ k x_k / Σ k², k from -h to h, which is that of the straight line, too.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    points: int

    Settings: ClassVar[type[config.Settings]] = SlopesSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: SlopesSettings,
        seed: int,
    ) -> Slopes:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, seed
        half = settings.points // 2
        middle = channels[half : len(channels) - half]
        if not middle:
            raise InputError(
                "features.slopes.points",
                f"{len(channels)} channels are too few for {settings.points} points",
                "take fewer points or more channels",
            )
        return cls(tuple(f"slope of {name}" for name in middle), scales, settings.points)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Slopes, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        mean = xp.mean(xp.astype(scaled(windows, self.scales), xp.float64), axis=0)
        half, count = self.points // 2, len(self.names)
        steps = range(1, half + 1)
        total = sum(2.0 * k * k for k in steps)
        # Differences first: a base line far from zero costs no digits.
        parts = [
            (mean[half + k : half + k + count, :] - mean[half - k : half - k + count, :])
            * (k / total)
            for k in steps
        ]
        return by_window([sum(parts[1:], start=parts[0])])
