"""A part of a published dataset, so that a request for it is quoted without running on all of it.

Its manifest tells how many bytes there are; recordings are taken evenly, and of few large ones the
first rows. What the samples are for is in `lumipipe.tasks.quoting.sampling`.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.comm import SerialComm
from lumipipe.pool.card import CARD, read_card
from lumipipe.readers.files import find_files
from lumipipe.readers.recording import Recording, Stream
from lumipipe.store.assembly import plan_streams
from lumipipe.store.dataset import NO_TIME, open_dataset
from lumipipe.store.files import write_bytes
from lumipipe.store.manifest import publishing, read_manifest
from lumipipe.store.pieces import write_piece
from lumipipe.store.rows import NO_LABEL
from lumipipe.store.second_pass import stream_record, write_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lumipipe.config import Request
    from lumipipe.pool.card import Card
    from lumipipe.store.dataset import Dataset, RecordingRow, StreamTable
    from lumipipe.tasks.quoting.rawsample import RawFile

_STEM = "sample"
_GOLDEN = (5**0.5 - 1) / 2


def published_sample(
    request: Request, base: Path, chosen: Sequence[Sequence[RawFile]], folder: Path
) -> list[dict[str, object]]:
    """What each source of a request has to say to be about a part of its published dataset.

    Parameters
    ----------
    request : Request
        All its sources name one card.
    base : Path
        Folder of the request.
    chosen : sequence of sequence of RawFile
        The card, with the bytes that are taken of its dataset, first of all sources.
    folder : Path
        Where a dataset with a card of its own is put, unless all is taken.

    Returns
    -------
    list of dict
        New values of the keys ``source`` and ``sha256`` of each source.
    """
    taken = chosen[0][0]
    (path,) = find_files(request.data[0], base)
    if taken.whole:
        return [{"source": str(path.resolve())} for _ in request.data]
    card = read_card(path)
    dataset = open_dataset(path.parent / card.manifest)
    made = _write(request, dataset, card, taken.size / max(1, card.size), folder)
    return [{"source": str(made), "sha256": None} for _ in request.data]


def _write(request: Request, dataset: Dataset, card: Card, share: float, folder: Path) -> Path:
    """The card of a dataset with about a share of another, written here."""
    every = len(dataset.recordings)
    count = min(every, max(1, ceil(share * every)))
    part = share * every / count
    # Every fourth recording may be of one class; by the golden ratio no period is met.
    numbers = np.sort(np.argsort(np.arange(every) * _GOLDEN % 1.0, kind="stable")[:count])
    recordings = [_recording(dataset, int(number), part) for number in numbers]
    pool = folder / "pieces"
    entries = write_piece(pool, "part", {"all": recordings}).items["all"]
    channels = {name: table.channels for name, table in dataset.streams.items()}
    plans = plan_streams(entries, channels, request.prepare)
    record = dataset.manifest.record | {
        "recordings": count,
        "streams": {plan.template.name: stream_record(plan) for plan in plans},
    }
    manifest = folder / f"{_STEM}.json"
    with publishing(manifest, folder / f"{_STEM}.zarr", record) as staging:
        write_dataset(SerialComm(), 1, (pool, staging), entries, plans, _unheard)
    # The border was crossed by the whole; this part lies in a folder that is removed.
    facts = {"manifest": manifest.name, "digest": read_manifest(manifest).digest}
    text = card.model_copy(update=facts).model_dump_json()
    write_bytes(folder / CARD, text.encode())
    return folder / CARD


def _recording(dataset: Dataset, number: int, part: float) -> Recording:
    """A recording of a dataset, or its first rows where less than half of them are taken."""
    row: RecordingRow = dataset.recordings[number]
    streams = {
        name: _stream(table, number, part)
        for name, table in dataset.streams.items()
        if table.rows[number]
    }
    known = (row.id, row.unit, row.source, row.file, row.sha256, row.attributes, row.labels)
    return Recording(*known, streams=streams, notes=row.notes)


def _stream(table: StreamTable, number: int, part: float) -> Stream:
    """The rows of a recording in a stream, or the first of them."""
    first, rows = int(table.first_row[number]), int(table.rows[number])
    rows = rows if 2 * part >= 1 else max(1, ceil(part * rows))
    stop = first + rows
    segments = [(s.first, min(s.stop, stop)) for s in table.segments[number] if s.first < stop]
    start = int(table.start_ns[number])
    return Stream(
        values=table.read_rows(first, stop),
        time_ns=table.read_time(first, stop) if table.has_time else None,
        start_ns=None if start == NO_TIME else start,
        rate_hz=float(table.rate_hz[number]),
        rate_u_hz=float(table.rate_u_hz[number]),
        nominal_hz=float(table.nominal_hz[number]),
        segments=np.asarray([(a - first, b - a) for a, b in segments], dtype=np.int64),
        labels={
            name: np.asarray([*names, ""])[_codes(table, name, first, stop)]
            for name, names in table.label_names.items()
        },
        channels=tuple(channel.name for channel in table.channels),
        units=tuple(channel.unit for channel in table.channels),
    )


def _codes(table: StreamTable, name: str, first: int, stop: int) -> np.ndarray:
    """Codes of a label; the last place stands for none."""
    codes = table.read_labels(name, first, stop)
    return np.where(codes == NO_LABEL, len(table.label_names[name]), codes)


def _unheard(line: str) -> None:
    """Ignore a line of progress."""
