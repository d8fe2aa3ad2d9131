"""The readings of the sessions in a block: channels in the family's units, runs, totals."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.interface import recording_spans
from lumipipe.families.session_clock import Edges, held, whole_seconds, without
from lumipipe.readers.units import conversion, product_in
from lumipipe.store.dataset import NO_TIME
from lumipipe.windows import plan_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from lumipipe.backend import Array
    from lumipipe.config import Channel
    from lumipipe.families.interface import Block, Job
    from lumipipe.families.session_clock import Held
    from lumipipe.families.session_load import Measure, Train
    from lumipipe.store.dataset import StreamTable
    from lumipipe.store.rows import ChannelRow
    from lumipipe.windows import WindowPlan

MEASURES = {"power": "W", "speed": "m/s", "heart_rate": "1/min"}
"""Measures in the order in which they are shown, with their units."""
EFFORTS = ("power", "speed")
"""Measures of effort, the preferred one first."""
_EARLIEST = dt.date(1990, 1, 1)  # a clock that was never set counts from about 1970


class Readings(NamedTuple):
    """What one channel read in one session."""

    held: Held
    """How long each reading holds; on the host."""
    x: Array
    """The readings, float64 (reading,), on the device."""
    edges: Edges
    """Whole seconds of its runs; on the host."""
    total: Array
    """Running total at these edges, float64 (edge,), unit of the readings times s."""
    too_large: int
    """Readings that are not credible."""

    @property
    def seconds(self) -> float:
        """Time for which there is a reading."""
        return float(self.held.lasts_ns.sum()) / NANOSECONDS

    def at(self, time_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """The reading that holds at each time; -1 where none does."""
        if not len(self.held.time_ns):
            return np.full(len(time_ns), -1, dtype=np.int64)
        last = np.searchsorted(self.held.time_ns, time_ns, side="right") - 1
        since = time_ns - self.held.time_ns[last]
        return np.where((last >= 0) & (since < self.held.lasts_ns[last]), last, -1)


class Session(NamedTuple):
    """One session of a block."""

    number: int
    """Number of its recording."""
    first_row: int
    """Its first row in the stream."""
    time_ns: NDArray[np.int64]
    """Stamp of each row."""
    segment: NDArray[np.int64]
    """Number of the segment of each row; -1 in none."""
    readings: dict[str, Readings]
    """What each measure read."""

    @property
    def effort(self) -> Readings | None:
        """Power, or speed where there is no power in the request."""
        return next((self.readings[name] for name in EFFORTS if name in self.readings), None)


@dataclass(frozen=True)
class Sessions:
    """What both passes share.

    Parameters
    ----------
    job : Job
        The request and its data.
    """

    job: Job

    @property
    def train(self) -> Train:
        """What sessions are measured by."""
        found: Train = self.job.train
        return found

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.train.stream]

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """The measures of the request."""
        found = {name: getattr(self.train, name) for name in MEASURES}
        return {name: item for name, item in found.items() if item is not None}

    @cached_property
    def efforts(self) -> tuple[str, ...]:
        """Those of them that have a mean-maximal curve."""
        return tuple(name for name in EFFORTS if name in self.measures)

    @cached_property
    def durations(self) -> list[int]:
        """Durations of the curve, with those of declared efforts and of what is compared."""
        efforts = {item.duration_s for item in self.job.asset.maximal_efforts}
        return sorted({*self.train.durations_s, *efforts, *self.job.score.compare_s})

    @cached_property
    def channels(self) -> dict[str, tuple[int, float, bool]]:
        """Number of each measure's channel, the factor into its unit, whether it is a distance."""
        names = [item.name for item in self.table.channels]
        found = {}
        for name, measure in self.measures.items():
            number = names.index(measure.channel)
            found[name] = (number, *factor_of(self.table.channels[number], name))
        return found

    @cached_property
    def plan(self) -> WindowPlan:
        """Whole sessions."""
        units = [row.unit for row in self.job.dataset.recordings]
        return plan_recordings(units, recording_spans(self.table), self.train.recordings_per_chunk)

    def leaf(self, number: int) -> tuple[str]:
        """The leaf of a session, below its person."""
        return (self.job.dataset.recordings[number].id,)

    def of(self, block: Block) -> Iterator[Session]:
        """The sessions of a block."""
        if block.time_ns is None:
            raise RuntimeError("sessions are told from their times")
        for number, start in zip(block.recording.tolist(), block.starts.tolist(), strict=True):
            rows = slice(start, start + int(self.table.rows[number]))
            first = block.first_row + start
            time = block.time_ns[rows.start + 1 : rows.stop + 1]
            segment = np.full(len(time), -1, dtype=np.int64)
            for at, span in enumerate(self.table.segments[number]):
                segment[span.first - first : span.stop - first] = at
            x = block.rows[rows, :]
            readings = {
                name: self._readings(name, x[:, place[0]], time, segment)
                for name, place in self.channels.items()
            }
            yield Session(number, first, time, segment, readings)

    def _readings(
        self, name: str, column: Array, time: NDArray[np.int64], segment: NDArray[np.int64]
    ) -> Readings:
        """What a measure read in one session."""
        backend, (_, factor, is_distance) = self.job.backend, self.channels[name]
        x = backend.to_host(column).astype(np.float64) * factor  # sync: gaps decide on the host
        most = self.measures[name].most
        if not is_distance:
            wrong = x > np.inf if most is None else x > most
            if name == "heart_rate":
                wrong |= x <= 0.0
            there = ~np.isnan(x) & ~wrong
            kept = held(time, segment, there, self.train.longest_hold_s)
            rate = x[kept.row]
            gained = rate * (kept.lasts_ns / NANOSECONDS)
            return self._totalled(kept, rate, gained, int(wrong.sum()))
        kept = held(time, segment, ~np.isnan(x), self.train.longest_hold_s)
        rate, gained = _rates(kept, x)
        wrong = (rate < 0.0) | (rate > (np.inf if most is None else most))
        if wrong.any():
            kept = without(kept, wrong)
            rate, gained = _rates(kept, x)
        return self._totalled(kept, rate, gained, int(wrong.sum()))

    def _totalled(
        self, kept: Held, rate: NDArray[np.float64], gained: NDArray[np.float64], wrong: int
    ) -> Readings:
        """Readings with their running total, on the device."""
        backend, edges = self.job.backend, whole_seconds(kept)
        xp = backend.xp
        x, gain = backend.asarray(rate), backend.asarray(gained)
        before = xp.cumulative_sum(gain) - gain
        place = backend.asarray(edges.reading)
        total = xp.take(before, place) + xp.take(x, place) * backend.asarray(edges.after_s)
        return Readings(kept, x, edges, total, wrong)

    def day(self, number: int) -> dt.date | None:
        """Day of a session, by the clock of its place where the file says how that goes."""
        start = int(self.table.start_ns[number])
        if start == NO_TIME:
            return None
        text = self.job.dataset.recordings[number].attributes.get("utc_offset", "")
        local = np.datetime64(start, "ns") + np.timedelta64(_offset_minutes(text), "m")
        day: dt.date = local.astype("datetime64[D]").astype(object)
        return day if day >= _EARLIEST else None


def _rates(kept: Held, distance: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Speed from each reading of a distance to the next, and what was covered; 0 at ends of runs.

    Where two readings have one stamp, what lies between them counts at no speed.
    """
    at = distance[kept.row]
    goes_on = np.append(np.diff(kept.run) == 0, [False]) if len(at) else np.zeros(0, np.bool_)
    gained = np.where(goes_on, np.diff(at, append=at[-1:]), 0.0)
    seconds = kept.lasts_ns / NANOSECONDS
    rate = np.divide(gained, seconds, out=np.zeros_like(gained), where=seconds > 0)
    return rate, gained


def _offset_minutes(text: str) -> int:
    """Minutes of an offset such as +03:00; 0 where it is not known."""
    if len(text) != len("+03:00") or text[0] not in "+-":
        return 0
    minutes = 60 * int(text[1:3]) + int(text[4:])
    return -minutes if text[0] == "-" else minutes


def factor_of(channel: Channel | ChannelRow, measure: str) -> tuple[float, bool]:
    """Factor from a channel's stored unit into that of a measure, and whether it is a distance.

    Raises InputError for a channel of another quantity.
    """
    place = f"train.{measure}.channel {channel.name}"
    is_distance = measure == "speed" and channel.quantity in {"distance", "length"}
    wanted = "m" if is_distance else MEASURES[measure]
    stored = conversion(channel.quantity, channel.unit, place)[2]
    return product_in([stored], wanted, place), is_distance
