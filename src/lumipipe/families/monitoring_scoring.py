"""The scoring of the family `monitoring`: distances, alarms and contributions of all rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config import TimeSplit
from lumipipe.errors import InputError
from lumipipe.families.interface import Pass, recording_spans
from lumipipe.families.money import TODAY
from lumipipe.families.monitoring_decisions import alarm_of, in_alarm
from lumipipe.families.monitoring_training import POOLED, STATISTICS, columns
from lumipipe.families.roles import TEST, Roles, role_of, roles
from lumipipe.metrics.rows import RowsReducer, Together
from lumipipe.metrics.sums import SumsReducer
from lumipipe.models.monitor import contributions, distances, for_rows
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.backend import Array, State
    from lumipipe.config import FixedAlarm
    from lumipipe.families.interface import Block, Job, Model
    from lumipipe.families.monitoring import Event
    from lumipipe.fold import Batch, Leaf
    from lumipipe.store.dataset import StreamTable

_ROWS = {
    "recording": ("int64", ()),
    "row": ("int64", ()),
    "phase": ("int64", ()),
    "event": ("bool", ()),
    "t2": ("float64", ()),
    "spe": ("float64", ()),
    "t2_alarm": ("bool", ()),
    "spe_alarm": ("bool", ()),
    "missing": ("int64", ()),
}
_SUMS = ("t2_contribution", "spe_contribution", "z2")


def score_pass(job: Job, model: Model, stream: str) -> Pass:
    """The pass over all rows of a stream."""
    scoring, table = _Scoring(job, model, stream), job.dataset.streams[stream]
    scoring.check_event()
    plan = plan_windows(
        [row.unit for row in job.dataset.recordings],
        [[span] if span.size else [] for span in recording_spans(table)],
        1,
        1,
        job.train.rows_per_chunk,
    )
    event = job.score.event
    labels = (event.label,) if event is not None and event.label is not None else ()
    return Pass(table, plan, scoring.reducer, scoring.measure, labels)


@dataclass(frozen=True)
class _Scoring:
    """What judges the rows of one stream.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Models and limits of all streams.
    stream : str
        Name of the stream.
    """

    job: Job
    model: Model
    stream: str

    @property
    def table(self) -> StreamTable:
        """The stream."""
        return self.job.dataset.streams[self.stream]

    @property
    def facts(self) -> dict[str, Any]:
        """Limits of each model of the stream."""
        found: dict[str, Any] = self.model.card["streams"][self.stream]["models"]
        return found

    @cached_property
    def inputs(self) -> list[int]:
        """Numbers of the channels that are monitored."""
        return columns(self.job.train.models[self.stream], self.table)[0]

    @cached_property
    def parts(self) -> Roles:
        """Rows that train, calibrate and test."""
        return roles(self.job, self.table)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """First row of each recording in the stream."""
        return np.asarray([span.first for span in recording_spans(self.table)], dtype=np.int64)

    @cached_property
    def models(self) -> dict[str, State]:
        """Parameters of each model, on the device."""
        found = {}
        for key in self.facts:
            prefix = f"{self.stream}/{key}/"
            arrays = {
                name.removeprefix(prefix): array
                for name, array in self.model.arrays.items()
                if name.startswith(prefix)
            }
            found[key] = self.job.backend.state_to_device(arrays)
        return found

    @cached_property
    def ready(self) -> dict[str, State]:
        """The same as distances take them for the rows of this stream."""
        return {key: for_rows(model, self._dtype) for key, model in self.models.items()}

    @property
    def _dtype(self) -> Any:
        """Type of the rows, in the array library."""
        return getattr(self.job.backend.xp, self.table.dtype.name)

    def check_event(self) -> None:
        """Refuse a fault after the end of its recording, or in rows that a date calls normal."""
        event = self.job.score.event
        if event is None or event.from_row is None:
            return
        tests = [span.size > 0 for span in self.parts.test]
        for row, rows, is_tested in zip(
            self.job.dataset.recordings, self.table.rows, tests, strict=True
        ):
            named = event.recordings is None or row.id in event.recordings
            if is_tested and named and event.from_row >= rows:
                raise InputError(
                    "score.event.from_row",
                    f"recording {row.id} ends after row {rows - 1}, before {event.from_row}",
                    "give the first row of the fault, counted from 0",
                )
        self._check_dates(event)

    def _check_dates(self, event: Event) -> None:
        """Refuse a fault that begins in rows which a date calls normal."""
        split = self.job.request.evaluation.split
        if not isinstance(split, TimeSplit) or not split.dates:
            return
        for row, test, first in zip(
            self.job.dataset.recordings, self.parts.test, self.first_rows, strict=True
        ):
            named = event.recordings is None or row.id in event.recordings
            if named and test.size and event.from_row < test.first - first:
                raise InputError(
                    "score.event.from_row",
                    f"{event.from_row} of recording {row.id} lies before row {test.first - first}, "
                    "and up to there rows are normal by evaluation.split",
                    "write earlier dates, or a later fault",
                )

    @property
    def reducer(self) -> Together:
        """Judged rows, and sums of contributions over the rows in alarm."""
        xp = self.job.backend.xp
        sums = SumsReducer(xp, dict.fromkeys(_SUMS, (len(self.inputs),)))
        own = {} if self.today is None else {TODAY: ("bool", ())}
        return Together({"rows": RowsReducer(xp, _ROWS | own), "alarms": sums})

    @cached_property
    def today(self) -> FixedAlarm | None:
        """The alarm of today, where it is on a channel of this stream."""
        alarm = alarm_of(self.job.request)
        names = [channel.name for channel in self.table.channels]
        return alarm if alarm is not None and alarm.channel in names else None

    def _alarm_of_today(self, x: Array) -> dict[str, NDArray[np.bool_]]:
        """Whether the alarm of today is on in each row; nothing where there is none."""
        if self.today is None:
            return {}
        place = [channel.name for channel in self.table.channels].index(self.today.channel)
        values = self.job.backend.to_host(x[:, place])
        return {TODAY: in_alarm(self.today, values.astype(np.float64))}

    def measure(self, block: Block) -> Mapping[Leaf, Batch]:
        """The judged rows of a block, and the contributions of those in alarm."""
        backend, xp = self.job.backend, self.job.backend.xp
        key = self._key(block)
        x = xp.take(block.rows, backend.asarray(block.starts), axis=0)
        today = self._alarm_of_today(x)
        order = backend.asarray(np.asarray(self.inputs, dtype=np.int64))
        x = xp.take(x, order, axis=1)
        found = backend.state_to_host(distances(self.ready[key], x))
        judged = self._judged(block, key, self._with_gaps(key, x, found)) | today
        alarm = (judged["t2_alarm"] | judged["spe_alarm"]) & (judged["phase"] == TEST)
        parts = self._contributions(key, x, alarm)
        parts["z2"] = parts["z"] * parts["z"]
        batch = {name: backend.asarray(array) for name, array in judged.items()}
        return {(): batch | {name: parts[name] for name in _SUMS}}

    def _contributions(self, key: str, x: Array, chosen: NDArray[np.bool_]) -> State:
        """Distances and contributions of some rows, which are few."""
        backend = self.job.backend
        rows = backend.xp.take(x, backend.asarray(np.flatnonzero(chosen)), axis=0)
        return contributions(self.models[key], rows)

    def _with_gaps(
        self, key: str, x: Array, found: dict[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Distances, also of rows in which a value is missing, and how many are."""
        gaps = np.isnan(found["t2"])
        all_rows = {name: found[name].copy() for name in STATISTICS}
        all_rows["missing"] = np.zeros(len(gaps), dtype=np.int64)
        if gaps.any():
            filled = self.job.backend.state_to_host(self._contributions(key, x, gaps))
            for name, array in all_rows.items():
                array[gaps] = filled[name]
        return all_rows

    def _key(self, block: Block) -> str:
        """The model that judges a block."""
        unit = self.job.dataset.recordings[int(block.recording[0])].unit
        own = self.job.train.models[self.stream].one_model_for == "unit"
        key = unit if own else POOLED
        if key not in self.models:
            raise InputError(
                f"unit {key}", "has no normal rows to learn from", "declare some, or leave it out"
            )
        return key

    def _judged(
        self, block: Block, key: str, found: dict[str, NDArray[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Place, phase, distances and alarms of each row."""
        row = block.first_row + block.starts
        phase = role_of(self.parts, block.recording, row)
        judged = {
            "recording": block.recording,
            "row": row - self.first_rows[block.recording],
            "phase": phase,
            "event": self._in_event(block) & (phase == TEST),
            **found,
        }
        for statistic in STATISTICS:
            judged[f"{statistic}_alarm"] = found[statistic] > self._limit(key, statistic)
        return judged

    def _limit(self, key: str, statistic: str) -> float:
        """The limit that raises alarms."""
        limits, kind = self.facts[key]["limits"][statistic], self.job.score.limits
        if limits[kind] is None:
            raise InputError(
                "score.limits",
                f"{limits['left_out_rows']} normal rows of {key} set no {kind} limit at "
                f"{self.job.train.alpha:g}",
                "declare more normal rows, raise train.alpha, or use limits: theoretical",
            )
        return float(limits[kind])

    def _in_event(self, block: Block) -> NDArray[np.bool_]:
        """Whether each row lies in the known fault."""
        event, inside = self.job.score.event, np.zeros(len(block.starts), dtype=bool)
        if event is None:
            return inside
        if event.label is not None:
            inside = block.labels[event.label][block.starts] == self._event_code
        elif event.from_row is not None:
            row = block.first_row + block.starts - self.first_rows[block.recording]
            inside = row >= event.from_row
        if event.recordings is not None:
            ids = [self.job.dataset.recordings[r].id for r in block.recording]
            inside = inside & np.asarray([name in event.recordings for name in ids])
        return inside

    @cached_property
    def _event_code(self) -> int:
        """Code of the label's value during the fault."""
        event = self.job.score.event
        names = self.table.label_names.get(event.label, ())
        if event.value not in names:
            raise InputError(
                "score.event.value",
                f"label {event.label} is never {event.value} in the rows of {self.stream}",
                f"use one of {', '.join(names) or 'the labels of rows'}",
            )
        return names.index(event.value)
