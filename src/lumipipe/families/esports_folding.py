"""The passes of the family `esports`: what is counted of each recording."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device

from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import InputError
from lumipipe.families.interface import Pass, recording_spans
from lumipipe.metrics.events import EventCounts
from lumipipe.metrics.latencies import LatencyReducer
from lumipipe.metrics.quantiles import QuantileBins
from lumipipe.metrics.rows import Renamed, Together
from lumipipe.metrics.zones import ZoneReducer, zone_of
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array
    from lumipipe.families.esports import Events, Intensity, Latency
    from lumipipe.families.interface import Block, Job
    from lumipipe.fold import Batch, Leaf
    from lumipipe.store.dataset import StreamTable
    from lumipipe.windows import WindowPlan

EVENTS, READINGS, COUNTS, EARLY = "events", "readings", "counts", "early"
"""Names of the passes, and of parts of their states."""
_MOST_BLOCKS = 10_000
_LEAST_READING, _GREATEST_READING = 1.0, 1e5  # of quantiles of readings


def passes(job: Job) -> dict[str, Pass]:
    """The passes that the request asks for."""
    found = {}
    if job.train.events is not None:
        folding = EventFolding(job)
        found[EVENTS] = Pass(
            folding.table, folding.plan(), folding.reducer, folding.measure, times=True
        )
    if job.train.intensity is not None:
        readings = ReadingFolding(job)
        found[READINGS] = Pass(
            readings.table, readings.plan(), readings.reducer, readings.measure, times=True
        )
    return found


@dataclass(frozen=True)
class EventFolding:
    """What the pass over events and the numbers from it share.

    Parameters
    ----------
    job : Job
        The request and its data.
    """

    job: Job

    @property
    def events(self) -> Events:
        """What is counted."""
        found: Events = self.job.train.events
        return found

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.events.stream]

    @cached_property
    def span_ns(self) -> NDArray[np.int64]:
        """Time of the first and last row of each recording, (recording, 2); equal where none."""
        found = np.zeros((len(self.table.rows), 2), dtype=np.int64)
        for number, span in enumerate(recording_spans(self.table)):
            if span.size:
                found[number] = (
                    self.table.read_time(span.first, span.first + 1)[0],
                    self.table.read_time(span.stop - 1, span.stop)[0],
                )
        return found

    @cached_property
    def block_ns(self) -> int:
        """Length of a block."""
        return round(self.events.block_s * NANOSECONDS)

    @cached_property
    def blocks(self) -> int:
        """Blocks of the longest recording."""
        longest = int((self.span_ns[:, 1] - self.span_ns[:, 0]).max(initial=0))
        count = longest // self.block_ns + 1
        if count > _MOST_BLOCKS:
            raise InputError(
                "train.events.block_s",
                f"the longest recording has {count} blocks of {self.events.block_s:g} s",
                f"give a length that leaves at most {_MOST_BLOCKS}, or cut the recording",
            )
        return count

    @property
    def early(self) -> tuple[str, int] | None:
        """Latency that is looked at of early play, and its length in ns."""
        winner = self.job.score.winner
        if winner is None or winner.latency is None:
            return None
        return winner.latency, round(winner.first_s * NANOSECONDS)

    def latency(self, name: str, xp: Any) -> LatencyReducer:
        """What folds a latency, for states of an array library."""
        settings: Latency = self.events.latencies[name]
        return LatencyReducer(
            xp,
            round(settings.still_s * NANOSECONDS),
            settings.least_s,
            settings.greatest_s,
        )

    @property
    def reducer(self) -> Together:
        """Counts by block and class, and all latencies."""
        xp = self.job.backend.xp
        parts: dict[str, object] = {
            COUNTS: EventCounts(xp, self.blocks, len(self.events.classes)),
        }
        parts |= {
            latency_part(name): _of_own_rows(self.latency(name, xp), name)
            for name in self.events.latencies
        }
        if self.early is not None:
            parts[EARLY] = _of_own_rows(self.latency(self.early[0], xp), EARLY)
        return Together(parts)

    def plan(self) -> WindowPlan:
        """All rows, one by one, gaps or not: an event ends where the next begins."""
        return plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            [[span] if span.size else [] for span in recording_spans(self.table)],
            1,
            1,
            self.events.rows_per_chunk,
        )

    def measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """Events of each recording of a block."""
        assert block.time_ns is not None
        backend = self.job.backend
        xp = backend.xp
        time = block.time_ns[1:][block.starts]
        column = [item.name for item in self.table.channels].index(self.events.channel)
        kind = xp.take(block.rows[:, column], backend.asarray(block.starts), axis=0)
        event = self._classes(kind)
        batches: dict[Leaf, Batch] = {}
        for number in np.unique(block.recording).tolist():
            rows = np.flatnonzero(block.recording == number)
            first, last = int(rows[0]), int(rows[-1]) + 1  # rows of a recording are neighbours
            since = time[first:last] - self.span_ns[number, 0]
            batches[(self.job.dataset.recordings[number].id,)] = self._batch(
                since, event[first:last]
            )
        return batches

    def _batch(self, since: NDArray[np.int64], event: Array) -> Batch:
        """Arrays of all parts of the reducer, of rows of one recording."""
        backend = self.job.backend
        times = backend.asarray(since)
        found: dict[str, Array] = {
            "block": backend.asarray(since // self.block_ns),
            "event": event,
        }
        for name, latency in self.events.latencies.items():
            found |= self._sides(name, latency, times, event)
        if self.early is not None:
            name, until = self.early
            stop = int(np.searchsorted(since, until))
            early = self._sides(EARLY, self.events.latencies[name], times[:stop], event[:stop])
            found |= early
        return found

    def _sides(self, name: str, latency: Latency, times: Array, event: Array) -> dict[str, Array]:
        """Arrays of the batch of one latency."""
        return {
            f"{name} time": times,
            f"{name} begins": self._is_of(event, latency.begins),
            f"{name} answers": self._is_of(event, latency.answered_by),
        }

    def _classes(self, kind: Array) -> Array:
        """Number of the class of each event, -1 where it is of none."""
        xp = self.job.backend.xp
        event = xp.full(kind.shape, -1, dtype=xp.int64, device=device(kind))
        for number, kinds in enumerate(self.events.classes.values()):
            event = xp.where(_is_any(kind, kinds), xp.full_like(event, number), event)
        return event

    def _is_of(self, event: Array, names: list[str]) -> Array:
        """Whether events are of some classes."""
        classes = list(self.events.classes)
        return _is_any(event, [classes.index(name) for name in names])


def latency_part(name: str) -> str:
    """What the state of a latency is called."""
    return f"latency {name}"


def _of_own_rows(reducer: LatencyReducer, name: str) -> Renamed:
    """A latency whose arrays in the batch are called after it."""
    return Renamed(reducer, {own: f"{name} {own}" for own in ("time", "begins", "answers")})


def _is_any(values: Array, kinds: list[int]) -> Array:
    """Whether values are among some numbers."""
    xp = array_namespace(values)
    wanted = xp.asarray(kinds, dtype=values.dtype, device=device(values))
    return xp.any(values[:, None] == wanted[None, :], axis=1)


@dataclass(frozen=True)
class ReadingFolding:
    """What the pass over readings and the numbers from it share.

    Parameters
    ----------
    job : Job
        The request and its data.

    Notes
    -----
    A window is two neighbouring rows without a gap between them: what the first one reads holds
    until the second, so nothing counts across a pause.
    """

    job: Job

    @property
    def intensity(self) -> Intensity:
        """What is summed."""
        found: Intensity = self.job.train.intensity
        return found

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.intensity.stream]

    @property
    def bins(self) -> QuantileBins:
        """What counts the readings."""
        return QuantileBins(self.job.backend.xp, _LEAST_READING, _GREATEST_READING)

    @property
    def reducer(self) -> Together:
        """Time in the zones of each reading, and how often which reading held."""
        xp, parts = self.job.backend.xp, dict[str, object]()
        for name, zones in self.intensity.zones.items():
            zone = {"zone": f"{name} zone"}
            parts[name] = Renamed(ZoneReducer(xp, len(zones.bounds) + 1), zone)
            parts[f"{name} bins"] = Renamed(self.bins, {"value": name})
        return Together(parts)

    def plan(self) -> WindowPlan:
        """Pairs of neighbouring rows."""
        return plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            self.table.segments,
            2,
            1,
            self.intensity.rows_per_chunk,
        )

    def measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """Readings of each recording of a block, and how long they held."""
        assert block.time_ns is not None
        asarray, xp = self.job.backend.asarray, self.job.backend.xp
        time, longest = block.time_ns[1:], round(self.intensity.longest_step_s * NANOSECONDS)
        step = time[block.starts + 1] - time[block.starts]
        readings = xp.take(block.rows, asarray(block.starts), axis=0)
        # What holds too long is not known: a gap that the file does not tell of.
        known = asarray((step <= longest).astype(np.bool_))
        names = [item.name for item in self.table.channels]
        values = {
            name: xp.astype(readings[:, names.index(zones.channel)], xp.float64)
            for name, zones in self.intensity.zones.items()
        }
        values = {
            name: xp.where(known, value, xp.full_like(value, xp.nan))
            for name, value in values.items()
        }
        values |= {
            f"{name} zone": zone_of(values[name], asarray(np.asarray(zones.bounds, np.float64)))
            for name, zones in self.intensity.zones.items()
        }
        batches: dict[Leaf, Batch] = {}
        for number in np.unique(block.recording).tolist():
            rows = np.flatnonzero(block.recording == number)
            first, last = int(rows[0]), int(rows[-1]) + 1  # windows of a recording are neighbours
            batches[(self.job.dataset.recordings[number].id,)] = {
                "step_ns": asarray(step[first:last]),
                **{name: value[first:last] for name, value in values.items()},
            }
        return batches
