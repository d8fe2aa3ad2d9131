"""Levels of a window on a scale of ratios, balance of pairs of channels, products of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from array_api_compat import array_namespace

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels.statistics import mean

if TYPE_CHECKING:
    from lumipipe.backend import Array


class RatiosSettings(config.Settings):
    """Which channels are compared."""

    floor: config.PositiveFloat = 0.05
    """Added to a level, in scales of its channel, before its logarithm or a division by it."""
    pairs: list[tuple[str, str]] = []
    """Channels whose balance is taken, such as left and right."""
    products: list[tuple[str, str]] = []
    """Channels whose product is taken, such as a time and a rate, which give a share."""


@dataclass(frozen=True)
class Ratios:
    """Logarithm of the mean of each channel; balance and its size of pairs; products.

    Differences of logarithms are ratios, so a linear model has the ratio of any two channels.

    Parameters
    ----------
    names : tuple of str
        ``log channel``, ``a~b:balance``, ``a~b:size of balance``, ``a*b``.
    scales : tuple of float
        What each channel is divided by first.
    floor : float
        Added to levels.
    pairs, products : tuple of (int, int)
        Places of the channels.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    floor: float
    pairs: tuple[tuple[int, int], ...]
    products: tuple[tuple[int, int], ...]

    Settings: ClassVar[type[config.Settings]] = RatiosSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: RatiosSettings,
        seed: int,
    ) -> Ratios:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, seed
        for name in sorted({n for pair in settings.pairs + settings.products for n in pair}):
            if name not in channels:
                raise InputError(
                    "features.ratios", f"{name} is no channel", f"use {', '.join(channels)}"
                )
        names = [
            *(f"log {channel}" for channel in channels),
            *(f"{a}~{b}:balance" for a, b in settings.pairs),
            *(f"{a}~{b}:size of balance" for a, b in settings.pairs),
            *(f"{a}*{b}" for a, b in settings.products),
        ]
        places = [
            tuple((channels.index(a), channels.index(b)) for a, b in chosen)
            for chosen in (settings.pairs, settings.products)
        ]
        return cls(tuple(names), scales, settings.floor, places[0], places[1])

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Ratios, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        level = mean(scaled(windows, self.scales))
        balance = [
            (level[a : a + 1, :] - level[b : b + 1, :])
            / (xp.abs(level[a : a + 1, :]) + xp.abs(level[b : b + 1, :]) + self.floor)
            for a, b in self.pairs
        ]
        return by_window(
            [
                xp.log(xp.maximum(level, xp.zeros_like(level)) + self.floor),
                *balance,
                *(xp.abs(part) for part in balance),
                *(level[a : a + 1, :] * level[b : b + 1, :] for a, b in self.products),
            ]
        )
