"""From counted residuals to intervals and their coverage, for the families that predict numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.language import say
from lumipipe.metrics.residuals import side_counts
from lumipipe.reporting.result import Coverage, CoverageGroup
from lumipipe.uncertainty.intervals import Held, held, intervals
from lumipipe.uncertainty.regimes import Fallback, RegimeThresholds, binned_regime_thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Thresholds(NamedTuple):
    """How far the truth may lie below and above a prediction, by regime."""

    below: RegimeThresholds
    above: RegimeThresholds

    def intervals(
        self,
        prediction: NDArray[np.float64],
        regimes: NDArray[np.int64] | None = None,
        least: float = -np.inf,
        greatest: float = np.inf,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends of the interval of each prediction, by `lumipipe.uncertainty.intervals`.

        Parameters
        ----------
        prediction : ndarray of float64, shape (row,)
            Predictions.
        regimes : ndarray of int64, shape (row,), optional
            Regime of each row; all rows are in regime 0 where it is left out.
        least, greatest : float
            Values that the truth cannot pass.

        Returns
        -------
        tuple of ndarray of float64, shape (row,)
            Without bound, but for `least` and `greatest`, where a row is in a regime that was not
            calibrated.
        """
        if regimes is None:
            regimes = np.zeros(len(prediction), dtype=np.int64)
        low, high = self.below.at(regimes), self.above.at(regimes)
        return intervals(prediction, low, high, least, greatest)


def thresholds(
    counts: NDArray[np.int64],
    edges: Sequence[float],
    coverage: float,
    fallback: Fallback = "pooled",
    *,
    apart: bool = False,
) -> Thresholds:
    """Thresholds from the counts of `lumipipe.metrics.residuals.ResidualBins`.

    Parameters
    ----------
    counts : ndarray of int64, shape (regime, side, bin)
        Counted residuals of calibration rows.
    edges : sequence of float
        Upper edges of the bins.
    coverage : float
        Nominal coverage of the intervals.
    fallback : {"pooled", "none"}
        What a regime with too few cases gets.
    apart : bool
        Whether each side has its own threshold, passed by half of what may be missed; this needs
        twice as many cases.

    Returns
    -------
    Thresholds
        Equal on both sides unless they are apart.
    """
    if not apart:
        both = binned_regime_thresholds(side_counts(counts, "both"), edges, coverage, fallback)
        return Thresholds(both, both)
    one_sided = (1 + coverage) / 2
    below, above = side_counts(counts, "below"), side_counts(counts, "above")
    return Thresholds(
        binned_regime_thresholds(below, edges, one_sided, fallback),
        binned_regime_thresholds(above, edges, one_sided, fallback),
    )


def interval_coverage(
    nominal: float,
    truth: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    regimes: NDArray[np.int64],
    names: Sequence[str],
    units: NDArray[np.int64] | None = None,
    notes: Sequence[str | None] | None = None,
    width_unit: str | None = None,
) -> Coverage:
    """Nominal and achieved coverage with the width, in all and by regime.

    Parameters
    ----------
    nominal : float
        Coverage that was promised.
    truth : ndarray of float64, shape (row,)
        NaN where it is not known; such rows are left out.
    ends : tuple of ndarray of float64, shape (row,)
        Lower and upper end of each row's interval.
    regimes : ndarray of int64, shape (row,)
        Regime of each row; those outside 0 … len(`names`) - 1 count in the whole only.
    names : sequence of str
        Names of the regimes.
    units : ndarray of int64, shape (row,), optional
        Unit of each row, where rows of a unit hang together.
    notes : sequence of str or None, optional
        What a reader must know of each regime, such as `RegimeThresholds.notes`.
    width_unit : str, optional
        Unit of the widths.

    Returns
    -------
    Coverage
        For `lumipipe.reporting.result.Result`.
    """

    def found(rows: NDArray[np.bool_]) -> Held:
        of = None if units is None else units[rows]
        return held(truth[rows], ends[0][rows], ends[1][rows], of)

    groups = [
        CoverageGroup(name=name, **_fields(found(regimes == r), notes[r] if notes else None))
        for r, name in enumerate(names)
    ]
    whole = _fields(found(np.ones(len(truth), dtype=np.bool_)), None)
    return Coverage(nominal=nominal, width_unit=width_unit, groups=groups, **whole)


def _fields(result: Held, note: str | None) -> dict[str, object]:
    """What `Coverage` and `CoverageGroup` have in common."""
    notes = [note] if note else []
    if result.count and result.lower is None:
        notes.append(say("all of one unit, so the share has no interval"))
    if result.unbounded:
        notes.append(
            say(
                "no bound in {unbounded} of {count}",
                unbounded=result.unbounded,
                count=result.count,
            )
        )
    return {
        "achieved": result.achieved,
        "lower": result.lower,
        "upper": result.upper,
        "count": result.count,
        "width": result.mean_width,
        "median_width": result.median_width,
        "unbounded": result.unbounded,
        "note": "; ".join(notes) or None,
    }
