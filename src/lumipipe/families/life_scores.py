"""Scored rows of remaining lives: each answered by the longest window that its history fills."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.life_intervals import ends, one_instant, regime_of
from lumipipe.families.regression_scores import RegressionScores
from lumipipe.families.roles import TEST, TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.families.life_clock import LifeClock
    from lumipipe.reporting.result import LeakageTest

    Rows = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class WindowScores(RegressionScores):
    """The rows that windows of one length answer; half-widths go by predicted life."""

    edges: Sequence[float] = ()

    def _half_widths(self, rows: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Half-width of the interval of each row: of its fold's model and its predicted life."""
        arrays = self.model.arrays
        stacked = np.concatenate([arrays["fold_threshold"], arrays["final_threshold"][None]])
        known = np.isfinite(rows["prediction"])
        regime = regime_of(np.where(known, rows["prediction"], 0.0), self.edges)
        return np.where(known, stacked[rows["fold"], regime], np.inf)


@dataclass(frozen=True)
class LifeScores:
    """All rows, whatever the length of their window.

    Parameters
    ----------
    clock : LifeClock
        Tells the true lives.
    windows : sequence of WindowScores
        Of each length, the longest first.
    cap : float
        Life above which lives are not told apart.
    """

    clock: LifeClock
    windows: Sequence[WindowScores]
    cap: float
    _columns: tuple[str, ...] = field(
        default=(
            "number",
            "role",
            "fold",
            "prediction",
            "half_width",
            "inside",
            "t2",
            "spe",
            "beyond",
        ),
        repr=False,
    )

    @cached_property
    def rows(self) -> Rows:
        """All rows by number, each once.

        ``truth`` is the capped life and ``life`` the whole one, NaN where nobody knows;
        ``lower`` and ``upper`` the interval, ``unit`` the number of the unit, ``age`` the life
        that has passed and ``window`` the rows that the answer is from.
        """
        parts, longer = [], None
        for scores in self.windows:
            own = {name: scores.all_rows[name] for name in self._columns}
            length = scores.regression.settings.window_rows
            own["window"] = np.full(len(own["number"]), length, dtype=np.int64)
            if longer is not None:
                mine = self.clock.history(own["number"]) < longer
                own = {name: column[mine] for name, column in own.items()}
            parts.append(own)
            longer = length
        rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.argsort(rows["number"], kind="stable")
        rows = {name: column[order] for name, column in rows.items()}
        number = rows["number"]
        rows["unit"], rows["age"] = self.clock.unit(number), self.clock.age(number)
        rows["life"] = self.clock.remaining(number)
        rows["truth"] = np.minimum(rows["life"], self.cap)
        rows["lower"], rows["upper"] = ends(rows["prediction"], rows["half_width"], self.cap)
        return rows

    def of(self, places: NDArray[Any]) -> Rows:
        """Some of the rows."""
        return {name: column[places] for name, column in self.rows.items()}

    @property
    def is_dealt(self) -> bool:
        """Whether each unit ran to failure and was held out in turn."""
        return self.windows[0].regression.is_dealt

    @cached_property
    def tested(self) -> Rows:
        """The rows of the tested units."""
        return self.of(self.rows["role"] == TEST)

    @cached_property
    def instants(self) -> Rows:
        """One row of each tested unit: the last one, or a random one where all ran to failure."""
        rows = self.tested
        if self.is_dealt:
            known = np.flatnonzero(np.isfinite(rows["prediction"]))
            chosen = known[one_instant(rows["unit"][known], rows["number"][known], self._seed)]
        else:
            backwards = np.unique(rows["unit"][::-1], return_index=True)[1]
            chosen = len(rows["unit"]) - 1 - backwards
        return {name: column[chosen] for name, column in rows.items()}

    @cached_property
    def held_out(self) -> Rows:
        """Rows of units that teach, each answered by a model that has not seen its unit."""
        rows = self.of(self.rows["role"] == (TEST if self.is_dealt else TRAIN))
        return known_of(rows)

    @cached_property
    def held_out_instants(self) -> Rows:
        """One random row of each unit that teaches."""
        rows = self.held_out
        chosen = one_instant(rows["unit"], rows["number"], self._seed)
        return {name: column[chosen] for name, column in rows.items()}

    @property
    def _seed(self) -> int:
        return self.clock.job.seed

    @cached_property
    def leakage(self) -> list[LeakageTest]:
        """Whether anything that tests has taught, with windows of any length."""
        found = [scores.leakage for scores in self.windows]
        return [
            next((test for test in same if test.status == "found"), same[0])
            for same in zip(*found, strict=True)
        ]


def known_of(rows: Mapping[str, NDArray[Any]]) -> Rows:
    """The rows with a prediction and a truth."""
    usable = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
    return {name: column[usable] for name, column in rows.items()}


def life_by_age(
    lives: NDArray[np.float64], age: NDArray[np.float64], cap: float
) -> NDArray[np.float64]:
    """What the age alone says: the mean capped rest of the lives that were longer.

    Parameters
    ----------
    lives : ndarray of float64, shape (unit,)
        Whole lives of units that ran to failure.
    age : ndarray of float64, shape (row,)
        Life that has passed.
    cap : float
        Where lives are cut.

    Returns
    -------
    ndarray of float64, shape (row,)
        0 where no unit lived so long.

    Examples
    --------
    >>> life_by_age(np.array([100.0, 200.0]), np.array([50.0, 150.0, 250.0]), 125.0)
    array([87.5, 50. ,  0. ])
    """
    rest = lives[None, :] - age[:, None]
    alive = rest > 0
    total = np.where(alive, np.minimum(rest, cap), 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(alive.sum(axis=1), 1))
