"""Averaged envelope spectra and levels of a vibration signal, as a state that adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.kernels.moments import merge_moments, moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

_PREFIX = "signal_"


@dataclass(frozen=True)
class EnvelopeReducer:
    """Sum of envelope power spectra, of band power, and moments of the signal itself.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    lines : int
        Lines of a spectrum.

    Notes
    -----
    The batch has ``power`` float64 (window, line), ``band_power`` float64 (window,) and
    ``signal`` (row, 1), the samples that are new in these windows.
    """

    xp: Any
    lines: int
    device: Any = None

    def empty(self) -> State:
        """The state of no windows."""
        xp = self.xp
        return {
            "windows": xp.zeros((), dtype=xp.int64, device=self.device),
            "power": xp.zeros((self.lines,), dtype=xp.float64, device=self.device),
            "band_power": xp.zeros((), dtype=xp.float64, device=self.device),
            **_prefixed(moments(xp.zeros((0, 1), dtype=xp.float64, device=self.device))),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the windows of the batch."""
        xp = self.xp
        windows = batch["power"].shape[0]
        new = {
            "windows": xp.asarray(windows, dtype=xp.int64, device=self.device),
            "power": xp.sum(batch["power"], axis=0),
            "band_power": xp.sum(batch["band_power"], axis=0),
            **_prefixed(moments(batch["signal"])),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the windows of both."""
        joined = merge_moments(signal_moments(first), signal_moments(second))
        sums = {name: first[name] + second[name] for name in ("windows", "power", "band_power")}
        return sums | _prefixed(joined)


def signal_moments(state: State) -> State:
    """The moments of the signal in a state."""
    return {
        name.removeprefix(_PREFIX): array
        for name, array in state.items()
        if name.startswith(_PREFIX)
    }


def _prefixed(state: State) -> State:
    """Moments under the names that they have in the joint state."""
    return {_PREFIX + name: array for name, array in state.items()}
