"""Time in zones, as whole nanoseconds that add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


def zone_of(x: Array, edges: Array) -> Array:
    """Number of the zone of each reading: how many edges it has reached.

    Parameters
    ----------
    x : array of float64, shape (row,)
        Readings; NaN where there is none.
    edges : array of float64, shape (edge,)
        Lower ends of all zones but the first, rising, in the unit of the readings.

    Returns
    -------
    array of int64, shape (row,)
        From 0 to the number of edges, a reading on an edge in the zone above; -1 where there is
        no reading.

    Examples
    --------
    >>> import numpy as np
    >>> zone_of(np.asarray([99.0, 100.0, 250.0, np.nan]), np.asarray([100.0, 200.0])).tolist()
    [0, 1, 2, -1]
    """
    xp = array_namespace(x)
    reached = xp.sum(xp.astype(x[:, None] >= edges[None, :], xp.int64), axis=1)
    return xp.where(xp.isnan(x), xp.full_like(reached, -1), reached)


@dataclass(frozen=True)
class ZoneReducer:
    """Time in each zone, and in none.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    zones : int
        Number of zones.

    Notes
    -----
    The batch has ``zone`` int64 (row,), as `zone_of` gives it, and ``step_ns`` int64 (row,), how
    long a row stands. The state has ``zone_ns`` int64 (zone,) and ``unknown_ns`` int64 (), the
    time of rows that are in no zone: exact in whatever order rows are added, for 292 years.
    """

    xp: Any
    zones: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {
            "zone_ns": xp.zeros((self.zones,), dtype=xp.int64, device=self.device),
            "unknown_ns": xp.zeros((), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp, zone, step = self.xp, batch["zone"], batch["step_ns"]
        each = xp.arange(self.zones, dtype=xp.int64, device=self.device)
        mine = zone[:, None] == each[None, :]
        nothing = xp.zeros_like(step)
        new = {
            "zone_ns": xp.sum(xp.where(mine, step[:, None], nothing[:, None]), axis=0),
            "unknown_ns": xp.sum(xp.where(xp.any(mine, axis=1), nothing, step)),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {name: first[name] + second[name] for name in first}
