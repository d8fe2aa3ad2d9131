"""What the family `carbon` refuses before any data are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import NoSplit, Regular, TimeColumn
from lumipipe.errors import InputError
from lumipipe.families import verdicts
from lumipipe.language import term
from lumipipe.readers.units import conversion, product_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Channel, Request, Source
    from lumipipe.families.carbon import Score, Train

METRICS = {"relative_uncertainty": "<=", "data_capture": ">=", "filed_step_share": "<="}
"""Metrics that may have a condition, and the side on which they are good."""
MONTH, UNIT = term("month"), term("unit")
_KEPT = 1e-6  # relative: a rate is written with few digits


def check(request: Request, train: Train, score: Score, place: str) -> None:
    """Refuse what the family cannot answer; see `lumipipe.families.interface.Family.check`."""
    if not isinstance(request.evaluation.split, NoSplit):
        raise InputError(
            place,
            f"evaluation.split.kind {request.evaluation.split.kind} does not fit carbon",
            "nothing is learnt from the data, so write split: {kind: none}",
        )
    if request.prepare.grid is not None:
        raise InputError(
            place,
            "prepare.grid would put amounts between the rows that they were measured in",
            "leave the grid out",
        )
    sources = [source for source in request.data if source.stream == train.stream]
    _check_names(train, place)
    for source in sources:
        _check_source(source, train, score, place)
        if train.period is not None:
            _check_dated(source, "train.period", place)
    _check_groups(sources, score, place)
    known = dict(METRICS)
    if train.filed is None:
        known.pop("filed_step_share")
    verdicts.check_conditions(request.evaluation.metrics, known, place)


def _check_names(train: Train, place: str) -> None:
    """Refuse meters, factors and activities that are not there, or are not used."""
    activities = train.activities
    for name, activity in activities.items():
        _one_of(f"train.activities.{name}.meter", activity.meter, train.meters, place)
        _one_of(f"train.activities.{name}.factor", activity.factor, train.factors, place)
    if train.filed is not None:
        _one_of("train.filed.activity", train.filed.activity, activities, place)
    for kind, given, used in (
        ("meters", train.meters, {activity.meter for activity in activities.values()}),
        ("factors", train.factors, {activity.factor for activity in activities.values()}),
    ):
        for name in given:
            if name not in used:
                raise InputError(
                    place, f"train.{kind}.{name}: no activity uses it", "use it, or take it out"
                )


def _one_of(key: str, name: str, known: Iterable[str], place: str) -> None:
    """Refuse a name that nothing has."""
    if name not in known:
        raise InputError(place, f"{key}: there is no {name}", f"use {', '.join(known)}")


def _check_source(source: Source, train: Train, score: Score, place: str) -> None:
    """Refuse channels that a source does not have, and units that do not fit its factors."""
    channels = {channel.name: channel for channel in source.channels}
    for name, activity in train.activities.items():
        key = f"train.activities.{name}.channel"
        _one_of(key, activity.channel, channels, place)
        units = [stored_unit(channels[activity.channel], key)]
        units += ["s"] * (activity.kind == "rate") + [train.factors[activity.factor].unit]
        product_in(units, score.unit, f"train.factors.{activity.factor}.unit")
    if train.filed is not None:
        _one_of("train.filed.channel", train.filed.channel, channels, place)
        unit = stored_unit(channels[train.filed.channel], "train.filed.channel")
        product_in([unit], score.unit, "train.filed.channel")
    time = source.time
    if isinstance(time, Regular) and abs(time.rate_hz * train.interval_s - 1.0) > _KEPT:
        raise InputError(
            place,
            f"train.interval_s {train.interval_s:g} is not that of rate_hz {time.rate_hz:g}",
            f"write interval_s: {1.0 / time.rate_hz:g}, or correct the rate",
        )


def stored_unit(channel: Channel, place: str) -> str:
    """The unit that a channel is stored in."""
    return conversion(channel.quantity, channel.unit, place)[2]


def _check_groups(sources: list[Source], score: Score, place: str) -> None:
    """Refuse labels that a source does not have, and months of rows without a date."""
    for name in score.by:
        if score.by.count(name) > 1:
            raise InputError(place, f"score.by: {name} stands twice", "name it once")
        for source in sources:
            if name == MONTH:
                _check_dated(source, "score.by", place)
            elif name != UNIT:
                _one_of("score.by", name, [MONTH, UNIT, *source.labels], place)


def _check_dated(source: Source, key: str, place: str) -> None:
    """Refuse what needs a date, of rows that have none."""
    if not isinstance(source.time, TimeColumn) or source.time.origin != "1970":
        raise InputError(
            place,
            f"{key}: the rows of source {source.id} have no date",
            "name the column of time stamps under time, or leave months and period out",
        )
