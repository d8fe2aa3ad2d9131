"""Which scored rows of an emission model count: valid, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import RandomSplit
from lumipipe.families.roles import CALIBRATE, TRAIN
from lumipipe.families.sensors import LEAST_TOLD
from lumipipe.language import many, say, term, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.regression_scores import RegressionScores

LOAD, PERIOD = "load", "period"
"""Scored columns: the load in its unit, and the number of the period of the clock."""
VALID, FAILED, OUTSIDE, NO_READING = range(4)
STATES = (
    many(term("valid")),
    many(term("failed sensor")),
    many(term("outside the envelope")),
    many(term("no reading")),
)
"""What a row may be."""
_STRETCHES = 20  # of neighbouring rows, drawn again together


def period_ns(hours: float) -> int:
    """Nanoseconds of a period of the clock."""
    return round(hours * 3_600_000_000_000)


def states_of(
    rows: Mapping[str, NDArray[Any]], arrays: Mapping[str, NDArray[Any]]
) -> NDArray[np.int64]:
    """State of each row.

    Parameters
    ----------
    rows : mapping of str to ndarray
        Scored rows.
    arrays : mapping of str to ndarray
        Of the model: limits of T² and SPE, and how well each sensor is told by the others.

    Returns
    -------
    ndarray of int64, shape (row,)
        Places in `STATES`. A sensor has failed where it reads other than the others say and
        putting their word in its place makes all agree and brings the row inside the envelope:
        one sensor explains all. Where it does not, several inputs are unlike the known ones, and
        where the others hardly tell it, it may be right: outside.
    """
    odd = np.nan_to_num(np.abs(rows["excess"])).max(axis=1) > 1.0
    explained = (rows["t2_mended"] <= arrays["envelope_t2"]) & (
        rows["spe_mended"] <= arrays["envelope_spe"]
    )
    explained &= rows["excess_mended"] <= 1.0
    explained &= arrays["sensor_told"][rows["suspect"]] >= LEAST_TOLD
    failed = odd & explained
    outside = ~rows["inside"] | (odd & ~explained)
    state = np.where(failed, FAILED, np.where(outside, OUTSIDE, VALID))
    return np.where(np.isfinite(rows["prediction"]), state, NO_READING)


def stretch_clusters(count: int) -> NDArray[np.int64]:
    """Stretches of neighbours that hang together, for intervals: int64 (row,)."""
    return np.arange(count) * min(_STRETCHES, max(1, count)) // max(1, count)


@dataclass(frozen=True)
class Hours:
    """The tested rows with their states, and the left-out rows that tell how they err.

    Parameters
    ----------
    scores : RegressionScores
        The rows.
    """

    scores: RegressionScores

    @cached_property
    def all_states(self) -> NDArray[np.int64]:
        """State of each scored row."""
        return states_of(self.scores.all_rows, self.scores.model.arrays)

    @cached_property
    def all_rows(self) -> dict[str, NDArray[Any]]:
        """All scored rows with ``state``."""
        return self.scores.all_rows | {"state": self.all_states}

    @cached_property
    def test(self) -> dict[str, NDArray[Any]]:
        """The rows that test."""
        chosen = np.isin(self.all_rows["number"], self.scores.test["number"])
        return _chosen(self.all_rows, chosen)

    @cached_property
    def left_out(self) -> dict[str, NDArray[Any]]:
        """Rows that were left out of the model that predicts them, and test nothing.

        Rows kept for calibration, or the blocks of training rows; none where rows were dealt at
        random.
        """
        role = self.all_rows["role"]
        if isinstance(self.scores.regression.split, RandomSplit):
            return _chosen(self.all_rows, np.zeros(len(role), dtype=bool))
        kept = role == CALIBRATE
        return _chosen(self.all_rows, kept if kept.any() else role == TRAIN)

    @cached_property
    def valid(self) -> dict[str, NDArray[Any]]:
        """Valid tested rows with a known truth."""
        rows = self.test
        return _chosen(rows, (rows["state"] == VALID) & np.isfinite(rows["truth"]))

    def thirds_of_load(self) -> dict[str, NDArray[np.bool_]]:
        """Known tested rows by third of the load in the training rows, and those that do not count.

        The groups of a coverage.
        """
        known = self.scores.known
        state = self.test["state"][np.isin(self.test["number"], known["number"])]
        counts = state == VALID
        groups: dict[str, NDArray[np.bool_]] = {}
        if LOAD in known:
            past = np.isin(self.all_rows["role"], (TRAIN, CALIBRATE))
            load = self.all_rows[LOAD][past if past.any() else slice(None)]
            edges = np.quantile(load[np.isfinite(load)], [1 / 3, 2 / 3])
            third = np.searchsorted(edges, known[LOAD])
            name, unit = self.load
            words = (
                say("{name} up to {edges:.4g} {unit}", name=name, edges=edges[0], unit=unit),
                say(
                    "{name} from {edges:.4g} to {edges_2:.4g} {unit}",
                    name=name,
                    edges=edges[0],
                    edges_2=edges[1],
                    unit=unit,
                ),
                say("{name} above {edges:.4g} {unit}", name=name, edges=edges[1], unit=unit),
            )
            groups = {word: counts & (third == number) for number, word in enumerate(words)}
        else:
            groups = {translated("valid"): counts}
        return groups | {say("not valid, kept out of averages"): ~counts}

    @property
    def load(self) -> tuple[str, str]:
        """Name and unit of the load."""
        name = self.scores.job.score.load
        return name, self.scores.units_of([name])[0]


def _chosen(rows: dict[str, NDArray[Any]], chosen: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Some of the rows."""
    return {name: array[chosen] for name, array in rows.items()}
