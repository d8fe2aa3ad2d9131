"""The first passes of `prepare`: raw files become recordings, and these go to a common grid.

What is read, how, and what is said where it fails is decided here; who reads it and what is
used again by `lumipipe.store.first_pass`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.costs import gridding_cost, reading_cost
from lumipipe.readers.files import find_files, glob_root, relative_name, source_digest
from lumipipe.readers.grid import on_grid
from lumipipe.readers.recording import (
    Recording,
    Stream,
    Unusable,
    beside_digests,
    usable_recordings,
)
from lumipipe.store.batches import Item
from lumipipe.store.files import digest_of
from lumipipe.store.first_pass import Failure, Reading, make_pieces
from lumipipe.store.pieces import PieceArrays
from lumipipe.store.sharing import agreed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Grid, Prepare, Request
    from lumipipe.readers.costs import Cost
    from lumipipe.store.entries import RecordingEntry, StreamEntry
    from lumipipe.store.first_pass import Pieces
    from lumipipe.tasks.withdrawn import Withdrawn

    Log = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What all steps of one preparation need.

    Parameters
    ----------
    request : Request
        What to prepare.
    base : Path
        Folder of the request, from which its paths start.
    code : str
        Digest of the code that reads.
    pool : Path
        Folder of the pieces.
    comm : Comm
        Ranks that share the work.
    log : callable of str
        Is told about progress.
    withdrawn : Withdrawn
        Whose recordings are passed over.
    """

    request: Request
    base: Path
    code: str
    pool: Path
    comm: Comm
    log: Log
    withdrawn: Withdrawn

    @property
    def settings(self) -> Prepare:
        """The section `prepare` of the request."""
        return self.request.prepare


@dataclass(frozen=True)
class _File:
    """A raw file, its name below its source, and the number of the source in the request."""

    source: int
    path: Path
    name: str
    item: Item


def read_files(job: Job) -> Pieces:
    """The recordings of all raw files, in the order of sources and names.

    Parameters
    ----------
    job : Job
        A collective call.

    Returns
    -------
    Pieces
        One item a file.
    """
    listed = agreed(job.comm, lambda: _list_files(job))
    files = [
        _File(source, Path(path), name, Item(key, *cost))
        for source, path, name, key, cost in listed
    ]

    def read(number: int) -> list[Recording | Failure]:
        file = files[number]
        source = job.request.data[file.source]
        root = glob_root(source, job.base)
        place = f"source {source.id}"
        gone = job.withdrawn
        found = list(usable_recordings(source, file.path, job.settings, place, root, gone.holds))
        if len(found) == 1 and isinstance(found[0], Unusable):  # it is the file that is bad
            raise found[0].error
        return [
            _failure(job, item.error, (item.id, source.id, file.name, item.sha256))
            if isinstance(item, Unusable)
            else item
            for item in found
        ]

    def content(number: int) -> str:
        return source_digest(files[number].path, job.request.data[files[number].source])

    def failure(number: int, error: InputError | OSError) -> Failure:
        file = files[number]
        try:
            digest = content(number)
        except OSError as unreadable:
            digest, error = None, unreadable
        return _failure(job, error, (None, job.request.data[file.source].id, file.name, digest))

    reading = Reading(
        "raw",
        "raw files",
        [file.item for file in files],
        read,
        content,
        failure,
    )
    return make_pieces(job.comm, reading, job.pool, job.settings, job.log)


def _list_files(job: Job) -> list[tuple[int, str, str, str, Cost]]:
    """All raw files: source, path, name, key and cost; in the order of sources and names."""
    files = []
    for number, (source, how) in enumerate(zip(job.request.data, _ways(job), strict=True)):
        root = glob_root(source, job.base)
        for path in find_files(source, job.base):
            name = relative_name(source, path, root)
            cost = reading_cost(source.format, name, path.stat().st_size)
            key = digest_of([how, name, beside_digests(source, path)])
            files.append((number, str(path), name, key, cost))
    return files


def _ways(job: Job) -> list[str]:
    """For each source, the digest of all that decides what a file's content becomes.

    Where somebody has withdrawn, that is a part of it: what was read before is read anew.

    The path is no part of it: a file in a folder that was moved is read in the same way.
    """
    settings = job.settings.model_dump(mode="json", include={"dtype", "grid"})
    gone = sorted(job.withdrawn.digests)
    return [digest_of([job.code, source.deciding(), settings, gone]) for source in job.request.data]


def _failure(
    job: Job, error: InputError | OSError, what: tuple[str | None, str, str, str | None]
) -> Failure:
    """An error about `what` (id, source, file, digest); paths begin at the request's folder."""
    if isinstance(error, OSError):
        # What could not be read may be whole: to leave it out would be to guess its content.
        problem = f"cannot be read ({error.strerror or error})"
        error = InputError(what[2], problem, "run the same command again; the others are kept")
    words = (error.place, error.problem, error.remedy)
    place, problem, remedy = (text.replace(f"{job.base}/", "") for text in words)
    return Failure(*what, place, problem, remedy, not isinstance(error, RecordingError))


def put_on_grid(
    job: Job, grid: Grid, raw: Pieces, recordings: Sequence[RecordingEntry], channels: Sequence[str]
) -> Pieces:
    """Recordings with all channels on one grid, in the order in which they are given.

    Parameters
    ----------
    job : Job
        A collective call.
    grid : Grid
        The grid.
    raw : Pieces
        What the files gave.
    recordings : sequence of RecordingEntry
        The same, those of several files joined.
    channels : sequence of str
        Names of the channels that each recording must have.

    Returns
    -------
    Pieces
        One item a recording.
    """
    parts: dict[str, list[RecordingEntry]] = {}
    for entry in raw.entries:
        parts.setdefault(entry.id, []).append(entry)
    how = _ways(job)

    def read(number: int) -> list[Recording]:
        group = [_load(job.pool, part) for part in parts[recordings[number].id]]
        return [_complete(on_grid(group, grid), channels)]

    def failure(number: int, error: InputError | OSError) -> Failure:
        first = parts[recordings[number].id][0]
        return _failure(job, error, (first.id, first.source, first.file, None))

    reading = Reading(
        "grid",
        "recordings for the grid",
        [_grid_item(how, parts[recording.id]) for recording in recordings],
        read,
        lambda number: recordings[number].sha256,
        failure,
    )
    return make_pieces(job.comm, reading, job.pool, job.settings, job.log)


def _grid_item(how: list[str], parts: Sequence[RecordingEntry]) -> Item:
    """A recording on its way to the grid."""
    size = sum(8 * s.rows * len(s.channels) for part in parts for s in part.streams.values())
    files = [[part.source, part.file] for part in parts]
    return Item(digest_of([how, parts[0].id, files]), *gridding_cost(size))


def _complete(recording: Recording, channels: Sequence[str]) -> Recording:
    """The recording, if it has all channels of the grid."""
    missing = [name for name in channels if name not in recording.streams["main"].channels]
    if missing:
        raise RecordingError(
            f"{recording.file}: recording {recording.id}",
            f"no file gives it {', '.join(missing)}",
            "add the file or leave the recording out",
        )
    return recording


def _load(pool: Path, entry: RecordingEntry) -> Recording:
    """A recording of a piece as its reader gave it."""
    arrays = PieceArrays(pool)
    fields = {
        name: getattr(entry, name)
        for name in ("id", "unit", "source", "file", "sha256", "attributes", "labels")
    }
    streams = {name: _load_stream(arrays, name, stream) for name, stream in entry.streams.items()}
    return Recording(**fields, streams=streams, notes=tuple(entry.notes))


def _load_stream(arrays: PieceArrays, name: str, stream: StreamEntry) -> Stream:
    """One stream of a recording of a piece."""
    labels = {
        # The last place of the table answers for no label, whose code is -1.
        label: np.asarray([*names, ""])[arrays.rows(stream, name, f"label.{label}")]
        for label, names in stream.labels.items()
    }
    return Stream(
        values=np.asarray(arrays.rows(stream, name, "value"), dtype=stream.dtype),
        time_ns=np.asarray(arrays.rows(stream, name, "time")) if stream.has_time else None,
        start_ns=stream.start_ns,
        rate_hz=_known(stream.rate_hz),
        rate_u_hz=_known(stream.rate_u_hz),
        nominal_hz=_known(stream.nominal_hz),
        segments=np.asarray(arrays.segments(stream, name)),
        labels=labels,
        channels=tuple(stream.channels),
        units=tuple(stream.units),
    )


def _known(value: float | None) -> float:
    """A number from JSON, which has no NaN."""
    return np.nan if value is None else value
