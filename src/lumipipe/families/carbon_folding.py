"""The passes of the family `carbon`: which rows count, and what is added up of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.families.carbon_check import MONTH, UNIT
from lumipipe.families.interface import Pass, recording_spans
from lumipipe.kernels.exact import exact_product
from lumipipe.metrics.distinct import DistinctReducer
from lumipipe.metrics.exact import ExactSumsReducer
from lumipipe.metrics.rows import RowsReducer, Together
from lumipipe.readers.units import product_in
from lumipipe.store.dataset import NO_LABEL, NO_TIME
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array
    from lumipipe.families.carbon import Train
    from lumipipe.families.interface import Block, Job, Model
    from lumipipe.fold import Batch, Leaf
    from lumipipe.store.dataset import StreamTable

FIRST, LAST, DUPLICATE, GAP, UNEVEN, APART = range(6)
"""Kinds of rows that are noted: ends of a recording, steps in time, and filed values."""
MOST_DISTINCT = 1024
PAIRED = 6
"""Columns of the pass over filed values: activity, filed, and two products in two parts each."""
_NOTED = dict.fromkeys(("recording", "row", "kind", "time_ns", "step_ns"), ("int64", ()))
_KEPT_STEP, _GAP_STEP = 0.01, 1.5  # of the interval: clocks jitter; half a row is a row


class Rows(NamedTuple):
    """The rows of a block as the clock sees them, each array of shape (row,)."""

    counted: NDArray[np.bool_]
    """Inside the period, and not a second row of one time."""
    begin_ns: NDArray[np.int64]
    """Begin of the interval; `NO_TIME` where rows have no time."""
    kind: NDArray[np.int64]
    """DUPLICATE, GAP, UNEVEN, or -1 where a row follows the one before as it should."""
    step_ns: NDArray[np.int64]
    """Time since the row before, 0 for the first one."""
    stamp_ns: NDArray[np.int64]
    """Stamp of the row."""


@dataclass(frozen=True)
class Folding:
    """What the passes share.

    Parameters
    ----------
    job : Job
        The request and its data.
    """

    job: Job

    @property
    def train(self) -> Train:
        """What is added up."""
        found: Train = self.job.train
        return found

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.train.stream]

    @property
    def is_timed(self) -> bool:
        """Whether rows have stamps of their own."""
        return self.table.has_time

    @cached_property
    def is_dated(self) -> bool:
        """Whether these stamps count from 1970 in all recordings."""
        starts = self.table.start_ns[self.table.rows > 0]
        return self.is_timed and bool((starts != NO_TIME).all())

    @property
    def interval_ns(self) -> int:
        """Length of the interval of a row."""
        return round(self.train.interval_s * NANOSECONDS)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """First row of each recording in the stream."""
        return np.asarray(self.table.first_row, dtype=np.int64)

    @cached_property
    def known(self) -> list[dict[str, str]]:
        """What is known of each recording."""
        return self.job.known()

    @cached_property
    def period_ns(self) -> tuple[int, int] | None:
        """Begin and end of the period."""
        period = self.train.period
        if period is None:
            return None
        first = np.datetime64(period.first, "ns").astype(np.int64)
        stop = np.datetime64(period.last, "D") + np.timedelta64(1, "D")
        return int(first), int(stop.astype("datetime64[ns]").astype(np.int64))

    def number_of(self, channel: str) -> int:
        """Number of a channel in the stream."""
        return [item.name for item in self.table.channels].index(channel)

    def unit_of(self, channel: str) -> str:
        """Unit that a channel is stored in."""
        return self.table.channels[self.number_of(channel)].unit

    def per_unit(self, name: str, into: str) -> float:
        """Emission of one unit of an activity's readings, in a unit of mass, for factor 1."""
        activity = self.train.activities[name]
        units = [self.unit_of(activity.channel), self.train.factors[activity.factor].unit]
        place = f"train.activities.{name}"
        if activity.kind == "rate":
            return self.train.interval_s * product_in([*units, "s"], into, place)
        return product_in(units, into, place)

    def a_pass(self, reducer: Together, measure: object, labels: tuple[str, ...] = ()) -> Pass:
        """A pass over all rows, one by one."""
        plan = plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            [[span] if span.size else [] for span in recording_spans(self.table)],
            1,
            1,
            self.train.rows_per_chunk,
        )
        return Pass(self.table, plan, reducer, measure, labels, self.is_timed)  # type: ignore[arg-type]

    def rows(self, block: Block) -> Rows:
        """Which rows of a block count, and how they follow each other."""
        none = np.full(len(block.starts), NO_TIME, dtype=np.int64)
        kind, step = np.full(len(block.starts), -1, dtype=np.int64), np.zeros_like(none)
        if block.time_ns is None:
            return Rows(np.ones(len(none), dtype=bool), none, kind, step, none)
        stamp = block.time_ns[block.starts + 1]
        follows = block.first_row + block.starts != self.first_rows[block.recording]
        step = np.where(follows, stamp - block.time_ns[block.starts], 0)
        off = np.abs(step - self.interval_ns) > _KEPT_STEP * self.interval_ns
        kind[follows & off] = UNEVEN
        kind[follows & (step >= _GAP_STEP * self.interval_ns)] = GAP
        kind[follows & (step == 0)] = DUPLICATE
        begin = stamp - (self.interval_ns if self.train.stamp == "ends" else 0)
        counted = kind != DUPLICATE
        if self.period_ns is not None:
            first, stop = self.period_ns
            counted &= (begin >= first) & (begin < stop)
        return Rows(counted, begin, kind, step, stamp)

    def samples(self, block: Block, chosen: NDArray[np.int64]) -> Array:
        """Readings of some rows of a block as float64, on the device."""
        backend = self.job.backend
        x = backend.xp.take(block.rows, backend.asarray(block.starts[chosen]), axis=0)
        return backend.xp.astype(x, backend.xp.float64)


def filed_pass(job: Job) -> Pass:
    """The pass over the filed values and the activity that they were computed from."""
    folding, xp = Folding(job), job.backend.xp
    filed = job.train.filed
    channel = job.train.activities[filed.activity].channel
    places = folding.number_of(channel), folding.number_of(filed.channel)

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        counted = np.flatnonzero(folding.rows(block).counted)
        samples = folding.samples(block, counted)
        x, y = (samples[:, place] for place in places)
        missing = xp.isnan(x) | xp.isnan(y)
        x, y_with = (xp.where(missing, xp.zeros_like(part), part) for part in (x, y))
        products = [*exact_product(x, x), *exact_product(x, y_with)]
        paired = xp.stack([x, y_with, *products], axis=1)
        none = xp.full_like(paired, xp.nan)
        return {(): {"value": y, "x": xp.where(missing[:, None], none, paired)}}

    reducer = Together(
        {"values": DistinctReducer(xp, MOST_DISTINCT), "pairs": ExactSumsReducer(xp, PAIRED)}
    )
    return folding.a_pass(reducer, measure)


def totals_pass(job: Job, model: Model) -> Pass:
    """The pass that adds up all activities, by the groups that are asked for."""
    totals = _Totals(job, model.card["filed"].get("step"))
    return totals.folding.a_pass(totals.reducer, totals.measure, totals.labels)


@dataclass(frozen=True)
class _Totals:
    """What adds up the rows of a stream.

    Parameters
    ----------
    job : Job
        The request and its data.
    step : float or None
        Step of the filed values.
    """

    job: Job
    step: float | None

    @cached_property
    def folding(self) -> Folding:
        """What the passes share."""
        return Folding(self.job)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of rows that the total is shown by."""
        return tuple(n for n in self.job.score.by if n in self.folding.table.label_names)

    @property
    def reducer(self) -> Together:
        """Sums, and the rows that are noted."""
        xp = self.job.backend.xp
        columns = len(self.job.train.activities) + (2 if self.job.train.filed else 0)
        return Together({"sums": ExactSumsReducer(xp, columns), "noted": RowsReducer(xp, _NOTED)})

    def measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """Columns to be summed and noted rows of each group of a block."""
        rows = self.folding.rows(block)
        every = np.arange(len(block.starts))
        columns, apart = self._columns(self.folding.samples(block, every))
        noted = self._noted(block, rows, apart)
        groups, names = self._groups(block, rows)
        batches: dict[Leaf, Batch] = {}
        for number, name in enumerate(names):
            mine = groups == number
            counted = np.flatnonzero(mine & rows.counted)
            asarray, xp = self.job.backend.asarray, self.job.backend.xp
            some = np.isin(noted["place"], np.flatnonzero(mine))
            batches[name] = {
                "x": xp.take(columns, asarray(counted), axis=0),
                **{key: asarray(noted[key][some]) for key in _NOTED},
            }
        return batches

    def _columns(self, samples: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Activities, filed values and what rounding does; and which filed values are off."""
        folding, train, xp = self.folding, self.job.train, self.job.backend.xp
        amounts = [
            samples[:, folding.number_of(item.channel)] for item in train.activities.values()
        ]
        off = np.zeros(samples.shape[0], dtype=bool)
        if train.filed is None:
            return xp.stack(amounts, axis=1), off
        filed = samples[:, folding.number_of(train.filed.channel)]
        lean = xp.full_like(filed, xp.nan)
        if self.step is not None:
            activity = train.activities[train.filed.activity]
            factor = train.factors[activity.factor]
            unit = folding.per_unit(train.filed.activity, folding.unit_of(train.filed.channel))
            x = samples[:, folding.number_of(activity.channel)]
            expected = x * (unit * factor.value)
            lean = self.step * xp.floor(expected / self.step + 0.5) - expected
            bound = 0.5 * self.step + xp.abs(x) * (unit * factor.expanded)
            # sync: rows are chosen on the host
            off = self.job.backend.to_host(xp.abs(filed - expected) > bound)
            lean = xp.where(xp.isnan(filed), xp.full_like(lean, xp.nan), lean)
        return xp.stack([*amounts, filed, lean], axis=1), off

    def _noted(
        self, block: Block, rows: Rows, off: NDArray[np.bool_]
    ) -> dict[str, NDArray[np.int64]]:
        """Ends of recordings, steps in time that are not the interval, filed values far off."""
        row = block.first_row + block.starts - self.folding.first_rows[block.recording]
        last = self.folding.table.rows[block.recording] - 1
        kinds = (
            (FIRST, row == 0),
            (LAST, row == last),
            *((kind, rows.kind == kind) for kind in (DUPLICATE, GAP, UNEVEN)),
            (APART, off & rows.counted),
        )
        parts = []
        for kind, which in kinds:
            place = np.flatnonzero(which)
            parts.append(np.stack([place, np.full(len(place), kind)], axis=1))
        place, kind = np.concatenate(parts).T
        return {
            "place": place,
            "recording": block.recording[place],
            "row": row[place],
            "kind": kind,
            "time_ns": rows.stamp_ns[place],
            "step_ns": rows.step_ns[place],
        }

    def _groups(self, block: Block, rows: Rows) -> tuple[NDArray[np.int64], list[Leaf]]:
        """Number of the group of each row, and what each group is called."""
        by = [name for name in self.job.score.by if name != UNIT]
        codes = np.zeros((len(block.starts), len(by)), dtype=np.int64)
        names: list[list[str]] = []
        for column, name in enumerate(by):
            codes[:, column], found = self._codes(name, block, rows)
            names.append(found)
        groups, number = np.unique(codes, axis=0, return_inverse=True)
        leaves = [
            tuple(names[column][code] for column, code in enumerate(group))
            for group in groups.tolist()
        ]
        return number.reshape(-1), leaves

    def _codes(self, name: str, block: Block, rows: Rows) -> tuple[NDArray[np.int64], list[str]]:
        """Code of each row by one of the groupings, and the names of the codes."""
        if name == MONTH:
            months = rows.begin_ns.astype("datetime64[ns]").astype("datetime64[M]")
            found, codes = np.unique(months, return_inverse=True)
            return codes.reshape(-1), [str(month) for month in found]
        if name in block.labels:
            own = [*self.folding.table.label_names[name], "(none)"]
            labels = block.labels[name][block.starts].astype(np.int64)
            return np.where(labels == NO_LABEL, len(own) - 1, labels), own
        values = [known.get(name, "(none)") for known in self.folding.known]
        return block.recording, values
