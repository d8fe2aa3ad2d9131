"""What the data of sessions cannot carry, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.session_coach import WHOLE
from lumipipe.families.session_model import FEWEST_SESSIONS
from lumipipe.families.session_persons import measure_name
from lumipipe.language import say, translated
from lumipipe.reporting.result import NotAnswered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.families.session_persons import Done, Persons


def not_answered(persons: Persons) -> list[NotAnswered]:
    """All open questions; each person's own stand by pseudonym."""
    return [
        *_sensors(persons),
        *_relative(persons),
        *(item for name in persons.by_person for item in _of_person(persons, name)),
        NotAnswered(
            question=say("Is somebody fit, tired or ill?"),
            reason=say(
                "load and heart rate of sessions say nothing about health; that is asked of "
                "the person and of a physician"
            ),
        ),
        NotAnswered(
            question=say("Who is better than whom?"),
            reason=say(
                "persons are not compared: sensors, courses and days differ, and so do aims"
            ),
        ),
    ]


def _sensors(persons: Persons) -> Iterator[NotAnswered]:
    """Measures whose sensors are not characterised."""
    for measure in persons.work.measures:
        sensors = [persons.sensor(item, measure) for item in persons.sessions]
        bare = sum(sensor is None or sensor.accuracy is None for sensor in sensors)
        if bare:
            yield NotAnswered(
                question=say(
                    "How sure are the figures of {measure}?",
                    measure=measure_name(measure),
                ),
                reason=say(
                    "not characterised in {bare} of {sensors} sessions: the request gives no "
                    "accuracy of a sensor under asset.sensors",
                    bare=bare,
                    sensors=len(sensors),
                ),
            )


def _relative(persons: Persons) -> Iterator[NotAnswered]:
    """Zones and loads that need a threshold that nobody tested."""
    score = persons.job.score
    for measure, zones in score.zones.items():
        lacking = [
            item
            for item in persons.sessions
            if persons.known.zone_edges(measure, item.number) is None
        ]
        if lacking:
            yield NotAnswered(
                question=say(
                    "How long was {measure} in which zone?",
                    measure=measure_name(measure),
                ),
                reason=say(
                    "{lacking} sessions have no {of} that was tested by their day; it is not "
                    "estimated",
                    lacking=len(lacking),
                    of=translated(zones.of),
                ),
            )
    if score.load is not None:
        lacking = [item for item in persons.sessions if item.load is None]
        if lacking:
            needs = {
                "work": say("readings of power"),
                "relative_power": say("threshold_power and half a minute of power"),
                "heart_rate": say("max_heart_rate, resting_heart_rate and heart rates"),
            }[score.load.kind]
            yield NotAnswered(
                question=say("What was the load of each session?"),
                reason=say(
                    "{lacking} of {sessions} sessions lack {needs}; thresholds are taken from "
                    "tests under asset.thresholds only",
                    lacking=len(lacking),
                    sessions=len(persons.sessions),
                    needs=needs,
                ),
            )


def _of_person(persons: Persons, name: str) -> Iterator[NotAnswered]:
    """What stays open of one person."""
    items = persons.by_person[name]
    if "power" in persons.work.measures:
        yield from _critical_power(persons, name, items)
    if persons.job.score.load is not None:
        shown = [day for day in persons.days(items) if np.isfinite(day.fitness).any()]
        if not shown:
            limit = persons.job.score.load
            yield NotAnswered(
                question=say("How did the load of {name} build up over weeks?", name=name),
                reason=say(
                    "no {fitness_days:g} days in a row are known: more than "
                    "{longest_rest_days} days without a session are missing days, not rest",
                    fitness_days=limit.fitness_days,
                    longest_rest_days=limit.longest_rest_days,
                ),
            )
    if persons.job.score.decoupling is not None:
        count = sum(not np.isfinite(item.facts["drift"]) for item in items)
        if count:
            yield NotAnswered(
                question=say(
                    "Did heart rate drift away from the effort in each session of {name}?",
                    name=name,
                ),
                reason=say(
                    "{count} of {items} sessions are too short, too unsteady or lack a reading",
                    count=count,
                    items=len(items),
                ),
            )
    if persons.job.train.heart_rate_model is not None and not any(len(i.residual) for i in items):
        yield NotAnswered(
            question=say("What heart rate does an effort of {name} bring?", name=name),
            reason=say(
                "fewer than {fewest_sessions} sessions have enough of both readings, so none "
                "can be held out",
                fewest_sessions=FEWEST_SESSIONS,
            ),
        )


def _critical_power(persons: Persons, name: str, items: list[Done]) -> Iterator[NotAnswered]:
    """Why there is no critical power, or no balance of the work above it."""
    known = [persons.known.capacity(item.number) for item in items]
    found = persons.model.card["critical_power"].get(name, {})
    if not any(known):
        reason = found.get("refused") or (
            say(
                "no effort is declared to have been maximal (asset.maximal_efforts); the best "
                "of training is a lower bound, and a line through it would be too low"
            )
        )
        yield NotAnswered(
            question=say("What is the critical power of {name}?", name=name), reason=reason
        )
    if not all(known):
        count = sum(item is None for item in known)
        yield NotAnswered(
            question=say(
                "How much of the work above critical power was left to {name}?", name=name
            ),
            reason=say(
                "critical power and the work above it are not known for {count} of {items} "
                "sessions",
                count=count,
                items=len(items),
            ),
        )
    gaps = sum(np.isfinite(i.facts["balance_least"]) and i.coverage("power") < WHOLE for i in items)
    if gaps:
        yield NotAnswered(
            question=say(
                "How much of the work above critical power was left to {name} in sessions "
                "with gaps?",
                name=name,
            ),
            reason=say(
                "{gaps} of {items} sessions have readings of power for less than {whole:.0%} "
                "of their time",
                gaps=gaps,
                items=len(items),
                whole=WHOLE,
            ),
        )
