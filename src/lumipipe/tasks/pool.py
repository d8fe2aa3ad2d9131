"""The verb ``pool``: make a pool, publish datasets in it, look at it, stage what may leave.

Withdrawals are in `lumipipe.tasks.withdrawing`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.pool.border import check_card, check_packet
from lumipipe.pool.card import CARD, Card, CardChannel, CardStream, read_card
from lumipipe.pool.catalogue import DATASETS, FORM, MOST_FILES, POOL, Catalogue
from lumipipe.pool.exports import CITATION, CROISSANT, DCAT, citation, croissant, dcat
from lumipipe.pool.log import append, verify
from lumipipe.pool.pseudonyms import digest_set, new_key
from lumipipe.store.dataset import open_dataset
from lumipipe.store.files import (
    digest_file,
    missing_folders,
    remove_empty,
    remove_tree,
    sizes_below,
    write_bytes,
    write_json,
)
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.packet import read_packet
from lumipipe.tasks.request import load_request
from lumipipe.tasks.stages import read_plan
from lumipipe.tasks.workflow import PLAN

if TYPE_CHECKING:
    from pathlib import Path

    from lumipipe.config import Request
    from lumipipe.store.dataset import Dataset

_CARDS_FILES = 5  # manifest, card, Croissant, DCAT, citation


@dataclass(frozen=True)
class Words:
    """What a card says that no file knows.

    Parameters
    ----------
    dataset : str
        Name in the pool.
    title, description, attribution : str or None
        From the request where None.
    """

    dataset: str
    title: str | None = None
    description: str | None = None
    attribution: str | None = None


def init_pool(folder: Path, most_files: int = MOST_FILES) -> list[str]:
    """Make a pool with a secret of its own."""
    if (folder / POOL).exists():
        raise InputError(str(folder), "is a pool already", "use it, or name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    content = {"lumipipe_pool": FORM, "key": new_key(), "most_files": most_files}
    write_json(folder / POOL, content)
    (folder / POOL).chmod(0o600)  # who has the key can try names
    return [f"{folder}: a pool; name it in requests: rights.pool"]


def add_dataset(pool: Path, run: Path, words: Words) -> list[str]:
    """Publish the dataset of a finished run.

    Parameters
    ----------
    pool, run : Path
        Folder of the pool, and of a run whose request names that pool.
    words : Words
        What the card says.

    Returns
    -------
    list of str
        What was published.

    Raises
    ------
    InputError
        If the run belongs to another pool, states no terms, or the pool would have too many files;
        nothing is written.
    """
    catalogue = Catalogue.at(pool)
    plan = read_plan(run / PLAN)
    loaded = load_request(plan.request)
    rights = loaded.request.rights
    if rights.pool is None or (loaded.base / rights.pool).resolve() != pool.resolve():
        raise InputError(
            str(plan.request), f"does not name the pool {pool}", "set rights.pool, and run it again"
        )
    manifest = plan.stages["prepare"].manifest
    dataset = open_dataset(manifest, checksums=True)
    if gone := set(dataset.manifest.record["units"]) & catalogue.withdrawn():
        problem = f"holds {len(gone)} who withdrew"
        raise InputError(str(run), problem, "run the request again, which leaves them out")
    files = len(dataset.manifest.files) + _CARDS_FILES
    _check_budget(catalogue, files)
    found = catalogue.newest(words.dataset)
    version = 1 if found is None else found[1].version + 1
    if found is not None and found[1].digest == dataset.manifest.digest:
        raise InputError(str(run), f"is version {version - 1} already", "nothing is to be done")
    card = _card(catalogue, loaded.request, dataset, words, version)
    folder = pool / DATASETS / words.dataset / str(version)
    _publish(folder, card, dataset, manifest)
    append(
        catalogue.log,
        {"kind": "publication", "dataset": card.id, "version": version, "digest": card.digest},
    )
    return [
        f"{card.id} version {version}: {files} files, {card.size} bytes",
        citation(card).strip(),
    ]


def _check_budget(catalogue: Catalogue, files: int) -> None:
    """Refuse a dataset with more files than are left, before any is written."""
    there = len(sizes_below(catalogue.folder / DATASETS))
    if there + files > catalogue.most_files:
        raise InputError(
            str(catalogue.folder),
            f"has {there} files and would get {files} more, {catalogue.most_files} are allowed",
            "raise prepare.shard_bytes in the request, or most_files in pool.json",
        )


def _card(
    catalogue: Catalogue, request: Request, dataset: Dataset, words: Words, version: int
) -> Card:
    """The card of a dataset."""
    rights, manifest = request.rights, dataset.manifest
    licences = sorted({s.licence or "" for s in request.data} | {rights.licence or ""})
    streams = {
        name: CardStream(
            rows=int(stream.rows.sum()),
            channels=[
                CardChannel(name=c.name, quantity=c.quantity, unit=c.unit) for c in stream.channels
            ],
        )
        for name, stream in dataset.streams.items()
    }
    return Card(
        id=words.dataset,
        version=version,
        title=words.title or request.title,
        description=words.description or f"Data for: {request.question.decision}",
        owner=rights.owner,
        personal_data=rights.personal_data,
        policy=rights.policy,
        valid_until=rights.delete_after,
        licence=", ".join(filter(None, licences)) or None,
        attribution=words.attribution or rights.owner,
        lawful_basis=rights.lawful_basis,
        consent_register=rights.consent_register,
        published=datetime.now(UTC).date(),
        units=digest_set(catalogue.key, (row.unit for row in dataset.recordings)),
        recordings=len(dataset.recordings),
        streams=streams,
        files=len(manifest.files),
        size=sum(file.size for file in manifest.files.values()),
        manifest=f"{manifest.key}.json",
        digest=manifest.digest,
    )


def _publish(folder: Path, card: Card, dataset: Dataset, manifest: Path) -> None:
    """Copy the store and its manifest, and write the card last: without it there is no dataset."""
    remove_tree(folder)  # left by a killed call
    folder.mkdir(parents=True)
    product = dataset.manifest.product
    shutil.copytree(product, folder / product.name)
    write_bytes(folder / card.manifest, manifest.read_bytes())
    sha256 = digest_file(folder / card.manifest)
    write_json(folder / CROISSANT, croissant(card, sha256, product.name))
    write_json(folder / DCAT, dcat(card))
    write_bytes(folder / CITATION, citation(card).encode())
    write_json(folder / CARD, card.model_dump(mode="json"))


def list_pool(pool: Path) -> list[str]:
    """A line for each version of each dataset."""
    cards = Catalogue.at(pool).cards()
    lines = []
    for _, card in cards:
        state = "withdrawn" if card.withdrawn else f"terms: {card.policy or 'none stated'}"
        lines.append(
            f"{card.id} version {card.version}: {card.title}; {card.recordings} recordings of "
            f"{len(card.units)} units, {card.size} bytes; personal data: {card.personal_data}; "
            f"{state}"
        )
    return lines or [f"{pool}: no data sets yet"]


def show_dataset(pool: Path, dataset: str) -> list[str]:
    """The newest card of a dataset, for people, with its citation."""
    found = Catalogue.at(pool).newest(dataset)
    if found is None:
        raise InputError(str(pool), f"has no data set {dataset}", "see lumipipe pool list")
    folder, card = found
    skipped = {"units", "streams", "lumipipe_card"}
    told = card.model_dump(mode="json", exclude=skipped, exclude_none=True)
    lines = [f"{name}: {value}" for name, value in told.items()]
    for name, stream in card.streams.items():
        channels = ", ".join(f"{c.name} ({c.unit})" for c in stream.channels)
        lines.append(f"stream {name}: {stream.rows} rows of {channels}")
    return [*lines, f"units: {len(card.units)}", f"folder: {folder}", "", citation(card).strip()]


def verify_pool(pool: Path) -> list[str]:
    """Compare the log, and each file of each dataset, with its digest."""
    catalogue = Catalogue.at(pool)
    lines = []
    if catalogue.log.exists():
        lines.append(f"{catalogue.log}: {verify(catalogue.log)} lines, as they were written")
    for folder, card in catalogue.cards():
        if card.withdrawn:
            lines.append(f"{card.id} version {card.version}: withdrawn")
            continue
        found = read_manifest(folder / card.manifest, checksums=True)
        if found.digest != card.digest:
            problem = f"is of version {card.version} but the manifest has another digest"
            raise InputError(str(folder / CARD), problem, "put back a copy, or publish it again")
        lines.append(f"{card.id} version {card.version}: all {card.files} digests agree")
    return lines


def stage(item: Path, to: Path) -> list[str]:
    """Copy a dataset or a packet to a folder from which it leaves, if the border lets it.

    Parameters
    ----------
    item : Path
        Folder of a version of a dataset, or file of a packet.
    to : Path
        Folder outside, such as one that is sent to LUMI.

    Returns
    -------
    list of str
        What was copied.

    Raises
    ------
    InputError
        If it may not leave; nothing is written.
    """
    made = missing_folders(to)
    if item.is_dir():
        card = read_card(item / CARD)
        check_card(card, str(item / CARD))
        manifest = read_manifest(item / card.manifest, checksums=True)
        target, names = to / f"{card.id}-{card.version}", [manifest.product.name]
    else:
        check_packet(read_packet(item), str(item))
        target, names = to / item.name, []
    if target.exists():
        raise InputError(str(target), "is there already", "name another folder")
    try:
        _copy(item, target, names)
    except OSError:
        remove_empty(made)
        raise
    return [f"{target}: may leave"]


def _copy(item: Path, target: Path, stores: list[str]) -> None:
    """Copy a packet, or a dataset with its card less the digests of units."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if item.is_file():
        write_bytes(target, item.read_bytes())
        return
    shutil.copytree(item, target, ignore=shutil.ignore_patterns(CARD))
    assert all((target / name).is_dir() for name in stores)
    card = read_card(item / CARD).model_copy(update={"units": []})
    write_json(target / CARD, card.model_dump(mode="json"))
