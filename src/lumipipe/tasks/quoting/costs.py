"""What stages cost on a sample, as data: from one process to another, and kept with a quote.

They are measured in `lumipipe.tasks.quoting.watching`, in rounds that
`lumipipe.tasks.quoting.sampling` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import Settings

if TYPE_CHECKING:
    from lumipipe.store.manifest import Manifest


class PassCost(Settings):
    """One pass over a sample."""

    seconds: float
    """From its first chunk to its last state."""
    chunks: int
    """Parts that ranks can share."""
    trees: int
    """Merge trees, one a unit."""
    state_bytes: float
    """Bytes of the state of one tree, in the mean."""
    merge_s: float
    """Seconds of packing one state and merging it with another."""


class StageCost(Settings):
    """One stage on a sample, on one rank."""

    start_s: float = 0.0
    """Seconds of its process before and after the verb itself."""
    spent_s: float
    """Seconds of the verb."""
    clock_s: float = 1.0
    """Seconds of its process on the clock."""
    computed_s: float = 1.0
    """Seconds in which the process computed, on all cores."""
    passes: dict[str, PassCost] = {}
    """Its passes over the data, by name."""
    fit_s: float = 0.0
    """Seconds of fitting on one rank."""
    fit_shared_s: float = 0.0
    """The part of them that ranks share."""
    once_s: float = 0.0
    """Seconds of the rest."""
    written_bytes: int
    """Bytes of its product."""
    written_files: int
    """Files of its product."""
    peak_bytes: int = 0
    """The most memory that its process had."""


class StreamSize(Settings):
    """Rows of one stream of a sample, and what a row is."""

    rows: int
    """Samples."""
    channels: int
    """Numbers of a row."""
    itemsize: int
    """Bytes of a number."""
    labels: int
    """Labels of each row."""
    has_time: bool
    """Whether each row has a stamp."""


class Costs(Settings):
    """All stages on one sample."""

    files: int
    """Raw files of the sample."""
    raw_bytes: int
    """Their bytes."""
    stages: dict[str, StageCost]
    """The stages by verb."""
    streams: dict[str, StreamSize]
    """The streams by name."""
    took_s: float
    """Seconds of the whole sample."""


class Sample(Settings):
    """What was sampled of a request, and what it cost."""

    files: int
    """Raw files of the whole request."""
    raw_bytes: int
    """Their bytes."""
    backend: str
    """Array library that computed the sample."""
    rounds: list[Costs]
    """The samples, each larger than the one before; the last may be all data."""

    @property
    def is_all(self) -> bool:
        """Whether the last sample is all data."""
        return self.rounds[-1].raw_bytes == self.raw_bytes

    @property
    def idle(self) -> float:
        """Part of the time on the clock in which the sample computed: 1 on an idle machine."""
        costs = [cost for one in self.rounds for cost in one.stages.values()]
        clock_s = sum(cost.clock_s for cost in costs)
        return sum(min(cost.clock_s, cost.computed_s) for cost in costs) / clock_s


def streams_of(prepared: Manifest) -> dict[str, StreamSize]:
    """Rows of each stream, and what a row is."""
    return {
        name: StreamSize(
            rows=record["rows"],
            channels=len(record["channels"]),
            itemsize=np.dtype(record["dtype"]).itemsize,
            labels=len(record["labels"]),
            has_time=f"streams/{name}/time_ns/zarr.json" in prepared.files,
        )
        for name, record in prepared.record["streams"].items()
    }
