"""What the family `esports` refuses before any data are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.config import GroupSplit, NoSplit, Order
from lumipipe.errors import InputError
from lumipipe.families import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Request
    from lumipipe.families.esports import Score, Train

RATE, WINNER, WIDTH, KNOWN = (
    "actions_per_minute",
    "winner_share",
    "winner_half_width",
    "known_share",
)
LATENCY = "latency_"
"""Metrics; that of a latency is called after it."""
_SLACK = 1e-9


def check(request: Request, train: Train, score: Score, place: str) -> None:
    """Refuse what the family cannot answer; see `lumipipe.families.interface.Family.check`."""
    _check_split(request, score, place)
    if request.prepare.grid is not None:
        raise InputError(place, "prepare.grid would move events in time", "leave the grid out")
    if train.events is not None:
        _check_events(train, score, place)
        _check_channels(request, train.events.stream, [train.events.channel], place)
    elif score.winner is not None or score.sessions is not None:
        key = "winner" if score.winner is not None else "sessions"
        raise InputError(place, f"score.{key} needs events", "give train.events, or leave it out")
    if train.intensity is not None:
        channels = [zones.channel for zones in train.intensity.zones.values()]
        _check_channels(request, train.intensity.stream, channels, place)
    verdicts.check_conditions(
        request.evaluation.metrics, known_metrics(train, score), place, _with_unit(train)
    )


def known_metrics(train: Train, score: Score) -> dict[str, str]:
    """Metrics that may have a condition, and the side on which they are good."""
    known = {}
    if train.events is not None:
        known = {RATE: ">=", **{f"{LATENCY}{name}": "<=" for name in train.events.latencies}}
    if score.winner is not None:
        known |= {WINNER: ">=", WIDTH: "<="}
    if train.intensity is not None:
        known[KNOWN] = ">="
    return known


def _with_unit(train: Train) -> list[str]:
    """Metrics that are no shares."""
    latencies = () if train.events is None else train.events.latencies
    return [RATE, *(f"{LATENCY}{name}" for name in latencies)]


def _check_split(request: Request, score: Score, place: str) -> None:
    """Whole games are held out where one is asked for its winner, and nothing elsewhere."""
    split = request.evaluation.split
    if score.winner is None:
        if not isinstance(split, NoSplit):
            raise InputError(
                place,
                f"evaluation.split.kind {split.kind} does not fit esports without score.winner",
                "nothing is learnt from the data, so write split: {kind: none}",
            )
    elif not (isinstance(split, GroupSplit) and split.by == score.winner.game):
        raise InputError(
            place,
            "evaluation.split does not hold whole games out",
            f"write split: {{kind: group, by: {score.winner.game}}}",
        )


def _check_events(train: Train, score: Score, place: str) -> None:
    """Refuse classes and latencies that are not there, and early play of odd length."""
    events = train.events
    if events is None:
        return
    _known("train.events.actions", events.actions, events.classes, place)
    for name, latency in events.latencies.items():
        key = f"train.events.latencies.{name}"
        _known(f"{key}.begins", latency.begins, events.classes, place)
        _known(f"{key}.answered_by", latency.answered_by, events.classes, place)
    winner = score.winner
    if winner is None:
        return
    if winner.latency is not None:
        _known("score.winner.latency", [winner.latency], events.latencies, place)
    blocks = winner.first_s / events.block_s
    if abs(blocks - round(blocks)) > _SLACK or blocks < 1 - _SLACK:
        raise InputError(
            place,
            f"score.winner.first_s {winner.first_s:g} is no multiple of block_s {events.block_s:g}",
            f"write first_s: {max(1, round(blocks)) * events.block_s:g}",
        )


def _known(key: str, names: Iterable[str], known: Iterable[str], place: str) -> None:
    """Refuse names that nothing has."""
    for name in names:
        if name not in known:
            raise InputError(place, f"{key}: there is no {name}", f"use {', '.join(known)}")


def _check_channels(request: Request, stream: str, names: Iterable[str], place: str) -> None:
    """Refuse channels that the stream does not have, and rows without a time."""
    sources = [source for source in request.data if source.stream == stream]
    if not sources:
        streams = ", ".join(sorted({source.stream for source in request.data}))
        raise InputError(place, f"train: there is no stream {stream}", f"use {streams}")
    for source in sources:
        channels = [channel.name for channel in source.channels]
        _known(f"channels of source {source.id}", names, channels, place)
        if isinstance(source.time, Order):
            raise InputError(
                place,
                f"the rows of source {source.id} have no time",
                "name the column of time stamps under time",
            )
