"""What a preparation knows of a recording that was read: all but its rows.

The rows lie in pieces (`lumipipe.store.pieces`); how entries of several files become one
recording is in `lumipipe.store.joining`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


class StreamLike(Protocol):
    """What a reader gives for one stream; see `lumipipe.readers.recording.Stream`."""

    @property
    def values(self) -> np.ndarray: ...  # noqa: D102
    @property
    def time_ns(self) -> np.ndarray | None: ...  # noqa: D102
    @property
    def start_ns(self) -> int | None: ...  # noqa: D102
    @property
    def rate_hz(self) -> float: ...  # noqa: D102
    @property
    def rate_u_hz(self) -> float: ...  # noqa: D102
    @property
    def nominal_hz(self) -> float: ...  # noqa: D102
    @property
    def segments(self) -> np.ndarray: ...  # noqa: D102
    @property
    def labels(self) -> dict[str, np.ndarray]: ...  # noqa: D102
    @property
    def channels(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def units(self) -> tuple[str, ...]: ...  # noqa: D102


class RecordingLike(Protocol):
    """What a reader gives for one recording; see `lumipipe.readers.recording.Recording`."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def attributes(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def labels(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def streams(self) -> Mapping[str, StreamLike]: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True)
class StreamEntry:
    """Where the rows of one recording's stream lie in a piece, and how they were sampled.

    Names of units and channels stand in order; `labels` gives the names that the codes of each
    label stand for in this recording alone, so that what else is in the piece does not matter.
    """

    piece: str
    first: int
    rows: int
    channels: list[str]
    units: list[str]
    dtype: str
    has_time: bool
    start_ns: int | None
    rate_hz: float | None
    rate_u_hz: float | None
    nominal_hz: float | None
    segment_first: int
    segment_count: int
    labels: dict[str, list[str]]


@dataclass(frozen=True)
class RecordingEntry:
    """One recording of a piece."""

    id: str
    unit: str
    source: str
    file: str
    sha256: str
    attributes: dict[str, str]
    labels: dict[str, str]
    notes: list[str]
    streams: dict[str, StreamEntry]


def entry_from_json(content: Mapping[str, Any]) -> RecordingEntry:
    """The entry in what `dataclasses.asdict` gave."""
    streams = {name: StreamEntry(**stream) for name, stream in content["streams"].items()}
    return RecordingEntry(**{**content, "streams": streams})
