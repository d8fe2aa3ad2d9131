"""How long it takes from an event to the first that answers it, as a state that merges in order.

Which events begin and which answer is the caller's matter. Quantiles of the counts are in
`lumipipe.metrics.quantiles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

from lumipipe.metrics.quantiles import QuantileBins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

NEVER = 2**62
"""Nanoseconds that no event has: 146 years."""
_HEAD, _FIRST, _LAST, _TAIL, _END = range(5)


@dataclass(frozen=True)
class LatencyReducer:
    """Latencies of episodes: each begins with an event and ends where the next one begins.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    still_ns : int
        Shortest episode that counts, in ns; shorter ones are *brief*.
    least, greatest : float
        Latencies that are told apart, in s.
    width : float
        Width of the bins of latencies, as a share.

    Notes
    -----
    The batch has, in the order of events, ``time`` int64 (row,) in ns, which does not decrease,
    ``begins`` and ``answers`` bool (row,); no row is both. The state has

    - ``counts`` int64 (bin,): latencies from the begin of an episode to its first answer;
    - ``silent``, ``brief`` int64 (): episodes without an answer, and those that are too short;
    - ``edge`` int64 (5,): times of the first answer before the first begin, of the first and the
      last begin, of the first answer after that, and of the last row; `NEVER` where there is
      none, -`NEVER` for the last row of none.

    ``merge(first, second)`` is the state of the rows of `first` and then those of `second`: it
    closes the episode that lies across. It is exact and associative, not commutative.
    *Cost*: three sorted look-ups of the batch.
    """

    xp: Any
    still_ns: int = 0
    least: float = 0.01
    greatest: float = 1000.0
    width: float = 0.01
    device: Any = None

    @cached_property
    def bins(self) -> QuantileBins:
        """What counts the latencies."""
        return QuantileBins(self.xp, self.least, self.greatest, self.width, self.device)

    def empty(self) -> State:
        """The state of no rows."""
        xp = self.xp
        none = xp.zeros((), dtype=xp.int64, device=self.device)
        edge = xp.asarray([NEVER] * 4 + [-NEVER], dtype=xp.int64, device=self.device)
        return {"counts": self.bins.empty()["counts"], "silent": none, "brief": none, "edge": edge}

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state of its rows and then those of the batch."""
        return self.merge(state, self._of(batch)) if batch["time"].shape[0] else state

    def _of(self, batch: Mapping[str, Array]) -> State:
        """The state of the rows of a batch."""
        time, begins = batch["time"], batch["begins"]
        xp, rows = array_namespace(time), time.shape[0]
        stamps = xp.concat([time, xp.full_like(time[:1], NEVER)])
        begun = xp.cumulative_sum(xp.astype(begins, xp.int64))
        answered = xp.cumulative_sum(xp.astype(batch["answers"], xp.int64))
        # Place of the next begin and of the next answer after each row; past the end where none.
        following = xp.searchsorted(begun, begun, side="right")
        answer = xp.searchsorted(answered, answered, side="right")
        stamp = xp.take(stamps, xp.where(answer < following, answer, xp.full_like(answer, rows)))
        closed = begins & (following < rows)
        state = self._counted(time, stamp, xp.take(stamps, following), closed)
        one = xp.ones_like(begun[:1])
        first, head = xp.searchsorted(begun, one), xp.searchsorted(answered, one)
        last = xp.where(
            begun[-1:] > 0, xp.searchsorted(begun, begun[-1:]), xp.full_like(first, rows)
        )
        nothing = xp.full_like(first, rows)
        tail = xp.take(xp.concat([answer, nothing]), last)
        head = xp.where(head < first, head, nothing)
        edge = xp.take(stamps, xp.concat([head, first, last, tail]))
        return state | {"edge": xp.concat([edge, time[-1:]])}

    def _counted(self, begin: Array, answer: Array, end: Array, closed: Array) -> State:
        """Counts of closed episodes, by time of begin, first answer and end, all (row,)."""
        xp = array_namespace(begin)
        long = closed & (end - begin >= self.still_ns)
        is_answered = long & (answer < NEVER)
        seconds = xp.astype(answer - begin, xp.float64) / 1e9
        value = xp.where(is_answered, seconds, -xp.ones_like(seconds))
        return {
            "counts": self.bins.update(self.bins.empty(), {"value": value})["counts"],
            "silent": xp.sum(xp.astype(long & ~is_answered, xp.int64)),
            "brief": xp.sum(xp.astype(closed & ~long, xp.int64)),
        }

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of the first and then those of the second; exact."""
        a, b = first["edge"], second["edge"]
        xp = array_namespace(a)
        never = xp.full_like(a[:1], NEVER)
        begun, begins = a[_LAST : _LAST + 1] < NEVER, b[_FIRST : _FIRST + 1] < NEVER
        a_tail, b_head = a[_TAIL : _TAIL + 1], b[_HEAD : _HEAD + 1]
        answer = xp.minimum(a_tail, b_head)  # of the episode that is open between them
        across = self._counted(a[_LAST : _LAST + 1], answer, b[_FIRST : _FIRST + 1], begun & begins)
        head = xp.where(begun, a[:1], xp.minimum(a[:1], b_head))
        tail = xp.where(begins, b[_TAIL : _TAIL + 1], xp.where(begun, answer, never))
        last = xp.where(begins, b[_LAST : _LAST + 1], a[_LAST : _LAST + 1])
        start = xp.minimum(a[_FIRST : _FIRST + 1], b[_FIRST : _FIRST + 1])
        end = xp.maximum(a[_END:], b[_END:])
        counts = {name: first[name] + second[name] + across[name] for name in across}
        return counts | {"edge": xp.concat([head, start, last, tail, end])}

    def finish(self, state: State) -> State:
        """The counts with the episode that was open at the last row, which ends it."""
        edge = state["edge"]
        xp = array_namespace(edge)
        last = edge[_LAST : _LAST + 1]
        closing = self._counted(last, edge[_TAIL : _TAIL + 1], edge[_END:], last < NEVER)
        counts = {name: state[name] + closing[name] for name in closing}
        return counts | {"edge": xp.full_like(edge, NEVER)}
