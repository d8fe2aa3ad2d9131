"""What the family `session_load` refuses before any data are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import GroupSplit, NoSplit, TimeColumn
from lumipipe.errors import InputError
from lumipipe.families import verdicts
from lumipipe.families.session_readings import MEASURES, factor_of

if TYPE_CHECKING:
    from lumipipe.config import Request, Source
    from lumipipe.families.session_load import Asset, Score, Train

METRICS = {
    "coverage": ">=",
    "heart_rate_coverage": ">=",
    "heart_rate_error": "<=",
    "heart_rate_interval": ">=",
}
"""Metrics that may have a condition, and the side on which they are good."""
WITH_UNIT = ("heart_rate_error",)


def check(request: Request, train: Train, score: Score, asset: Asset, place: str) -> None:
    """Refuse what the family cannot answer; see `lumipipe.families.interface.Family.check`."""
    _check_split(request, train, place)
    if request.prepare.grid is not None:
        raise InputError(
            place,
            "prepare.grid would fill readings in between",
            "leave the grid out; train.longest_hold_s says how long a reading stands",
        )
    sources = [source for source in request.data if source.stream == train.stream]
    if not sources:
        raise InputError(
            place, f"train.stream: no source has the stream {train.stream}", "name one that is"
        )
    for source in sources:
        _check_source(source, train, place)
    _check_measures(train, score, place)
    _check_asset(asset, place)
    if request.rights.personal_data == "personal":
        raise InputError(
            place,
            "rights.personal_data: personal data are not read by this family",
            "call persons by pseudonyms in recordings.unit, and write pseudonymous",
        )
    verdicts.check_conditions(request.evaluation.metrics, METRICS, place, WITH_UNIT)


def _check_split(request: Request, train: Train, place: str) -> None:
    """Nothing is held out, or each session where heart rate is learnt."""
    split = request.evaluation.split
    learns = train.heart_rate_model is not None
    fits = (
        isinstance(split, GroupSplit) and split.by == "recording" and split.folds is None
        if learns
        else isinstance(split, NoSplit)
    )
    if not fits:
        right = "{kind: group, by: recording}" if learns else "{kind: none}"
        why = "each session tests the heart rate model of the others" if learns else "none learns"
        raise InputError(place, f"evaluation.split does not fit: {why}", f"write split: {right}")


def _check_source(source: Source, train: Train, place: str) -> None:
    """Refuse sources without dates or channels, and channels of another quantity."""
    if not isinstance(source.time, TimeColumn) or source.time.origin != "1970":
        raise InputError(
            place,
            f"the rows of source {source.id} have no date",
            "name the column of time stamps under time, counted from 1970",
        )
    channels = {channel.name: channel for channel in source.channels}
    for name in MEASURES:
        measure = getattr(train, name)
        if measure is None:
            continue
        if measure.channel not in channels:
            raise InputError(
                place,
                f"train.{name}.channel: source {source.id} has no channel {measure.channel}",
                f"use {', '.join(channels)}",
            )
        factor_of(channels[measure.channel], name)


def _check_measures(train: Train, score: Score, place: str) -> None:
    """Refuse what needs a measure that is not there."""
    has = {name: getattr(train, name) is not None for name in MEASURES}
    effort = has["power"] or has["speed"]
    needs: list[tuple[str, bool, str]] = [
        (f"score.zones.{name}", has[name], name) for name in score.zones
    ]
    if score.load is not None:
        name = "heart_rate" if score.load.kind == "heart_rate" else "power"
        needs.append(("score.load", has[name], name))
    for key, part in (
        ("score.decoupling", score.decoupling),
        ("train.heart_rate_model", train.heart_rate_model),
    ):
        if part is not None:
            needs.append((key, effort and has["heart_rate"], "heart_rate and power or speed"))
    for key, there, what in needs:
        if not there:
            raise InputError(place, f"{key} needs {what}", f"give train.{what}, or take it out")


def _check_asset(asset: Asset, place: str) -> None:
    """Refuse two sensors or thresholds of one day."""
    seen: set[tuple[object, ...]] = set()
    for sensor in asset.sensors:
        for person in sensor.persons or ["all"]:
            key = (sensor.measure, person, sensor.since)
            if key in seen:
                raise InputError(
                    place,
                    f"asset.sensors: two of {sensor.measure} begin on one day",
                    "give each its own since, or its persons",
                )
            seen.add(key)
    for threshold in asset.thresholds:
        mark = (threshold.person, threshold.kind, threshold.date)
        if mark in seen:
            raise InputError(
                place,
                f"asset.thresholds: two of {threshold.kind} of {threshold.person} on one day",
                "keep one of them",
            )
        seen.add(mark)
