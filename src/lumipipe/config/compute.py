"""Section `compute`: where and how the run computes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from lumipipe.config.settings import Identifier, Settings, Text


class Ceiling(Settings):
    """What a run may cost on a machine that bills; nothing is submitted above it."""

    gpu_h: Annotated[float, Field(ge=0)] | None = None
    """GPU-hours."""
    core_h: Annotated[float, Field(ge=0)] | None = None
    """Core-hours."""
    tb_h: Annotated[float, Field(ge=0)] | None = None
    """Terabyte-hours of storage."""


class Compute(Settings):
    """Where and how the run computes; nothing here changes a number of the answer."""

    target: Identifier = "laptop"
    """Kind of nodes: a target of the machine's file, such as lumi-small; unused on a laptop."""
    backend: Literal["auto", "numpy", "cupy"] = "auto"
    """Array library; `auto` takes CuPy where a device answers."""
    ranks: Annotated[int, Field(ge=1)] = 1
    """MPI ranks of each step."""
    batch_bytes: Annotated[int, Field(ge=2**16)] = 64 * 2**20
    """Bytes of samples that each rank has in memory at a time; four chunks at least."""
    checkpoint_s: Annotated[float, Field(ge=0)] = 30.0
    """Seconds between checkpoints of a fold; 0 writes one after each batch."""
    memory: Text | None = None
    """Memory of each rank, such as 4 GiB; a fair share of the node where absent."""
    minutes: Annotated[int, Field(ge=1)] | None = None
    """Time limit of each job; from the quote where absent."""
    kept_days: Annotated[float, Field(ge=0)] = 30.0
    """Days that the data stay on the machine: the storage part of the quote."""
    ceiling: Ceiling = Ceiling()
    """What the run may cost; refused above it, before anything is submitted."""
    deadline: date | None = None
    """Last day on which the answer is of use; refused where it cannot be there by then."""
