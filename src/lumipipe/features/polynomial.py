"""The values of a window, and their squares and products: what a linear model of a table takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace
from pydantic import Field

from lumipipe import config
from lumipipe.features.interface import by_window, scaled

if TYPE_CHECKING:
    from lumipipe.backend import Array


class PolynomialSettings(config.Settings):
    """Up to which degree."""

    degree: Annotated[int, Field(ge=1, le=2)] = 1
    """1 for the values alone, 2 for their squares and products too."""


@dataclass(frozen=True)
class Polynomial:
    """The mean of each channel over a window, and products of pairs of them.

    A row of a table is a window of one sample, whose mean is the value itself.

    Parameters
    ----------
    names : tuple of str
        ``channel``, then ``channel*channel``.
    scales : tuple of float
        What each channel is divided by first.
    degree : int
        1 or 2.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    degree: int

    Settings: ClassVar[type[config.Settings]] = PolynomialSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: PolynomialSettings,
        seed: int,
    ) -> Polynomial:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, seed
        pairs = combinations_with_replacement(channels, 2) if settings.degree > 1 else ()
        return cls((*channels, *(f"{a}*{b}" for a, b in pairs)), scales, settings.degree)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Terms, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        mean = xp.mean(xp.astype(scaled(windows, self.scales), xp.float64), axis=0)
        blocks = [mean]
        if self.degree > 1:
            blocks += [mean[first, :][None, :] * mean[first:, :] for first in range(mean.shape[0])]
        return by_window(blocks)
