"""The least and greatest value of each channel: exact, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class RangeReducer:
    """Least and greatest value of each column.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    channels : int
        Columns of ``x``; the batch has ``x`` (row, channel), NaN where missing.

    Notes
    -----
    The state has ``low`` and ``high`` float64 (channel,); infinity and minus infinity where no
    value was seen.
    """

    xp: Any
    channels: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp, shape = self.xp, (self.channels,)
        return {
            "low": xp.full(shape, xp.inf, dtype=xp.float64, device=self.device),
            "high": xp.full(shape, -xp.inf, dtype=xp.float64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp = self.xp
        x = xp.astype(batch["x"], xp.float64)
        absent, infinite = xp.isnan(x), xp.full_like(x, xp.inf)
        ends = self.empty()
        # A row that changes nothing makes the reduction of no rows legal.
        low = xp.concat([ends["low"][None, :], xp.where(absent, infinite, x)], axis=0)
        high = xp.concat([ends["high"][None, :], xp.where(absent, -infinite, x)], axis=0)
        return self.merge(state, {"low": xp.min(low, axis=0), "high": xp.max(high, axis=0)})

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        xp = self.xp
        return {
            "low": xp.minimum(first["low"], second["low"]),
            "high": xp.maximum(first["high"], second["high"]),
        }


def beyond(low: Array, high: Array, x: Array) -> Array:
    """How far rows lie outside ranges, in widths of the ranges.

    Parameters
    ----------
    low, high : array of float64, shape (channel,)
        Ranges; one of no width counts as one wide.
    x : array of float64, shape (row, channel)
        NaN where missing, which is nowhere outside.

    Returns
    -------
    array of float64, shape (row,)
        The farthest of the channels; 0 inside all ranges.

    Examples
    --------
    >>> import numpy as np
    >>> beyond(np.zeros(2), np.asarray([1.0, 2.0]), np.asarray([[0.5, 3.0], [0.0, 2.0]]))
    array([0.5, 0. ])
    """
    xp = array_namespace(x)
    width = xp.where(high > low, high - low, xp.ones_like(low))
    past = xp.maximum((x - high) / width, (low - x) / width)
    return xp.max(xp.where(past > 0.0, past, xp.zeros_like(past)), axis=1)
