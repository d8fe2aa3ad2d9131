"""How many events of each class in each stretch of time, as a state that adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.metrics.residuals import cell_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class EventCounts:
    """Counts of events by block of time and class.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    blocks : int
        Number of blocks.
    classes : int
        Number of classes.

    Notes
    -----
    The batch has ``block`` and ``event`` int64 (row,), numbers of block and class. The state has
    ``counts`` int64 (block, class) and ``others`` int64 (): rows that are of no class, or in no
    block.
    """

    xp: Any
    blocks: int
    classes: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {
            "counts": xp.zeros((self.blocks, self.classes), dtype=xp.int64, device=self.device),
            "others": xp.zeros((), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp, block, event = self.xp, batch["block"], batch["event"]
        known = (block >= 0) & (block < self.blocks) & (event >= 0) & (event < self.classes)
        cell = xp.where(known, block * self.classes + event, -xp.ones_like(block))
        counts = cell_counts(cell, self.blocks * self.classes)
        new = {
            "counts": xp.reshape(counts, (self.blocks, self.classes)),
            "others": xp.sum(xp.astype(~known, xp.int64)),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {name: first[name] + second[name] for name in first}
