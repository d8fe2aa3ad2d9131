"""Changes between the recordings of a person, each beside the change that noise alone makes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.hrv_figures import COMPARED
from lumipipe.families.hrv_recordings import mean_of
from lumipipe.language import say
from lumipipe.uncertainty.detectable_change import (
    TypicalError,
    smallest_detectable_change,
    typical_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.hrv_recordings import Heart
    from lumipipe.families.interface import Job


@dataclass(frozen=True)
class Change:
    """One figure of a person in a recording against the recording before.

    Parameters
    ----------
    person, before, after : str
        The person and the two recordings.
    figure : str
        Of `COMPARED`.
    values : tuple of float
        The figure in both, ms.
    detectable : float
        Natural logarithm of the ratio that noise alone exceeds in few cases; NaN where nobody
        knows it.
    """

    person: str
    before: str
    after: str
    figure: str
    values: tuple[float, float]
    detectable: float

    @property
    def log_ratio(self) -> float:
        """Natural logarithm of the later value over the earlier."""
        return float(np.log(self.values[1] / self.values[0]))

    @property
    def ratio(self) -> float:
        """Size of the change in smallest detectable changes; NaN where these are not known."""
        return abs(self.log_ratio) / self.detectable if self.detectable > 0.0 else float("nan")


@dataclass(frozen=True)
class Changes:
    """Changes of all persons, and what they are compared with.

    Parameters
    ----------
    errors : dict of str to TypicalError
        Figure to the standard deviation of its logarithm between repeats.
    changes : list of Change
        In the order of persons and time.
    is_dated : bool
        Whether all recordings that are compared have a time; they go by name otherwise.
    """

    errors: dict[str, TypicalError]
    changes: list[Change]
    is_dated: bool

    @property
    def largest(self) -> Change | None:
        """The change that exceeds noise most; None where none is judged."""
        judged = [change for change in self.changes if np.isfinite(change.ratio)]
        return max(judged, key=lambda change: change.ratio, default=None)


def find_changes(job: Job, hearts: Sequence[Heart]) -> Changes:
    """The changes from each recording to the next of the same person.

    Parameters
    ----------
    job : Job
        The request.
    hearts : sequence of Heart
        All recordings; those without compared figures have no part.

    Returns
    -------
    Changes
        Of the figures of `COMPARED`, over windows of equal length.
    """
    persons = histories(hearts)
    errors = _errors(job, hearts)
    coverage = job.request.evaluation.interval.coverage
    limits = {name: smallest_detectable_change(error, coverage) for name, error in errors.items()}
    changes = [
        Change(person, one.row.id, other.row.id, name, pair, limits.get(name, float("nan")))
        for person, history in persons.items()
        for one, other in itertools.pairwise(history)
        for name in COMPARED
        if min(pair := (one.compared[name].value, other.compared[name].value)) > 0.0
    ]
    compared = [heart for history in persons.values() for heart in history]
    return Changes(errors, changes, all(heart.start_ns is not None for heart in compared))


def histories(hearts: Sequence[Heart]) -> dict[str, list[Heart]]:
    """Recordings with compared figures by person, in the order of time, or of names."""
    persons: dict[str, list[Heart]] = {}
    for heart in hearts:
        if heart.compared:
            persons.setdefault(heart.row.unit, []).append(heart)
    for history in persons.values():
        if all(heart.start_ns is not None for heart in history):
            history.sort(key=lambda heart: (heart.start_ns, heart.row.id))
    return persons


def _errors(job: Job, hearts: Sequence[Heart]) -> dict[str, TypicalError]:
    """Typical errors of the logarithms of figures."""
    asked = job.score.typical_error
    if asked is None:
        return {}
    if asked.kind == "declared":
        return {
            name: TypicalError(float(np.log1p(percent / 100.0)), float("inf"), asked.source)
            for name, percent in asked.percent.items()
        }
    if asked.kind == "windows":
        groups = [_consecutive(heart, job.score.compared_windows) for heart in hearts]
        source = say("windows of one recording, which says nothing of other days")
    else:
        groups = list(_repeats(hearts, asked.label, asked.values).values())
        source = say(
            "recordings with {label} {values}",
            label=asked.label,
            values=", ".join(asked.values),
        )
    return {name: typical_error(_logs(groups, name), source) for name in COMPARED}


def _logs(groups: Sequence[Sequence[dict[str, float]]], name: str) -> list[list[float]]:
    """Logarithms of a figure, group by group."""
    return [[float(np.log(i[name])) for i in group if i[name] > 0.0] for group in groups]


def _repeats(
    hearts: Sequence[Heart], label: str, values: Sequence[str]
) -> dict[str, list[dict[str, float]]]:
    """Compared figures of the recordings that are called repeats, by person."""
    found: dict[str, list[dict[str, float]]] = {}
    for heart in hearts:
        if heart.compared and heart.row.labels.get(label) in values:
            mine = {name: figure.value for name, figure in heart.compared.items()}
            found.setdefault(heart.row.unit, []).append(mine)
    return found


def _consecutive(heart: Heart, count: int) -> list[dict[str, float]]:
    """Figures of a recording over its first, second, … full windows of the compared number."""
    full = [] if heart.is_refused else heart.full
    groups = [full[at : at + count] for at in range(0, len(full) - count + 1, count)]
    return [
        {name: mean_of([window.figures[name] for window in group]).value for name in COMPARED}
        for group in groups
    ]
