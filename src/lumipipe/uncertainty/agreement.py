"""How far one instrument agrees with another, both of which err: line and expanded uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COVERAGE_FACTOR = 2.0
"""The k of expanded uncertainties here."""
_FEWEST_ROWS = 3  # two make a line without a residual


class Line(NamedTuple):
    """Tested = intercept + slope * reference, and its squared residuals; float64 (...,)."""

    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    residual: NDArray[np.float64]


def agreement_columns(
    reference: NDArray[np.float64], tested: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What is summed over rows for `orthogonal_line`: float64 (row, 5).

    Both should be given less their means, so that no digits are lost in the squares.
    """
    return np.stack(
        [reference, tested, reference**2, reference * tested, tested**2], axis=-1
    ).astype(np.float64)


def orthogonal_line(sums: NDArray[np.float64]) -> Line:
    """The line with the least squared distances to the points, both coordinates alike in error.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., 6)
        Number of rows, then sums of `agreement_columns`.

    Returns
    -------
    Line
        Of the numbers as they were summed; NaN where the coordinates do not rise together or
        there are fewer than three rows.

    References
    ----------
    .. [1] R. J. Adcock, "A problem in least squares", The Analyst 5 (1878) 53-54.

    Examples
    --------
    >>> x = np.array([-1.0, 0.0, 1.0])
    >>> sums = np.concatenate([[3.0], agreement_columns(x, 2.0 * x).sum(axis=0)])
    >>> float(orthogonal_line(sums).slope)
    2.0
    """
    n, x, y, xx, xy, yy = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    rows = np.where(n >= _FEWEST_ROWS, n, np.nan)
    sxx, sxy, syy = xx - x * x / rows, xy - x * y / rows, yy - y * y / rows
    rising = np.where(sxy > 0, sxy, np.nan)
    slope = (syy - sxx + np.hypot(syy - sxx, 2 * rising)) / (2 * rising)
    residual = np.maximum(syy - 2 * slope * sxy + slope**2 * sxx, 0.0)
    return Line((y - slope * x) / rows, slope, residual)


def relative_expanded_uncertainty(
    sums: NDArray[np.float64],
    level: float,
    centre: tuple[float, float],
    reference_u: float = 0.0,
) -> NDArray[np.float64]:
    """Expanded uncertainty (k = 2) of the tested instrument at a level, as a share of it.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., 6)
        As for `orthogonal_line`.
    level : float
        Value of the measurand, above 0.
    centre : tuple of float
        What was taken off reference and tested before they were summed.
    reference_u : float
        Standard uncertainty of one reading of the reference; where 0, its part of the
        residuals is counted as the tested instrument's.

    Returns
    -------
    ndarray of float64, shape (...,)
        A share: 0.5 is 50 %.

    Notes
    -----
    *Method*: the squares of the random part, which is the residuals about `orthogonal_line`
    less the reference's, and of the deviation of the line at the level, add.

    References
    ----------
    .. [1] European Commission, Guide to the Demonstration of Equivalence of Ambient Air
       Monitoring Methods (2010).
    """
    line = orthogonal_line(sums)
    rows = np.asarray(sums)[..., 0]
    random = np.maximum(line.residual / (rows - 2) - reference_u**2, 0.0)
    deviation = line.intercept + line.slope * (level - centre[0]) + centre[1] - level
    return np.asarray(COVERAGE_FACTOR * np.sqrt(random + deviation**2) / level)
