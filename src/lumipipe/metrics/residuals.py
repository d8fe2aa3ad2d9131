"""How large the errors of predictions are: counts of residuals in bins of rising size.

Thresholds from the counts are in `lumipipe.uncertainty.conformal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from array_api_compat import array_namespace, device

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array, State

Side: TypeAlias = Literal["both", "below", "above"]

_MOST_BINS = 100_000


def upper_edges(least: float, greatest: float, relative_error: float) -> tuple[float, ...]:
    """Upper edges of bins whose width grows with the size of what they count.

    Parameters
    ----------
    least : float
        Size that is as good as zero, above 0: the upper edge of the first bin.
    greatest : float
        Largest size that is told apart, above `least`.
    relative_error : float
        How much larger an upper edge is than the lower edge of its bin, as a share.

    Returns
    -------
    tuple of float
        The last is infinity: its bin holds all that is larger than the edge before it.

    Raises
    ------
    InputError
        If the range or the error is not positive, or asks for more than 100 000 bins.

    Notes
    -----
    *Method*: bins of equal width in the logarithm [1]_. Edges come from repeated products and
    sizes are compared with edges, so no logarithm is rounded and each machine counts alike.

    *Accuracy*: a size s in the range lies below the upper edge of its bin, which is at most
    s (1 + `relative_error`) (1 + 2⁻⁵²).

    References
    ----------
    .. [1] C. Masson, J. E. Rim and H. K. Lee, "DDSketch: a fast and fully-mergeable quantile
       sketch with relative-error guarantees", Proc. VLDB Endowment 12 (2019) 2195-2205.

    Examples
    --------
    >>> upper_edges(1.0, 4.0, 1.0)
    (1.0, 2.0, 4.0, inf)
    """
    if not (0 < least < greatest < float("inf") and relative_error > 0):
        raise InputError(
            "bins of residuals",
            f"there are none from {least} to {greatest} with a relative error of {relative_error}",
            "give 0 < least < greatest and a relative error above 0, such as 0.005",
        )
    edges = [least]
    while edges[-1] < greatest:
        edges.append(edges[-1] * (1 + relative_error))
        if len(edges) >= _MOST_BINS or edges[-1] == edges[-2]:
            raise InputError(
                "bins of residuals",
                f"from {least} to {greatest} there are more than {_MOST_BINS} bins",
                "give a larger relative error or a smaller range",
            )
    return (*edges, float("inf"))


@dataclass(frozen=True)
class ResidualBins:
    """Counts of residuals by regime, side and size.

    Parameters
    ----------
    xp : Any
        Array namespace of the states.
    least, greatest : float
        Range of sizes that are told apart, in the unit of the residuals.
    regimes : int
        Number of regimes.
    relative_error : float
        How much wider than needed a threshold from the counts can be, as a share.

    Notes
    -----
    The batch has ``residual`` (row,), truth less prediction, and, where there is more than one
    regime, ``regime`` int64 (row,). The state has ``counts`` int64 (regime, side, bin), where
    side 0 has truths below their prediction and side 1 the others, and ``unknown`` int64 (): rows
    without a residual (NaN) or without one of the regimes, which are in no bin.

    *Cost*: one sort of the batch; 16 bytes a bin and regime. From 1e-3 to 1e3 at 0.5 % there are
    2 773 bins.
    """

    xp: Any
    least: float
    greatest: float
    regimes: int = 1
    relative_error: float = 0.005
    device: Any = None

    @cached_property
    def edges(self) -> tuple[float, ...]:
        """Upper edge of each bin, in the unit of the residuals."""
        return upper_edges(self.least, self.greatest, self.relative_error)

    def empty(self) -> State:
        """The state of no rows."""
        xp, shape = self.xp, (self.regimes, 2, len(self.edges))
        return {
            "counts": xp.zeros(shape, dtype=xp.int64, device=self.device),
            "unknown": xp.zeros((), dtype=xp.int64, device=self.device),
        }

    def update(self, state: State, batch: Mapping[str, Array]) -> State:
        """The state with the rows of the batch."""
        residual = batch["residual"]
        xp = array_namespace(residual)
        residual = xp.astype(residual, xp.float64)
        edges = xp.asarray(self.edges, dtype=xp.float64, device=device(residual))
        size = xp.searchsorted(edges, xp.abs(residual))
        known = ~xp.isnan(residual)
        cell = size + len(self.edges) * xp.astype(residual >= 0, xp.int64)
        if self.regimes > 1:
            regime = xp.astype(batch["regime"], xp.int64)
            known &= (regime >= 0) & (regime < self.regimes)
            cell = cell + 2 * len(self.edges) * regime
        counts = cell_counts(
            xp.where(known, cell, -xp.ones_like(cell)), 2 * len(self.edges) * self.regimes
        )
        new = {
            "counts": xp.reshape(counts, (self.regimes, 2, len(self.edges))),
            "unknown": xp.sum(xp.astype(~known, xp.int64)),
        }
        return self.merge(state, new)

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both; exact."""
        return {name: first[name] + second[name] for name in first}


def cell_counts(cells: Array, number: int) -> Array:
    """How often each cell 0 … `number` - 1 occurs: int64; others are not counted."""
    xp = array_namespace(cells)
    # Sorted, not scattered: a scatter is not in the standard, and on a device its order is free.
    bounds = xp.arange(number + 1, dtype=xp.int64, device=device(cells))
    places = xp.astype(xp.searchsorted(xp.sort(cells), bounds), xp.int64)
    return places[1:] - places[:-1]


def side_counts(counts: Array, side: Side) -> Array:
    """Counts by the size of the error on one side, or of that on either side.

    Parameters
    ----------
    counts : array of int64, shape (..., side, bin)
        As in the state of `ResidualBins`.
    side : {"both", "below", "above"}
        Where the truth lies: ``below`` the prediction, ``above`` it, or either.

    Returns
    -------
    array of int64, shape (..., bin)
        For one side, rows whose truth lies on the other have no error: they are in the first bin.

    Examples
    --------
    >>> import numpy as np
    >>> side_counts(np.array([[1, 2, 3], [4, 5, 6]]), "above")
    array([10,  5,  6])
    """
    below, above = counts[..., 0, :], counts[..., 1, :]
    if side == "both":
        return below + above
    xp = array_namespace(counts)
    this, other = (below, above) if side == "below" else (above, below)
    none = this[..., :1] + xp.sum(other, axis=-1, keepdims=True)
    return xp.concat([none, this[..., 1:]], axis=-1)
