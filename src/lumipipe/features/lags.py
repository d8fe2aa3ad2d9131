"""Earlier rows of a table as inputs: what a process that takes time depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from array_api_compat import array_namespace
from pydantic import Field

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled

if TYPE_CHECKING:
    from lumipipe.backend import Array


class LagsSettings(config.Settings):
    """Which rows of a window."""

    rows: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0]
    """Rows before the last one of the window; 0 is the last itself."""


@dataclass(frozen=True)
class Lags:
    """The values of each channel some rows before the end of a window.

    Parameters
    ----------
    names : tuple of str
        ``channel@-rows``.
    scales : tuple of float
        What each channel is divided by first.
    rows : tuple of int
        Rows before the last one.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    rows: tuple[int, ...]

    Settings: ClassVar[type[config.Settings]] = LagsSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: LagsSettings,
        seed: int,
    ) -> Lags:
        """The feature for windows of these channels; nothing is drawn."""
        del rate_hz, seed
        rows = tuple(dict.fromkeys(settings.rows))
        if max(rows) >= length:
            raise InputError(
                "features.lags.rows",
                f"{max(rows)} rows back do not lie in a window of {length}",
                f"use windows of {max(rows) + 1} rows or more",
            )
        return cls(tuple(f"{c}@-{back}" for back in rows for c in channels), scales, rows)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Values, float64 (window, feature), of windows (time, channel, window)."""
        del rate_hz
        xp = array_namespace(windows)
        values = xp.astype(scaled(windows, self.scales), xp.float64)
        return by_window([values[values.shape[0] - 1 - back, :, :] for back in self.rows])
