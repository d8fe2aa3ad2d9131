"""What the forces of poles say of the cycles in a window; computed by `lumipipe.kernels.cycles`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from array_api_compat import array_namespace
from pydantic import model_validator

from lumipipe import config
from lumipipe.errors import InputError
from lumipipe.features.interface import by_window, scaled
from lumipipe.kernels.cycles import contact_state, cycle_statistics
from lumipipe.kernels.statistics import mean

if TYPE_CHECKING:
    from lumipipe.backend import Array

_OF_POLES = ("rate", "contact", "peak", "impulse")
_OF_PAIRS = ("contact", "peak", "impulse")
_FLOOR = 1e-2  # of a scale, or of a second: differences of nothing are not divided by nothing


class PolingSettings(config.Settings):
    """Which channels are forces of poles, and when a pole is in the ground."""

    channels: list[str] = []
    """The forces; all channels where empty."""
    begins: config.PositiveFloat = 0.3
    """Contact begins at this force, in scales of the channel."""
    ends: config.PositiveFloat = 0.15
    """Contact ends below this force, in scales of the channel."""

    @model_validator(mode="after")
    def _hysteresis(self) -> PolingSettings:
        if self.ends > self.begins:
            raise ValueError("ends is above begins; contact must end below where it begins")
        return self


@dataclass(frozen=True)
class Poling:
    """Rate, contact time, peak and impulse of each pole, and how unlike two poles are.

    Parameters
    ----------
    names : tuple of str
        ``pole:number`` and ``log number``, ``pole:duty``, ``pole~pole:balance of number``.
    scales : tuple of float
        What each channel is divided by first.
    poles : tuple of int
        Places of the forces among the channels.
    on, off : float
        Levels of contact, in scales.
    """

    names: tuple[str, ...]
    scales: tuple[float, ...]
    poles: tuple[int, ...]
    on: float
    off: float

    Settings: ClassVar[type[config.Settings]] = PolingSettings

    @classmethod
    def build(
        cls,
        channels: tuple[str, ...],
        scales: tuple[float, ...],
        length: int,
        rate_hz: float,
        settings: PolingSettings,
        seed: int,
    ) -> Poling:
        """The feature for windows of these channels; nothing is drawn."""
        del length, rate_hz, seed
        for name in settings.channels:
            if name not in channels:
                raise InputError(
                    "features.poling.channels",
                    f"{name} is no channel",
                    f"use {', '.join(channels)}",
                )
        chosen = settings.channels or list(channels)
        names = [f"{c}:{n}" for n in _OF_POLES for c in chosen]
        names += [f"{c}:log {n}" for n in _OF_POLES for c in chosen]
        names += [f"{c}:duty" for c in chosen]
        names += [
            f"{a}~{b}:{word} of {n}"
            for a, b in combinations(chosen, 2)
            for n in _OF_PAIRS
            for word in ("balance", "size of balance")
        ]
        names += [f"{a}~{b}:together" for a, b in combinations(chosen, 2)]
        poles = tuple(channels.index(name) for name in chosen)
        return cls(tuple(names), scales, poles, settings.begins, settings.ends)

    def __call__(self, windows: Array, rate_hz: float) -> Array:
        """Cycles, float64 (window, feature), of windows (time, channel, window)."""
        xp = array_namespace(windows)
        x = scaled(windows, self.scales)
        force = xp.stack([x[:, pole, :] for pole in self.poles], axis=1)
        found = cycle_statistics(force, rate_hz, self.on, self.off)
        state = xp.astype(contact_state(force, self.on, self.off), xp.float64)
        blocks = [found[name] for name in _OF_POLES]
        blocks += [xp.log(found[name] + _FLOOR) for name in _OF_POLES]
        blocks.append(mean(state))
        for a, b in combinations(range(len(self.poles)), 2):
            for name in _OF_PAIRS:
                one, two = found[name][a : a + 1, :], found[name][b : b + 1, :]
                balance = (one - two) / (one + two + _FLOOR)
                blocks += [balance, xp.abs(balance)]
        for a, b in combinations(range(len(self.poles)), 2):
            both = mean(state[:, a : a + 1, :] * state[:, b : b + 1, :])
            either = mean(xp.maximum(state[:, a : a + 1, :], state[:, b : b + 1, :]))
            blocks.append(both / xp.maximum(either, xp.ones_like(either) / windows.shape[0]))
        return by_window(blocks)
