"""The stage `prepare`: raw files of instruments become one dataset.

First pass: batches of files are read in parallel into pieces (`lumipipe.tasks.reading`).
Second pass: shards are written from the pieces, each by one rank. What a file means is in
`lumipipe.readers`, where rows go and how they are written in `lumipipe.store`.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import lumipipe
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.duplicates import duplicate_groups
from lumipipe.readers.units import conversion
from lumipipe.store.assembly import plan_streams
from lumipipe.store.files import remove_tree, sizes_below
from lumipipe.store.joining import (
    join_recordings,
    stream_channels,
    unlike_spellings,
    with_members,
)
from lumipipe.store.manifest import is_published, publishing, read_manifest, staging_of
from lumipipe.store.rows import ChannelRow
from lumipipe.store.second_pass import check_plan, stream_record, write_dataset
from lumipipe.store.sharing import agreed
from lumipipe.tasks.labelling import told_labels, with_labels
from lumipipe.tasks.reading import Job, put_on_grid, read_files
from lumipipe.timing import Timer, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Channel, Request, Source
    from lumipipe.store.entries import RecordingEntry
    from lumipipe.store.first_pass import Pieces
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

_MOST_TOLD = 20  # recordings in a log that ends with an error


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
        If a file, a recording or the plan cannot be used: on all ranks the same. No product is
        left on disk, only what was read well.

    Notes
    -----
    *Method*: a dataset that is published already is left as it is. Files that an earlier call
    read well, killed or not, and that have the same content are not read again, until a
    dataset without left-out recordings is published: then ``OUT/prepare/.pieces`` goes. The
    bytes depend on neither ranks nor workers, nor on what was read by which call.

    *Cost*: each raw file is read once, each row written twice. A worker holds one batch of files
    in the first pass and one shard in the second.
    """
    product = stage.manifest.with_name(f"{stage.key}.zarr")
    pool = stage.manifest.parent / ".pieces"
    job = Job(
        request, base, stage.ingredients["code"], pool, comm, log if comm.rank == 0 else _silent
    )
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
    try:
        with publication as staging:
            comm.barrier()
            with timer.part("prepare"):
                found, run["parallelism"] = _build(job, staging, digests)
            record |= found
            run |= {"ranks": comm.size, "versions": versions()} | timer.record()
    except InputError:
        _tell_kept(job)
        raise
    comm.barrier()
    if comm.rank == 0:
        _free(job, record["left_out"])
    return len(record["left_out"])


def _silent(_: str) -> None:
    """Say nothing, on ranks other than 0."""


def _is_done(job: Job, stage: Stage, product: Path) -> bool:
    """Whether the dataset is published; then what a killed call left is removed."""
    done = is_published(stage.manifest, stage.key)
    if done:
        job.log(f"{stage.manifest.name}: is published already; nothing to do")
        remove_tree(staging_of(product))
        _free(job, read_manifest(stage.manifest).record["left_out"])
    return done


def _free(job: Job, left_out: Sequence[dict[str, Any]]) -> None:
    """Remove all pieces, unless a recording that is left out may be mended and added to them."""
    if left_out:
        _tell_kept(job)
    else:
        remove_tree(job.pool)


def _tell_kept(job: Job) -> None:
    """Say what room is taken by what was read well."""
    if size := sum(sizes_below(job.pool).values()):
        job.log(
            f"kept: {size / 1e6:.1f} MB in {job.pool}, so that a later run reads only what is new "
            "or was left out; freed once nothing is left out"
        )


def _build(
    job: Job, staging: Path, digests: dict[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Read all files, write the dataset into `staging`; returns the record of the manifest."""
    channels = stream_channels(job.request.data, _stored_channel)
    raw = read_files(job)
    left_out = _left_out(job, raw)
    recordings = _without_copies(job, _joined(raw, left_out), left_out)
    channels = with_members(channels, recordings)
    parallelism = {"read": raw.parallelism}
    if job.settings.grid is not None:
        channels = {"main": tuple(channel for rows in channels.values() for channel in rows)}
        names = [channel.name for channel in channels["main"]]
        on_grid = put_on_grid(job, job.settings.grid, raw, recordings, names)
        left_out += _left_out(job, on_grid)
        recordings = _joined(on_grid, left_out)
        parallelism["grid"] = on_grid.parallelism
    told, label_files = told_labels(job, raw)
    recordings = with_labels(recordings, told)
    notes = unlike_spellings(recordings)
    for note in notes:
        job.log(note)
    plans = plan_streams(recordings, channels, job.settings)
    planned = check_plan(job.comm, job.settings, plans, job.log)
    written, parallelism["write"] = write_dataset(
        job.comm, job.settings.workers, (job.pool, staging), recordings, plans, job.log
    )
    digests |= written
    for what, found in parallelism.items():
        job.log(_told(what, found))
    record = {
        "version": lumipipe.__version__,
        "recordings": len(recordings),
        "files_planned": planned,
        "streams": {plan.template.name: stream_record(plan) for plan in plans},
        "inputs": _inputs(job.request.data, raw, label_files),
        "left_out": left_out,
        "notes": notes,
    }
    return record, parallelism


def _told(what: str, found: dict[str, float]) -> str:
    """A line about the achieved parallelism."""
    return (
        f"{what}: {found['busy_s']:.1f} s of work ({found['cpu_s']:.1f} s of a processor) in "
        f"{found['wall_s']:.1f} s by {found['workers']} workers on {found['cores']} cores: "
        f"{found['efficiency']:.0%} busy"
    )


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
        None if channel.columns is None else channel.name,
        channel.axis,
    )


def _joined(pieces: Pieces, left_out: Sequence[dict[str, Any]]) -> list[RecordingEntry]:
    """The recordings of all pieces, ordered and joined; at least one."""
    recordings = join_recordings(pieces.entries)
    if not recordings:
        reason = left_out[0]["reason"] if left_out else "its files hold none"
        raise InputError(
            "data", f"no recording can be used ({reason})", "mend the request or the files"
        )
    return recordings


def _without_copies(
    job: Job, recordings: list[RecordingEntry], left_out: list[dict[str, Any]]
) -> list[RecordingEntry]:
    """Each activity once: where there may be less, the copy with most rows, else none at all."""
    dropped = set()
    for group in duplicate_groups(recordings):
        best = max(group, key=lambda item: sum(stream.rows for stream in item.streams.values()))
        for copy in (item for item in group if item is not best):
            place = f"{copy.file} and {best.file}"
            problem = "hold one activity: start, duration and what is known of device agree"
            if job.settings.bad_recordings == "refuse":
                remedy = "name one of them, or set prepare.bad_recordings: leave_out"
                raise RecordingError(place, problem, remedy)
            job.log(f"left out: {copy.file}: is a copy of {best.file}")
            dropped.add(copy.id)
            left_out.append(
                {
                    "id": copy.id,
                    "source": copy.source,
                    "file": copy.file,
                    "place": place,
                    "reason": problem,
                }
            )
    return [item for item in recordings if item.id not in dropped]


def _left_out(job: Job, pieces: Pieces) -> list[dict[str, Any]]:
    """Recordings that cannot be used; the first is raised where none may be left out."""
    refuse = job.settings.bad_recordings == "refuse"
    worst = next((failure for failure in pieces.failures if failure.fatal or refuse), None)
    for failure in pieces.failures[: None if worst is None else _MOST_TOLD]:
        what = "left out" if worst is None else "cannot be used"
        job.log(f"{what}: {failure.place}: {failure.problem}")
    if worst is not None:
        kind = InputError if worst.fatal else RecordingError
        raise kind(worst.place, worst.problem, worst.remedy)
    return [
        {
            "id": failure.id,
            "source": failure.source,
            "file": failure.file,
            "place": failure.place,
            "reason": failure.problem,
        }
        for failure in pieces.failures
    ]


def _inputs(
    sources: Sequence[Source], raw: Pieces, label_files: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Source to file to digest, files of left-out recordings and of labels included."""
    inputs: dict[str, dict[str, str]] = {
        source.id: dict(label_files[source.id]) for source in sources
    }
    for entry in raw.entries:
        inputs[entry.source][entry.file] = entry.sha256
    for failure in raw.failures:
        if failure.sha256 is not None:
            inputs[failure.source].setdefault(failure.file, failure.sha256)
    return inputs
