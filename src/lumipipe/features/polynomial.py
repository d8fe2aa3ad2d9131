"""The values of a window, and their squares and products: what a linear model of a table takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace
from pydantic import Field, model_validator

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled

if TYPE_CHECKING:
    from lumipipe.backend import Array


class PolynomialSettings(config.Settings):
    """Up to which degree."""

    degree: Annotated[int, Field(ge=1, le=2)] = 1
    """1 for the values alone, 2 for their squares and products too."""
    among: list[str] = []
    """Channels whose squares and products are taken; those of all where empty."""

    @model_validator(mode="after")
    def _has_products(self) -> PolynomialSettings:
        if self.among and self.degree == 1:
            raise ValueError("among chooses products, and degree 1 has none; write degree: 2")
        return self


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
    chosen : tuple of int
        Numbers of the channels whose squares and products are taken.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    chosen: tuple[int, ...]

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
        for name in settings.among:
            if name not in channels:
                raise InputError(
                    "features.polynomial.among", f"no input {name}", f"use {', '.join(channels)}"
                )
        among = settings.among or channels if settings.degree > 1 else ()
        chosen = tuple(number for number, name in enumerate(channels) if name in among)
        pairs = combinations_with_replacement(chosen, 2)
        products = (f"{channels[a]}*{channels[b]}" for a, b in pairs)
        return cls((*channels, *products), scales, chosen)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Terms, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        mean = xp.mean(xp.astype(scaled(windows, self.scales), xp.float64), axis=0)
        values = [mean[number, :][None, :] for number in self.chosen]
        products = [a * b for a, b in combinations_with_replacement(values, 2)]
        return by_window([mean, *products])
