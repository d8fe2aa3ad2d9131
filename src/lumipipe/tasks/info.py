"""The verb ``info``: what a manifest, a dataset or a run's folder holds, in a few lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lumipipe.errors import StoreError
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from lumipipe.tasks.stages import VERBS
from lumipipe.tasks.withdrawn import STALE

if TYPE_CHECKING:
    from pathlib import Path


def info(path: Path, *, checksums: bool) -> list[str]:
    """Lines that say what is at `path`.

    Parameters
    ----------
    path : Path
        A manifest, or the folder of a run.
    checksums : bool
        Whether to compare the digest of every file.

    Returns
    -------
    list of str
        For people.

    Raises
    ------
    StoreError
        If nothing finished is there, or it is damaged.
    """
    if path.is_dir():
        manifests = [found for verb in VERBS for found in sorted(path.glob(f"{verb}/*.json"))]
        stale = _stale_lines(path / STALE)
        if not manifests and not stale:
            raise StoreError(str(path), "holds no finished stage", "run a request into it first")
        found = [line for manifest in manifests for line in info(manifest, checksums=checksums)]
        return [*found, *stale]
    manifest = read_manifest(path, checksums=checksums)
    size = sum(file.size for file in manifest.files.values())
    state = "all digests agree" if checksums else "all files are there"
    lines = [f"{manifest.kind} {manifest.key}: {len(manifest.files)} files, {size} bytes, {state}"]
    if manifest.kind == "prepare":
        lines += _dataset_lines(path)
    elif manifest.kind in {"score", "report"}:
        result = json.loads((manifest.product / "result.json").read_text(encoding="utf-8"))
        lines.append(f"  {result['verdict']}: {result['answer']}")
    return lines


def _stale_lines(path: Path) -> list[str]:
    """What was made with somebody who withdrew, and is gone."""
    if not path.exists():
        return []
    listed = json.loads(path.read_text(encoding="utf-8"))["stale"]
    return [
        f"stale: {item['product']} {item['key']}: removed {item['since']}, {item['why']}"
        for item in listed
    ]


def _counted(count: int, what: str) -> str:
    """A count with its noun."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _dataset_lines(path: Path) -> list[str]:
    """What a dataset holds."""
    dataset = open_dataset(path)
    units = {row.unit for row in dataset.recordings}
    lines = [
        f"  {_counted(len(dataset.recordings), 'recording')} of {_counted(len(units), 'unit')}"
    ]
    for name, stream in dataset.streams.items():
        channels = ", ".join(f"{channel.name} ({channel.unit})" for channel in stream.channels)
        lines.append(f"  stream {name}: {sum(stream.rows)} samples of {channels}")
    return lines
