"""Reading a prepared dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import zarr
from numcodecs import blosc

from bench.made import correlated
from bench.rivals import Race, Rival, spans
from lumipipe.store.dataset import open_dataset
from store.fakes import FakeRecording, FakeStream, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lumipipe.store.dataset import StreamTable


def stored(race: Race, rows: int) -> tuple[StreamTable, Path]:
    """A stream of 64 channels as `prepare` writes it, and its array's folder."""
    x = np.round(correlated(rows, 64, offset=10.0), 2)  # sensors have a resolution
    settings = {"chunk_bytes": race.size(4 * 2**20, 2**16), "shard_bytes": race.size(2**26, 2**18)}
    manifest = publish(race.folder, [FakeRecording("r", {"main": FakeStream(x)})], **settings)
    found = open_dataset(manifest)
    return found.streams["main"], found.manifest.product / "streams" / "main" / "value"


def codec(x: np.ndarray, rows: int) -> Rival:
    """Decompressing the chunks of an array from memory to memory, and no more."""
    chunks = [blosc.compress(x[s], b"lz4", 5, blosc.SHUFFLE) for s in spans(len(x), rows)]
    target = np.empty_like(x[:rows])
    return Rival("blosc-lz4 alone", lambda: [blosc.decompress(chunk, target) for chunk in chunks])


def bench_shards(race: Race) -> None:
    rows = race.size(1_000_000, 5_000)
    stream, array = stored(race, rows)
    cuts = spans(rows, stream.chunk_rows)

    source = zarr.open_array(array, mode="r")
    assert np.array_equal(stream.read_rows(0, rows), source[...])

    def each(read: Callable[[slice], np.ndarray]) -> np.ndarray:
        """The last chunk, when all were read in turn."""
        for cut in cuts:
            last = read(cut)
        return last

    race(
        "Reading shards, a chunk at a time",
        f"{rows} x 64 float32, warm",
        lambda: each(lambda cut: stream.read_rows(cut.start, cut.stop)),
        Rival("zarr-python", lambda: each(lambda cut: source[cut])),
        codec(stream.read_rows(0, rows), stream.chunk_rows),
        lambda a, b: float(not np.array_equal(a, b)),
        0,
        target=2,
    )
