"""A calibration and what became of it: scored rows by period, bands, what is missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config.moments import nanoseconds
from lumipipe.families.ambient_expiry import Band, Expiry, expiry
from lumipipe.families.ambient_periods import Clock, Period, cut_periods
from lumipipe.families.regression_scores import interval_coverage
from lumipipe.families.roles import TEST, TRAIN
from lumipipe.language import message, say
from lumipipe.store.dataset import NO_TIME
from lumipipe.uncertainty.agreement import agreement_columns, orthogonal_line

if TYPE_CHECKING:
    from lumipipe.families.interface import Job
    from lumipipe.families.regression_scores import RegressionScores
    from lumipipe.reporting.result import Coverage
    from lumipipe.uncertainty.blocks import Estimate

_BETWEEN = message(" ({low} to {high})")
READING = "reading_"
"""Prefix of the columns with the channels of a scored row."""
_DAY_S = 86_400.0
_CLEARLY = 2.0


class Gap(NamedTuple):
    """Rows of the file in which a channel has no reading."""

    channel: str
    part: str
    missing: int
    rows: int

    @property
    def share(self) -> float:
        """Share of the rows."""
        return self.missing / max(1, self.rows)


@dataclass(frozen=True)
class Watch:
    """A calibration and what became of it.

    Parameters
    ----------
    job : Job
        The request and its data.
    scores : RegressionScores
        The scored rows.
    """

    job: Job
    scores: RegressionScores

    @cached_property
    def unit(self) -> str:
        """Unit of the reference."""
        return self.scores.channel[1]

    @cached_property
    def clock(self) -> Clock:
        """When the rows were measured."""
        time, role = self.scores.all_rows["time"], self.scores.all_rows["role"]
        stream, split = self.scores.regression.stream, self.scores.regression.split
        nominal = float(stream.nominal_hz[0])
        # The median, since a measured rate is lowered by rows that are not there.
        step = 1.0 / nominal if np.isfinite(nominal) else float(np.median(np.diff(time)))
        start = float(time[0])
        if split.dates:  # the first moment after the last one
            calibrated = (nanoseconds(split.dates[-1]) + 1000) / 1e9
        elif split.train_first_s is not None:
            calibrated = start + split.train_first_s
        else:
            calibrated = float(time[role == TEST][0])
        return Clock(
            start_s=start,
            calibrated_s=calibrated,
            stop_s=float(time[-1]) + step,
            step_s=step,
            period_s=self.job.score.period_s,
            block_s=self.job.score.block_s,
            is_dated=int(stream.start_ns[0]) != NO_TIME,
        )

    @cached_property
    def periods(self) -> list[Period]:
        """All periods; the first is the calibration."""
        rows, score = self.scores.all_rows, self.job.score
        works = np.isfinite(rows["prediction"])
        return cut_periods(rows, self.clock, works, score.level, self.job.asset.reference_u)

    @property
    def tested(self) -> list[Period]:
        """The periods after the calibration."""
        return self.periods[1:]

    @cached_property
    def bands(self) -> list[Band]:
        """What the request accepts."""
        score, found = self.job.score, []
        if score.largest_bias is not None:
            edge = score.largest_bias
            found.append(Band("largest_bias", say("bias"), self.unit, edge, lambda p: p.bias))
        if score.relative_uncertainty is not None:
            noun = say(
                "relative expanded uncertainty at {level:g} {unit} (share)",
                level=score.level,
                unit=self.unit,
            )
            edge = score.relative_uncertainty
            found.append(Band("relative_uncertainty", noun, "", edge, lambda p: p.relative))
        return found

    @cached_property
    def expiry(self) -> Expiry | None:
        """Since when the calibration has expired."""
        return expiry(self.tested, self.bands)

    def name(self, period: Period) -> str:
        """What a period is called: when it begins."""
        if self.clock.period_s < _DAY_S:
            return self.clock.moment(period.start_s)
        return self.clock.day(period.start_s)

    @cached_property
    def coverage(self) -> Coverage:
        """Nominal and achieved coverage, in all and by period."""
        time, clock = self.scores.known["time"], self.clock
        number, period = clock.periods_of(time), np.full(len(time), -1, dtype=np.int64)
        for place, tested in enumerate(self.tested):
            period[number == tested.number] = place
        names = [self.name(tested) for tested in self.tested]
        blocks = np.floor((time - clock.calibrated_s) / clock.block_s).astype(np.int64)
        by_period = interval_coverage(self.scores, period, names, blocks).groups
        return interval_coverage(self.scores).model_copy(update={"groups": by_period})

    @cached_property
    def calibration_rmse(self) -> tuple[float, int]:
        """Root-mean-square error of the calibration on its own rows, and their number."""
        rows, found = self.scores.all_rows, self.scores.regression
        inputs = np.stack([rows[READING + name] for name in found.inputs], axis=1)
        used = (rows["role"] == TRAIN) & np.isfinite(inputs).all(axis=1)
        used &= np.isfinite(rows["truth"])
        fitted = found.answers(self.scores.model, inputs[used])["prediction"][:, 0]
        return float(np.sqrt(np.mean((fitted - rows["truth"][used]) ** 2))), int(used.sum())

    @cached_property
    def gaps(self) -> list[Gap]:
        """What is missing of each channel."""
        rows, found = self.scores.all_rows, self.scores.regression
        parts = dict.fromkeys(found.inputs, say("an input of the calibration"))
        parts |= {found.targets[0]: say("the reference"), self.job.train.sensor: say("the sensor")}
        return [
            Gap(
                name,
                parts.get(name, say("not used by the calibration")),
                int(np.isnan(rows[READING + name]).sum()),
                len(rows["time"]),
            )
            for name in found.columns
        ]

    @cached_property
    def slopes(self) -> tuple[float, float]:
        """Slope of calibrated on reference in the calibration: ordinary and orthogonal."""
        rows = self.scores.all_rows
        known = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
        known &= rows["role"] == TRAIN
        pair = np.stack([rows["truth"][known], rows["prediction"][known]])
        x, y = pair - pair.mean(axis=1, keepdims=True)
        sums = np.concatenate([[len(x)], agreement_columns(x, y).sum(axis=0)])
        return float((x @ y) / (x @ x)), float(orthogonal_line(sums).slope)

    @property
    def outside(self) -> float:
        """Share of tested pairs outside the operating envelope."""
        inside = self.scores.known["inside"]
        return float((~inside).mean()) if len(inside) else 0.0

    @property
    def has_left(self) -> bool:
        """Whether clearly more pairs are outside the envelope than its two limits let through."""
        return bool(self.outside > _CLEARLY * 2 * self.job.train.guard_alpha)


def words(found: Estimate, unit: str = "", between: str = _BETWEEN) -> str:
    """An estimate in words, with two digits of the half-width of its interval.

    One digit, as elsewhere, would print an end of 0.28 like a limit of 0.3.

    >>> from lumipipe.uncertainty.blocks import Estimate
    >>> words(Estimate(0.5013, 0.09, 0.2786, 0.724), "mg/m3")
    '0.50 mg/m3 (0.28 to 0.72)'
    """
    numbers = [found.value]
    if found.is_known:
        numbers += [found.lower, found.upper]
    half = (found.upper - found.lower) / 2 if found.is_known else abs(found.value)
    decimals = max(0, 1 - math.floor(math.log10(half))) if half > 0 else 0
    told = [signed(number, decimals) for number in numbers]
    value = f"{told[0]} {unit}".rstrip()
    return value + say(between, low=told[1], high=told[2]) if found.is_known else value


def signed(number: float, decimals: int = 2) -> str:
    """A number with a true minus sign."""
    return say("{number:.{decimals}f}", number=number, decimals=decimals).replace("-", "\u2212")
