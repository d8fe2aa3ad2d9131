"""What the scored windows of a technique say: models beside each other, conditions, cycles."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.families.technique_cycles import NONE
from lumipipe.language import message
from lumipipe.metrics.confusion import macro_f1
from lumipipe.reporting.parts import Interval
from lumipipe.uncertainty.means import Agreement, Mean, limits_of_agreement, mean_over_units
from lumipipe.uncertainty.proportions import bootstrap_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import RecordingRow

MODELS = {
    "outputs": message("other athletes (athlete never seen)"),
    "own": message("the athlete's other recordings (personal)"),
    "both": message("other athletes and the athlete's other recordings"),
}
"""Output columns to who taught them."""


def joined_rows(leaves: Leaves, prefix: str = "rows.") -> dict[str, NDArray[Any]]:
    """Columns of all leaves in the order of windows."""
    parts: dict[str, list[NDArray[Any]]] = {}
    for leaf in sorted(leaves):
        for name, array in leaves[leaf].items():
            if name.startswith(prefix):
                parts.setdefault(name.removeprefix(prefix), []).append(np.asarray(array))
    joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    order = np.argsort(joined["number"], kind="stable")
    return {name: array[order] for name, array in joined.items()}


class Estimate(NamedTuple):
    """A figure with its interval over athletes."""

    value: float
    lower: float
    upper: float

    def cell(self, digits: int = 3) -> Interval | None:
        """The figure for a table."""
        if not np.isfinite(self.value):
            return None
        bounds = np.round([self.lower, self.upper], digits)
        low, high = (float(b) if np.isfinite(b) else None for b in bounds)
        return Interval(value=round(self.value, digits), lower=low, upper=high)


class Recognition:
    """Confusions of each athlete by model, nearness of a change and condition.

    Parameters
    ----------
    rows : dict of str to ndarray
        Columns of the scored windows.
    recordings : sequence of RecordingRow
        Their units and labels.
    classes : sequence of str
        Names of the classes.
    condition : str or None
        Label of recordings that is compared.
    seed, confidence : int, float
        Of intervals.
    """

    def __init__(
        self,
        rows: dict[str, NDArray[Any]],
        recordings: Sequence[RecordingRow],
        classes: Sequence[str],
        condition: str | None,
        seed: int,
        confidence: float,
    ) -> None:
        self.rows, self.classes = rows, list(classes)
        self.seed, self.confidence = seed, confidence
        units = np.array([row.unit for row in recordings], dtype=object)
        self.athlete = units[rows["recording"]]
        self.athletes = sorted(set(self.athlete))
        self.condition = condition_of(recordings, condition)[rows["recording"]]

    def confusions(self, model: str, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Counts int64 (athlete, true, recognised) of windows that the model has judged."""
        outputs = self.rows[model]
        known = mask & np.isfinite(outputs).all(axis=1)
        counts = np.zeros((len(self.athletes), len(self.classes), len(self.classes)), np.int64)
        athlete = np.searchsorted(self.athletes, self.athlete[known].astype(str))
        predicted = outputs[known].argmax(axis=1) if known.any() else np.zeros(0, np.int64)
        np.add.at(counts, (athlete, self.rows["truth"][known], predicted), 1)
        return counts

    def f1(self, model: str, mask: NDArray[np.bool_]) -> Estimate:
        """Macro-F1 of all windows with its interval over the athletes that have some."""
        counts = self.confusions(model, mask)
        counts = counts[counts.sum(axis=(1, 2)) > 0]
        if not len(counts):
            return Estimate(np.nan, np.nan, np.nan)
        ends = bootstrap_units(counts, macro_f1, self.seed, self.confidence)
        return Estimate(float(macro_f1(counts.sum(axis=0))), *ends)

    def f1_difference(
        self, one: tuple[str, NDArray[np.bool_]], two: tuple[str, NDArray[np.bool_]]
    ) -> Estimate:
        """Macro-F1 of one less the other, both of the same athletes."""
        pairs = np.stack([self.confusions(*one), self.confusions(*two)], axis=1)
        pairs = pairs[(pairs.sum(axis=(2, 3)) > 0).all(axis=1)]
        if not len(pairs):
            return Estimate(np.nan, np.nan, np.nan)

        def difference(counts: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.asarray(macro_f1(counts[..., 0, :, :]) - macro_f1(counts[..., 1, :, :]))

        ends = bootstrap_units(pairs, difference, self.seed, self.confidence)
        return Estimate(float(difference(pairs.sum(axis=0))), *ends)

    @cached_property
    def stable(self) -> NDArray[np.bool_]:
        """Windows away from changes."""
        return ~self.rows["change"]

    @property
    def has_personal(self) -> bool:
        """Whether any athlete has another recording to learn from."""
        return bool(np.isfinite(self.rows["own"]).all(axis=1).any())


def condition_of(recordings: Sequence[RecordingRow], condition: str | None) -> NDArray[Any]:
    """Value of the condition of each recording; empty where there is none."""
    if condition is None:
        return np.array([""] * len(recordings), dtype=object)
    return np.array([row.labels.get(condition, "") for row in recordings], dtype=object)


class CycleMeans:
    """Means of cycles by athlete, technique and condition.

    Parameters
    ----------
    rows : dict of str to ndarray
        ``recording``, ``technique`` and ``values`` (window, column).
    recordings : sequence of RecordingRow
        Their units and labels.
    condition : str or None
        Label of recordings that is compared.
    confidence : float
        Of intervals.
    """

    def __init__(
        self,
        rows: dict[str, NDArray[Any]],
        recordings: Sequence[RecordingRow],
        condition: str | None,
        confidence: float,
    ) -> None:
        self.rows, self.confidence = rows, confidence
        units = np.array([row.unit for row in recordings], dtype=object)
        self.athlete = units[rows["recording"]]
        self.athletes = sorted(set(self.athlete))
        self.condition = condition_of(recordings, condition)[rows["recording"]]
        self.poling = np.isfinite(rows["values"][:, 0])

    def technique(self, number: int | None) -> NDArray[np.bool_]:
        """Windows with cycles: of one technique, or all."""
        if number is None:
            return np.asarray(self.poling)
        return np.asarray(self.poling & (self.rows["technique"] == number))

    def by_athlete(self, column: int, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean of a column of each athlete; NaN for one without such windows."""
        values = self.rows["values"][:, column]
        means = np.full(len(self.athletes), np.nan)
        for number, name in enumerate(self.athletes):
            chosen = mask & (self.athlete == name) & np.isfinite(values)
            if chosen.any():
                means[number] = values[chosen].mean()
        return means

    def mean(self, column: int, mask: NDArray[np.bool_]) -> Mean:
        """Mean over athletes, each counting once."""
        return mean_over_units(self.by_athlete(column, mask), self.confidence)

    def difference(
        self, column: int, mask: NDArray[np.bool_], values: tuple[str, str]
    ) -> tuple[Mean, Mean, Mean]:
        """Means under two conditions and the mean of the differences, of athletes with both."""
        one, two = (self.by_athlete(column, mask & (self.condition == v)) for v in values)
        change = two - one
        both = np.isfinite(change)
        found = [
            mean_over_units(np.where(both, part, np.nan), self.confidence)
            for part in (one, two, change)
        ]
        return found[0], found[1], found[2]

    def agreement(self) -> Agreement:
        """Cycle rate less that of the other way of counting, window by window."""
        values = self.rows["values"]
        return limits_of_agreement(values[:, 0] - values[:, 1])

    def poling_share(self, number: int | None) -> float:
        """Share of the windows that have cycles: of one technique, or of all."""
        technique = self.rows["technique"]
        chosen = np.ones(len(technique), np.bool_) if number is None else technique == number
        return float(self.poling[chosen].mean()) if chosen.any() else np.nan

    @property
    def without_technique(self) -> int:
        """Windows near a change or without label."""
        return int((self.rows["technique"] == NONE).sum())
