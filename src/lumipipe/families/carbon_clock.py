"""What the clock tells of the rows of the family `carbon`: gaps, and what should be there."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import InputError
from lumipipe.families.carbon_folding import FIRST, GAP, LAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.carbon_folding import Folding
    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import RecordingRow


@dataclass(frozen=True)
class Noted:
    """Rows that are out of step, in the order of recordings and rows; arrays of shape (row,)."""

    recording: NDArray[np.int64]
    row: NDArray[np.int64]
    kind: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    step_ns: NDArray[np.int64]

    def of(self, kind: int) -> Noted:
        """Those of one kind."""
        mine = self.kind == kind
        return Noted(
            self.recording[mine],
            self.row[mine],
            self.kind[mine],
            self.time_ns[mine],
            self.step_ns[mine],
        )

    def __len__(self) -> int:
        return len(self.row)


def noted_rows(leaves: Leaves) -> Noted:
    """The noted rows of all leaves, in the order of recordings and rows."""
    columns = {
        item.name: np.concatenate(
            [state[f"noted.{item.name}"] for _, state in sorted(leaves.items())]
        )
        for item in fields(Noted)
    }
    order = np.lexsort([columns["kind"], columns["row"], columns["recording"]])
    return Noted(**{name: column[order] for name, column in columns.items()})


@dataclass(frozen=True)
class Clock:
    """Which intervals the rows stand for, and which are missing.

    Parameters
    ----------
    folding : Folding
        Interval, period and stream.
    noted : Noted
        Ends of recordings and rows that are out of step.
    """

    folding: Folding
    noted: Noted

    @property
    def recordings(self) -> tuple[RecordingRow, ...]:
        """All recordings."""
        return self.folding.job.dataset.recordings

    @cached_property
    def edges(self) -> list[tuple[int, int, int]]:
        """Number of each recording, and the begins of its first and last interval."""
        interval = self.folding.interval_ns
        back = interval if self.folding.train.stamp == "ends" else 0
        first, last = self.noted.of(FIRST), self.noted.of(LAST)
        rows = zip(first.recording, first.time_ns - back, last.time_ns - back, strict=True)
        return [(int(recording), int(begin), int(end)) for recording, begin, end in rows]

    @cached_property
    def between(self) -> list[tuple[str, str, int]]:
        """Gaps between recordings of one unit: both names and how many intervals are missing.

        Raises
        ------
        InputError
            If two recordings of one unit overlap.
        """
        if not self.folding.is_dated:
            return []
        rows, found = self.recordings, list[tuple[str, str, int]]()
        ordered = sorted(self.edges, key=lambda edge: (rows[edge[0]].unit, edge[1]))
        for (before, _, end), (after, begin, _) in pairwise(ordered):
            if rows[before].unit != rows[after].unit:
                continue
            if begin <= end:
                raise InputError(
                    f"recording {rows[after].id}",
                    f"begins before recording {rows[before].id} of the same unit ends, so that "
                    "intervals would count twice",
                    "cut one of them with rows, or give them units of their own",
                )
            missing = self.intervals(begin - end) - 1
            if missing > 0:
                found.append((rows[before].id, rows[after].id, missing))
        return found

    def intervals(self, length_ns: int) -> int:
        """How many intervals a stretch of time is."""
        return max(0, round(length_ns / self.folding.interval_ns))

    def missing_intervals(self) -> int:
        """Intervals that no row stands for, between the first and the last row."""
        inside = sum(self.intervals(int(step)) - 1 for step in self.noted.of(GAP).step_ns)
        return inside + sum(missing for _, _, missing in self.between)

    def expected(self, unit: str, month: str | None = None) -> int:
        """Intervals that a unit should have, in all or in a month such as 2026-01."""
        stretches = self._stretches(unit)
        if month is not None:
            at = np.datetime64(month, "M")
            first, stop = (
                int((at + after).astype("datetime64[ns]").astype(np.int64)) for after in (0, 1)
            )
            stretches = [(max(first, begin), min(stop, end)) for begin, end in stretches]
        return sum(self.intervals(end - begin) for begin, end in stretches)

    def _stretches(self, unit: str) -> list[tuple[int, int]]:
        """The period; where none is given, from the first to the last row of the unit."""
        if self.folding.period_ns is not None:
            return [self.folding.period_ns]
        interval = self.folding.interval_ns
        own = [
            (begin, end + interval)
            for recording, begin, end in self.edges
            if self.recordings[recording].unit == unit
        ]
        if not self.folding.is_dated:  # each recording has a clock of its own
            return own
        return [(min(begin for begin, _ in own), max(end for _, end in own))]


def stamp_text(time_ns: int) -> str:
    """A time as text, to the second."""
    return str(np.datetime64(int(time_ns) // NANOSECONDS, "s")).replace("T", " ")
