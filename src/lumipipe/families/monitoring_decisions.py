"""Alarms of a monitor and of today on the same rows, and the limits that cost least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.families.baseline import against_alarm
from lumipipe.families.decisions import Costs, Decisions, crossed_limits
from lumipipe.families.money import AS_BEFORE, TODAY
from lumipipe.families.monitoring_training import STATISTICS
from lumipipe.language import many, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import FixedAlarm, Request
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.monitoring_scores import Scored
    from lumipipe.reporting.result import Comparison

_FEWEST = 5  # recordings that are drawn again as wholes; of fewer, stretches are
_STRETCHES = 20  # of neighbouring rows of a recording


def alarm_of(request: Request) -> FixedAlarm | None:
    """The alarm of today, where the request has one."""
    today = request.evaluation.baseline
    return None if today is None else today.alarm


def check_alarm(request: Request, streams: Sequence[str]) -> None:
    """Refuse an alarm of today on a channel that no monitored stream has."""
    alarm = alarm_of(request)
    if alarm is None:
        return
    names = [c.name for source in request.data if source.stream in streams for c in source.channels]
    if alarm.channel not in names:
        raise InputError(
            "evaluation.baseline",
            f"no channel {alarm.channel} is monitored",
            f"use {', '.join(dict.fromkeys(names))}",
        )


def in_alarm(alarm: FixedAlarm, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether readings are past the limits of today's alarm; a missing one is not.

    Examples
    --------
    >>> from lumipipe.config import FixedAlarm
    >>> in_alarm(FixedAlarm(channel="v", above=7.1), np.array([7.0, 7.2, np.nan]))
    array([False,  True, False])
    """
    above = np.inf if alarm.above is None else alarm.above
    below = -np.inf if alarm.below is None else alarm.below
    return np.asarray((values > above) | (values < below))


def against_today(job: Job, scored: Sequence[Scored]) -> list[Comparison]:
    """False alarms and misses, less those of today's alarm on the same rows."""
    seen = [part for part in scored if TODAY in part.rows]
    normal = _sums(seen, lambda part: part.normal, lambda alarm: alarm)
    fault = _sums(seen, lambda part: part.event, lambda alarm: ~alarm)
    return against_alarm(
        [
            ("false_alarm_rate", say("False alarms (share of normal rows in alarm)"), normal),
            ("missed_detection_rate", say("Missed (share of fault rows without alarm)"), fault),
        ],
        job.seed,
    )


def _sums(
    scored: Sequence[Scored],
    among: Callable[[Scored], NDArray[np.bool_]],
    wrong: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Rows, wrong ones, and wrong ones today, of each cluster: float64 (cluster, 3)."""
    used = [part for part in scored if among(part).any()]
    if not used:
        return np.zeros((0, 3))
    rows = [among(part) for part in used]
    own, today = (
        np.concatenate([wrong(alarm)[row] for alarm, row in zip(alarms, rows, strict=True)])
        for alarms in ([p.alarm for p in used], [p.rows[TODAY] for p in used])
    )
    cluster = _clusters([int(row.sum()) for row in rows])
    return np.stack([np.bincount(cluster, w) for w in (np.ones(len(own)), own, today)], axis=1)


def _clusters(rows: Sequence[int]) -> NDArray[np.int64]:
    """What hangs together: recordings, or stretches of few recordings; int64 (row,)."""
    number = np.repeat(np.arange(len(rows)), rows)
    if len(rows) >= _FEWEST:
        return number
    stretch = np.concatenate([np.arange(n) * _STRETCHES // max(1, n) for n in rows])
    return np.unique(number * _STRETCHES + stretch, return_inverse=True)[1].astype(np.int64)


def monitoring_decisions(job: Job, model: Model, scored: Sequence[Scored]) -> Decisions | str:
    """What would have been decided on rows that are known to be normal or a fault.

    The score of a row is its distance in limits: the larger of T² and SPE over their limits. How
    many limits cost least for a unit is chosen on the other units, or on other recordings where
    there is one unit, since rows that are known to be faulty lie among those that are tested.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        Limits of each model.
    scored : sequence of Scored
        Judged rows.

    Returns
    -------
    Decisions or str
        Why nothing can be said.
    """
    costs = Costs.of(job.request.question)
    if costs is None:
        return ""
    told = [part for part in scored if (part.normal | part.event).any()]
    rows = [part.normal | part.event for part in told]
    if not any(part.event.any() for part in told) or not any(p.normal.any() for p in told):
        return say("no tested rows are known to be faulty and others to be normal (score.event)")
    units = [job.dataset.recordings[part.recording].unit for part in told]
    names = units if _faulty(units, told) > 1 else [part.name for part in told]
    if _faulty(names, told) < 2:  # noqa: PLR2004 - one to choose on, one to test
        return say("one recording alone has a known fault: its limit would be tested on itself")
    event, distance = (
        np.concatenate([values[row] for values, row in zip(parts, rows, strict=True)])
        for parts in ([p.event for p in told], [_distance(job, model, p) for p in told])
    )
    sizes = [int(row.sum()) for row in rows]
    group = np.repeat(np.unique(names, return_inverse=True)[1], sizes).astype(np.int64)
    acts, limits = crossed_limits(costs, distance, event, group)
    acts[AS_BEFORE] = distance > 1.0
    if all(TODAY in part.rows for part in told):
        acts[TODAY] = np.concatenate([p.rows[TODAY][r] for p, r in zip(told, rows, strict=True)])
    return Decisions(
        event=event,
        acts=acts,
        cluster=_clusters(sizes),
        limits=limits,
        score=say("larger of T² and SPE, each over its limit at {a:.0%},", a=job.train.alpha),
        chosen_on=say(
            "Known faults lie among the tested rows alone, so the limit of each unit was chosen on "
            "the other units."
        )
        if names is units
        else say(
            "Known faults lie among the tested rows alone, so the limit of each recording was "
            "chosen on the other recordings of the unit."
        ),
        cases=many("rows"),
    )


def _faulty(names: Sequence[str], told: Sequence[Scored]) -> int:
    """Of how many names there are fault rows."""
    return len({name for name, part in zip(names, told, strict=True) if part.event.any()})


def _distance(job: Job, model: Model, part: Scored) -> NDArray[np.float64]:
    """The larger of T² and SPE of each row, each over its limit."""
    limits = model.card["streams"][part.stream]["models"][part.key]["limits"]
    over = [part.rows[name] / limits[name][job.score.limits] for name in STATISTICS]
    return np.asarray(np.maximum(*over), dtype=np.float64)
