"""Targets that were measured apart from the inputs, such as laboratory samples: joined by time.

Nothing is interpolated: a sample belongs to the nearest row, or to none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from lumipipe.config import Identifier, Settings
from lumipipe.errors import InputError
from lumipipe.store.rows import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.interface import Job
    from lumipipe.store.dataset import StreamTable

_NS = 1_000_000_000


class Reference(Settings):
    """Where targets stand that were measured apart from the inputs."""

    stream: Identifier
    """Stream of the same recordings with the targets as channels."""
    tolerance_s: Annotated[float, Field(ge=0)] | None = None
    """Longest time from a sample to its row; needed where the rows have times."""


def joined_targets(
    job: Job, stream: StreamTable, reference: Reference, targets: Sequence[str]
) -> NDArray[np.float64]:
    """Targets of each row of a stream, from the samples of another stream.

    Parameters
    ----------
    job : Job
        The request and its data.
    stream : StreamTable
        The stream with the inputs.
    reference : Reference
        Where the samples are.
    targets : sequence of str
        Their channels.

    Returns
    -------
    ndarray of float64, shape (row, target)
        NaN for rows without a sample. Of samples that are nearest to one row, the nearest counts.

    Raises
    ------
    InputError
        If rows and samples of a recording have neither times of one kind nor one number, or no
        sample is near enough to any row.
    """
    samples = job.dataset.streams[reference.stream]
    names = [channel.name for channel in samples.channels]
    values = np.asarray(samples.read_rows(0, samples.row_count), dtype=np.float64)
    values = values[:, [names.index(target) for target in targets]]
    found = np.full((stream.row_count, len(targets)), np.nan)
    for number, recording in enumerate(job.dataset.recordings):
        own = slice(int(samples.first_row[number]), int(_stop(samples, number)))
        first, stop = int(stream.first_row[number]), int(_stop(stream, number))
        if own.stop > own.start and stop > first:
            place = f"recording {recording.id}"
            row, near = _rows(stream, samples, number, reference.tolerance_s, place)
            found[first + row] = values[own][near]
    if not np.isfinite(found).any():
        raise InputError(
            "train.reference",
            "no sample is near enough to any row",
            "check that both streams have the same recordings, and tolerance_s",
        )
    return found


def _stop(stream: StreamTable, number: int) -> int:
    """Row after the last of a recording."""
    return int(stream.first_row[number] + stream.rows[number])


def _rows(
    stream: StreamTable, samples: StreamTable, number: int, tolerance_s: float | None, place: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of a recording with a sample, and which of its samples that is."""
    when, sampled = (
        part.read_time(int(part.first_row[number]), _stop(part, number))
        for part in (stream, samples)
    )
    ordered = [bool((times == NO_TIME).any()) for times in (when, sampled)]
    if all(ordered):
        if len(when) != len(sampled):
            raise InputError(
                place,
                f"has {len(when)} rows but {len(sampled)} samples, and no times",
                "give both streams times, or one sample a row",
            )
        return np.arange(len(when)), np.arange(len(when))
    unlike = (stream.start_ns[number] == NO_TIME) != (samples.start_ns[number] == NO_TIME)
    if any(ordered) or unlike:
        raise InputError(
            place,
            "its rows and samples have times of unlike kinds",
            "declare both since 1970, both since the start of the recording, or both as order",
        )
    if tolerance_s is None:
        raise InputError(
            "train.reference", f"{place} has times", "say how near is near enough: tolerance_s"
        )
    return _nearest(when, sampled, round(tolerance_s * _NS))


def _nearest(
    when: NDArray[np.int64], sampled: NDArray[np.int64], tolerance_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows that are nearest to a sample and near enough, and the nearest of their samples.

    Examples
    --------
    >>> _nearest(np.array([0, 10, 20]), np.array([1, 12, 19, 40]), 2)
    (array([0, 1, 2]), array([0, 1, 2]))
    """
    after = np.clip(np.searchsorted(when, sampled), 1, max(1, len(when) - 1))
    before = np.minimum(after - 1, len(when) - 1)
    after = np.minimum(after, len(when) - 1)
    row = np.where(sampled - when[before] <= when[after] - sampled, before, after)
    away = np.abs(when[row] - sampled)
    order = np.lexsort((away, row))
    kept = order[away[order] <= tolerance_ns]
    row, first = np.unique(row[kept], return_index=True)
    return row, kept[first]
