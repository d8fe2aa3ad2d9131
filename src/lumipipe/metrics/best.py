"""The greatest value of each column: a mean-maximal curve over sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class BestReducer:
    """The greatest value of each column.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    columns : int
        Columns of ``best``; the batch has ``best`` float64 (row, column), NaN where there is none.

    Notes
    -----
    The state is ``best`` float64 (column,), NaN where no row has a value. Exact, and the same in
    whatever order rows come.
    """

    xp: Any
    columns: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {"best": xp.full((self.columns,), xp.nan, dtype=xp.float64, device=self.device)}

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        rows = self.xp.concat([state["best"][None, :], batch["best"]], axis=0)
        return {"best": self._greatest(rows)}

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {"best": self._greatest(self.xp.stack([first["best"], second["best"]]))}

    def _greatest(self, rows: Array) -> Array:
        """The greatest of the rows that have a value."""
        xp = self.xp
        there = ~xp.isnan(rows)
        lowest = xp.full_like(rows, -xp.inf)
        best = xp.max(xp.where(there, rows, lowest), axis=0)
        return xp.where(xp.any(there, axis=0), best, xp.full_like(best, xp.nan))
