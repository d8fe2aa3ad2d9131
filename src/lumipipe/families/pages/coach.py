"""The coach's page: what a family itself shows of persons, and what it leaves open."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.hrv_change import find_changes
from lumipipe.families.pages.days import day_chart, seen_by_person
from lumipipe.families.pages.interface import Teller, Told, not_here, not_stated, unstated
from lumipipe.families.session_uncertainty import change
from lumipipe.language import say, say_count
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject
    from lumipipe.reporting.figures.declared import Chart


def _family(subject: Subject) -> str:
    """Name of the family."""
    name: str = subject.job.request.question.family
    return name


def _change(subject: Subject) -> Told:
    """Changes beside the smallest detectable one."""
    family = _family(subject)
    if family == "session_load":
        return _session_changes(subject)
    if family == "hrv":
        found = find_changes(subject.job, subject.facts).changes
        ratios = np.array([one.ratio for one in found])
        source = say("It comes from the repeats that the request names.")
        return _counted(len(found), int((ratios > 1.0).sum()), int(np.isnan(ratios).sum()), source)
    if family == "esports" and subject.job.score.sessions is not None:
        if _has_one_each(subject):
            return _counted(0, 0, 0, "")
        return Told(
            say(
                "Sessions of each person are compared in order, with intervals; no repeat test "
                "says what happens when nothing has changed."
            )
        )
    if family == "technique":
        return Told(
            say(
                "Conditions are compared, not days: the difference of each figure stands with its "
                "interval over the athletes. No repeat tests are declared, so that no change of "
                "one athlete is judged."
            )
        )
    return not_here(
        say("it follows no figure of a person from day to day, so no change is judged.")
    )


def _counted(count: int, beyond: int, open_: int, source: str) -> Told:
    """How many changes are more than noise; `source` says where the detectable one comes from."""
    if not count:
        return Told(
            say("No figure was measured twice in one person, so that nothing can have changed."),
            is_answered=False,
        )
    if open_ == count:
        return Told(
            say(
                "None of {count} changes is judged: how far repeats are apart is not "
                "characterised, so no smallest detectable change is known.",
                count=count,
            ),
            is_answered=False,
        )
    text = say(
        "{beyond} of {count} changes are more than measurement noise (the smallest detectable "
        "change).",
        beyond=beyond,
        count=count - open_,
    )
    text += f" {source}"
    if open_:
        text += " " + say(
            "{open} more are not judged: how far repeats are apart is not characterised.",
            open=open_,
        )
    return Told(text)


def _session_changes(subject: Subject) -> Told:
    """Changes of best means from session to session."""
    persons = subject.facts
    if not persons.work.efforts:
        return not_here(say("no effort is measured whose best means could be followed."))
    effort, confidence = persons.work.efforts[0], subject.job.score.confidence
    found = []
    for items in persons.by_person.values():
        for duration in subject.job.score.compare_s:
            place = persons.work.durations.index(duration)
            there = [item for item in items if np.isfinite(item.curve[0, place])]
            for before, after in pairwise(there):
                pair = [
                    (float(item.curve[0, place]), persons.sensor(item, effort))
                    for item in (before, after)
                ]
                found.append(change(pair[0], pair[1], confidence))
    judged = [one for one in found if one.detectable is not None]
    beyond = sum(abs(one.value) > (one.detectable or 0.0) for one in judged)
    source = say("It comes from what the request states of each sensor (asset.sensors).")
    return _counted(len(found), beyond, len(found) - len(judged), source)


def _has_one_each(subject: Subject) -> bool:
    """Whether each person has a single recording."""
    recordings = subject.job.dataset.recordings
    return len({row.unit for row in recordings}) == len(recordings)


def _history(subject: Subject) -> Told:
    """Each person against their own past."""
    family = _family(subject)
    if family == "technique":
        return not_here(
            say("the data are of one athlete, whose figures all of them are.")
            if len({row.unit for row in subject.job.dataset.recordings}) == 1
            else say(
                "figures of single athletes are not shown; what is told are means over athletes, "
                "each counting once."
            )
        )
    if _has_one_each(subject):
        return Told(
            say("Each person has one recording, so that there is no history yet."),
            is_answered=False,
        )
    if family == "esports":
        return Told(
            say("Recordings stand on one scale, each for itself; nobody is compared with others.")
            + " "
            + (
                say("Sessions of a person follow each other in the order of the request.")
                if subject.job.score.sessions is not None
                else not_stated(say("The order of sessions"), "score.sessions").sentence
            )
        )
    if family in {"session_load", "hrv"}:
        return Told(
            say("Each person stands beside their own earlier recordings, all on one scale."),
        )
    if not _day_charts(subject):
        return Told(
            say("No person is known to have recordings on two days, so that there is no history."),
            is_answered=False,
        )
    return Told(
        say("What is known over time is how long each person was recorded, day by day."),
    )


def _thresholds(subject: Subject) -> Told:
    """Thresholds with the day of their test."""
    family, job = _family(subject), subject.job
    if family == "session_load":
        if not job.asset.thresholds:
            return unstated("asset.thresholds")
        days = [item.date for item in job.asset.thresholds]
        return Told(
            say(
                "{count} thresholds, tested from {first} to {last}; each holds from its day on.",
                count=len(days),
                first=min(days),
                last=max(days),
            )
        )
    if family == "esports" and job.train.intensity is not None:
        return not_stated(
            say("The day on which the bounds of the zones were tested"),
            "train.intensity.zones.source",
        )
    return not_here(say("it uses no threshold of a person."))


def _missing(subject: Subject) -> Told:
    """Days without a recording, drawn as such; readings that are missing."""
    left = [item for item in subject.result.left_out if item.is_recording]
    words = (
        say_count(
            "{n} recording was left out; page 1 names it.",
            "{n} recordings were left out; page 1 names them.",
            n=len(left),
        )
        if left
        else say("No recording was left out.")
    )
    if _family(subject) == "session_load":
        return Told(
            words + " " + say("Days without a session are empty in the history, never zero.")
        )
    seen = seen_by_person(subject)
    if not seen:
        told = not_stated(say("Days of the recordings"), "data[].time (column, since 1970)")
        return Told(f"{words} {told.sentence}")
    charts = _day_charts(subject)
    if not charts:
        return Told(words + " " + say("No person has recordings on two days."))
    section = Section(title=say("Days with and without a recording"), figures=charts)
    return Told(words + " " + say("Days without a recording are drawn empty."), [section])


def _day_charts(subject: Subject) -> list[Chart]:
    """A chart of each person with recordings on two days, all on one scale."""
    seen = seen_by_person(subject)
    values, label = _day_values(subject, seen)
    known = [value for value in values.values() if np.isfinite(value)]
    highest = max([0.0, *known])
    return [
        chart
        for person, items in list(seen.items())[: subject.job.request.report.most_units]
        if (chart := day_chart(person, items, values, label, highest)) is not None
    ]


def _day_values(subject: Subject, seen: dict[str, list]) -> tuple[dict[str, float], str]:  # type: ignore[type-arg]
    """What is drawn by day: a figure of the family where there is one, else the time recorded."""
    if _family(subject) == "hrv":
        hearts = [h for h in subject.facts if h.compared]
        return {h.row.id: float(h.compared["rmssd"].value) for h in hearts}, "RMSSD (ms)"
    minutes: dict[str, float] = {}
    for items in seen.values():
        for item in items:  # all of a day count, whichever of its recordings is drawn
            minutes[item.id] = sum(other.minutes for other in items if other.day == item.day)
    return minutes, say("minutes recorded")


def _sensors(subject: Subject) -> Told:
    """What is known of the sensors, and where a change of one is marked."""
    if _family(subject) == "session_load":
        sensors = subject.job.asset.sensors
        if not sensors:
            return unstated("asset.sensors")
        return Told(
            say(
                "{count} sensors are stated with their firmware; a day on which another one took "
                "over is marked on the axis.",
                count=len(sensors),
            )
        )
    named = sorted(
        {
            channel.sensor
            for source in subject.job.request.data
            for channel in source.channels
            if channel.sensor not in {"none", "not characterised"}
        }
    )
    if not named:
        return unstated("data[].channels[].sensor")
    return Told(
        say(
            "Stated: {names}. A change from one source to another with another sensor is marked.",
            names=", ".join(named),
        )
    )


def _load(subject: Subject) -> Told:
    """Load in plain words."""
    family = _family(subject)
    if family == "session_load":
        if subject.job.score.load is None:
            return unstated("score.load")
        return Told(
            say(
                "Load adds up what was done in a session; the slow average tells what somebody is "
                "used to, the fast one what was done lately. It does not tell how it felt."
            )
        )
    if family == "esports":
        intensity = subject.job.train.intensity
        if intensity is None:
            return not_here(say("it counts what was done in the game, and not how hard it was."))
        return Told(
            say(
                "Minutes in each zone of {names} tell how long it was how high, and neither why "
                "nor how hard that was for the person.",
                names=", ".join(name.replace("_", " ") for name in intensity.zones),
            )
        )
    if family == "hrv":
        return not_here(say("it measures the spread of heartbeats, and no training that was done."))
    return not_here(say("it recognises what was done, and not how hard it was."))


def _who(subject: Subject) -> Told:
    """Who may see the page."""
    asset = subject.job.asset
    key = "asset.seen_by" if hasattr(asset, "seen_by") else "asset.page_for"
    reader = getattr(asset, key.partition(".")[2], None)
    if reader is None and _family(subject) == "technique":
        return Told(
            say(
                "The athletes themselves, their coach and whom the owner allows it to; why, "
                "stands below."
            )
        )
    if reader is None:
        return unstated(key)
    return Told(say("To be seen by: {reader}.", reader=reader.rstrip(".")))


COACH: dict[str, Teller] = {
    "change": _change,
    "history": _history,
    "thresholds": _thresholds,
    "missing": _missing,
    "sensors": _sensors,
    "load": _load,
    "who": _who,
}
"""What tells each item of the page."""
