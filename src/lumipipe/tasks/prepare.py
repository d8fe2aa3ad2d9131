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
from lumipipe.language import finding
from lumipipe.readers.declared import LONG_GAPS, OUTSIDE
from lumipipe.readers.duplicates import copied_groups, duplicate_groups
from lumipipe.readers.salvage import SALVAGED
from lumipipe.readers.units import conversion
from lumipipe.store.assembly import plan_streams, row_times
from lumipipe.store.files import remove_tree, sizes_below
from lumipipe.store.joining import (
    join_recordings,
    stream_channels,
    unlike_spellings,
    with_members,
)
from lumipipe.store.manifest import is_published, publishing, read_manifest, staging_of
from lumipipe.store.pieces import PieceArrays
from lumipipe.store.rows import ChannelRow
from lumipipe.store.second_pass import check_plan, stream_record, write_dataset
from lumipipe.store.sharing import agreed
from lumipipe.tasks.adopting import adopt, is_adopted
from lumipipe.tasks.dated import Stamps, refuse_dates
from lumipipe.tasks.labelling import told_labels, with_labels
from lumipipe.tasks.reading import Job, put_on_grid, read_files
from lumipipe.tasks.withdrawn import withdrawn_from
from lumipipe.timing import Timer, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lumipipe.comm.interface import Comm
    from lumipipe.config import Channel, Request, Source
    from lumipipe.store.assembly import StreamPlan
    from lumipipe.store.entries import RecordingEntry, StreamEntry
    from lumipipe.store.first_pass import Pieces
    from lumipipe.tasks.stages import Stage

    Log = Callable[[str], None]

_MOST_TOLD = 20  # recordings in a log that ends with an error


def prepare(  # wires the seams
    request: Request, base: Path, stage: Stage, comm: Comm, log: Log, *, is_sample: bool = False
) -> int:
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
    is_sample : bool
        Whether the product is removed right away, so that no pool has to know of it.

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
    tell = log if comm.rank == 0 else _silent
    gone = withdrawn_from(request, base)
    job = Job(request, base, stage.ingredients["code"], pool, comm, tell, gone)
    if comm.rank == 0 and not is_sample:
        gone.register(stage.manifest.parent.parent)
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
                found, run["parallelism"] = _made(job, staging, digests)
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


def _made(
    job: Job, staging: Path, digests: dict[str, str]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The dataset in `staging`, read or adopted; the record of the manifest, and parallelism."""
    if not is_adopted(job.request):
        return _build(job, staging, digests)
    found = agreed(job.comm, lambda: adopt(job.request, job.base, job.withdrawn, staging, digests))
    return found, {}


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
    agreed(job.comm, lambda: refuse_dates(job.request, _stamps(job, plans)))
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
        "salvaged": _salvaged(job, recordings),
        "outside_period": _told_of(job, raw, OUTSIDE),
        "long_gaps": _told_of(job, raw, LONG_GAPS),
        "notes": notes,
        **job.withdrawn.lineage(entry.unit for entry in recordings),
    }
    return record, parallelism


def _stamps(job: Job, plans: Sequence[StreamPlan]) -> dict[str, list[Stamps]]:
    """The recordings of each stream that is planned."""
    arrays = PieceArrays(job.pool)

    def of(entry: StreamEntry, stream: str) -> Stamps:
        return Stamps(entry.rows, lambda a, b: row_times(entry, arrays, stream, slice(a, b)))

    return {p.template.name: [of(part, p.template.name) for part in p.parts] for p in plans}


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
        channel.certified,
        None if channel.columns is None else channel.name,
        channel.axis,
        channel.gravity,
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
    sources = {source.id: source for source in job.request.data}
    groups = [
        (finding("hold the same bytes"), group) for group in copied_groups(recordings, sources)
    ]
    copied = {copy.id for _, group in groups for copy in group[1:]}
    others = [item for item in recordings if item.id not in copied]
    alike = finding("hold one activity: start, duration and what is known of device agree")
    groups += [(alike, group) for group in duplicate_groups(others)]
    dropped = set()
    for problem, group in groups:
        best = max(group, key=lambda item: sum(stream.rows for stream in item.streams.values()))
        for copy in (item for item in group if item is not best):
            left_out.append(_copy(job, copy, best, problem))
            dropped.add(copy.id)
    return [item for item in recordings if item.id not in dropped]


def _copy(job: Job, copy: RecordingEntry, best: RecordingEntry, problem: str) -> dict[str, Any]:
    """What is said of a copy that is left out; raised where nothing may be."""
    place = f"{copy.file} and {best.file}"
    if job.settings.bad_recordings == "refuse":
        remedy = "name one of them, or set prepare.bad_recordings: leave_out"
        raise RecordingError(place, problem, remedy)
    job.log(f"left out: {copy.file}: is a copy of {best.file}")
    return {
        "id": copy.id,
        "source": copy.source,
        "file": copy.file,
        "place": place,
        "reason": problem,
    }


def _left_out(job: Job, pieces: Pieces) -> list[dict[str, Any]]:
    """Recordings that cannot be used; the first is raised where none may be left out."""
    refuse = job.settings.bad_recordings == "refuse"
    worst = next((failure for failure in pieces.failures if failure.fatal or refuse), None)
    others = [failure for failure in pieces.failures if failure is not worst]
    for failure in others[: None if worst is None else _MOST_TOLD]:
        what = "left out" if worst is None else "cannot be used either"
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


def _salvaged(job: Job, recordings: Sequence[RecordingEntry]) -> list[dict[str, str]]:
    """Recordings that are a part of what their files should hold, and how much of it."""
    found = [item for item in recordings if SALVAGED in item.attributes]
    for item in found:
        job.log(f"salvaged: {item.file}: {item.attributes[SALVAGED]}")
    return [
        {"id": item.id, "file": item.file, "reason": item.attributes[SALVAGED]} for item in found
    ]


def _told_of(job: Job, raw: Pieces, attribute: str) -> list[dict[str, str]]:
    """Recordings that have an attribute by which their files are unlike what was declared."""
    found = [entry for entry in raw.entries if attribute in entry.attributes]
    for entry in found:
        job.log(f"{attribute.replace('_', ' ')}: {entry.file}: {entry.attributes[attribute]}")
    return [
        {"id": e.id, "source": e.source, "file": e.file, "told": e.attributes[attribute]}
        for e in found
    ]


def _inputs(
    sources: Sequence[Source], raw: Pieces, label_files: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Source to file to digest, those of left-out recordings, labels and certificates too."""
    inputs: dict[str, dict[str, str]] = {
        source.id: dict(label_files[source.id]) for source in sources
    }
    for entry in raw.entries:
        inputs[entry.source][entry.file] = entry.sha256
    for failure in raw.failures:
        if failure.sha256 is not None:
            inputs[failure.source].setdefault(failure.file, failure.sha256)
    return inputs
