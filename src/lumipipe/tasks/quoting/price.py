"""The price of a run as data, as it lies in ``quote.json`` beside its results.

It is made by `lumipipe.tasks.quote` and read again by the report; nothing here computes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from lumipipe.config import Settings
from lumipipe.machine.partitions import Partition

if TYPE_CHECKING:
    from pathlib import Path

FILE = "quote.json"
HERE = "here"
VERBS = ("prepare", "train", "score")
"""Stages that cost something: the report is written by the process that leads the run."""


class StageQuote(Settings):
    """What one stage is expected to take."""

    verb: str
    done: bool = False
    """Whether its product stands, so that nothing is to be paid."""
    where: str
    """Partition; `here` where no scheduler runs it."""
    nodes: int = 1
    ranks: int
    """Ranks of the job."""
    useful_ranks: int
    """Ranks that get a part of the work."""
    seconds: float
    """Expected."""
    low_s: float
    """The same with every constant at its best."""
    high_s: float
    """The same with every constant at its worst."""
    parts: dict[str, float]
    """What the expected seconds go to."""
    minutes: int | None = None
    """Time limit of its job."""
    gpu_h: float = 0.0
    """GPU-hours expected."""
    core_h: float = 0.0
    """Core-hours expected."""
    most_gpu_h: float = 0.0
    """GPU-hours if the time limit is used up."""
    most_core_h: float = 0.0
    """Core-hours if the time limit is used up."""
    peak_bytes: int
    """The most memory that one rank had in the sample."""
    rank_bytes: int | None = None
    """Memory that each rank gets."""


class Storage(Settings):
    """What stays on the storage."""

    area: str | None = None
    """Name of the storage area on the machine."""
    bytes: float
    """Raw files, dataset, model and scores."""
    files: int
    """The same as files and folders."""
    files_allowed: int | None = None
    """Files that the quota of the area allows."""
    kept_days: float
    """How long they stay."""
    tb_h: float = 0.0
    """Units expected."""
    most_tb_h: float = 0.0
    """Units if what was not sampled is larger than what was."""


class Taken(Settings):
    """A constant of the performance model, as a quote has taken it."""

    verb: str
    name: str
    value: float
    low: float
    high: float
    source: str
    is_measured: bool


class Quote(Settings):
    """The price of a run."""

    machine: str | None
    """Name of the machine for people; None for this one."""
    target: str | None
    """Kind of nodes there."""
    sampled_files: int
    """Raw files of the last sample."""
    sampled_bytes: int
    """Their bytes."""
    raw_files: int
    """All raw files."""
    raw_bytes: int
    """Their bytes."""
    backend: str
    """Array library of the sample."""
    stages: list[StageQuote]
    """The stages that cost something, in order."""
    storage: Storage
    constants: list[Taken] = []
    """What the performance model was given."""
    partitions: dict[str, Partition] = {}
    """Partitions of the jobs, with the formulae by which the quote was made."""
    ceiling: dict[str, float] = {}
    """Unit to what the request allows."""
    notes: list[str] = []
    """What a reader must know beside the numbers."""

    def total(self, name: str) -> float:
        """Sum of a number over the stages that are still to be run."""
        return float(sum(getattr(stage, name) for stage in self.stages if not stage.done))

    @property
    def minutes(self) -> dict[str, int]:
        """Time limit of each job."""
        return {stage.verb: stage.minutes for stage in self.stages if stage.minutes is not None}


def read_quote(out: Path) -> Quote | None:
    """The quote in the folder of a run; None where there is none that can be read."""
    try:
        return Quote.model_validate(json.loads((out / FILE).read_text("utf-8"))["quote"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
