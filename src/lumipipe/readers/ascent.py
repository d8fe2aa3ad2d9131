"""Metres climbed, from altitudes that are noisy, missing, or not settled at first."""

from __future__ import annotations

import numpy as np

HYSTERESIS_M = 5.0
"""A climb counts once it is higher than this above the last low point; a descent likewise."""
SMOOTHING_S = 15.0
"""Altitudes are replaced by the median of those within half of this time to either side."""
_SETTLED_M_S = 20.0  # nobody climbs faster: a first reading that is left faster had not settled
_SHARES = (0.5, 2.0)  # of the hysteresis, for the interval


def ascent(time: np.ndarray, altitude: np.ndarray) -> tuple[float, float, float]:
    """Metres climbed, with what half and twice the hysteresis give.

    Parameters
    ----------
    time : np.ndarray, shape (row,), float64, s
        Rising; of one stretch, or of several with NaN between them.
    altitude : np.ndarray, shape (row,), float64, m
        NaN where there is none.

    Returns
    -------
    tuple of float, m
        The ascent, and the lower and upper end of its interval; NaN without two altitudes, or
        where time goes back.

    Notes
    -----
    *Method*: missing altitudes are left out, never read as 0. A first reading that is left faster
    than 20 m/s is left out, too. A running median over `SMOOTHING_S` takes out noise; what is left
    is followed from turn to turn, and a turn counts once it is `HYSTERESIS_M` away from the last.
    *Accuracy*: noise whose median over the smoothing time stays within the hysteresis gives 0
    exactly; each true climb is read too low by what smoothing cuts off its ends. The interval says
    how much the answer owes to the choice of the hysteresis, not what the sensor is worth.

    Examples
    --------
    >>> import numpy as np
    >>> hill = np.interp(np.arange(3600.0), [0, 1800, 3600], [100, 400, 100])
    >>> [round(value) for value in ascent(np.arange(3600.0), hill)]
    [299, 299, 299]
    """
    known = np.isfinite(altitude) & np.isfinite(time)
    time, altitude = time[known], altitude[known]
    if len(time) > 1 and abs(altitude[1] - altitude[0]) > _SETTLED_M_S * (time[1] - time[0]):
        time, altitude = time[1:], altitude[1:]
    if len(time) < 2 or (np.diff(time) < 0).any():  # noqa: PLR2004 (a climb has two ends)
        return (np.nan,) * 3
    smooth = _median(time, altitude)
    found = [_climbed(smooth, share * HYSTERESIS_M) for share in (1.0, *_SHARES)]
    return found[0], min(found), max(found)


def _median(time: np.ndarray, altitude: np.ndarray) -> np.ndarray:
    """Running median over a time."""
    import pandas as pd

    clock = pd.to_timedelta(np.rint(1e9 * (time - time[0])).astype(np.int64))
    series = pd.Series(altitude, index=clock)
    window = pd.Timedelta(seconds=SMOOTHING_S)
    return np.asarray(series.rolling(window, center=True, closed="both").median())


def _climbed(altitude: np.ndarray, hysteresis_m: float) -> float:
    """Sum of climbs between turns that are at least so far apart."""
    total, low, high = 0.0, float(altitude[0]), float(altitude[0])
    rising = False
    for value in altitude.tolist():
        if rising:
            if value > high:
                total += value - high
                high = value
            elif high - value >= hysteresis_m:
                rising, low = False, value
        elif value < low:
            low = value
        elif value - low >= hysteresis_m:
            total += value - low
            rising, high = True, value
    return total
