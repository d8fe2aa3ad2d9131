"""What is learnt of persons: critical power from declared efforts, heart rate from the effort.

Also what is known of them on a day: thresholds of the request, and what was learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.critical_power import fit_critical_power
from lumipipe.families.interface import Model
from lumipipe.families.session_readings import Sessions
from lumipipe.fold import merge_all
from lumipipe.kernels.affine import affine_scan
from lumipipe.kernels.mean_maximal import window_means
from lumipipe.language import say
from lumipipe.models.ridge import RidgeReducer, fit_path, squared_errors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.backend import Array, State
    from lumipipe.families.interface import Job
    from lumipipe.families.session_readings import Session
    from lumipipe.fold import Leaves

FEWEST_SESSIONS = 3
"""Sessions of a person without which no session is held out."""


class Capacity(NamedTuple):
    """Critical power in W, work above it in J, and where both are from."""

    power: float
    work: float
    source: str


@dataclass(frozen=True)
class Known:
    """What is known of the person of a session on its day.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What was learnt.
    """

    job: Job
    model: Model

    @cached_property
    def _sessions(self) -> Sessions:
        return Sessions(self.job)

    def threshold(self, kind: str, number: int) -> Any:
        """The threshold in force: the latest test of that kind up to the day; None without one."""
        person, day = self.job.dataset.recordings[number].unit, self._sessions.day(number)
        found = [
            item
            for item in self.job.asset.thresholds
            if (item.person, item.kind) == (person, kind) and day is not None and item.date <= day
        ]
        return max(found, key=lambda item: item.date, default=None)

    def zone_edges(self, measure: str, number: int) -> list[float] | None:
        """Lower ends of the zones of a measure; None where the threshold is not known."""
        zones = self.job.score.zones[measure]
        if zones.of is None:
            return list(zones.edges)
        threshold = self.threshold(zones.of, number)
        return None if threshold is None else [edge * threshold.value for edge in zones.edges]

    def reserve(self, number: int) -> tuple[float, float] | None:
        """Resting and maximal heart rate; None where one of them is not known."""
        rest = self.threshold("resting_heart_rate", number)
        most = self.threshold("max_heart_rate", number)
        if rest is None or most is None or most.value <= rest.value:
            return None
        return rest.value, most.value

    def capacity(self, number: int) -> Capacity | None:
        """Critical power and the work above it: from tests, or else from declared efforts."""
        power = self.threshold("critical_power", number)
        work = self.threshold("w_prime", number)
        if power is not None and work is not None:
            return Capacity(power.value, work.value, f"{power.test}, {power.date}")
        person = self.job.dataset.recordings[number].unit
        found = self.model.card.get("critical_power", {}).get(person, {})
        if "power" not in found:
            return None
        return Capacity(
            found["power"][0], found["work"][0], say("declared efforts of these sessions")
        )


def fit_sessions(job: Job, leaves: Leaves) -> Model:
    """What was learnt of all persons.

    Parameters
    ----------
    job : Job
        The request and its data; its backend is the host's.
    leaves : dict of (unit, recording) to State
        Best means of sessions, and cross-products of effort and heart rate.

    Returns
    -------
    Model
        ``curve`` float64 (recording, effort, duration), NaN where there is none; of the model of
        heart rate that each recording is tested with ``heart_coef`` (recording, lag),
        ``heart_x`` (recording, lag), ``heart_y``, ``heart_u`` and ``heart_rows`` (recording,), 0
        where none is.
    """
    sessions = Sessions(job)
    count, efforts = len(job.dataset.recordings), sessions.efforts
    curve = np.full((count, len(efforts), len(sessions.durations)), np.nan)
    for number, row in enumerate(job.dataset.recordings):
        state = leaves.get((row.unit, row.id))
        if state is not None:
            curve[number] = state["curve.best"].reshape(curve.shape[1:])
    arrays = {"curve": curve, **_hearts(job, leaves)}
    card = {
        "family": "session_load",
        "durations_s": sessions.durations,
        "efforts": list(efforts),
        "critical_power": _critical(job, sessions, curve),
    }
    return Model(arrays, card)


def _critical(
    job: Job, sessions: Sessions, curve: NDArray[np.float64]
) -> dict[str, dict[str, Any]]:
    """Critical power of each person that efforts are declared of, or why there is none."""
    number_of = {row.id: number for number, row in enumerate(job.dataset.recordings)}
    points: dict[str, list[tuple[float, float]]] = {}
    for effort in job.asset.maximal_efforts:
        number = number_of.get(effort.recording)
        if number is None or "power" not in sessions.efforts:
            continue
        place = sessions.durations.index(effort.duration_s)
        best = float(curve[number, sessions.efforts.index("power"), place])
        person = job.dataset.recordings[number].unit
        points.setdefault(person, []).append((float(effort.duration_s), best))
    confidence = job.score.confidence
    return {person: fit_critical_power(found, confidence) for person, found in points.items()}


def lagged_effort(job: Job, session: Session) -> tuple[Array, NDArray[np.int64]] | None:
    """Exponential averages of the effort, and the readings of heart rate that belong to them.

    Parameters
    ----------
    job : Job
        The request and its data.
    session : Session
        One session.

    Returns
    -------
    tuple or None
        Inputs float64 (row, lag) on the device, and of each row the number of the reading of
        heart rate; None where a measure is missing or too little of both is there.

    Notes
    -----
    *Method*: in each run the averages begin at the first second's effort, as if it had always been
    that; rows count from the longest time constant on.
    """
    settings, effort = job.train.heart_rate_model, session.effort
    heart = session.readings.get("heart_rate")
    if effort is None or heart is None or len(effort.edges.run) < 2:  # noqa: PLR2004
        return None
    backend, run = job.backend, effort.edges.run
    means, _ = window_means(effort.total, backend.asarray(run), 1)
    first = np.flatnonzero(np.diff(run, prepend=-1))
    since = np.arange(len(run)) - np.repeat(first, np.diff(first, append=len(run)))
    since, inside = since[:-1], run[1:] == run[:-1]
    wanted = inside & (since >= max(settings.lags_s)) & (since % settings.every_s == 0)
    time = effort.held.time_ns[effort.edges.reading][:-1]
    time = time + np.round(effort.edges.after_s[:-1] * NANOSECONDS).astype(np.int64)
    beat = heart.at(time)
    rows = np.flatnonzero(wanted & (beat >= 0))
    if len(rows) * settings.every_s < settings.least_s:
        return None
    averages = [_average(job, means, since, inside, lag) for lag in settings.lags_s]
    x = backend.xp.stack(averages, axis=1)
    return backend.xp.take(x, backend.asarray(rows), axis=0), beat[rows]


def _average(
    job: Job,
    means: Array,
    since: NDArray[np.int64],
    inside: NDArray[np.bool_],
    lag_s: float,
) -> Array:
    """The exponential average of the seconds before each second's end, anew in each run."""
    xp, asarray = job.backend.xp, job.backend.asarray
    keep = float(np.exp(-1.0 / lag_s))
    kept = asarray(np.where(since == 0, 0.0, keep))
    gain = asarray(np.where(since == 0, 1.0, 1.0 - keep))
    offset = gain * xp.where(asarray(inside), means, xp.zeros_like(means))
    return affine_scan(kept, offset)[1]


def heart_rate_rows(job: Job, session: Session) -> dict[str, Array]:
    """Inputs, heart rate and number of the rows that a session teaches with."""
    found = lagged_effort(job, session)
    xp, asarray = job.backend.xp, job.backend.asarray
    if found is None:
        width = len(job.train.heart_rate_model.lags_s)
        none = asarray(np.zeros(0, dtype=np.int64))
        return {"x": asarray(np.zeros((0, width))), "y": asarray(np.zeros((0, 1))), "number": none}
    x, beat = found
    y = xp.take(session.readings["heart_rate"].x, asarray(beat))[:, None]
    rows = session.first_row + session.readings["heart_rate"].held.row[beat]
    return {"x": x, "y": y, "number": asarray(rows)}


def predicted(job: Job, model: Model, session: Session) -> dict[str, Array]:
    """Heart rate less what the other sessions of the person foretell, and less their mean."""
    asarray, xp = job.backend.asarray, job.backend.xp
    none = {
        "residual": asarray(np.zeros(0)),
        "plain": asarray(np.zeros(0)),
        "number": asarray(np.zeros(0, dtype=np.int64)),
    }
    if job.train.heart_rate_model is None or not model.arrays["heart_rows"][session.number]:
        return none
    found = lagged_effort(job, session)
    if found is None:
        return none
    x, beat = found
    coef, mean_x = (asarray(model.arrays[f"heart_{n}"][session.number]) for n in ("coef", "x"))
    mean = float(model.arrays["heart_y"][session.number])
    told = xp.matmul(x - mean_x, coef) + mean
    rows = session.first_row + session.readings["heart_rate"].held.row[beat]
    rate = xp.take(session.readings["heart_rate"].x, asarray(beat))
    return {"residual": rate - told, "plain": rate - mean, "number": asarray(rows)}


def _hearts(job: Job, leaves: Leaves) -> dict[str, NDArray[Any]]:
    """Of each recording, the model of heart rate that its person's other sessions teach."""
    settings, recordings = job.train.heart_rate_model, job.dataset.recordings
    width, count = 0 if settings is None else len(settings.lags_s), len(recordings)
    arrays: dict[str, NDArray[Any]] = {
        **{name: np.zeros((count, width)) for name in ("heart_coef", "heart_x")},
        **{name: np.zeros(count) for name in ("heart_y", "heart_u")},
        "heart_rows": np.zeros(count, dtype=np.int64),
    }
    persons: dict[str, dict[int, State]] = {}
    for number, row in enumerate(recordings):
        state = _heart_state(leaves, row)
        if state and int(state["count"]):
            persons.setdefault(row.unit, {})[number] = state
    for states in persons.values():
        if len(states) >= FEWEST_SESSIONS:
            _hold_out(job, states, arrays)
    return arrays


def _hold_out(job: Job, states: dict[int, State], arrays: dict[str, NDArray[Any]]) -> None:
    """The model without each session of a person, and its error on sessions that it has not seen.

    The error is told from the others alone: each of them is foretold by a model of the rest.
    """
    width, penalty = arrays["heart_x"].shape[1], [job.train.heart_rate_model.penalty]
    reducer = RidgeReducer(job.backend.xp, width, 1, 0, job.seed)
    for number in states:
        others = {other: state for other, state in states.items() if other != number}
        merged = merge_all(reducer, [*others.values()])
        fitted = fit_path(merged, width, penalty)
        squares = 0.0
        for test, state in others.items():
            rest = [other for number_, other in others.items() if number_ != test]
            nested = fit_path(merge_all(reducer, rest), width, penalty)
            squares += float(squared_errors(state, width, nested)[0, 0])
        arrays["heart_coef"][number] = fitted["coef"][0, :, 0]
        arrays["heart_x"][number] = fitted["mean_x"]
        arrays["heart_y"][number] = fitted["mean_y"][0]
        arrays["heart_u"][number] = np.sqrt(squares / int(merged["count"]))
        arrays["heart_rows"][number] = merged["count"]


def _heart_state(leaves: Leaves, row: Any) -> State:
    """Cross-products of a session; empty where it was not read."""
    state = leaves.get((row.unit, row.id), {})
    return {
        name.removeprefix("heart."): array
        for name, array in state.items()
        if name.startswith("heart.")
    }
