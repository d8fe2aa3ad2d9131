"""Sums of columns, as a state that adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class SumsReducer:
    """Number of rows and sum of each named column.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    columns : mapping of str to tuple of int
        Name of each column to the shape of one row; the batch has (row, ...).
    """

    xp: Any
    columns: Mapping[str, tuple[int, ...]]
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {
            "rows": xp.zeros((), dtype=xp.int64, device=self.device),
            **{
                name: xp.zeros(shape, dtype=xp.float64, device=self.device)
                for name, shape in self.columns.items()
            },
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp = self.xp
        new = {name: xp.sum(xp.astype(batch[name], xp.float64), axis=0) for name in self.columns}
        rows = batch[next(iter(self.columns))].shape[0]
        new["rows"] = xp.asarray(rows, dtype=xp.int64, device=self.device)
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        return {name: first[name] + second[name] for name in first}
