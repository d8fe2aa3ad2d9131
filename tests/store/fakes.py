"""Recordings as readers give them, made of arrays, and datasets made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.comm.serial import SerialComm
from lumipipe.config import Prepare
from lumipipe.store.assembly import plan_streams
from lumipipe.store.joining import join_recordings
from lumipipe.store.manifest import publishing
from lumipipe.store.pieces import write_piece
from lumipipe.store.rows import ChannelRow
from lumipipe.store.second_pass import check_plan, stream_record, write_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class FakeStream:
    values: np.ndarray
    time_ns: np.ndarray | None = None
    start_ns: int | None = 0
    rate_hz: float = 100.0
    rate_u_hz: float = np.nan
    nominal_hz: float = 100.0
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    gaps: tuple[int, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(f"c{i}" for i in range(self.values.shape[1]))

    @property
    def units(self) -> tuple[str, ...]:
        return ("1",) * self.values.shape[1]

    @property
    def segments(self) -> np.ndarray:
        edges = [0, *self.gaps, len(self.values)]
        return np.asarray([[a, b - a] for a, b in pairwise(edges)])


@dataclass(frozen=True)
class FakeRecording:
    id: str
    streams: dict[str, FakeStream]
    unit: str = "pump"
    source: str = "log"
    file: str = "log.csv"
    sha256: str = "0" * 64
    attributes: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def channel_rows(count: int) -> tuple[ChannelRow, ...]:
    return tuple(ChannelRow(f"c{i}", "count", "1") for i in range(count))


def publish(
    tmp_path: Path,
    recordings: Sequence[FakeRecording],
    channels: dict[str, tuple[ChannelRow, ...]] | None = None,
    **settings: object,
) -> Path:
    prepare = Prepare.model_validate(settings)
    folder = tmp_path / "prepare"
    pieces = folder / ".pieces"
    piece = write_piece(pieces, "raw", {"log.csv": recordings})
    joined = join_recordings(piece.items["log.csv"])
    if channels is None:
        channels = {
            name: channel_rows(stream.values.shape[1])
            for recording in recordings
            for name, stream in recording.streams.items()
        }
    plans = plan_streams(joined, channels, prepare)
    comm = SerialComm()
    record: dict[str, object] = {
        "files_planned": check_plan(comm, prepare, plans, lambda _: None),
        "streams": {plan.template.name: stream_record(plan) for plan in plans},
    }
    digests: dict[str, str] = {}
    manifest = folder / "key.json"
    with publishing(manifest, folder / "key.zarr", record, digests=digests) as staging:
        places = (pieces, staging)
        digests |= write_dataset(comm, 2, places, joined, plans, lambda _: None)[0]
    return manifest
