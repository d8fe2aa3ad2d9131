"""What a filed column of emissions can and cannot say: its resolution, and two ways to a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.carbon_folding import MOST_DISTINCT, PAIRED, Folding
from lumipipe.fold import merge_all
from lumipipe.metrics.distinct import DistinctReducer
from lumipipe.metrics.exact import ExactSumsReducer, exact_sums
from lumipipe.metrics.rows import Together
from lumipipe.uncertainty.budget import rounding_u

if TYPE_CHECKING:
    from fractions import Fraction

    from numpy.typing import NDArray

    from lumipipe.families.carbon_totals import Totals
    from lumipipe.families.interface import Job, Model
    from lumipipe.fold import Leaves

_OFF_GRID = 1e-3  # of a step: values are written with few digits, and may be float32
_DIGITS = 6


def fit_filed(job: Job, leaves: Leaves) -> dict[str, Any]:
    """Distinct values, step and factors of the filed column.

    Parameters
    ----------
    job : Job
        The request and its data.
    leaves : dict of tuple of str to State
        The folded pass over filed values.

    Returns
    -------
    dict
        ``value`` and ``count`` of the distinct values, ``others`` rows with further values;
        ``step`` in the unit of the channel or None; ``pairs`` rows with both; ``ratio`` and
        ``slope``, filed emission for one unit of the activity's readings, or None.
    """
    xp = job.backend.xp
    reducer = Together(
        {"values": DistinctReducer(xp, MOST_DISTINCT), "pairs": ExactSumsReducer(xp, PAIRED)}
    )
    state = merge_all(reducer, [leaves[leaf] for leaf in sorted(leaves)])
    values, pairs = reducer.part(state, "values"), reducer.part(state, "pairs")
    there = values["count"] > 0
    value, others = values["value"][there], int(values["others"])
    channel = Folding(job).table.channels[Folding(job).number_of(job.train.filed.channel)]
    found = step_of(value) if not others else None
    steps = [step for step in (found, channel.resolution) if step is not None]
    ratio, slope = _two_ways(int(pairs["count"][0]), exact_sums(pairs))
    return {
        "value": value.tolist(),
        "count": values["count"][there].tolist(),
        "others": others,
        "step": max(steps, default=None),
        "pairs": int(pairs["count"][0]),
        "ratio": ratio,
        "slope": slope,
    }


def step_of(value: NDArray[np.float64]) -> float | None:
    """The step that all distinct values are multiples of.

    Parameters
    ----------
    value : ndarray of float64, shape (value,)
        Rising.

    Returns
    -------
    float or None
        None for fewer than two values, or where they are no multiples of their least distance.

    Examples
    --------
    >>> step_of(np.asarray([0.0, 0.01, 0.02, 0.07]))
    0.01
    """
    if len(value) < 2:  # noqa: PLR2004 - one value has no distance
        return None
    step = float(f"{np.diff(value).min():.{_DIGITS}g}")
    parts = value / step
    return step if np.abs(parts - np.round(parts)).max() < _OFF_GRID else None


def _two_ways(pairs: int, sums: list[Fraction]) -> tuple[float | None, float | None]:
    """Sum over sum, and slope of least squares with an intercept; exact until the division."""
    x, y = sums[:2]
    xx, xy = sums[2] + sums[3], sums[4] + sums[5]
    spread = pairs * xx - x * x
    ratio = float(y / x) if x else None
    return ratio, float((pairs * xy - x * y) / spread) if spread else None


@dataclass(frozen=True)
class FiledFacts:
    """The filed column over the period; emissions in the unit of the answer.

    Parameters
    ----------
    unit : str
        Unit of the channel.
    scale : float
        Unit of the answer per unit of the channel.
    values, counts : list
        Distinct values in the unit of the channel, and rows with each.
    others : int
        Rows with further values.
    step : float or None
        Step of the values, in the unit of the channel.
    ratio, slope : float or None
        Two ways to a factor, in the unit of the stated one.
    rows : int
        Rows with a filed value.
    total : float
        Sum of the filed values.
    lean : float or None
        What rounding each row's activity times factor to the step does to the sum.
    """

    unit: str
    scale: float
    values: list[float]
    counts: list[int]
    others: int
    step: float | None
    ratio: float | None
    slope: float | None
    rows: int
    total: float
    lean: float | None

    @property
    def mean(self) -> float:
        """Mean of the filed values, in the unit of the channel."""
        return self.total / self.scale / self.rows

    @property
    def step_share(self) -> float | None:
        """Step as a share of the mean."""
        return self.step / abs(self.mean) if self.step is not None and self.total else None

    @property
    def u_independent(self) -> float | None:
        """Standard uncertainty of the sum, were rounding independent from row to row."""
        if self.step is None:
            return None
        return rounding_u(self.step) * self.scale * float(np.sqrt(self.rows))

    @property
    def is_leaning(self) -> bool:
        """Whether rounding at the stated factor moves the sum by more than chance would."""
        if self.lean is None or self.u_independent is None:
            return False
        return abs(self.lean) > 2.0 * self.u_independent

    def bounds(self) -> tuple[float, float] | None:
        """The sum if all rows were rounded to one side; no filed 0 hides less than nothing."""
        if self.step is None:
            return None
        half = 0.5 * self.step * self.scale
        zeros = dict(zip(self.values, self.counts, strict=True)).get(0.0, 0)
        down = self.rows - zeros if min(self.values, default=0.0) >= 0.0 else self.rows
        return self.total - half * down, self.total + half * self.rows

    def differ(self) -> float | None:
        """How far the slope lies above the ratio of sums, as a share of it."""
        return self.slope / self.ratio - 1.0 if self.ratio and self.slope is not None else None


def filed_facts(job: Job, model: Model, totals: Totals) -> FiledFacts | None:
    """The filed column over the period, where there is one with a value."""
    filed, card = job.train.filed, model.card["filed"]
    if filed is None or not totals.total.sums.counts[-2]:
        return None
    folding, activities = totals.folding, len(job.train.activities)
    unit = folding.unit_of(filed.channel)
    per_reading = folding.per_unit(filed.activity, unit)
    scale = folding.per_unit(filed.activity, job.score.unit) / per_reading
    sums = totals.total.sums
    return FiledFacts(
        unit=unit,
        scale=scale,
        values=card["value"],
        counts=card["count"],
        others=card["others"],
        step=card["step"],
        ratio=None if card["ratio"] is None else card["ratio"] / per_reading,
        slope=None if card["slope"] is None else card["slope"] / per_reading,
        rows=sums.counts[activities],
        total=float(sums.sums[activities]) * scale,
        lean=float(sums.sums[activities + 1]) * scale if sums.counts[activities + 1] else None,
    )
