"""What one unit's run to failure leaves of its indicators, as a state in constant memory.

How well an indicator tells wear, from the states of all units, is `lumipipe.metrics.indicators`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

_STEP = 2  # rows between which there is something
_FIRST, _LAST = ("first", "first_at"), ("last", "last_at")


@dataclass(frozen=True)
class IndicatorReducer:
    """What one unit's run to failure leaves of each indicator, in constant memory.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    indicators : int
        Number of indicators.
    points : int
        Points of the life, both ends included, at which curves are kept.

    Notes
    -----
    The batch has ``value`` (row, indicator) and ``life`` (row,): the share of the unit's life
    that has passed, rising from 0 to 1 over all rows of the unit; rows come in that order.

    The state has ``rows`` int64 (); ``net`` int64 (indicator,), rises less falls from row to
    row; ``missing`` int64 (indicator,), rows that are not finite; ``low`` and ``high`` float64
    (indicator,); ``first`` and ``last`` float64 (1 or 0, indicator) with ``first_at`` and
    ``last_at`` (1 or 0,); ``curve`` float64 (point, indicator), interpolated between rows and 0
    where no rows lie on both sides yet.

    *Accuracy*: exact: each step and each point of a curve comes from the same two rows however
    the rows are cut.
    """

    xp: Any
    indicators: int
    points: int = 101
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        return self._of_rows(
            self.xp.zeros((0, self.indicators), dtype=self.xp.float64, device=self.device),
            self.xp.zeros((0,), dtype=self.xp.float64, device=self.device),
        )

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch after those it has."""
        value = self.xp.astype(batch["value"], self.xp.float64)
        return self.merge(
            state, self._of_rows(value, self.xp.astype(batch["life"], self.xp.float64))
        )

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of the first and then of the second; exact."""
        xp = self.xp
        has_first, has_second = first["first"].shape[0] > 0, second["first"].shape[0] > 0
        ends = {
            name: xp.concat([first[f"last{name}"], second[f"first{name}"]], axis=0)
            for name in ("", "_at")
        }
        between = {"net": _net(ends[""]), "curve": self._curve(ends[""], ends["_at"])}
        return {
            "rows": first["rows"] + second["rows"],
            "net": first["net"] + between["net"] + second["net"],
            "missing": first["missing"] + second["missing"],
            "low": xp.where(first["low"] < second["low"], first["low"], second["low"]),
            "high": xp.where(first["high"] > second["high"], first["high"], second["high"]),
            **{name: first[name] if has_first else second[name] for name in _FIRST},
            **{name: second[name] if has_second else first[name] for name in _LAST},
            "curve": first["curve"] + between["curve"] + second["curve"],
        }

    def _of_rows(self, value: Array, life: Array) -> State:
        """The state of some rows that follow each other."""
        xp = self.xp
        rows = value.shape[0]
        some = min(rows, 1)
        known = xp.isfinite(value)
        none = xp.full((1, self.indicators), xp.inf, dtype=xp.float64, device=self.device)
        # One more row stands in for the extremes of no rows, which an array library refuses.
        least = xp.concat([xp.where(known, value, none), none], axis=0)
        most = xp.concat([xp.where(known, value, -none), -none], axis=0)
        return {
            "rows": xp.asarray(rows, dtype=xp.int64, device=self.device),
            "net": _net(value),
            "missing": xp.sum(xp.astype(~known, xp.int64), axis=0),
            "low": xp.min(least, axis=0),
            "high": xp.max(most, axis=0),
            "first": value[:some, ...],
            "first_at": life[:some],
            "last": value[rows - some :, ...],
            "last_at": life[rows - some :],
            "curve": self._curve(value, life),
        }

    def _curve(self, value: Array, life: Array) -> Array:
        """Values between rows at the points of the life: float64 (point, indicator)."""
        xp = self.xp
        rows = value.shape[0]
        if rows < _STEP:
            shape = (self.points, self.indicators)
            return xp.zeros(shape, dtype=xp.float64, device=self.device)
        value = xp.where(xp.isfinite(value), value, xp.zeros_like(value))
        points = _points(self.points, xp, self.device)
        before = xp.sum(xp.astype(life[None, :] < points[:, None], xp.int64), axis=1)
        inside = (before > 0) & (before < rows)
        right = xp.where(inside, before, xp.ones_like(before))
        span = xp.take(life, right) - xp.take(life, right - 1)
        share = (points - xp.take(life, right - 1)) / xp.where(span > 0, span, xp.ones_like(span))
        start = xp.take(value, right - 1, axis=0)
        line = start + share[:, None] * (xp.take(value, right, axis=0) - start)
        return xp.where(inside[:, None], line, xp.zeros_like(line))


def _net(value: Array) -> Array:
    """Rises less falls from row to row: int64 (indicator,)."""
    xp = array_namespace(value)
    if value.shape[0] < _STEP:
        return xp.zeros((value.shape[1],), dtype=xp.int64, device=device(value))
    known = xp.isfinite(value)
    held = xp.where(known, value, xp.zeros_like(value))
    sign = xp.astype(xp.sign(held[1:, ...] - held[:-1, ...]), xp.int64)
    both = known[1:, ...] & known[:-1, ...]
    return xp.sum(sign * xp.astype(both, xp.int64), axis=0)


def _points(count: int, xp: Any, where: Any) -> Array:
    """Shares of a life from 0 to 1."""
    return xp.arange(count, dtype=xp.float64, device=where) / (count - 1)


def life_curve(state: State) -> Array:
    """The curve of a unit whose rows are complete.

    Parameters
    ----------
    state : State
        Of `IndicatorReducer`, with at least one row.

    Returns
    -------
    array of float64, shape (point, indicator)
        Before the first row its value, after the last row that one's.
    """
    curve = state["curve"]
    xp = array_namespace(curve)
    points = _points(curve.shape[0], xp, device(curve))[:, None]
    curve = xp.where(points <= state["first_at"], state["first"], curve)
    return xp.where(points > state["last_at"], state["last"], curve)
