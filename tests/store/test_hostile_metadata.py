"""Datasets whose metadata promise what no file holds: refused before memory is taken.

Whoever can write a dataset can write its manifest, too: the digests are right.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.store.files import digest_files, digest_of
from readers.measured import MOST_BYTES, MOST_S, Meter
from store.fakes import FakeRecording, FakeStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from readers.measured import Taken

HUGE = 10**12


def shaped(content: dict[str, Any], length: int, chunk: int | None = None) -> None:
    """Set the rows of an array, and of its chunks where they are given."""
    content["shape"][0] = length
    if chunk is not None:
        content["chunk_grid"]["configuration"]["chunk_shape"][0] = chunk


def _chunk(content: dict[str, Any], rows: int, shard: int) -> None:
    content["chunk_grid"]["configuration"]["chunk_shape"][0] = shard
    content["codecs"][0]["configuration"]["chunk_shape"][0] = rows


VALUE = "streams/main/value"
# The array, what is changed in its metadata, and what is said.
FORGED: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "a table without end": (
        "recordings/id",
        lambda content: shaped(content, HUGE, HUGE),
        "its metadata promise",
    ),
    "a chunk without end": (
        "recordings/unit",
        lambda content: shaped(content, 1, HUGE),
        "its metadata promise",
    ),
    "numbers without end": (
        "streams/main/row_size",
        lambda content: shaped(content, HUGE, HUGE),
        "its metadata promise",
    ),
    "rows without end": (VALUE, lambda content: shaped(content, HUGE), "unlike numbers of rows"),
    "chunks of rows without end": (
        VALUE,
        lambda content: _chunk(content, HUGE, HUGE),
        "its metadata promise",
    ),
    "shards without end": (VALUE, lambda content: _chunk(content, 64, 64 * HUGE), "cut short"),
    "chunks of nothing": (VALUE, lambda content: _chunk(content, 0, 64), "have the shapes"),
    "negative rows": (VALUE, lambda content: shaped(content, -5), "have the shapes"),
    "rows that are text": (VALUE, lambda content: shaped(content, "9" * 9), "have the shapes"),
}


def forge(manifest: Path, place: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the metadata of an array, and the manifest so that it vouches for them."""
    said = json.loads(manifest.read_text(encoding="utf-8"))
    store, name = manifest.with_name("key.zarr"), f"{place}/zarr.json"
    content = json.loads((store / name).read_text(encoding="utf-8"))
    change(content)
    (store / name).write_text(json.dumps(content), encoding="utf-8")
    (digest,) = digest_files([store / name])
    said["content"]["files"][name] = [(store / name).stat().st_size, digest]
    said["digest"] = digest_of(said["content"])
    manifest.write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="module")
def measure() -> Iterator[Callable[..., Taken]]:
    """What opening takes."""
    with Meter() as meter:
        yield meter.ask


@pytest.mark.parametrize("name", FORGED)
def test_a_dataset_ends_in_a_refusal_at_once(
    publish: Any, name: str, measure: Callable[..., Taken]
) -> None:
    values = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)
    manifest = publish([FakeRecording("r", {"main": FakeStream(values)})])
    assert measure("store", manifest).kind == "read"
    place, change, message = FORGED[name]
    forge(manifest, place, change)
    taken = measure("store", manifest)
    assert taken.kind == "refused", taken
    assert re.search(message, taken.said), taken
    assert "\n" not in taken.said
    assert taken.seconds < MOST_S, taken
    assert taken.grown < MOST_BYTES, taken
