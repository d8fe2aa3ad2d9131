"""Totals of the family `carbon` with their budgets: from the sums of each group to emissions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.carbon_check import MONTH, UNIT
from lumipipe.families.carbon_clock import Clock, noted_rows
from lumipipe.families.carbon_folding import DUPLICATE, GAP, UNEVEN, Folding
from lumipipe.families.certificates import certified
from lumipipe.language import many, term
from lumipipe.metrics.exact import exact_sums
from lumipipe.readers.units import product_in
from lumipipe.uncertainty.budget import Contribution, combined, coverage_factor, rounding_u

if TYPE_CHECKING:
    from fractions import Fraction

    from lumipipe.backend import State
    from lumipipe.families.certificates import Certified
    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves


@dataclass(frozen=True)
class Sums:
    """The sums of some rows.

    Parameters
    ----------
    rows : int
        Rows that count.
    counts : tuple of int
        Readings that are there: of each activity, of filed values, of their rounding.
    sums : tuple of Fraction
        Sums of the same.
    """

    rows: int
    counts: tuple[int, ...]
    sums: tuple[Fraction, ...]

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.rows + other.rows,
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
        )


@dataclass(frozen=True)
class Total:
    """An emission with its budget.

    Parameters
    ----------
    name : str
        Of the group.
    sums : Sums
        What it is made of.
    emission : float
        In the unit of the answer.
    budget : list of Contribution
        What its uncertainty is made of.
    u : float
        Combined standard uncertainty.
    k : float
        Coverage factor.
    expected : int or None
        Intervals that the group should have; None where that is not known.
    """

    name: str
    sums: Sums
    emission: float
    budget: list[Contribution]
    u: float
    k: float
    expected: int | None

    @property
    def expanded(self) -> float:
        """Expanded uncertainty."""
        return self.k * self.u

    @property
    def relative(self) -> float | None:
        """Expanded uncertainty as a share of the emission; None where there is none."""
        return self.expanded / abs(self.emission) if self.emission else None

    def capture(self, activities: int) -> float | None:
        """Share of the expected intervals with a reading, of the activity with the fewest."""
        if not self.expected:
            return None
        return min(1.0, min(self.sums.counts[:activities]) / self.expected)


class Totals:
    """All that a report tells of the sums.

    Parameters
    ----------
    job : Job
        The request and its data.
    leaves : dict of tuple of str to State
        The folded pass.
    """

    def __init__(self, job: Job, leaves: Leaves) -> None:
        self.job, self.folding = job, Folding(job)
        self.leaves = {leaf: _sums(state) for leaf, state in sorted(leaves.items())}
        self._refuse_beyond(leaves)
        self.units = sorted({leaf[0] for leaf in self.leaves})
        self.clock = Clock(self.folding, noted_rows(leaves))
        self.leaves = {leaf: sums for leaf, sums in self.leaves.items() if sums.rows}
        if not self.leaves:
            raise InputError(
                "train.period", "no row lies in it", "correct the period, or leave it out"
            )
        self.k = coverage_factor(job.request.evaluation.interval.coverage)

    def _refuse_beyond(self, leaves: Leaves) -> None:
        """Refuse readings that cannot be added."""
        if any(state["sums.beyond"].any() for state in leaves.values()):
            raise InputError(
                f"stream {self.job.train.stream}",
                "has readings that are infinite or beyond 1e28",
                "declare them as invalid, or give the channel its range",
            )

    @property
    def total(self) -> Total:
        """All rows."""
        return self._total(term("total"), list(self.leaves.values()), self.expected())

    def groups(self, by: str) -> list[Total]:
        """The total by month, unit or label."""
        names = [UNIT, *(name for name in self.job.score.by if name != UNIT)]
        place, found = names.index(by), dict[str, list[Sums]]()
        for leaf, sums in self.leaves.items():
            found.setdefault(leaf[place], []).append(sums)
        return [
            self._total(name, parts, self._expected_of(by, name))
            for name, parts in sorted(found.items())
        ]

    def amounts(self, total: Total) -> dict[str, tuple[float, str]]:
        """Amount of each activity with its unit: the one that its factor is for, such as kWh."""
        found = {}
        for (name, activity), amount in zip(
            self.job.train.activities.items(), total.sums.sums, strict=False
        ):
            per, place = self.job.train.factors[activity.factor].unit.partition("/")[2], "amount"
            units = [self.folding.unit_of(activity.channel)]
            units, seconds = (
                ([*units, "s"], self.job.train.interval_s)
                if activity.kind == "rate"
                else (units, 1.0)
            )
            into = per or " ".join(units)
            scale = product_in(units, per, place) if per else 1.0
            found[name] = (float(amount) * seconds * scale, into)
        return found

    def _total(self, name: str, parts: list[Sums], expected: int | None) -> Total:
        """The emission of some sums with its budget."""
        sums = parts[0]
        for part in parts[1:]:
            sums += part
        budget = self._budget(sums)
        emission = sum(self.emissions(sums).values())
        return Total(name, sums, emission, budget, combined(budget), self.k, expected)

    def emissions(self, sums: Sums) -> dict[str, float]:
        """Emission of each activity."""
        train = self.job.train
        return {
            name: float(amount) * self._each(name) * train.factors[activity.factor].value
            for (name, activity), amount in zip(train.activities.items(), sums.sums, strict=False)
        }

    def _each(self, name: str) -> float:
        """Emission of a reading of 1 for a factor of 1."""
        return self.folding.per_unit(name, self.job.score.unit)

    def _budget(self, sums: Sums) -> list[Contribution]:
        """What the uncertainty of the emission is made of: meters and factors are shared."""
        train, emissions = self.job.train, self.emissions(sums)
        parts = []
        for meter, settings in train.meters.items():
            on_it = [name for name, item in train.activities.items() if item.meter == meter]
            through = sum(emissions[name] for name in on_it)
            u = settings.expanded / settings.k
            parts.append(
                Contribution(
                    term("meter {meter}", meter=meter), "B", term("normal"), u, "1", through, True
                )
            )
        for factor, stated in train.factors.items():
            by_it = [name for name, item in train.activities.items() if item.factor == factor]
            through = sum(emissions[name] / stated.value for name in by_it)
            u = stated.expanded / stated.k
            parts.append(
                Contribution(
                    term("factor {factor}", factor=factor),
                    "B",
                    term("normal"),
                    u,
                    stated.unit,
                    through,
                    True,
                )
            )
        return parts + self._certificates(sums) + self._resolutions(sums)

    @cached_property
    def certified(self) -> dict[str, Certified]:
        """Certificates of the channels of activities, by channel."""
        names = {activity.channel for activity in self.job.train.activities.values()}
        found = {name: certified(self.job.request, name) for name in sorted(names)}
        return {name: one for name, one in found.items() if one is not None}

    def per_reading(self, name: str, sums: Sums) -> float:
        """What an error of 1 in all readings of an activity adds to the emission."""
        activities = list(self.job.train.activities)
        factor = self.job.train.factors[self.job.train.activities[name].factor].value
        return float(self._each(name) * factor * sums.counts[activities.index(name)])

    def _certificates(self, sums: Sums) -> list[Contribution]:
        """What certificates of channels add, in all readings alike.

        One that a meter names as its source is in the budget as that meter.
        """
        train, found = self.job.train, []
        for channel, known in self.certified.items():
            on_it = {n: item for n, item in train.activities.items() if item.channel == channel}
            if any(known.is_named_in(train.meters[item.meter].source) for item in on_it.values()):
                continue
            part = known.contribution(sum(self.per_reading(name, sums) for name in on_it))
            found += [] if part is None else [part]
        return found

    def _resolutions(self, sums: Sums) -> list[Contribution]:
        """What the steps of the channels add: independent from reading to reading."""
        each: dict[str, float] = {}
        readings: dict[str, int] = {}
        train = self.job.train
        for (name, activity), count in zip(train.activities.items(), sums.counts, strict=False):
            # Activities of one channel have the same readings, with the same errors.
            through = self._each(name) * train.factors[activity.factor].value
            each[activity.channel] = each.get(activity.channel, 0.0) + through
            readings[activity.channel] = count
        channels = {item.name: item for item in self.folding.table.channels}
        return [
            Contribution(
                term("resolution of {channel}", channel=channel),
                "B",
                term("rectangular"),
                rounding_u(resolution),
                channels[channel].unit,
                each[channel] * float(np.sqrt(readings[channel])),
                False,
            )
            for channel in each
            if (resolution := channels[channel].resolution) is not None
        ]

    def expected(self, unit: str | None = None) -> int:
        """Intervals in the period, of one unit or of all; the rows there are, without times."""
        units = self.units if unit is None else [unit]
        if not self.folding.is_timed:
            return sum(sums.rows for leaf, sums in self.leaves.items() if leaf[0] in units)
        return sum(self.clock.expected(name) for name in units)

    def _expected_of(self, by: str, name: str) -> int | None:
        """Intervals that a group should have, where that is known."""
        if by == UNIT:
            return self.expected(name)
        if by != MONTH:
            return None
        return sum(self.clock.expected(unit, name) for unit in self.units)

    def counts(self) -> dict[str, int]:
        """What came in, and what the clock found."""
        rows, clock = int(self.folding.table.row_count), self.clock
        counted = sum(sums.rows for sums in self.leaves.values())
        duplicates = len(clock.noted.of(DUPLICATE))
        return {
            many("rows"): rows,
            many("rows counted"): counted,
            many("duplicate rows"): duplicates,
            many("rows outside the period"): rows - counted - duplicates,
            many("gaps"): len(clock.noted.of(GAP)) + len(clock.between),
            many("intervals missing in gaps"): clock.missing_intervals(),
            many("uneven steps"): len(clock.noted.of(UNEVEN)),
        }


def _sums(state: State) -> Sums:
    """The sums of a leaf."""
    own = {name.removeprefix("sums."): a for name, a in state.items() if name.startswith("sums.")}
    return Sums(int(own["rows"]), tuple(own["count"].tolist()), tuple(exact_sums(own)))
