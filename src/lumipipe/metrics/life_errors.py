"""Errors of a predicted remaining life: squared, early and late apart, and the PHM08 score.

They are columns that add (`lumipipe.metrics.sums`); how sure the figures are, is in
`lumipipe.uncertainty`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.backend import Array

LIFE_ERRORS: dict[str, tuple[int, ...]] = dict.fromkeys(
    ("square", "score", "early", "late", "is_early", "is_late"), ()
)
"""Columns of `life_errors` with the shape of a row, as `SumsReducer` takes them."""

_MOST_EXPONENT = 700.0  # exp of more is no float64


def life_errors(
    predicted: Array, true: Array, early_scale: float = 13.0, late_scale: float = 10.0
) -> dict[str, Array]:
    """What each prediction adds to the figures of a remaining life.

    Parameters
    ----------
    predicted, true : array of float64, shape (row,), one unit of time
        Remaining life. A prediction is early where it is less than the truth, late where more.
    early_scale, late_scale : float, the same unit of time
        Errors at which the score of an early and of a late prediction is e - 1.

    Returns
    -------
    dict of str to array of float64, shape (row,)
        ``square`` of the error; ``score``; ``early`` and ``late``, the size of the error on that
        side, else 0; ``is_early`` and ``is_late``, 1 or 0.

    Notes
    -----
    *Method*: score exp(-d / 13) - 1 for d = predicted - true below 0, exp(d / 10) - 1 above [1]_,
    in cycles; it stays at e^700 for errors so large that there is no larger number.

    References
    ----------
    .. [1] A. Saxena, K. Goebel, D. Simon and N. Eklund, "Damage propagation modeling for
       aircraft engine run-to-failure simulation", Int. Conf. Prognostics and Health
       Management (2008).

    Examples
    --------
    >>> import numpy as np
    >>> found = life_errors(np.array([87.0, 110.0]), np.array([100.0, 100.0]))
    >>> (found["score"] + 1).round(9).tolist(), found["early"].tolist(), found["late"].tolist()
    ([2.718281828, 2.718281828], [13.0, 0.0], [0.0, 10.0])
    """
    xp = array_namespace(predicted)
    error = xp.astype(predicted, xp.float64) - xp.astype(true, xp.float64)
    nothing = xp.zeros_like(error)
    early, late = xp.where(error < 0, -error, nothing), xp.where(error > 0, error, nothing)
    exponent = early / early_scale + late / late_scale
    limit = xp.asarray(_MOST_EXPONENT, dtype=xp.float64, device=device(exponent))
    return {
        "square": error**2,
        "score": xp.expm1(xp.where(exponent < limit, exponent, limit)),
        "early": early,
        "late": late,
        "is_early": xp.astype(error < 0, xp.float64),
        "is_late": xp.astype(error > 0, xp.float64),
    }


def life_figures(sums: Mapping[str, Array], rows: Array) -> dict[str, Array]:
    """The figures of a remaining life.

    Parameters
    ----------
    sums : mapping of str to array of float64, shape (...)
        Sums of the columns of `life_errors`.
    rows : array, shape (...)
        Number of predictions, at least one.

    Returns
    -------
    dict of str to array of float64, shape (...)
        ``rmse``; ``score``, the sum, and ``mean_score``; ``early`` and ``late``, the mean size of
        an error on that side (NaN where there is none); ``early_share`` and ``late_share``.
    """
    xp = array_namespace(sums["square"])
    rows = xp.astype(rows, xp.float64)
    figures = {
        "rmse": xp.sqrt(sums["square"] / rows),
        "score": sums["score"],
        "mean_score": sums["score"] / rows,
    }
    for side in ("early", "late"):
        count = sums[f"is_{side}"]
        some = xp.where(count > 0, count, xp.ones_like(count))
        figures[side] = xp.where(count > 0, sums[side] / some, xp.full_like(some, xp.nan))
        figures[f"{side}_share"] = count / rows
    return figures
