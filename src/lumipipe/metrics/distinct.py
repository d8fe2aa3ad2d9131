"""Which distinct values a channel has, and how often each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class DistinctReducer:
    """The smallest distinct values and how many rows have each.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    most : int
        Distinct values that are kept; the smallest ones where there are more.

    Notes
    -----
    The batch has ``value`` float64 (row,); what is not finite is passed over. The state has
    ``value`` float64 (most,), rising, infinite where there are fewer; ``count`` int64 (most,);
    ``others`` int64 (), rows with values that were not kept. A value that is among the
    smallest of all rows is among the smallest of each part, so its count is exact.
    """

    xp: Any
    most: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        return {
            "value": xp.full((self.most,), xp.inf, dtype=xp.float64, device=self.device),
            "count": xp.zeros((self.most,), dtype=xp.int64, device=self.device),
            "others": xp.zeros((), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp = self.xp
        value = xp.astype(batch["value"], xp.float64) + 0.0  # one zero, not two
        finite = xp.abs(value) < xp.inf  # false for NaN
        return self._joined(
            state,
            xp.where(finite, value, xp.full_like(value, xp.inf)),
            xp.astype(finite, xp.int64),
        )

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        joined = self._joined(first, second["value"], second["count"])
        return joined | {"others": joined["others"] + second["others"]}

    def _joined(self, state: State, value: Array, count: Array) -> State:
        """The state with more values, each with its count."""
        xp = self.xp
        values = xp.concat([state["value"], value])
        counts = xp.concat([state["count"], count])
        kept, times = _counted(values, counts, self.most)
        lost = xp.sum(counts) - xp.sum(times)
        return {"value": kept, "count": times, "others": state["others"] + lost}


def _counted(values: Array, counts: Array, most: int) -> tuple[Array, Array]:
    """The smallest distinct values, and the sums of their counts; shapes do not depend on them."""
    xp = array_namespace(values)
    order = xp.argsort(values)
    rising = xp.take(values, order)
    until = xp.cumulative_sum(xp.take(counts, order))
    end = xp.ones((1,), dtype=xp.bool, device=device(values))
    is_last = xp.concat([rising[1:] != rising[:-1], end]) & (rising < xp.inf)
    # The last row of each value goes to the front, in order.
    front = xp.argsort(xp.where(is_last, xp.zeros_like(until), xp.ones_like(until)))[:most]
    is_kept = xp.take(is_last, front)
    until = xp.take(until, front)
    before = xp.concat([xp.zeros_like(until[:1]), until[:-1]])
    kept = xp.take(rising, front)
    return (
        xp.where(is_kept, kept, xp.full_like(kept, xp.inf)),
        xp.where(is_kept, until - before, xp.zeros_like(until)),
    )
