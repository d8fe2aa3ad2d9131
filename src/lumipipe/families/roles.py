"""Which rows of a table train, calibrate and test, and the blocks that are left out in turn.

Splits that hold out groups are in `lumipipe.splits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import SourceSplit, TimeSplit
from lumipipe.errors import InputError
from lumipipe.families.interface import recording_spans
from lumipipe.partition import Span, share
from lumipipe.splits import refuse_empty_parts, rows_until
from lumipipe.store.rows import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.interface import Job
    from lumipipe.store.dataset import StreamTable

TRAIN, CALIBRATE, TEST = 0, 1, 2
_NS = 1_000_000_000


@dataclass(frozen=True)
class Roles:
    """Which rows of each recording train, calibrate and test."""

    train: list[Span]
    calibrate: list[Span]
    test: list[Span]


def roles(job: Job, table: StreamTable) -> Roles:
    """Rows of each recording that train, calibrate and test, in rows of the stream.

    Raises
    ------
    InputError
        If the split is by seconds and the rows have no rate, or by dates and they have no stamps,
        or none lies in a part.
    """
    split, rows = job.request.evaluation.split, recording_spans(table)
    if isinstance(split, TimeSplit) and split.dates:
        return _by_dates(split, table, rows)
    nothing = [Span(span.first, span.first) for span in rows]
    if isinstance(split, TimeSplit):
        first = [
            Span(span.first, min(span.stop, span.first + _training_rows(split, table, r)))
            for r, span in enumerate(rows)
        ]
        rest = [Span(part.stop, span.stop) for part, span in zip(first, rows, strict=True)]
        return Roles(first, nothing, rest)
    # A recording that was joined of several streams names all its sources.
    sources = [set(row.source.split()) for row in job.dataset.recordings]
    if not isinstance(split, SourceSplit):
        raise TypeError(f"a split by {split.kind} was let through")
    named = {*split.train, *split.calibrate}
    test = set(split.test) or {name for source in sources if not source & named for name in source}
    chosen = [
        [
            span if source & set(names) else empty
            for span, source, empty in zip(rows, sources, nothing, strict=True)
        ]
        for names in (split.train, split.calibrate, test)
    ]
    return Roles(*chosen)


def _by_dates(split: TimeSplit, table: StreamTable, spans: list[Span]) -> Roles:
    """Rows up to one date train, up to the other calibrate; later ones test."""
    parts = Roles([], [], [])
    ends = []
    for recording, span in enumerate(spans):
        until = _until(split, table, recording) if span.size else [0] * len(split.dates)
        train, calibrate = span.first + until[0], span.first + until[-1]
        parts.train.append(Span(span.first, train))
        parts.calibrate.append(Span(train, calibrate))
        parts.test.append(Span(calibrate, span.stop))
        if span.size:
            ends += [int(table.read_time(row, row + 1)[0]) for row in (span.first, span.stop - 1)]
    sums = np.cumsum([sum(span.size for span in own) for own in (parts.train, parts.calibrate)])
    rows = sum(span.size for span in spans)
    refuse_empty_parts(split, sums[: len(split.dates)].tolist(), rows, ends)
    return parts


def _until(split: TimeSplit, table: StreamTable, recording: int) -> list[int]:
    """Rows of a recording up to each date."""
    if int(table.start_ns[recording]) == NO_TIME:
        raise InputError(
            "evaluation.split",
            "train_until is about stamps, and rows of a recording have none of the calendar",
            "use train_first_s or train_first_rows",
        )
    first = int(table.first_row[recording])
    rows, most = int(table.rows[recording]), max(1, table.chunk_rows)
    return rows_until(split, lambda a, b: table.read_time(first + a, first + b), rows, most)


def _training_rows(split: TimeSplit, table: StreamTable, recording: int) -> int:
    """Rows at the start of a recording that train."""
    if split.train_first_rows is not None:
        return split.train_first_rows
    rate = float(table.rate_hz[recording])
    if not np.isfinite(rate):
        raise InputError(
            "evaluation.split",
            "train_first_s needs a rate, and the rows have only an order",
            "use train_first_rows",
        )
    seconds = split.train_first_s or 0.0
    if not table.has_time:
        return int(np.ceil(seconds * rate))
    first = int(table.first_row[recording])
    # Stamps, since rows may be missing and a measured rate is never quite the nominal one.
    time = table.read_time(first, first + int(table.rows[recording]))
    return int(np.searchsorted(time - time[0], round(seconds * _NS), side="left"))


def block_of(
    spans: Sequence[Span], recording: NDArray[np.int64], row: NDArray[np.int64], blocks: int
) -> NDArray[np.int64]:
    """The block of neighbouring rows that each row belongs to.

    Parameters
    ----------
    spans : sequence of Span, length recording
        Rows of each recording that are cut into blocks.
    recording, row : ndarray of int64, shape (row,)
        Recording of each row, and its number in the stream.
    blocks : int
        Blocks of each recording, of nearly equal length.

    Returns
    -------
    ndarray of int64, shape (row,)
        From 0; -1 for a row outside the span of its recording.
    """
    found = np.full(len(row), -1, dtype=np.int64)
    for r in np.unique(recording):
        mine, span = np.flatnonzero(recording == r), spans[r]
        inside = (row[mine] >= span.first) & (row[mine] < span.stop)
        edges = [share(span.size, blocks, b).stop for b in range(blocks)]
        block = np.searchsorted(edges, row[mine] - span.first, side="right")
        found[mine] = np.where(inside, block, -1)
    return found


def role_of(part: Roles, recording: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """TRAIN, CALIBRATE, TEST or -1 for each row, given by recording and number in the stream."""
    role = np.full(len(row), -1, dtype=np.int64)
    for number, spans in ((TRAIN, part.train), (CALIBRATE, part.calibrate), (TEST, part.test)):
        first = np.asarray([span.first for span in spans])[recording]
        stop = np.asarray([span.stop for span in spans])[recording]
        role[(row >= first) & (row < stop)] = number
    return role
