"""Audits drawn from the tested hours of an emission model, and what a rule table asks of them.

The arithmetic of one audit is in `lumipipe.uncertainty.audit` and `audit_criteria`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError
from lumipipe.language import say
from lumipipe.rules.tables import NOT_VERIFIED, citation
from lumipipe.uncertainty.audit import (
    bias_factor,
    confidence_coefficient,
    is_biased,
    means_of_runs,
    relative_accuracy,
)
from lumipipe.uncertainty.audit_criteria import critical_ratio, variance_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.rules.tables import Rule, RuleTable

_ACCURACY = "relative accuracy"  # the group of the rows that limit it
_DIFFERENCE = "mean difference"
_CRITICAL = "F_critical"


@dataclass(frozen=True)
class Audits:
    """Audits, each of successive rows of one recording; arrays of shape (audit,).

    Parameters
    ----------
    runs : int
        Rows of each.
    first : ndarray of int64
        Place of the first row of each among the rows that were given.
    reference, monitor : ndarray of float64
        Means of both, in the unit of the target.
    difference, coefficient : ndarray of float64
        Mean of reference minus monitor, and its confidence coefficient.
    accuracy : ndarray of float64
        Relative accuracy in percent.
    biased : ndarray of bool
        Whether the monitor reads low.
    factor : ndarray of float64
        Bias factor.
    ratio : ndarray of float64
        Variance of the monitor over that of the reference.
    """

    runs: int
    first: NDArray[np.int64]
    reference: NDArray[np.float64]
    monitor: NDArray[np.float64]
    difference: NDArray[np.float64]
    coefficient: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    biased: NDArray[np.bool_]
    factor: NDArray[np.float64]
    ratio: NDArray[np.float64]


def draw_audits(rows: Mapping[str, NDArray[Any]], use: NDArray[np.bool_], runs: int) -> Audits:
    """All audits that do not overlap.

    Parameters
    ----------
    rows : mapping of str to ndarray
        Rows in order: ``recording``, ``row``, ``truth``, ``prediction``.
    use : ndarray of bool, shape (row,)
        Rows that an audit may have; one that may not, or a row that is not there, ends a stretch.
    runs : int
        Rows of each audit.

    Returns
    -------
    Audits
        Each stretch is cut from its start; what is left at its end is too short.
    """
    place = np.flatnonzero(use)
    follows = (np.diff(rows["row"][place]) == 1) & (np.diff(rows["recording"][place]) == 0)
    begins = np.concatenate([[True], ~follows]) if len(place) else np.zeros(0, dtype=bool)
    start = np.flatnonzero(begins)
    within = np.arange(len(place)) - np.repeat(start, np.diff(np.append(start, len(place))))
    length = np.repeat(np.diff(np.append(start, len(place))), np.diff(np.append(start, len(place))))
    first = np.flatnonzero((within % runs == 0) & (within + runs <= length))
    members = place[first[:, None] + np.arange(runs)]
    reference, monitor = rows["truth"][members], rows["prediction"][members]
    means = means_of_runs(reference, monitor)
    coefficient = confidence_coefficient(means.deviation, runs)
    return Audits(
        runs,
        members[:, 0],
        means.reference_mean,
        means.monitor_mean,
        means.mean_difference,
        coefficient,
        relative_accuracy(means.mean_difference, coefficient, means.reference_mean),
        is_biased(means.mean_difference, coefficient),
        bias_factor(means.mean_difference, coefficient, means.monitor_mean),
        variance_ratio(reference, monitor),
    )


@dataclass(frozen=True)
class Limits:
    """What a rule table asks.

    Parameters
    ----------
    table : RuleTable
        The table.
    unit : str
        Unit of the target.
    per_ppm : float or None
        What 1 ppm is in that unit.
    """

    table: RuleTable
    unit: str
    per_ppm: float | None

    @property
    def correlation(self) -> Rule:
        """The row that limits r."""
        return self.table.find(quantity="correlation")

    @property
    def spread(self) -> Rule:
        """The row that limits F."""
        return self.table.find(quantity="variance ratio F")

    @property
    def accuracy(self) -> list[Rule]:
        """The rows that limit the relative accuracy, by level."""
        found = [row for row in self.table.rows if row.group == _ACCURACY]
        if not found:
            raise InputError(
                f"table {self.table.name}",
                f"has no row of the group {_ACCURACY}",
                "add one for each level of the emission",
            )
        return found

    def least_correlation(self) -> float:
        """Least r."""
        return _number(self.table, self.correlation, "least")

    def greatest_ratio(self, runs: int) -> float:
        """Greatest F of an audit."""
        if self.spread.limits.get("most") == _CRITICAL:
            return float(critical_ratio(runs))
        return _number(self.table, self.spread, "most")

    def used(self, audits: Audits) -> list[Rule]:
        """The rows that judge these audits."""
        accuracy = [row for row in self.accuracy if self._in_band(row, audits).any()]
        return [self.correlation, self.spread, *accuracy]

    def verified(self, audits: Audits) -> bool:
        """Whether all of them were compared with the standard."""
        return all(row.is_verified for row in self.used(audits))

    def words(self, audits: Audits) -> str:
        """`NOT_VERIFIED` with a comma before it, or nothing."""
        return "" if self.verified(audits) else f", {say(NOT_VERIFIED)}"

    def citations(self, audits: Audits) -> list[str]:
        """The rows as a report cites them."""
        return [citation(row) for row in self.used(audits)]

    def meets_accuracy(self, audits: Audits) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which audits meet the limit of their level, and which have one at all.

        Returns
        -------
        tuple of ndarray of bool, shape (audit,)
            No audit has a limit where the unit of a band cannot be reached.
        """
        met = np.zeros(len(audits.first), dtype=bool)
        known = np.zeros(len(audits.first), dtype=bool)
        for row in self.accuracy:
            value = audits.accuracy
            if row.quantity == _DIFFERENCE:
                value = np.abs(audits.difference) * self._factor(row.unit)
            here = self._in_band(row, audits) & np.isfinite(value)
            met |= here & (value <= _number(self.table, row, "most"))
            known |= here
        return met, known

    def _in_band(self, row: Rule, audits: Audits) -> NDArray[np.bool_]:
        """Audits at whose level a row holds."""
        if row.band is None:
            return np.ones(len(audits.first), dtype=bool)
        level = audits.reference * self._factor(row.band.unit)
        return np.array([np.isfinite(x) and row.band.holds(float(x)) for x in level], dtype=bool)

    def _factor(self, unit: str) -> float:
        """What the target's unit is in another; NaN where that is not known."""
        if unit == self.unit:
            return 1.0
        if unit == "ppm" and self.per_ppm is not None:
            return 1.0 / self.per_ppm
        return float("nan")


def _number(table: RuleTable, rule: Rule, name: str) -> float:
    """A limit that must be a number."""
    limit = rule.limits.get(name)
    if not isinstance(limit, float):
        raise InputError(
            f"table {table.name}",
            f"the row for {rule.quantity} has no number called {name}",
            f"give limits: {{{name}: NUMBER}}",
        )
    return limit
