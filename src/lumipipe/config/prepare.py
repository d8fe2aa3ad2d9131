"""Section `prepare`: how raw files become a dataset."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lumipipe.config.settings import PositiveFloat, Settings


class Filled(Settings):
    """How much of a stretch may be filled in; where it is more, nothing is."""

    most_share: Annotated[float, Field(ge=0, lt=1)]
    """Largest share of rows that are bridged, in each stretch."""
    within_s: PositiveFloat
    """Length of a stretch, such as that of the analysis' windows."""


class Grid(Settings):
    """One regular time grid for all streams of a recording."""

    rate_hz: PositiveFloat
    """Rate of the grid."""
    longest_gap_s: PositiveFloat
    """Longest distance between samples that is bridged linearly; longer ones stay gaps."""
    filled: Filled | None = None
    """Most that may be filled in; no limit where absent."""


class Prepare(Settings):
    """How raw files become a dataset."""

    grid: Grid | None = None
    """Grid to bring irregular or unlike streams to; streams stay as they are where absent."""
    dtype: Literal["source", "float32", "float64"] = "source"
    """Number type of the stored samples; `source` keeps what the file holds."""
    bad_recordings: Literal["refuse", "leave_out"] = "refuse"
    """Whether a recording that cannot be used stops the run or is listed and left out."""
    chunk_bytes: Annotated[int, Field(ge=1024)] = 4 * 2**20
    """Bytes of samples that are read together."""
    shard_bytes: Annotated[int, Field(ge=1024)] = 64 * 2**20
    """Bytes of samples in one file."""
    most_files: Annotated[int, Field(ge=1)] = 10_000
    """Number of files that a dataset may have."""
    workers: Annotated[int, Field(ge=1)] = 2
    """Raw files that are read at a time on each rank."""
