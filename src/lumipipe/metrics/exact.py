"""Sums that no order of rows, chunks or ranks changes by a bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumipipe.kernels.exact import LARGEST, LIMBS, fraction, limbs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from lumipipe.backend import Array, State


@dataclass(frozen=True)
class ExactSumsReducer:
    """Number and exact sum of the values in each column.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    columns : int
        Columns of ``x``; the batch has ``x`` float64 (row, column), NaN where there is none.

    Notes
    -----
    The state has ``rows`` int64 (); ``count`` int64 (column,), values that are summed;
    ``beyond`` int64 (column,), values that are infinite or too large to be summed; ``limbs``
    int64 (column, LIMBS), which `exact_sums` turns into numbers. *Accuracy*: exact, but for
    what values have below 2**-128; for up to 2**31 rows.
    """

    xp: Any
    columns: int
    device: Any = None

    def empty(self) -> State:
        """The state of no rows."""
        xp, shape = self.xp, (self.columns,)
        return {
            "rows": xp.zeros((), dtype=xp.int64, device=self.device),
            "count": xp.zeros(shape, dtype=xp.int64, device=self.device),
            "beyond": xp.zeros(shape, dtype=xp.int64, device=self.device),
            "limbs": xp.zeros((*shape, LIMBS), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        xp, x = self.xp, batch["x"]
        fits = xp.abs(x) < LARGEST  # false for NaN
        there = ~xp.isnan(x)
        new = {
            "rows": xp.asarray(x.shape[0], dtype=xp.int64, device=self.device),
            "count": xp.sum(xp.astype(fits, xp.int64), axis=0),
            "beyond": xp.sum(xp.astype(there & ~fits, xp.int64), axis=0),
            "limbs": xp.sum(limbs(xp.where(fits, x, xp.zeros_like(x))), axis=0),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {name: first[name] + second[name] for name in first}


def exact_sums(state: State) -> list[Fraction]:
    """The sum of each column, exactly, from a state on the host.

    >>> import numpy as np
    >>> from array_api_compat import numpy as xp
    >>> reducer = ExactSumsReducer(xp, 1)
    >>> x = np.asarray([[1e20], [0.1], [-1e20]])
    >>> float(exact_sums(reducer.update(reducer.empty(), {"x": x}))[0])
    0.1
    """
    return [fraction(column) for column in state["limbs"].tolist()]
