"""Rates of rare events, such as false alarms a month, with exact intervals."""

from __future__ import annotations

from scipy import special


def poisson_rate(
    count: int, exposure: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Events per unit of exposure with the exact interval of a Poisson process.

    Parameters
    ----------
    count : int
        Events, 0 or more.
    exposure : float
        Time, or number of trials, in which they were counted; above 0.
    confidence : float
        Two-sided confidence.

    Returns
    -------
    tuple of float
        Rate, lower bound, upper bound. With no event the upper bound is one-sided in effect,
        but still that of half of what may be missed.

    Notes
    -----
    *Method*: bounds are quantiles of gamma distributions, as in the reference; they hold where
    events come one by one and independently.

    References
    ----------
    .. [1] F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28 (1936)
       437-442.

    Examples
    --------
    >>> [round(bound, 3) for bound in poisson_rate(0, 2.0)]
    [0.0, 0.0, 1.844]
    """
    tail = (1.0 - confidence) / 2.0
    lower = float(special.gammaincinv(count, tail)) if count > 0 else 0.0
    upper = float(special.gammaincinv(count + 1, 1.0 - tail))
    return count / exposure, lower / exposure, upper / exposure
