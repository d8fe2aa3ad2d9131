"""Day and month taken for one another: told by the steps of the stamps, where they tell.

A request states the format of its stamps, so nothing is guessed; but 03.09. is a date both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import RecordingError

if TYPE_CHECKING:
    import pandas as pd

_MONTHS = 12
_LEAST = 3  # stamps whose steps say something
_DAY_NS = 86_400 * 10**9
_CLOSE = 0.01  # of a rate


def refuse_swapped(
    column: np.ndarray, stamps: np.ndarray, form: str, rate_hz: float | None, where: str
) -> None:
    """Refuse a format under which stamps jump that run evenly with day and month swapped.

    Parameters
    ----------
    column : np.ndarray, shape (row,), str
        Stamps as they are written.
    stamps : np.ndarray, shape (row,), int64, ns
        What the declared format makes of them.
    form : str
        The declared format.
    rate_hz : float or None, Hz
        The declared rate.
    where : str
        File and column for messages.

    Raises
    ------
    RecordingError
        If all steps are equal with day and month swapped, and not as declared: correct the format.

    Notes
    -----
    *Method*: one stamp a month, all on one day of it, is one stamp a day with the two swapped. Such
    stamps are taken as declared, unless the declared rate is that of the swapped ones.
    """
    import pandas as pd

    if len(stamps) < _LEAST or form.count("%d") != 1 or form.count("%m") != 1:
        return
    declared = pd.DatetimeIndex(stamps)
    if bool((declared.day > _MONTHS).any()) or _is_even(stamps):
        return
    swapped = form.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
    other = pd.to_datetime(
        pd.Series(column, dtype=object), format=swapped, errors="coerce", utc=True
    )
    if other.isna().any():
        return
    even = pd.DatetimeIndex(other).as_unit("ns").asi8
    if _is_even(even) and (not _is_monthly(declared) or _has_rate(even, rate_hz)):
        longest = int(np.diff(stamps).max()) / _DAY_NS
        raise RecordingError(
            where,
            f"read as {form} its steps reach {longest:.3g} days; with day and month swapped all "
            f"are {int(even[1] - even[0]) / 10**9:g} s",
            f"correct time.format, to {swapped}",
        )


def _is_even(stamps: np.ndarray) -> bool:
    """Whether all steps are equal and forward."""
    steps = np.diff(stamps)
    return bool(steps[0] > 0 and (steps == steps[0]).all())


def _is_monthly(stamps: pd.DatetimeIndex) -> bool:
    """Whether all stamps are of one day of their months, and of one time of it."""
    return len(set(stamps.day)) == 1 and len(set(stamps.time)) == 1


def _has_rate(stamps: np.ndarray, rate_hz: float | None) -> bool:
    """Whether equal steps are those of a rate."""
    step_s = int(stamps[1] - stamps[0]) / 10**9
    return rate_hz is not None and abs(step_s * rate_hz - 1.0) < _CLOSE
