"""How well a signal tells the wear of machines: monotonicity, trendability, prognosability.

They are computed from what each unit's life leaves (`lumipipe.metrics.lives`). How sure they
are, and which signals take no rank, is `lumipipe.families.indicator_ranking`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from lumipipe.backend import Array

ROUNDING = 2.0**-40
"""Change of a value, as a share of it, that is rounding: sums of 4,000 numbers in float64."""
_MOST_PAIRS = 2**22  # correlations in memory at a time


def is_constant(low: Array, high: Array, rounding: float = ROUNDING) -> Array:
    """Whether all values of all units are equal but for rounding.

    Parameters
    ----------
    low, high : array of float64, shape (unit, indicator)
        Least and largest value.
    rounding : float
        Change that counts as none, as a share of the largest magnitude; larger where values
        were computed in less than float64.

    Returns
    -------
    array of bool, shape (indicator,)
        True where an indicator says nothing.
    """
    xp = array_namespace(low)
    least, most = xp.min(low, axis=0), xp.max(high, axis=0)
    return most - least <= rounding * xp.max(xp.stack([xp.abs(least), xp.abs(most)]), axis=0)


def monotonicity(net: Array, rows: Array, weight: Array) -> Array:
    """How steadily an indicator goes in one direction, from 0 (not at all) to 1 (each step).

    Parameters
    ----------
    net : array of int64, shape (unit, indicator)
        Rises less falls.
    rows : array of int64, shape (unit,)
        Rows of each unit, at least two.
    weight : array of float64, shape (draw, unit)
        How often each unit counts; ones for the plain measure.

    Returns
    -------
    array of float64, shape (draw, indicator)
        The mean over units of |rises - falls| / (rows - 1).

    Notes
    -----
    *Method*: [1]_; without smoothing, so noise between neighbouring rows lowers it. The same
    formula as the function of this name in MATLAB's Predictive Maintenance Toolbox.

    References
    ----------
    .. [1] J. Coble, Merging Data Sources to Predict Remaining Useful Life - An Automated
       Method to Identify Prognostic Parameters, PhD thesis, University of Tennessee (2010).

    Examples
    --------
    >>> import numpy as np
    >>> float(monotonicity(np.array([[4], [-2]]), np.array([5, 5]), np.ones((1, 2)))[0, 0])
    0.75
    """
    xp = array_namespace(net)
    steps = xp.astype(rows - 1, xp.float64)[:, None]
    each = xp.abs(xp.astype(net, xp.float64)) / steps
    return xp.matmul(weight, each) / xp.sum(weight, axis=1)[:, None]


def prognosability(first: Array, last: Array, weight: Array) -> Array:
    """How alike units end, against how far they went, from 0 (not at all) to 1 (equal ends).

    Parameters
    ----------
    first, last : array of float64, shape (unit, indicator)
        Value at the beginning and at the end of each life.
    weight : array of float64, shape (draw, unit)
        How often each unit counts, two in all at least; ones for the plain measure.

    Returns
    -------
    array of float64, shape (draw, indicator)
        exp(-std(last) / mean|first - last|), the standard deviation with n - 1; 0 where no unit
        ends elsewhere than it began.

    Notes
    -----
    *Method*: as `monotonicity`, reference 1.

    Examples
    --------
    >>> import numpy as np
    >>> ends = prognosability(np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]]), np.ones((1, 2)))
    >>> bool(abs(ends[0, 0] - np.exp(-(2**0.5) / 2.0)) < 1e-15)
    True
    """
    xp = array_namespace(first)
    count = xp.sum(weight, axis=1)[:, None]
    # Centred on all units, so that little is lost where those of a draw are centred again.
    ends = last - xp.mean(last, axis=0)
    middle = xp.matmul(weight, ends) / count
    squares = xp.matmul(weight, ends**2) - count * middle**2
    std = xp.sqrt(xp.where(squares > 0, squares, xp.zeros_like(squares)) / (count - 1))
    way = xp.matmul(weight, xp.abs(first - last)) / count
    ratio = std / xp.where(way > 0, way, xp.ones_like(way))
    return xp.where(way > 0, xp.exp(-ratio), xp.zeros_like(ratio))


def trendability(curves: Array) -> Array:
    """How alike the lives of units look, from 0 (two have nothing in common) to 1.

    Parameters
    ----------
    curves : array of float64, shape (unit, point, indicator)
        Each unit's values at equal shares of its life.

    Returns
    -------
    array of float64, shape (indicator,)
        The least |correlation| of two units; 0 where one of them does not change.

    Notes
    -----
    *Method*: as `monotonicity`, reference 1, on curves at a fixed number of points; the Toolbox
    resamples the shorter of two units to the length of the longer. *Cost*: units² · points ·
    indicators products.
    """
    xp = array_namespace(curves)
    moved = curves - curves[:, :1, :]  # exactly 0 where a curve is constant, unlike its mean
    centred = moved - xp.mean(moved, axis=1)[:, None, :]
    length = xp.sqrt(xp.sum(centred**2, axis=1))
    # What is constant but for rounding would correlate at random.
    still = length <= 2.0**-48 * xp.max(xp.abs(curves), axis=1)
    scaled = xp.where(
        still, xp.zeros_like(length), 1.0 / xp.where(still, xp.ones_like(length), length)
    )
    unit = xp.permute_dims(centred * scaled[:, None, :], (2, 0, 1))
    units = unit.shape[1]
    block = max(1, _MOST_PAIRS // max(1, units * unit.shape[0]))
    other = xp.matrix_transpose(unit)
    least = [
        xp.min(xp.abs(xp.matmul(unit[:, at : min(at + block, units), :], other)), axis=(1, 2))
        for at in range(0, units, block)
    ]
    found = xp.min(xp.stack(least), axis=0)
    return xp.where(found < 1.0, found, xp.ones_like(found))
