"""The answer of the family `session_load`: what sessions say of persons, and what they cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.baseline import NOTHING_PREDICTED
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.pages.interface import read_by
from lumipipe.families.session_coach import coach_sections
from lumipipe.families.session_engineer import engineer_sections
from lumipipe.families.session_heart import (
    heart_compared,
    heart_coverage,
    heart_leakage,
    heart_metrics,
    heart_section,
    tested,
)
from lumipipe.families.session_measures import FACTS
from lumipipe.families.session_open import not_answered
from lumipipe.families.session_persons import Persons, measure_name, shown, unit_of
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, say, say_count, term
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.result import LeftOut, Metric, Result, Run, Split, Unit

if TYPE_CHECKING:
    from lumipipe.families.interface import Job, Model
    from lumipipe.families.session_persons import Done
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity

_FULL = 0.98
"""Share of the timer's time from which on a session is called full."""


def judge(job: Job, model: Model, leaves: Leaves) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What was learnt.
    leaves : dict of (unit, recording) to State
        Figures of each session.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    persons = Persons(job, model, leaves)
    metrics = [
        judged(metric, job.request.evaluation.metrics)
        for metric in [*_coverages(persons), *heart_metrics(persons)]
    ]
    leakage = heart_leakage(persons)
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(persons),
        verdict=allowed(conclude(metrics), leakage),
        would_change=_would_change(job, metrics),
        metrics=metrics,
        units=[_unit(persons, item) for item in persons.sessions],
        coverage=heart_coverage(persons),
        split=_split(persons),
        leakage=leakage,
        counts={
            many("persons"): len(persons.by_person),
            many("sessions"): len(persons.sessions),
            many("days with a session"): len(
                {(i.row.unit, i.day) for i in persons.sessions if i.day}
            ),
        },
        left_out=_left_out(persons),
        not_answered=not_answered(persons),
        sections=[
            *read_by("coach", coach_sections(persons)),
            *heart_section(persons),
            *read_by("engineer", engineer_sections(persons)),
        ],
        run=Run(),
    )
    compared = tuple(heart_compared(persons))
    without = "" if compared else say(NOTHING_PREDICTED)
    return Outcome(result, _tables(persons), persons, compared=compared, not_compared=without)


def _coverages(persons: Persons) -> list[Metric]:
    """Share of the timer's time with readings, of the effort and of the heart rate."""
    timer = sum(item.timer_s for item in persons.sessions)
    found = []
    for name, measure in _covered(persons).items():
        words = measure_name(measure)
        covered = sum(item.coverage(measure) * item.timer_s for item in persons.sessions)
        found.append(
            Metric(
                name=name,
                label=say("Share of the time by the timer with a reading of {words}", words=words),
                value=covered / timer if timer > 0 else None,
                count=len(persons.sessions),
                of=many("sessions"),
                note=say(
                    "a reading stands for {longest_hold_s:g} s at most",
                    longest_hold_s=persons.work.train.longest_hold_s,
                ),
            )
        )
    return found


def _covered(persons: Persons) -> dict[str, str]:
    """Metrics of coverage by name, with the measure that each is of."""
    named = {"coverage": next(iter(persons.work.measures))}
    if "heart_rate" in persons.work.measures:
        named["heart_rate_coverage"] = "heart_rate"
    return named


def _answer(persons: Persons) -> str:
    """The answer in one sentence."""
    hours = sum(item.timer_s for item in persons.sessions) / 3600.0
    count, people = len(persons.sessions), len(persons.by_person)
    sessions = say_count("{n} session", "{n} sessions", n=count)
    text = say_count(
        "{sessions} of {n} person, {hours} h by the timer",
        "{sessions} of {n} persons, {hours} h by the timer",
        n=people,
        sessions=sessions,
        hours=rounded(hours, digits=3),
    )
    for metric, measure in zip(_coverages(persons), _covered(persons).values(), strict=True):
        if metric.value is not None:
            text += say(
                "; {what} was read in {value:.1f} % of it",
                what=measure_name(measure),
                value=100 * metric.value,
            )
    if people == 1 and persons.work.efforts:
        items = persons.sessions
        longest = persons.job.score.compare_s[-1:]
        for duration in longest:
            best = persons.best(items)[0, persons.work.durations.index(duration)]
            if np.isfinite(best):
                unit = unit_of(persons.work.efforts[0])
                text += say(
                    "; best {duration} s: {best} {unit}",
                    duration=duration,
                    best=rounded(float(best)),
                    unit=unit,
                )
    return f"{text}."


def _would_change(job: Job, metrics: list[Metric]) -> str:
    """What would change the answer."""
    if not job.request.evaluation.metrics:
        return say("No condition was set under evaluation.metrics, so nothing can be supported.")
    if words := undecided_sentence(metrics):
        return words
    more = say(
        "Sensors with a certificate and repeat tests, which say how large a change must "
        "be; tests of thresholds; sessions that are missing here."
    )
    failed = [metric.label for metric in metrics if metric.met is False]
    if not failed:
        return more
    named = "; ".join(failed)
    return say("Recordings that meet what was asked for: {named}.", named=named) + " " + more


def _split(persons: Persons) -> Split:
    """What was held out."""
    if not tested(persons):
        return Split(kind="none", sentence=say("Nothing was learnt, so nothing was held out."))
    return Split(
        kind="group",
        sentence=say(
            "Each session was held out: the heart rate of each is foretold by the person's "
            "other sessions alone. All other figures are of the session itself."
        ),
    )


_READ = {
    "power": term("power read (%)"),
    "speed": term("speed read (%)"),
    "heart_rate": term("heart rate read (%)"),
}
_MEANS = {
    "power": term("mean power (W)"),
    "speed": term("mean speed (m/s)"),
    "heart_rate": term("mean heart rate (1/min)"),
}


def _unit(persons: Persons, item: Done) -> Unit:
    """One session."""
    measure = next(iter(persons.work.measures))
    share = item.coverage(measure)
    values: dict[str, Any] = {
        term("date"): say("not known") if item.day is None else str(item.day),
        term("timer (min)"): round(item.timer_s / 60.0, 2),
        _READ[measure]: round(100.0 * share, 2),
    }
    for name in persons.work.measures:
        values[_MEANS[name]] = shown(item.facts[f"{name}_mean"])
    if persons.job.score.load is not None:
        values[term("load")] = shown(item.load)
    severity: Severity = "neither"
    if share >= _FULL:
        verdict, severity = term("full"), "good"
    elif share > 0:
        verdict = term("gaps")
    else:
        verdict, severity = term("no reading"), "bad"
    return Unit(id=item.row.id, verdict=verdict, severity=severity, values=values)


def _left_out(persons: Persons) -> list[LeftOut]:
    """Readings and recordings that do not count."""
    found = [
        LeftOut(what=say("recording {id}", id=item["id"]), reason=str(item["reason"]))
        for item in persons.job.dataset.manifest.record["left_out"]
    ]
    for name, measure in persons.work.measures.items():
        count = int(sum(item.facts[f"{name}_too_large"] for item in persons.sessions))
        if count:
            reason = (
                say("negative, or 0 where that is no reading")
                if measure.most is None
                else say(
                    "above {most:g} {unit}, negative, or 0 where that is no reading",
                    most=measure.most,
                    unit=unit_of(name),
                )
            )
            words = measure_name(name)
            found.append(
                LeftOut(
                    what=say("{count} readings of {words}", count=count, words=words), reason=reason
                )
            )
    return found


def _tables(persons: Persons) -> dict[str, dict[str, Any]]:
    """One row a session with all its figures, and one row a session and duration."""
    items = persons.sessions
    sessions: dict[str, Any] = {
        "recording": np.array([item.row.id for item in items], dtype=object),
        "person": np.array([item.row.unit for item in items], dtype=object),
        "day": np.array([str(item.day or "") for item in items], dtype=object),
        "timer_s": np.array([item.timer_s for item in items]),
    }
    sessions |= {name: np.array([item.facts[name] for item in items]) for name in FACTS}
    load = [np.nan if item.load is None else item.load for item in items]
    sessions["load"] = np.array(load)
    for measure in persons.job.score.zones:
        times = np.array([item.zones[measure] for item in items])
        for zone in range(times.shape[1] if len(items) else 0):
            sessions[f"{measure} zone {zone + 1} (ns)"] = times[:, zone]
    durations = persons.work.durations
    curve: dict[str, Any] = {
        "recording": np.repeat(sessions["recording"], len(durations)),
        "duration_s": np.tile(np.array(durations, dtype=np.int64), len(items)),
    }
    for number, effort in enumerate(persons.work.efforts):
        curve[f"best {effort}"] = np.concatenate([item.curve[number] for item in items])
    return {"sessions": sessions, "curve": curve}
