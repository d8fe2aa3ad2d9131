"""How much life remains at each row: from the end of a run to failure, or from a label.

A unit that ran to failure has lived its life at its last row; one that was taken away before has
a label with what remained then. How lives are learnt is `lumipipe.families.remaining_life`'s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from lumipipe.config import GroupSplit, PositiveFloat, Settings, SourceSplit, Text
from lumipipe.errors import InputError
from lumipipe.families.interface import known_of
from lumipipe.readers.labels import number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job
    from lumipipe.store.dataset import RecordingRow, StreamTable


class Life(Settings):
    """What a life is counted in."""

    per: Literal["row", "recording"] = "row"
    """Whether each row is a step of the life, such as a flight, or each recording of a unit, such
    as a short record of vibration now and then."""
    order: Text | None = None
    """Attribute that numbers the recordings of a unit by their time; for lives by recording."""
    step: PositiveFloat = 1.0
    """Life that passes from one row, or one number of a recording, to the next."""
    unit: Text
    """Unit of the life, such as cycles."""


@dataclass(frozen=True)
class LifeClock:
    """Remaining life, age and unit of windows, which are known by their last row.

    Parameters
    ----------
    job : Job
        The request and its data.
    stream : StreamTable
        The stream with the rows.
    life : Life
        What a life is counted in.
    label : str or None
        Label with the life that remains after a unit's last row.
    """

    job: Job
    stream: StreamTable
    life: Life
    label: str | None

    @property
    def recordings(self) -> tuple[RecordingRow, ...]:
        """All recordings, ordered by unit."""
        return self.job.dataset.recordings

    def check(self) -> None:
        """Refuse units on both sides, and several recordings where each row is a step of a life.

        Raises
        ------
        InputError
            As `trains`; or name the column that tells units apart, or count lives by recording.
        """
        _ = self.trains
        unit = [row.unit for row in self.recordings]
        twice = [r for r in range(1, len(unit)) if unit[r] == unit[r - 1]]
        if self.life.per == "row" and twice:
            raise InputError(
                f"unit {unit[twice[0]]}",
                "has several recordings, and a life by rows is one recording",
                "name the column that tells units apart, or set train.life.per: recording",
            )

    @cached_property
    def units(self) -> list[str]:
        """Units that have rows, in the order of recordings."""
        mine = zip(self.recordings, self.stream.rows, strict=True)
        return list(dict.fromkeys(row.unit for row, rows in mine if rows))

    @cached_property
    def unit_of_recording(self) -> NDArray[np.int64]:
        """Number of each recording's unit; -1 where it has no rows."""
        numbers = {unit: number for number, unit in enumerate(self.units)}
        return np.asarray([numbers.get(row.unit, -1) for row in self.recordings], dtype=np.int64)

    @cached_property
    def trains(self) -> NDArray[np.bool_]:
        """Units that teach; those of one side only.

        Raises
        ------
        InputError
            If recordings of one unit are on both sides of the split: call them by two names, or
            hold units out.
        """
        split, sides = self.job.request.evaluation.split, {True: set[str](), False: set[str]()}
        for row in self.recordings:
            teaches = isinstance(split, GroupSplit) or (
                isinstance(split, SourceSplit) and row.source in split.train
            )
            sides[teaches].add(row.unit)
        both = sorted(sides[True] & sides[False])
        if both:
            raise InputError(
                "evaluation.split",
                f"unit {both[0]} both teaches and tests, and a life is lived once",
                "give the units of each source names of their own, or hold units out",
            )
        return np.asarray([unit in sides[True] for unit in self.units], dtype=np.bool_)

    @cached_property
    def left_at_end(self) -> NDArray[np.float64]:
        """Life that remains after the last row of each unit; NaN where nobody knows."""
        last = {row.unit: row for row in self.recordings}
        left = np.where(self.trains, 0.0, np.nan)
        for number, unit in enumerate(self.units):
            text = known_of(last[unit]).get(self.label or "")
            if text is not None:
                left[number] = _life_of(text, f"recording {last[unit].id}: label {self.label}")
        return left

    @cached_property
    def _numbers(self) -> NDArray[np.float64]:
        """Number of each recording among those of its unit, for lives by recording.

        Raises
        ------
        InputError
            If the attribute is no number, or does not rise with the order of recordings.
        """
        order = self.life.order or ""
        found = [number_of(row.attributes.get(order, "")) for row in self.recordings]
        for row, number in zip(self.recordings, found, strict=True):
            if number is None or not math.isfinite(number):
                raise InputError(
                    f"recording {row.id}",
                    f"its attribute {order} is no number",
                    "name in train.life.order the group of recordings.pattern that numbers them",
                )
        numbers = np.asarray(found, dtype=np.float64)
        for r in range(1, len(numbers)):
            same = self.recordings[r].unit == self.recordings[r - 1].unit
            if same and numbers[r] <= numbers[r - 1]:
                raise InputError(
                    f"recording {self.recordings[r].id}",
                    f"its {order} does not rise",
                    "build recordings.id so that it sorts by time, such as {snapshot:05}",
                )
        return numbers

    @cached_property
    def _left_of_recording(self) -> NDArray[np.float64]:
        """Life that remains after the last row of each recording."""
        unit = self.unit_of_recording
        left = np.where(unit >= 0, self.left_at_end[unit], np.nan)
        if self.life.per == "recording":
            ends = self._numbers[self._edge_of_unit(last=True)]
            return left + (ends - self._numbers) * self.life.step
        return left

    def recording(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Recording of each window."""
        # Recordings without rows begin where the next one does, so the last that begins counts.
        return np.searchsorted(self.stream.first_row, number, side="right").astype(np.int64) - 1

    def unit(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of each window's unit."""
        return np.asarray(self.unit_of_recording[self.recording(number)])

    def history(self, number: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows from the beginning of the recording to the last row of each window."""
        return np.asarray(number - self.stream.first_row[self.recording(number)] + 1)

    def remaining(self, number: NDArray[np.int64]) -> NDArray[np.float64]:
        """Life that remains after the last row of each window.

        Parameters
        ----------
        number : ndarray of int64, shape (window,)
            Number in the stream of the last row of each window.

        Returns
        -------
        ndarray of float64, shape (window,)
            In `Life.unit`; NaN where nobody knows.
        """
        recording = self.recording(number)
        left = self._left_of_recording[recording]
        if self.life.per == "recording":
            return np.asarray(left)
        last = self.stream.first_row[recording] + self.stream.rows[recording] - 1
        return np.asarray(left + (last - number) * self.life.step)

    @cached_property
    def lives(self) -> NDArray[np.float64]:
        """Length of each unit's life from its first row on; NaN where nobody knows its end."""
        first = self.stream.first_row[self.stream.rows > 0]
        unit = self.unit_of_recording[self.stream.rows > 0]
        start = np.unique(unit, return_index=True)[1]
        return self.remaining(np.asarray(first[start], dtype=np.int64)) + self.life.step

    def age(self, number: NDArray[np.int64]) -> NDArray[np.float64]:
        """Life that has passed up to the last row of each window."""
        recording = self.recording(number)
        if self.life.per == "row":
            return np.asarray(self.history(number) * self.life.step, dtype=np.float64)
        begun = self._numbers[self._edge_of_unit(last=False)]
        return np.asarray((self._numbers - begun + 1)[recording] * self.life.step)

    def _edge_of_unit(self, *, last: bool) -> NDArray[np.int64]:
        """The first or last recording of each recording's unit."""
        rows = list(enumerate(self.recordings))
        edge = {row.unit: number for number, row in (rows if last else reversed(rows))}
        return np.asarray([edge[row.unit] for row in self.recordings], dtype=np.int64)


def _life_of(text: str, place: str) -> float:
    """A remaining life as a label tells it."""
    number = number_of(text)
    if number is None or not math.isfinite(number) or number < 0:
        raise InputError(place, f"{text!r} is no remaining life", "give a number from 0 up")
    return number
