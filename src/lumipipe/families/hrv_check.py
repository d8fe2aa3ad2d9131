"""What the family `hrv` refuses before any data are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import NoSplit, TimeColumn
from lumipipe.errors import InputError
from lumipipe.families import verdicts
from lumipipe.families.carbon_check import stored_unit
from lumipipe.readers.units import product_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Request, Source
    from lumipipe.families.hrv import Asset, Score, Train

METRICS = {
    "answered_share": ">=",
    "artefact_share": "<=",
    "rmssd_half_width": "<=",
    "change_ratio": ">=",
}
"""Metrics that may have a condition, and the side on which they are good."""
WITHOUT_LIMIT = ("change_ratio", "rmssd_half_width")
"""Metrics that are no shares between 0 and 1."""


def check(request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
    """Refuse what the family cannot answer; see `lumipipe.families.interface.Family.check`."""
    if not isinstance(request.evaluation.split, NoSplit):
        raise InputError(
            place,
            f"evaluation.split.kind {request.evaluation.split.kind} does not fit hrv",
            "nothing is learnt from the data, so write split: {kind: none}",
        )
    if request.prepare.grid is not None:
        raise InputError(
            place,
            "prepare.grid would put intervals between beats that were not there",
            "leave the grid out",
        )
    sources = [source for source in request.data if source.stream == train.stream]
    for source in sources:
        _check_source(source, train, place)
    _check_names(sources, train, score, asset, place)
    verdicts.check_conditions(request.evaluation.metrics, METRICS, place, WITHOUT_LIMIT)
    if "change_ratio" in request.evaluation.metrics and score.typical_error is None:
        raise InputError(
            place,
            "evaluation.metrics.change_ratio asks how a change compares with noise",
            "say under score.typical_error how large the noise is",
        )


def _check_source(source: Source, train: Train, place: str) -> None:
    """Refuse a source without intervals in a unit of time, or without times."""
    channels = {channel.name: channel for channel in source.channels}
    _one_of("train.channel", train.channel, channels, place)
    product_in([stored_unit(channels[train.channel], "train.channel")], "ms", "train.channel")
    if not isinstance(source.time, TimeColumn):
        raise InputError(
            place,
            f"source {source.id}: rows have no times, so windows cannot be told",
            f"for a bare list write time: {{kind: column, column: {train.channel}, unit: ms, "
            "origin: row_before}",
        )


def _check_names(
    sources: list[Source], train: Train, score: Score, asset: Asset, place: str
) -> None:
    """Refuse labels and sources that are not there."""
    names = [source.id for source in sources]
    of_rows = {name for s in sources for name, label in s.labels.items() if label.is_of_samples}
    whole = {name for s in sources for name, label in s.labels.items() if not label.is_of_samples}
    if train.normal is not None:
        _one_of("train.normal.label", train.normal.label, of_rows, place)
    for name in train.edited:
        _one_of("train.edited", name, names, place)
    for name in asset.recorders:
        _one_of("asset.recorders", name, names, place)
    if score.typical_error is not None and score.typical_error.kind == "repeats":
        _one_of("score.typical_error.label", score.typical_error.label, whole, place)


def _one_of(key: str, name: str, known: Iterable[str], place: str) -> None:
    """Refuse a name that nothing has."""
    if name not in known:
        listed = ", ".join(sorted(known)) or "nothing: there is none"
        raise InputError(place, f"{key}: there is no {name}", f"use {listed}")
