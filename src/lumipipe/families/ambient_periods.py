"""The periods after a calibration: bias, spread, capture.

Since when it has expired is in `lumipipe.families.ambient_expiry`. How a value gets its interval
is in `lumipipe.uncertainty.blocks`, how a relative expanded uncertainty is found in
`lumipipe.uncertainty.agreement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.language import say
from lumipipe.reporting.parts import Interval
from lumipipe.uncertainty.agreement import agreement_columns, relative_expanded_uncertainty
from lumipipe.uncertainty.blocks import Estimate, block_estimate, block_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_NONE = Estimate(*(float("nan"),) * 4)


@dataclass(frozen=True)
class Clock:
    """When the rows were measured.

    Parameters
    ----------
    start_s, calibrated_s, stop_s : float
        Begin of the record, end of the calibration and end of the record, in seconds.
    step_s : float
        Time from row to row.
    period_s, block_s : float
        Length of periods, and of blocks within them.
    is_dated : bool
        Whether seconds count from 1970; from the start of the record otherwise.
    """

    start_s: float
    calibrated_s: float
    stop_s: float
    step_s: float
    period_s: float
    block_s: float
    is_dated: bool

    def moment(self, seconds: float) -> str:
        """A time in words.

        >>> Clock(0.0, 1.0, 2.0, 1.0, 1.0, 1.0, True).moment(86400.0)
        '1970-01-02 00:00'
        """
        if not self.is_dated:
            return say("day {day:.1f}", day=(seconds - self.start_s) / 86_400)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")

    def day(self, seconds: float) -> str:
        """The day of a time in words."""
        return self.moment(seconds)[:10]

    def periods_of(self, time: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of the period of each time: 0 is the calibration."""
        number = 1 + np.floor((time - self.calibrated_s) / self.period_s)
        return np.where(time < self.calibrated_s, 0, number).astype(np.int64)

    def ends(self, number: int) -> tuple[float, float]:
        """Begin and end of a period; the last one ends with the record."""
        if number == 0:
            return self.start_s, self.calibrated_s
        start = self.calibrated_s + (number - 1) * self.period_s
        return start, min(start + self.period_s, self.stop_s)


@dataclass(frozen=True)
class Period:
    """What one period says of the calibration.

    Parameters
    ----------
    number : int
        From 1; 0 is the calibration, of which each block was left out of its own fit.
    start_s, stop_s : float
        Its ends, in seconds.
    expected, reference, sensor, pairs : int
        Rows that should be there, those with a reading of the reference, of all inputs of the
        calibration, and of both.
    bias, spread : Estimate
        Mean and standard deviation of calibrated less reference.
    relative : Estimate
        Relative expanded uncertainty; of NaN where no level was given.
    outside : float
        Share of its rows outside the operating envelope of the calibration; NaN without rows.
    bias_inside : float
        Bias of the rows inside the envelope; NaN where there are none.
    """

    number: int
    start_s: float
    stop_s: float
    expected: int
    reference: int
    sensor: int
    pairs: int
    bias: Estimate
    spread: Estimate
    relative: Estimate
    outside: float
    bias_inside: float

    @property
    def effective(self) -> float:
        """Number of independent rows that would know the bias as well; NaN where not known."""
        u = self.bias.u
        return self.spread.value**2 / u**2 if u > 0 else float("nan")


def cut_periods(
    rows: Mapping[str, NDArray[Any]],
    clock: Clock,
    sensor_works: NDArray[np.bool_],
    level: float | None,
    reference_u: float | None,
) -> list[Period]:
    """All periods of a record, the calibration first.

    Parameters
    ----------
    rows : mapping of str to ndarray
        Scored rows: ``time`` (s), ``truth``, ``prediction``, ``inside``.
    clock : Clock
        When.
    sensor_works : ndarray of bool, shape (row,)
        Whether all inputs of the calibration have a reading.
    level, reference_u : float or None
        For relative expanded uncertainties.

    Returns
    -------
    list of Period
        One for each period that the record reaches, also where it has no row.
    """
    number = clock.periods_of(rows["time"])
    return [
        _period(
            which,
            clock,
            {name: rows[name][number == which] for name in _NEEDED},
            sensor_works[number == which],
            level,
            reference_u,
        )
        for which in range(int(number.max(initial=0)) + 1)
    ]


_NEEDED = ("time", "truth", "prediction", "inside")


def _period(
    number: int,
    clock: Clock,
    rows: Mapping[str, NDArray[Any]],
    sensor_works: NDArray[np.bool_],
    level: float | None,
    reference_u: float | None,
) -> Period:
    """One period from its rows."""
    start, stop = clock.ends(number)
    known = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
    truth, found = rows["truth"][known], rows["prediction"][known]
    error, inside = found - truth, rows["inside"][known]
    block = np.floor((rows["time"][known] - start) / clock.block_s).astype(np.int64)
    blocks = int(np.ceil((stop - start) / clock.block_s)) + 1
    bias, spread, relative = _NONE, _NONE, _NONE
    if len(error):
        # About the means of the period, so that squares lose no digits.
        middle = float(error.mean())
        about = np.stack([error - middle, (error - middle) ** 2], axis=1)
        sums = block_sums(block, about, blocks)
        bias = _shifted(block_estimate(sums, lambda s: s[..., 1] / s[..., 0]), middle)
        spread = _exponential(block_estimate(sums, _log_deviation))
        if level is not None:
            relative = _relative(truth, found, block, blocks, level, reference_u or 0.0)
    return Period(
        number=number,
        start_s=start,
        stop_s=stop,
        expected=round((stop - start) / clock.step_s),
        reference=int(np.isfinite(rows["truth"]).sum()),
        sensor=int(sensor_works.sum()),
        pairs=len(error),
        bias=bias,
        spread=spread,
        relative=relative,
        outside=float(1 - inside.mean()) if len(error) else float("nan"),
        bias_inside=float(error[inside].mean()) if inside.any() else float("nan"),
    )


def _relative(
    truth: NDArray[np.float64],
    found: NDArray[np.float64],
    block: NDArray[np.int64],
    blocks: int,
    level: float,
    reference_u: float,
) -> Estimate:
    """Relative expanded uncertainty at a level, with its interval."""
    centre = float(truth.mean()), float(found.mean())
    columns = agreement_columns(truth - centre[0], found - centre[1])
    return _not_below_zero(
        block_estimate(
            block_sums(block, columns, blocks),
            lambda s: relative_expanded_uncertainty(s, level, centre, reference_u),
        )
    )


def _log_deviation(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the standard deviation, whose estimates lie more evenly than its own do.

    From numbers, sums and sums of squares about a common centre; NaN where there is no spread.
    """
    n, first, second = np.moveaxis(sums, -1, 0)
    variance = np.maximum(second - first**2 / n, 0.0) / np.maximum(n - 1, 1.0)
    return np.asarray(0.5 * np.log(np.where(variance > 0, variance, np.nan)))


def _exponential(found: Estimate) -> Estimate:
    """The estimate of what the logarithm was estimated of."""
    value, lower, upper = np.exp([found.value, found.lower, found.upper]).tolist()
    return Estimate(value, value * found.u, lower, upper)


def _shifted(found: Estimate, by: float) -> Estimate:
    return Estimate(found.value + by, found.u, found.lower + by, found.upper + by)


def _not_below_zero(found: Estimate) -> Estimate:
    """The estimate of what has no negative values."""
    return Estimate(found.value, found.u, float(np.maximum(found.lower, 0.0)), found.upper)


def interval(found: Estimate, factor: float = 1.0) -> Interval | None:
    """An estimate as results hold it; None where there is none."""
    if not np.isfinite(found.value):
        return None
    if not found.is_known:
        return Interval(value=factor * found.value)
    return Interval(
        value=factor * found.value, lower=factor * found.lower, upper=factor * found.upper
    )
