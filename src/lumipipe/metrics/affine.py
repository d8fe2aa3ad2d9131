"""Exponential averages as a state: the map that a stretch of time is to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.kernels.affine import affine_scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class AffineReducer:
    """The map s to a s + b that many such maps are together.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    averages : int
        Maps side by side; the batch has ``a`` and ``b`` float64 (step, average) in the order of
        time.

    Notes
    -----
    The state has ``a`` and ``b`` float64 (average,). States are merged in the order of time: the
    first is that of the earlier stretch.
    """

    xp: Any
    averages: int
    device: Any = None

    def empty(self) -> State:
        """The map that changes nothing."""
        xp, shape = self.xp, (self.averages,)
        return {
            "a": xp.ones(shape, dtype=xp.float64, device=self.device),
            "b": xp.zeros(shape, dtype=xp.float64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The map of the state and then of the steps of the batch."""
        if not batch["a"].shape[0]:
            return state
        turned = (self.xp.permute_dims(batch[name], (1, 0)) for name in ("a", "b"))
        a, b = affine_scan(*turned)
        return self.merge(state, {"a": a[:, -1], "b": b[:, -1]})

    def merge(self, first: State, second: State) -> State:
        """The map of the first and then of the second."""
        return {
            "a": first["a"] * second["a"],
            "b": first["b"] * second["a"] + second["b"],
        }
