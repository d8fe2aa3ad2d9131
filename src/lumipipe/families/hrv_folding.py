"""The passes of the family `hrv`: what becomes of each interval between beats.

An interval is normal, or excluded for one reason: the first of `KINDS` that holds. What is
excluded is left out, with the successive differences that it has part in; nothing is put in its
place. The effect of such editing is reviewed by M. A. Peltola, "Role of editing of R-R intervals
in the analysis of heart rate variability", Frontiers in Physiology 3 (2012) 148.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.families.interface import Pass, recording_spans
from lumipipe.kernels.neighbours import median_of
from lumipipe.language import term
from lumipipe.metrics.heartbeats import BIN_HZ, BeatBins, BeatsReducer
from lumipipe.readers.units import product_in
from lumipipe.store.dataset import NO_TIME
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import Array
    from lumipipe.families.hrv import Train
    from lumipipe.families.interface import Block, Job
    from lumipipe.fold import Batch, Leaf, Reducer
    from lumipipe.store.dataset import StreamTable
    from lumipipe.windows import WindowPlan

KINDS = (
    term("normal"),
    term("no reading"),
    term("beat not normal"),
    term("out of range"),
    term("jump"),
    term("no neighbours"),
)
"""What an interval may be; `metrics.heartbeats.NORMAL` is the first."""
_NONE, _NORMAL, _NO_READING, _NOT_NORMAL, _RANGE, _JUMP, _ALONE = range(-1, len(KINDS))
FEWEST_NEIGHBOURS = 2
"""A median of fewer says nothing about an interval."""
_NANOSECONDS = 1_000_000_000


def blocks_pass(job: Job) -> Pass:
    """The pass that adds up the intervals of each block of each recording."""
    folding = Folding(job)
    return folding.a_pass(BeatsReducer(job.backend.xp, len(KINDS)), folding.blocks)


def histogram_pass(job: Job) -> Pass:
    """The pass that counts normal intervals of each recording by their length."""
    folding = Folding(job)
    return folding.a_pass(BeatBins(job.backend.xp, folding.bins), folding.recordings)


class _Rows(NamedTuple):
    """The intervals of a block; arrays of shape (row,)."""

    rr_us: Array
    kind: Array
    follows: Array
    recording: NDArray[np.int64]
    block: NDArray[np.int64]


@dataclass(frozen=True)
class Folding:
    """What both passes share.

    Parameters
    ----------
    job : Job
        The request and its data.
    """

    job: Job

    @property
    def train(self) -> Train:
        """Which intervals count."""
        found: Train = self.job.train
        return found

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.train.stream]

    @property
    def bins(self) -> int:
        """Bins of the histogram: up to the longest credible interval."""
        return int(self.train.artefacts.longest_ms * BIN_HZ / 1000.0) + 1

    @property
    def is_labelled(self) -> bool:
        """Whether any source of the stream has annotations."""
        return self.train.normal is not None and self.train.normal.label in self.table.label_names

    @cached_property
    def begin_ns(self) -> NDArray[np.int64]:
        """Time of the first row of each recording."""
        found = np.full(len(self.table.rows), NO_TIME, dtype=np.int64)
        for at in np.flatnonzero(self.table.rows > 0).tolist():
            first = int(self.table.first_row[at])
            found[at] = self.table.read_time(first, first + 1)[0]
        return found

    @cached_property
    def run_starts(self) -> NDArray[np.int64]:
        """First row of each run of intervals without a break, rising."""
        firsts = [span.first for spans in self.table.segments for span in spans]
        return np.array(sorted(firsts), dtype=np.int64)

    @cached_property
    def by_label(self) -> NDArray[np.bool_]:
        """Recordings whose beats are annotated."""
        if not self.is_labelled:
            return np.zeros(len(self.table.rows), dtype=bool)
        label = self.train.normal.label  # type: ignore[union-attr]
        named = [source.id for source in self.job.request.data if label in source.labels]
        return self._from(named)

    @cached_property
    def by_jump(self) -> NDArray[np.bool_]:
        """Recordings whose intervals are compared with their neighbours."""
        return ~self.by_label & ~self._from(self.train.edited)

    def _from(self, sources: Sequence[str]) -> NDArray[np.bool_]:
        """Recordings that are from some sources."""
        return np.array([row.source in sources for row in self.job.dataset.recordings], np.bool_)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Row of the stream of each item of the plan."""
        return self._plain.start

    @cached_property
    def _plain(self) -> WindowPlan:
        """Every row of every recording, one by one."""
        return plan_windows(
            [row.unit for row in self.job.dataset.recordings],
            [[span] if span.size else [] for span in recording_spans(self.table)],
            1,
            1,
            self.train.rows_per_chunk,
        )

    def a_pass(self, reducer: Reducer, measure: object) -> Pass:
        """A pass over all rows, each read together with its neighbours."""
        rows = self.table.row_count
        length = min(2 * self.train.artefacts.neighbours + 1, rows)
        start = np.clip(self.rows - self.train.artefacts.neighbours, 0, max(0, rows - length))
        plan = replace(self._plain, length=length, start=start)
        labels = (self.train.normal.label,) if self.is_labelled else ()  # type: ignore[union-attr]
        return Pass(self.table, plan, reducer, measure, labels, times=True)  # type: ignore[arg-type]

    def blocks(self, block: Block) -> Mapping[Leaf, Batch]:
        """Intervals by recording and number of the block of time that they end in."""
        found = self._intervals(block)
        recordings = self.job.dataset.recordings
        return {
            (recordings[recording].id, f"{number:06d}"): batch
            for recording, number, batch in self._runs(found, found.block)
        }

    def recordings(self, block: Block) -> Mapping[Leaf, Batch]:
        """Intervals by recording."""
        found = self._intervals(block)
        return {
            (self.job.dataset.recordings[recording].id,): batch
            for recording, _, batch in self._runs(found, np.zeros_like(found.block))
        }

    def _runs(self, found: _Rows, number: NDArray[np.int64]) -> list[tuple[int, int, Batch]]:
        """Neighbouring rows of one recording and number."""
        key = np.stack([found.recording, number])
        edges = np.flatnonzero((np.diff(key) != 0).any(axis=0)) + 1
        cuts = [0, *edges.tolist(), key.shape[1]]
        arrays = {"rr_us": found.rr_us, "kind": found.kind, "follows": found.follows}
        return [
            (
                int(key[0, first]),
                int(key[1, first]),
                {name: array[first:stop] for name, array in arrays.items()},
            )
            for first, stop in itertools.pairwise(cuts)
        ]

    def _intervals(self, block: Block) -> _Rows:
        """The intervals of a block, each with its kind."""
        xp, asarray = self.job.backend.xp, self.job.backend.asarray
        row = self.rows[block.number]
        run = self._run_of(row)
        rr = self._microseconds(block)
        own = xp.take(rr, asarray(row - block.first_row))
        arrays = {
            "follows": row != self.run_starts[run],
            "first": row == self.table.first_row[block.recording],
            "labelled": self.by_label[block.recording],
            "normal": self._both_normal(block, row),
            "compared": self.by_jump[block.recording],
        }
        flags = {name: asarray(values) for name, values in arrays.items()}
        median, count = self._median(block, rr, row, run)
        kind = self._kinds(own, flags, median, count)
        finite = xp.where(xp.isfinite(own), own, xp.zeros_like(own))
        limit = 1000.0 * self.train.artefacts.longest_ms
        bounded = xp.minimum(xp.maximum(finite, xp.zeros_like(own)), xp.full_like(own, limit))
        since = block.time_ns[1 + row - block.first_row] - self.begin_ns[block.recording]  # type: ignore[index]
        return _Rows(
            xp.astype(xp.round(bounded), xp.int64),
            kind,
            xp.astype(flags["follows"], xp.int64),
            block.recording,
            since // round(self.train.block_s * _NANOSECONDS),
        )

    def _run_of(self, row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the run that each row of the stream is in."""
        return np.searchsorted(self.run_starts, row, side="right") - 1

    def _microseconds(self, block: Block) -> Array:
        """The channel of a block in microseconds, float64 (row,)."""
        xp, names = self.job.backend.xp, [item.name for item in self.table.channels]
        place = names.index(self.train.channel)
        factor = product_in([self.table.channels[place].unit], "us", "train.channel")
        return xp.astype(block.rows[:, place], xp.float64) * factor

    def _both_normal(self, block: Block, row: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the beats at both ends of each interval are normal; no where nobody says."""
        normal = self.train.normal
        if normal is None or normal.label not in block.labels:
            return np.zeros(len(row), dtype=bool)
        names = self.table.label_names[normal.label]
        codes = [code for code, name in enumerate(names) if name in normal.values]
        is_normal = np.isin(block.labels[normal.label], codes)
        at = row - block.first_row
        begins = row == self.table.first_row[block.recording]
        both: NDArray[np.bool_] = is_normal[at] & is_normal[np.maximum(at - 1, 0)] & ~begins
        return both

    def _median(
        self, block: Block, rr: Array, row: NDArray[np.int64], run: NDArray[np.int64]
    ) -> tuple[Array, Array]:
        """Median of the credible neighbours of each interval in its run, and their number."""
        xp, asarray = self.job.backend.xp, self.job.backend.asarray
        reach = self.train.artefacts.neighbours
        offsets = np.concatenate([np.arange(-reach, 0), np.arange(1, reach + 1)])
        around = row[:, None] + offsets
        inside = (around >= 0) & (around < self.table.row_count)
        inside &= self._run_of(around) == run[:, None]
        at = np.where(inside, around - block.first_row, 0)
        values = xp.reshape(xp.take(rr, asarray(at.reshape(-1))), at.shape)
        there = asarray(inside) & self._is_credible(values)
        return median_of(xp.where(there, values, xp.zeros_like(values)), there)

    def _is_credible(self, rr_us: Array) -> Array:
        """Whether intervals lie in the credible range; false for NaN."""
        limits = self.train.artefacts
        return (rr_us >= 1000.0 * limits.shortest_ms) & (rr_us <= 1000.0 * limits.longest_ms)

    def _kinds(self, rr: Array, flags: dict[str, Array], median: Array, count: Array) -> Array:
        """Kind of each interval, int64 (row,); `_NONE` for the beat that begins a recording."""
        xp = self.job.backend.xp
        far = xp.abs(rr - median) > self.train.artefacts.jump * median
        tests = (
            (_ALONE, flags["compared"] & (count < FEWEST_NEIGHBOURS)),
            (_JUMP, flags["compared"] & (count >= FEWEST_NEIGHBOURS) & far),
            (_RANGE, ~self._is_credible(rr)),
            (_NOT_NORMAL, flags["labelled"] & ~flags["normal"]),
            (_NO_READING, xp.isnan(rr)),
            (_NONE, xp.isnan(rr) & flags["first"]),
        )
        kind = xp.astype(xp.zeros_like(count), xp.int64)
        for code, holds in tests:  # the last that holds stands
            kind = xp.where(holds, xp.full_like(kind, code), kind)
        return kind
