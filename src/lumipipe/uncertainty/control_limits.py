"""Control limits of Hotelling's T² and of SPE: from theory, and from rows of normal operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lumipipe.uncertainty.conformal import conformal_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray


def t2_limit(rows: int, components: int, alpha: float) -> float:
    """The limit of T² for a new row of normal operation.

    Parameters
    ----------
    rows : int
        Rows that the model was fitted on, more than `components`.
    components : int
        Components of the model.
    alpha : float
        Share of normal rows that may lie above.

    Returns
    -------
    float
        A (n² - 1) / (n (n - A)) · F(A, n - A).

    References
    ----------
    .. [1] N. D. Tracy, J. C. Young and R. L. Mason, "Multivariate control charts for
       individual observations", J. Quality Technology 24 (1992) 88-95, Eq. 6.

    Examples
    --------
    >>> round(t2_limit(50, 3, 0.05), 2)
    8.94
    """
    quantile = special.fdtri(components, rows - components, 1 - alpha)
    return float(components * (rows**2 - 1) / (rows * (rows - components)) * quantile)


def spe_limit(residual_eigenvalues: NDArray[np.float64], alpha: float) -> float:
    """The limit of SPE for a row of normal operation.

    Parameters
    ----------
    residual_eigenvalues : ndarray of float64, shape (channel - component,)
        Eigenvalues that the model leaves out.
    alpha : float
        Share of normal rows that may lie above.

    Returns
    -------
    float
        Zero where the model leaves nothing out.

    Notes
    -----
    *Accuracy*: eigenvalues below zero come from rounding or from merged pairs with gaps; they
    count as zero.

    References
    ----------
    .. [1] J. E. Jackson and G. S. Mudholkar, "Control procedures for residuals associated
       with principal component analysis", Technometrics 21 (1979) 341-349, Eq. 2.5.
    """
    kept = np.clip(residual_eigenvalues, 0, None)
    theta1, theta2, theta3 = (float((kept**power).sum()) for power in (1, 2, 3))
    if theta1 == 0:
        return 0.0
    h0 = 1 - 2 * theta1 * theta3 / (3 * theta2**2)
    if h0 <= 0:  # the power transform does not exist; Box's weighted chi-square does
        weight, freedom = theta2 / theta1, theta1**2 / theta2
        return float(weight * special.chdtri(freedom, alpha))
    normal = special.ndtri(1 - alpha)
    inner = normal * np.sqrt(2 * theta2 * h0**2) / theta1 + 1 + theta2 * h0 * (h0 - 1) / theta1**2
    return float(theta1 * max(0.0, inner) ** (1 / h0))


def empirical_limit(values: NDArray[np.float64], alpha: float) -> float:
    """The limit that a new normal row passes with probability `alpha` at most.

    Parameters
    ----------
    values : ndarray of float64, shape (row,)
        Distances of rows of normal operation that did not fit the model.
    alpha : float
        Share of normal rows that may lie above.

    Returns
    -------
    float
        Infinity where there are fewer rows than the share needs.
    """
    return conformal_quantile(values, 1 - alpha)
