"""Sessions and persons as the answer needs them: figures in the order of time, load by day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import array_api_compat.numpy as xp
import numpy as np

from lumipipe.families.certificates import certified
from lumipipe.families.session_measures import FACTS
from lumipipe.families.session_model import Known
from lumipipe.families.session_readings import MEASURES, Sessions
from lumipipe.families.session_uncertainty import sensor_of
from lumipipe.fold import merge_all
from lumipipe.language import message, say
from lumipipe.metrics.affine import AffineReducer
from lumipipe.metrics.best import BestReducer
from lumipipe.metrics.zones import ZoneReducer

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from lumipipe.backend import State
    from lumipipe.families.certificates import Certified
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.session_load import Load, Sensor
    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import RecordingRow


class Done(NamedTuple):
    """A session with its figures."""

    number: int
    """Number of its recording."""
    row: RecordingRow
    """Its recording."""
    day: dt.date | None
    """Its day."""
    facts: dict[str, float]
    """Figures by name; NaN where not known."""
    zones: dict[str, NDArray[np.int64]]
    """Time in each zone, ns, by measure."""
    curve: NDArray[np.float64]
    """Best means, (effort, duration)."""
    residual: NDArray[np.float64]
    """Heart rate less what the other sessions foretell."""
    plain: NDArray[np.float64]
    """Heart rate less the mean of the other sessions."""
    rows: NDArray[np.int64]
    """Numbers of the rows of `residual` and `plain`."""
    load: float | None
    """Its load; None where it is not given."""

    @property
    def timer_s(self) -> float:
        """Time by the timer, from the file; from first to last stamp where it tells none."""
        said = self.row.attributes.get("timer_s")
        return self.facts["span_s"] if said is None else float(said)

    def coverage(self, measure: str) -> float:
        """Share of the timer's time for which there is a reading of a measure."""
        seconds = self.facts[f"{measure}_s"]
        return min(1.0, seconds / self.timer_s) if self.timer_s > 0 else 0.0


class Days(NamedTuple):
    """Load by day and its averages over an unbroken stretch of days."""

    first: dt.date
    """First day."""
    load: NDArray[np.float64]
    """Load of each day; 0 on days of rest, NaN on missing ones."""
    fitness: NDArray[np.float64]
    """Slow average at the end of each day; NaN where it is not known yet."""
    fatigue: NDArray[np.float64]
    """Fast average at the end of each day."""


_NAMES = {
    "power": message("power"),
    "speed": message("speed"),
    "heart_rate": message("heart rate"),
}


@dataclass(frozen=True)
class Persons:
    """All sessions, by person.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What was learnt.
    leaves : dict of (unit, recording) to State
        What was scored.
    """

    job: Job
    model: Model
    leaves: Leaves

    @cached_property
    def known(self) -> Known:
        """What is known of persons on a day."""
        return Known(self.job, self.model)

    @cached_property
    def work(self) -> Sessions:
        """Channels and durations."""
        return Sessions(self.job)

    @cached_property
    def sessions(self) -> list[Done]:
        """All sessions, by person and time."""
        found = [
            self._done(number, row, self.leaves[row.unit, row.id])
            for number, row in enumerate(self.job.dataset.recordings)
            if (row.unit, row.id) in self.leaves
        ]
        start = self.work.table.start_ns
        return sorted(found, key=lambda item: (item.row.unit, int(start[item.number]), item.row.id))

    @cached_property
    def by_person(self) -> dict[str, list[Done]]:
        """Sessions of each person in the order of time; persons by their pseudonyms."""
        found: dict[str, list[Done]] = {}
        for item in self.sessions:
            found.setdefault(item.row.unit, []).append(item)
        return found

    def _done(self, number: int, row: RecordingRow, state: State) -> Done:
        """A session from its leaf."""
        facts = {name: float(state[f"facts.{name}"][0]) for name in FACTS}
        zones = {name: state[f"zones_{name}.zone_ns"] for name in self.job.score.zones}
        day = self.work.day(number)
        load = self._load(number, facts)
        curve = self.model.arrays["curve"][number]
        residual, plain = state["residuals.residual"], state["residuals.plain"]
        rows = state["residuals.number"]
        return Done(number, row, day, facts, zones, curve, residual, plain, rows, load)

    def _load(self, number: int, facts: dict[str, float]) -> float | None:
        """The load of a session; None where a threshold or readings are missing."""
        settings: Load | None = self.job.score.load
        if settings is None:
            return None
        seconds = facts["power_s"]
        if settings.kind == "work":
            value = facts["power_mean"] * seconds / 1000.0
        elif settings.kind == "heart_rate":
            value = facts["impulse"]
        else:
            threshold = self.known.threshold("threshold_power", number)
            if threshold is None:
                return None
            value = 100.0 * seconds / 3600.0 * (facts["power_weighted"] / threshold.value) ** 2
        return float(value) if np.isfinite(value) else None

    def resolution(self, measure: str) -> float | None:
        """Step of the readings of a measure, in its unit; None where it is not declared."""
        number, factor, is_distance = self.work.channels[measure]
        step = self.work.table.channels[number].resolution
        return None if step is None or is_distance else step * factor

    def certified(self, measure: str) -> Certified | None:
        """What certificates of a measure's channel say, in its unit; None where none is named.

        None also for a speed that is made of distances: what they share cancels in it.
        """
        number, factor, is_distance = self.work.channels[measure]
        known = certified(self.job.request, self.work.table.channels[number].name)
        if known is None or is_distance:
            return None
        u = None if known.u is None else known.u * factor
        return known._replace(u=u, unit=MEASURES[measure])

    def sensor(self, item: Done, measure: str) -> Sensor | None:
        """What measured in a session."""
        return sensor_of(self.job.asset, measure, item.row.unit, item.day)

    def best(self, items: list[Done]) -> NDArray[np.float64]:
        """The curve of several sessions, (effort, duration)."""
        shape = (len(self.work.efforts), len(self.work.durations))
        reducer = BestReducer(xp, shape[0] * shape[1])
        states: list[State] = [{"best": item.curve.reshape(-1)} for item in items]
        return np.asarray(merge_all(reducer, states)["best"]).reshape(shape)

    def zones(self, items: list[Done], measure: str) -> NDArray[np.int64]:
        """Time of several sessions in each zone, ns."""
        reducer = ZoneReducer(xp, len(self.job.score.zones[measure].edges) + 1)
        states = [reducer.empty() | {"zone_ns": item.zones[measure]} for item in items]
        return np.asarray(merge_all(reducer, states)["zone_ns"])

    def days(self, items: list[Done]) -> list[Days]:
        """Load by day and its averages, for each stretch of days without a missing one.

        A stretch ends where more days in a row than the request allows for rest have no session,
        and where a session has no load. An average is shown once the stretch is as long as its
        time constant; before, what came before the first day weighs too much.
        """
        settings: Load | None = self.job.score.load
        dated = [item for item in items if item.day is not None]
        if settings is None:
            return []
        stretches: list[list[Done]] = []
        for item in dated:
            longest = settings.longest_rest_days + 1
            last = stretches[-1][-1] if stretches and stretches[-1] else None
            if item.load is None:
                stretches.append([])
            elif last is None or (_day(item) - _day(last)).days > longest:
                stretches.append([item])
            else:
                stretches[-1].append(item)
        return [_averages(stretch, settings) for stretch in stretches if stretch]


def _day(item: Done) -> dt.date:
    """The day of a session that has one."""
    if item.day is None:
        raise ValueError("the session has no day")
    return item.day


def _averages(stretch: list[Done], settings: Load) -> Days:
    """The averages over one stretch."""
    first = _day(stretch[0])
    load = np.zeros((_day(stretch[-1]) - first).days + 1)
    for item in stretch:
        load[(_day(item) - first).days] += item.load or 0.0
    constants = np.array([settings.fitness_days, settings.fatigue_days])
    keep = np.exp(-1.0 / constants)
    reducer = AffineReducer(xp, len(constants))
    maps: list[State] = [{"a": keep, "b": (1.0 - keep) * value} for value in load]
    averages = np.array([state["b"] for state in accumulate(maps, reducer.merge)])
    known = np.arange(1, len(load) + 1)[:, None] >= constants
    averages = np.where(known, averages, np.nan)
    return Days(first, load, averages[:, 0], averages[:, 1])


def unit_of(measure: str) -> str:
    """Unit of a measure."""
    return MEASURES[measure]


def measure_name(measure: str) -> str:
    """A measure in words."""
    return say(_NAMES[measure])


def shown(value: Any) -> float | None:
    """A figure for the result: None where it is not known."""
    return float(value) if value is not None and np.isfinite(value) else None
