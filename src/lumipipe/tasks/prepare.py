"""The stage `prepare`: raw files of instruments become one dataset.

First pass: batches of files are read in parallel into pieces. Second pass: shards are written
from the pieces, each by one rank. What a file means is in `lumipipe.readers`, where rows go
and how they are written in `lumipipe.store`.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import lumipipe
from lumipipe.errors import InputError, RecordingError, StoreError
from lumipipe.readers.files import find_files, glob_root, relative_name
from lumipipe.readers.grid import on_grid
from lumipipe.readers.recording import Recording, Stream, read_recordings
from lumipipe.readers.units import conversion
from lumipipe.store.assembly import plan_streams, vocabularies
from lumipipe.store.files import digest_file, remove_tree
from lumipipe.store.first_pass import make_pieces, pack_batches, piece_name
from lumipipe.store.joining import join_recordings, stream_channels, unlike_spellings
from lumipipe.store.manifest import is_published, publishing, read_manifest, staging_of
from lumipipe.store.pieces import Failure, PieceArrays
from lumipipe.store.rows import ChannelRow
from lumipipe.store.second_pass import check_plan, stream_record, write_dataset
from lumipipe.store.sharing import agreed
from lumipipe.timing import Timer, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Channel, Grid, Prepare, Request, Source
    from lumipipe.store.pieces import Piece, RecordingEntry
    from lumipipe.tasks.plan import Stage

    Log = Callable[[str], None]
    Made = tuple[list[Recording], list[Failure]]


@dataclass(frozen=True)
class _File:
    """A raw file and the number of its source in the request."""

    source: int
    path: str
    name: str
    size: int
    changed_ns: int


@dataclass(frozen=True)
class _Job:
    """What all steps of one preparation need."""

    request: Request
    base: Path
    pieces: Path
    comm: Comm
    log: Log

    @property
    def settings(self) -> Prepare:
        """The section `prepare` of the request."""
        return self.request.prepare


def prepare(request: Request, base: Path, stage: Stage, comm: Comm, log: Log) -> int:
    """The number of recordings that were left out of the dataset that this call publishes.

    Parameters
    ----------
    request : Request
        What to prepare; a collective call, with the same request on all ranks.
    base : Path
        Folder of the request, from which its paths start.
    stage : Stage
        Where the manifest will stand (``OUT/prepare/KEY.json``, the dataset beside it as
        ``KEY.zarr``), and what the dataset depends on.
    comm : Comm
        Ranks that share the work.
    log : callable of str
        Is told about progress, on rank 0 only.

    Returns
    -------
    int
        Recordings left out, 0 where ``prepare.bad_recordings`` is ``refuse``.

    Raises
    ------
    InputError
        If a file, a recording or the plan cannot be used: on all ranks the same, with nothing
        left on disk.

    Notes
    -----
    *Method*: a dataset that is published already is left as it is. What a killed call had read
    is used again. The bytes depend on neither ranks nor workers.

    *Cost*: each raw file is read once, each row written twice. A worker holds one batch of files
    in the first pass and one shard in the second.
    """
    product = stage.manifest.with_name(f"{stage.key}.zarr")
    pieces = stage.manifest.parent / f".{stage.key}.pieces"
    job = _Job(request, base, pieces, comm, log if comm.rank == 0 else _silent)
    if agreed(comm, lambda: _is_done(job, stage, product)):
        return len(read_manifest(stage.manifest).record["left_out"])
    record: dict[str, Any] = {"ingredients": stage.ingredients}
    digests: dict[str, str] = {}
    run: dict[str, Any] = {}
    timer = Timer()
    publication = (
        publishing(
            stage.manifest, product, record, key=stage.key, run=run, digests=digests, log=log
        )
        if comm.rank == 0
        else nullcontext(staging_of(product))
    )
    with publication as staging:
        comm.barrier()
        try:
            with timer.part("prepare"):
                record |= _build(job, staging, digests)
            run |= {"ranks": comm.size, "seconds": timer.rounded(), "versions": versions()}
        except InputError as error:
            # Only what the user must mend ends here: all ranks have agreed and touch nothing.
            if comm.rank == 0 and not isinstance(error, StoreError):
                remove_tree(pieces)
            raise
    comm.barrier()
    if comm.rank == 0:
        remove_tree(pieces)
    return len(record["left_out"])


def _silent(_: str) -> None:
    """Say nothing, on ranks other than 0."""


def _is_done(job: _Job, stage: Stage, product: Path) -> bool:
    """Whether the dataset is published; then what a killed call left is removed."""
    done = is_published(stage.manifest, stage.key)
    if done:
        job.log(f"{stage.manifest.name}: is published already; nothing to do")
        remove_tree(staging_of(product))
        remove_tree(job.pieces)
    return done


def _build(job: _Job, staging: Path, digests: dict[str, str]) -> dict[str, Any]:
    """Read all files, write the dataset into `staging`; returns the record of the manifest."""
    channels = stream_channels(job.request.data, _stored_channel)
    files = [_File(**file) for file in agreed(job.comm, lambda: _list_files(job))]
    raw = pieces = _read_files(job, files)
    left_out = _left_out(job, pieces)
    recordings = _joined(pieces, left_out)
    if job.settings.grid is not None:
        every = tuple(channel for rows in channels.values() for channel in rows)
        channels = {"main": every}
        pieces = _grid(job, job.settings.grid, pieces, recordings, every)
        left_out += _left_out(job, pieces)
        recordings = _joined(pieces, left_out)
    notes = unlike_spellings(recordings)
    for note in notes:
        job.log(note)
    plans = plan_streams(recordings, channels, vocabularies(pieces), job.settings)
    planned = check_plan(job.comm, job.settings, plans, job.log)
    folders = (job.pieces, staging)
    digests |= write_dataset(job.comm, job.settings.workers, folders, recordings, plans, job.log)
    return {
        "version": lumipipe.__version__,
        "recordings": len(recordings),
        "files_planned": planned,
        "streams": {plan.template.name: stream_record(plan) for plan in plans},
        "inputs": _inputs(job.request.data, raw),
        "left_out": left_out,
        "notes": notes,
    }


def _stored_channel(channel: Channel, place: str) -> ChannelRow:
    """A channel of the request in the unit in which it is stored."""
    factor, offset, unit = conversion(channel.quantity, channel.unit, place)
    limits = channel.range and (
        channel.range[0] * factor + offset,
        channel.range[1] * factor + offset,
    )
    return ChannelRow(
        channel.name,
        channel.quantity,
        unit,
        limits,
        channel.resolution and channel.resolution * factor,
        channel.scale and channel.scale * factor,
        channel.sensor,
        channel.certificate,
    )


def _joined(pieces: Sequence[Piece], left_out: Sequence[dict[str, Any]]) -> list[RecordingEntry]:
    """The recordings of all pieces, ordered and joined; at least one."""
    recordings = join_recordings([entry for piece in pieces for entry in piece.recordings])
    if not recordings:
        reason = left_out[0]["reason"] if left_out else "its files hold none"
        raise InputError(
            "data", f"no recording can be used ({reason})", "mend the request or the files"
        )
    return recordings


def _list_files(job: _Job) -> list[dict[str, Any]]:
    """All raw files in the order of sources and names."""
    files = []
    for number, source in enumerate(job.request.data):
        root = glob_root(source, job.base)
        for path in find_files(source, job.base):
            state = path.stat()
            name = relative_name(source, path, root)
            files.append(asdict(_File(number, str(path), name, state.st_size, state.st_mtime_ns)))
    return files


def _read_files(job: _Job, files: Sequence[_File]) -> list[Piece]:
    """Pieces of all files, packed by bytes."""
    sizes = [file.size for file in files]
    batches = pack_batches(sizes, job.settings)
    job.log(f"{len(files)} raw files, {sum(sizes)} bytes, in {len(batches)} batches")
    how = [source.model_dump(mode="json") for source in job.request.data]
    how.append(job.settings.model_dump(mode="json", include={"dtype"}))
    names = [
        piece_name("raw", number, [how, [asdict(files[item]) for item in batch]])
        for number, batch in enumerate(batches)
    ]
    return _make_pieces(job, names, lambda number: _read_batch(job, files, batches[number]))


def _make_pieces(job: _Job, names: Sequence[str], make: Callable[[int], Made]) -> list[Piece]:
    """Pieces by these names, those of a killed call as they are."""
    if job.comm.rank == 0:
        job.pieces.mkdir(parents=True, exist_ok=True)
    job.comm.barrier()
    folders = [job.pieces / name for name in names]
    return make_pieces(job.comm, job.settings.workers, folders, make, job.log)


def _read_batch(job: _Job, files: Sequence[_File], batch: range) -> Made:
    """Recordings of a batch of files, and what could not be used."""
    recordings: list[Recording] = []
    failures: list[Failure] = []
    for file in (files[item] for item in batch):
        source = job.request.data[file.source]
        try:
            recordings += read_recordings(
                source,
                Path(file.path),
                job.settings,
                f"source {source.id}",
                glob_root(source, job.base),
            )
        except InputError as error:
            digest = digest_file(Path(file.path))
            failures.append(_failure(job, error, (None, source.id, file.name, digest)))
    return recordings, failures


def _failure(
    job: _Job, error: InputError, what: tuple[str | None, str, str, str | None]
) -> Failure:
    """An error about `what` (id, source, file, digest); paths begin at the request's folder."""
    words = (error.place, error.problem, error.remedy)
    place, problem, remedy = (text.replace(f"{job.base}/", "") for text in words)
    return Failure(*what, place, problem, remedy, not isinstance(error, RecordingError))


def _left_out(job: _Job, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """Recordings that cannot be used; the first is raised where none may be left out."""
    failures = [failure for piece in pieces for failure in piece.failures]
    refuse = job.settings.bad_recordings == "refuse"
    for failure in failures:
        if failure.fatal or refuse:
            kind = InputError if failure.fatal else RecordingError
            raise kind(failure.place, failure.problem, failure.remedy)
    for failure in failures:
        job.log(f"left out: {failure.place}: {failure.problem}")
    return [
        {
            "id": failure.id,
            "source": failure.source,
            "file": failure.file,
            "place": failure.place,
            "reason": failure.problem,
        }
        for failure in failures
    ]


def _grid(
    job: _Job,
    grid: Grid,
    pieces: Sequence[Piece],
    recordings: Sequence[RecordingEntry],
    channels: tuple[ChannelRow, ...],
) -> list[Piece]:
    """New pieces, in which each recording has all channels on one grid."""
    parts: dict[str, list[RecordingEntry]] = {}
    for entry in (entry for piece in pieces for entry in piece.recordings):
        parts.setdefault(entry.id, []).append(entry)
    groups = [parts[recording.id] for recording in recordings]
    sizes = [
        sum(8 * s.rows * len(s.channels) for entry in group for s in entry.streams.values())
        for group in groups
    ]
    batches = pack_batches(sizes, job.settings)
    names = [
        piece_name(
            "grid", number, [grid.model_dump(), [asdict(e) for i in batch for e in groups[i]]]
        )
        for number, batch in enumerate(batches)
    ]
    codes = vocabularies(pieces)

    def make(number: int) -> Made:
        found: list[Recording] = []
        failures: list[Failure] = []
        for group in (groups[item] for item in batches[number]):
            try:
                found.append(
                    _complete(on_grid([_load(job, part, codes) for part in group], grid), channels)
                )
            except InputError as error:
                first = group[0]
                failures.append(_failure(job, error, (first.id, first.source, first.file, None)))
        return found, failures

    return _make_pieces(job, names, make)


def _complete(recording: Recording, channels: tuple[ChannelRow, ...]) -> Recording:
    """The recording, if it has all channels of the grid."""
    missing = [row.name for row in channels if row.name not in recording.streams["main"].channels]
    if missing:
        raise RecordingError(
            f"{recording.file}: recording {recording.id}",
            f"no file gives it {', '.join(missing)}",
            "add the file or leave the recording out",
        )
    return recording


def _load(
    job: _Job, entry: RecordingEntry, codes: dict[tuple[str, str, str], list[str]]
) -> Recording:
    """A recording of a piece as its reader gave it."""
    arrays = PieceArrays(job.pieces)
    streams = {}
    for name, stream in entry.streams.items():
        labels = {}
        for label in stream.labels:
            names = np.asarray([*codes[stream.piece, name, label], ""])
            labels[label] = names[arrays.rows(stream, name, f"label.{label}")]
        streams[name] = Stream(
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
    fields = {
        name: getattr(entry, name)
        for name in ("id", "unit", "source", "file", "sha256", "attributes", "labels")
    }
    return Recording(**fields, streams=streams, notes=tuple(entry.notes))


def _known(value: float | None) -> float:
    """A number from JSON, which has no NaN."""
    return np.nan if value is None else value


def _inputs(sources: Sequence[Source], pieces: Sequence[Piece]) -> dict[str, dict[str, str]]:
    """Source to file to digest, files of left-out recordings included."""
    inputs: dict[str, dict[str, str]] = {source.id: {} for source in sources}
    for piece in pieces:
        for entry in piece.recordings:
            inputs[entry.source][entry.file] = entry.sha256
        for failure in piece.failures:
            if failure.sha256 is not None:
                inputs[failure.source].setdefault(failure.file, failure.sha256)
    return inputs
