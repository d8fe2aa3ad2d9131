"""Intervals between heartbeats as states that merge: sums in whole microseconds, and both ends.

Which interval is one between two normal beats is decided by the family, what follows from the
sums is in `lumipipe.families.hrv_figures`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

NORMAL = 0
"""Kind of an interval between two normal beats (NN)."""
LARGE_US = 50_000
"""Successive differences above this count for pNN50 [1]_ of `BeatsReducer`."""
BIN_HZ = 128
"""Bins of the histogram are 1/128 s wide, 7.8125 ms: [1]_ of `BeatsReducer`."""
_SECOND_US = 1_000_000


@dataclass(frozen=True)
class BeatsReducer:
    """Sums over intervals between normal beats and over their successive differences.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    kinds : int
        Kinds of intervals: `NORMAL`, and why others are excluded.

    Notes
    -----
    The batch has ``rr_us`` int64 (row,), the interval in whole microseconds; ``kind`` int64
    (row,), -1 where a row is no interval at all; ``follows`` int64 (row,), 1 where the interval
    begins with the beat that ends the one of the row before, 0 after a break.

    The state has ``kinds`` int64 (kind,), intervals of each kind; ``nn`` int64 (2,), sum of NN
    and of their squares; ``steps`` int64 (4,), number of successive differences, their sum, the
    sum of their squares, and how many are larger than `LARGE_US`; ``ends`` int64 (4,), NN of the
    first row and whether a difference may end there, NN of the last row and whether one may
    begin there; ``rows`` int64 (). A difference is formed where two NN follow each other, so a
    merge adds the one over the seam, and none across what is excluded or a break. *Accuracy*:
    exact, for up to two million intervals of up to 2 s.

    References
    ----------
    .. [1] Task Force of the European Society of Cardiology and the North American Society of
       Pacing and Electrophysiology, "Heart rate variability: standards of measurement,
       physiological interpretation, and clinical use", Circulation 93 (1996) 1043-1065.
    """

    xp: Any
    kinds: int
    device: Any = None

    def empty(self) -> State:
        """The state of no intervals."""
        sizes = {"kinds": (self.kinds,), "nn": (2,), "steps": (4,), "ends": (4,), "rows": ()}
        return {
            name: self.xp.zeros(shape, dtype=self.xp.int64, device=self.device)
            for name, shape in sizes.items()
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp, kind = self.xp, batch["kind"]
        if not kind.shape[0]:
            return state
        is_nn = kind == NORMAL
        nn = xp.where(is_nn, batch["rr_us"], xp.zeros_like(kind))
        step = nn[1:] - nn[:-1]
        joins = is_nn[1:] & is_nn[:-1] & (batch["follows"][1:] == 1)
        begins = xp.astype(is_nn[:1] & (batch["follows"][:1] == 1), xp.int64)
        ends = [nn[:1], begins, nn[-1:], xp.astype(is_nn[-1:], xp.int64)]
        each = xp.arange(self.kinds, dtype=xp.int64, device=self.device)
        new = {
            "kinds": xp.sum(xp.astype(kind[:, None] == each[None, :], xp.int64), axis=0),
            "nn": xp.stack([xp.sum(nn), xp.sum(nn * nn)]),
            "steps": _step_sums(step, joins),
            "ends": xp.concat(ends),
            "rows": xp.asarray(kind.shape[0], dtype=xp.int64, device=self.device),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of the first and then those of the second; exact."""
        xp = self.xp
        seam = second["ends"][0:1] - first["ends"][2:3]
        joins = (first["ends"][3:4] == 1) & (second["ends"][1:2] == 1)
        begin = xp.where(first["rows"] > 0, first["ends"][:2], second["ends"][:2])
        end = xp.where(second["rows"] > 0, second["ends"][2:], first["ends"][2:])
        added = {name: first[name] + second[name] for name in ("kinds", "nn", "steps", "rows")}
        return {
            "kinds": added["kinds"],
            "nn": added["nn"],
            "steps": added["steps"] + _step_sums(seam, joins),
            "ends": xp.concat([begin, end]),
            "rows": added["rows"],
        }


def _step_sums(step: Array, joins: Array) -> Array:
    """Number, sum and sum of squares of differences, and how many are large: int64 (4,)."""
    xp = array_namespace(step)
    step = xp.where(joins, step, xp.zeros_like(step))
    large = xp.astype(xp.abs(step) > LARGE_US, xp.int64)
    parts = (xp.astype(joins, xp.int64), step, step * step, large)
    return xp.stack([xp.sum(part) for part in parts])


@dataclass(frozen=True)
class BeatBins:
    """How many intervals between normal beats lie in each bin of 1/128 s.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    bins : int
        Number of bins, from 0; longer intervals are counted in the last.

    Notes
    -----
    The batch has ``rr_us`` and ``kind`` as for `BeatsReducer`. The state has ``counts`` int64
    (bin,). Bins are that wide in [1]_, so that the triangular index of recordings compares.

    References
    ----------
    .. [1] Task Force 1996, as in `BeatsReducer`.
    """

    xp: Any
    bins: int
    device: Any = None

    def empty(self) -> State:
        """The state of no intervals."""
        return {"counts": self.xp.zeros((self.bins,), dtype=self.xp.int64, device=self.device)}

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp, rr, kind = self.xp, batch["rr_us"], batch["kind"]
        last = xp.full_like(rr, self.bins - 1)
        cell = xp.minimum(rr * BIN_HZ // _SECOND_US, last)
        cell = xp.sort(xp.where(kind == NORMAL, cell, xp.full_like(cell, self.bins)))
        edges = xp.arange(self.bins + 1, dtype=xp.int64, device=device(cell))
        below = xp.astype(xp.searchsorted(cell, edges), xp.int64)
        return self.merge(state, {"counts": below[1:] - below[:-1]})

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {"counts": first["counts"] + second["counts"]}
