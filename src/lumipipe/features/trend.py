"""Level and trend of each channel over a window: for what changes slowly, such as wear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from array_api_compat import array_namespace

from lumipipe import config
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels.statistics import linear_change, mean

if TYPE_CHECKING:
    from lumipipe.backend import Array

_OF_CHANNELS = ("mean", "change", "last")


class TrendSettings(config.Settings):
    """Nothing is to be set."""


@dataclass(frozen=True)
class Trend:
    """Mean, rise of the straight line through the values, and last value of each channel.

    Parameters
    ----------
    names : tuple of str
        ``channel:mean``, then ``channel:change``, then ``channel:last``.
    scales : tuple of float
        What each channel is divided by first.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]

    Settings: ClassVar[type[config.Settings]] = TrendSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: TrendSettings,
        seed: int,
    ) -> Trend:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, settings, seed
        return cls(tuple(f"{c}:{name}" for name in _OF_CHANNELS for c in channels), scales)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Numbers, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        x = scaled(windows, self.scales)
        return by_window([mean(x), linear_change(x), xp.astype(x[-1, ...], xp.float64)])
