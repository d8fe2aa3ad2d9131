"""The passes of the family `session_load`: curves of sessions, then times in zones and figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.interface import Pass
from lumipipe.families.session_model import Known, heart_rate_rows, predicted
from lumipipe.families.session_readings import MEASURES, Sessions
from lumipipe.kernels.affine import affine_scan
from lumipipe.kernels.mean_maximal import best_means, window_means
from lumipipe.metrics.best import BestReducer
from lumipipe.metrics.rows import Renamed, RowsReducer, Together
from lumipipe.metrics.zones import ZoneReducer, zone_of
from lumipipe.models.ridge import RidgeReducer
from lumipipe.uncertainty.blocks import block_estimate, block_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array
    from lumipipe.families.interface import Block, Job, Model
    from lumipipe.families.session_readings import Readings, Session
    from lumipipe.fold import Batch, Leaf

WEIGHTED_S = 30
"""Window of weighted power and speed, as the field has it."""
BLOCK_S = 60
"""Blocks that decoupling is jackknifed over."""
_OF_MEASURE = ("s", "mean", "plain", "weighted", "too_large")
FACTS = (
    *("span_s", "impulse", "balance_least"),
    *(f"{name}_{what}" for name in MEASURES for what in _OF_MEASURE),
    *("drift", "drift_lower", "drift_upper", "steady_s", "variation"),
)
"""What is kept of a session: float64, NaN where it is not known."""
RESIDUAL = {"residual": ("float64", ()), "plain": ("float64", ()), "number": ("int64", ())}


def curve_pass(job: Job) -> Pass:
    """The pass that takes each session's best means, and what heart rate is told from."""
    sessions, xp = Sessions(job), job.backend.xp
    parts: dict[str, Any] = {
        "curve": BestReducer(xp, len(sessions.efforts) * len(sessions.durations))
    }
    settings = job.train.heart_rate_model
    if settings is not None:
        parts["heart"] = RidgeReducer(xp, len(settings.lags_s), 1, 0, job.seed)

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        found: dict[Leaf, Batch] = {}
        for session in sessions.of(block):
            batch = {"best": _curve(sessions, session)[None, :]}
            if settings is not None:
                batch |= heart_rate_rows(job, session)
            found[sessions.leaf(session.number)] = batch
        return found

    return Pass(sessions.table, sessions.plan, Together(parts), measure, times=True)


def _curve(sessions: Sessions, session: Session) -> Array:
    """Best means of all durations of each effort, one after another."""
    backend = sessions.job.backend
    parts = [
        best_means(
            session.readings[name].total,
            backend.asarray(session.readings[name].edges.run),
            sessions.durations,
        )
        for name in sessions.efforts
    ]
    none = backend.xp.zeros((0,), dtype=backend.xp.float64)
    return backend.xp.concat([*parts, none], axis=0)


def sessions_pass(job: Job, model: Model) -> Pass:
    """The pass that takes times in zones and the figures of each session."""
    work = _Figures(job, model)
    return Pass(work.sessions.table, work.sessions.plan, work.reducer, work.measure, times=True)


@dataclass(frozen=True)
class _Figures:
    """What measures sessions once curves are known.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Critical power of persons, and models of heart rate.
    """

    job: Job
    model: Model

    @cached_property
    def sessions(self) -> Sessions:
        """What both passes share."""
        return Sessions(self.job)

    @cached_property
    def known(self) -> Known:
        """What is known of persons on a day."""
        return Known(self.job, self.model)

    @property
    def reducer(self) -> Together:
        """Figures, times in zones, and residuals of heart rate."""
        xp = self.job.backend.xp
        parts: dict[str, Any] = {
            "facts": RowsReducer(xp, dict.fromkeys(FACTS, ("float64", ()))),
            "residuals": RowsReducer(xp, RESIDUAL),
        }
        for name, zones in self.job.score.zones.items():
            names = {"zone": f"zone_{name}", "step_ns": f"step_{name}"}
            parts[f"zones_{name}"] = Renamed(ZoneReducer(xp, len(zones.edges) + 1), names)
        return Together(parts)

    def measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """Everything of each session."""
        found: dict[Leaf, Batch] = {}
        for session in self.sessions.of(block):
            asarray = self.job.backend.asarray
            facts = dict.fromkeys(FACTS, np.nan) | self._facts(session)
            batch: dict[str, Array] = {
                name: asarray(np.array([facts[name]], dtype=np.float64)) for name in FACTS
            }
            for name in self.job.score.zones:
                batch |= self._zones(name, session)
            batch |= predicted(self.job, self.model, session)
            found[self.sessions.leaf(session.number)] = batch
        return found

    def _facts(self, session: Session) -> dict[str, float]:
        """Figures of one session."""
        time = session.time_ns
        facts = {"span_s": float(time[-1] - time[0]) / NANOSECONDS}
        for name, readings in session.readings.items():
            facts |= self._of_measure(name, readings)
        return facts | self._impulse(session) | self._balance(session) | self._drift(session)

    def _number(self, array: Array) -> float:
        """A figure on the host."""
        return float(self.job.backend.to_host(array))  # sync: it is shown

    def _of_measure(self, name: str, readings: Readings) -> dict[str, float]:
        """Time with readings, their mean over it, and the weighted mean of an effort."""
        xp, seconds = self.job.backend.xp, readings.seconds
        facts = {f"{name}_s": seconds, f"{name}_too_large": float(readings.too_large)}
        if seconds > 0:
            lasts = self.job.backend.asarray(readings.held.lasts_ns / NANOSECONDS)
            facts[f"{name}_mean"] = self._number(xp.sum(readings.x * lasts)) / seconds
            facts[f"{name}_plain"] = self._number(xp.mean(readings.x))
        if name in self.sessions.efforts:
            facts[f"{name}_weighted"] = self._weighted(readings)[0]
        return facts

    def _weighted(self, readings: Readings, from_ns: int | None = None) -> tuple[float, float]:
        """Fourth root of the mean fourth power, and mean, of the windows from a time on."""
        host, edges = self.job.backend.to_host, readings.edges
        if len(edges.run) <= WEIGHTED_S:
            return np.nan, np.nan
        run = self.job.backend.asarray(edges.run)
        means, inside = (host(part) for part in window_means(readings.total, run, WEIGHTED_S))
        if from_ns is not None:
            inside = inside & (_edge_times(readings)[:-WEIGHTED_S] >= from_ns)
        kept = means[inside]
        if not len(kept):
            return np.nan, np.nan
        return float((kept**4).mean() ** 0.25), float(kept.mean())

    def _zones(self, name: str, session: Session) -> dict[str, Array]:
        """Zone and time of each reading."""
        backend, edges = self.job.backend, self.known.zone_edges(name, session.number)
        readings = session.readings[name]
        time = backend.asarray(readings.held.lasts_ns)
        if edges is None:
            zone = backend.xp.full_like(time, -1)
        else:
            zone = zone_of(readings.x, backend.asarray(np.asarray(edges, dtype=np.float64)))
        return {f"zone_{name}": zone, f"step_{name}": time}

    def _impulse(self, session: Session) -> dict[str, float]:
        """The training impulse of the heart rate."""
        load, heart = self.job.score.load, session.readings.get("heart_rate")
        reserve = self.known.reserve(session.number)
        if load is None or load.kind != "heart_rate" or heart is None or reserve is None:
            return {}
        xp, (rest, most) = self.job.backend.xp, reserve
        share = (heart.x - rest) / (most - rest)
        share = xp.where(share > 0.0, share, xp.zeros_like(share))
        minutes = self.job.backend.asarray(heart.held.lasts_ns / NANOSECONDS / 60.0)
        weighted = minutes * share * load.factor * xp.exp(load.exponent * share)
        return {"impulse": self._number(xp.sum(weighted))}

    def _balance(self, session: Session) -> dict[str, float]:
        """The least of the work above critical power that was left.

        Below critical power the spent work decays with the rate (CP - P)/W', above it grows by
        P - CP: the differential form. With the mean of each second both are affine maps of what is
        spent, so that the scan does all seconds at once. In gaps nothing is spent and nothing
        comes back.
        """
        capacity = self.known.capacity(session.number)
        power = session.readings.get("power")
        if capacity is None or power is None or len(power.edges.run) < 2:  # noqa: PLR2004
            return {}
        xp, critical, work = self.job.backend.xp, capacity.power, capacity.work
        means, inside = window_means(power.total, self.job.backend.asarray(power.edges.run), 1)
        above = xp.where(inside, means - critical, xp.zeros_like(means))
        zero = xp.zeros_like(above)
        decay = xp.exp(xp.where(above < 0.0, above, zero) / work)
        _, spent = affine_scan(decay, xp.where(above > 0.0, above, zero))
        return {"balance_least": work - self._number(xp.max(spent))}

    def _drift(self, session: Session) -> dict[str, float]:
        """Effort over heart rate in the second half against the first, in %, where it is steady."""
        settings, effort = self.job.score.decoupling, session.effort
        heart = session.readings.get("heart_rate")
        if settings is None or effort is None or heart is None:
            return {}
        begin = int(session.time_ns[0]) + round(settings.skip_s * NANOSECONDS)
        both = self._both(effort, heart, begin)
        facts = {"steady_s": float(len(both))}
        if len(both) < settings.least_s:
            return facts
        weighted, mean = self._weighted(effort, begin)
        facts["variation"] = weighted / mean if mean > 0 else np.nan
        if not facts["variation"] <= settings.most_variation:
            return facts
        return facts | _halves(both, self.job.score.confidence)

    def _both(self, effort: Readings, heart: Readings, begin_ns: int) -> NDArray[np.float64]:
        """Mean effort and heart rate of the seconds that have both, float64 (second, 2)."""
        backend = self.job.backend
        if len(effort.edges.run) < 2:  # noqa: PLR2004
            return np.zeros((0, 2))
        run = backend.asarray(effort.edges.run)
        means, inside = (backend.to_host(part) for part in window_means(effort.total, run, 1))
        time = _edge_times(effort)[:-1]
        beat = heart.at(time)
        kept = inside & (beat >= 0) & (time >= begin_ns)
        rate = backend.to_host(heart.x)[beat[kept]]
        return np.stack([means[kept], rate], axis=1)


def _edge_times(readings: Readings) -> NDArray[np.int64]:
    """Time of each edge of whole seconds."""
    edges = readings.edges
    after = np.round(edges.after_s * NANOSECONDS).astype(np.int64)
    return np.asarray(readings.held.time_ns[edges.reading] + after)


def _halves(both: NDArray[np.float64], confidence: float) -> dict[str, float]:
    """Change of the ratio between halves, with an interval from blocks of a minute."""
    second = np.arange(len(both))
    late = 2 * second >= len(both)
    columns = np.concatenate([both * ~late[:, None], both * late[:, None]], axis=1)
    blocks = len(both) // BLOCK_S
    sums = block_sums(np.minimum(second // BLOCK_S, blocks - 1), columns, blocks)

    def change(s: NDArray[np.float64]) -> NDArray[np.float64]:
        first, last = s[..., 1] / s[..., 2], s[..., 3] / s[..., 4]
        return np.asarray(100.0 * (first - last) / first)

    found = block_estimate(sums, change, confidence)
    return {"drift": found.value, "drift_lower": found.lower, "drift_upper": found.upper}
