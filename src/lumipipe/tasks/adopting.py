"""A published dataset as the data of a request: it is linked or copied, and no raw file is read.

Its card states the terms, which `lumipipe.tasks.deciding` asks; the digest of its manifest in the
card is compared, and that of every file.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.pool.card import read_card
from lumipipe.readers import PUBLISHED
from lumipipe.readers.files import find_files
from lumipipe.readers.units import conversion
from lumipipe.store.dataset import open_dataset
from lumipipe.store.files import digest_file
from lumipipe.tasks.dated import refuse_dates, stamps_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lumipipe.config import Request, Source
    from lumipipe.pool.card import Card
    from lumipipe.store.dataset import Dataset, RecordingRow
    from lumipipe.tasks.withdrawn import Withdrawn

_AGAIN = "publish the data anew, with another request"


def is_adopted(request: Request) -> bool:
    """Whether the data of a request are a published dataset."""
    return any(source.format == PUBLISHED for source in request.data)


def check_adopted(request: Request) -> None:
    """Refuse what a published dataset cannot be asked for.

    Raises
    ------
    InputError
        If it is mixed with raw files or another dataset, or should be read in another way.
    """
    if not is_adopted(request):
        return
    first = request.data[0]
    for source in request.data:
        place = f"source {source.id}"
        if (source.format, source.source) != (PUBLISHED, first.source):
            problem = "is not of the same published data set as the others"
            raise InputError(place, problem, "name the card of one in all sources")
        if source.read or source.rows is not None:
            problem = "read and rows are for raw files, and the data are published"
            raise InputError(place, problem, "leave them out")
    if request.prepare.grid is not None or request.prepare.dtype != "source":
        problem = "grid and dtype were decided when the data were published"
        raise InputError("prepare", problem, "leave them out")


def adopt(
    request: Request, base: Path, gone: Withdrawn, staging: Path, digests: dict[str, str]
) -> dict[str, Any]:
    """Put the store of a published dataset into a folder, and return the record of its manifest.

    Parameters
    ----------
    request : Request
        All its sources name one card.
    base : Path
        Folder of the request.
    gone : Withdrawn
        Who has withdrawn from its pool.
    staging : Path
        Where the store is built.
    digests : dict of str to str
        Is given the digest of each file.

    Raises
    ------
    InputError
        If the store is not the one of its card, holds somebody who withdrew, or has other channels
        or sources than the request says.
    """
    (path,) = find_files(request.data[0], base)
    card = read_card(path)
    _check_persons(request, card, str(path))
    dataset = open_dataset(path.parent / card.manifest, checksums=True)
    if dataset.manifest.digest != card.digest:
        raise InputError(str(path), "is the card of another data set", "put back a copy")
    if any(gone.holds(row.unit) for row in dataset.recordings):
        raise InputError(str(path), "holds somebody who has withdrawn", "use a newer version")
    _check_sources(request, dataset.recordings)
    for source in request.data:
        _check_channels(source, dataset)
    refuse_dates(request, stamps_of(dataset))
    shutil.copytree(dataset.manifest.product, staging, copy_function=_linked, dirs_exist_ok=True)
    digests |= {name: file.sha256 for name, file in dataset.manifest.files.items()}
    record = {key: value for key, value in dataset.manifest.record.items() if key != "units"}
    inputs = {source.id: {path.name: digest_file(path)} for source in request.data}
    return record | {"inputs": inputs} | gone.lineage(row.unit for row in dataset.recordings)


def _check_persons(request: Request, card: Card, place: str) -> None:
    """Refuse data of persons where the request says less of them, or a withdrawal would miss it."""
    if card.personal_data == "none":
        return
    rights = request.rights
    if rights.personal_data == "none":
        problem = f"has personal_data: {card.personal_data}, and the request says none"
        raise InputError(place, problem, f"set rights.personal_data: {card.personal_data}")
    if rights.pool is None:
        problem = "holds data of persons, and a withdrawal would not find this run"
        raise InputError(place, problem, "set rights.pool to its pool")


def _linked(file: str, copy: str) -> None:
    """The same file under another name, or a copy where the file system has no links."""
    try:
        os.link(file, copy)
    except OSError:
        shutil.copyfile(file, copy)


def _check_sources(request: Request, recordings: Iterable[RecordingRow]) -> None:
    """Refuse a request that lacks a source of the recordings."""
    known = {source.id for source in request.data}
    stored = {name for row in recordings for name in row.source.split()}
    if missing := sorted(stored - known):
        problem = f"the published data have a source {missing[0]}, and the request has none"
        raise InputError("data", problem, "name all sources as they were when it was published")


def _check_channels(source: Source, dataset: Dataset) -> None:
    """Refuse channels that are not those of the store."""
    place = f"source {source.id}"
    if source.stream not in dataset.streams:
        names = ", ".join(dataset.streams)
        raise InputError(place, f"there is no stream {source.stream}", f"use {names}")
    stored = {c.group or c.name: c for c in dataset.streams[source.stream].channels}
    for channel in source.channels:
        unit = conversion(channel.quantity, channel.unit, f"{place}: channel {channel.name}")[2]
        there = stored.get(channel.name)
        if there is None:
            problem = f"the published stream has no channel {channel.name}"
            raise InputError(place, problem, f"use {', '.join(stored)}")
        if (there.quantity, there.unit) != (channel.quantity, unit):
            problem = f"channel {channel.name} is {there.quantity} in {there.unit}"
            raise InputError(place, problem, "write it as the card does")
    _check_labels(source, dataset)


def _check_labels(source: Source, dataset: Dataset) -> None:
    """Refuse labels that were not published."""
    of_rows = dataset.streams[source.stream].label_names
    for name in source.labels:
        if name not in of_rows and not all(name in row.labels for row in dataset.recordings):
            raise InputError(f"source {source.id}", f"no label {name} was published", _AGAIN)
