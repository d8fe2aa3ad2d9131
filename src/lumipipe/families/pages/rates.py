"""How often an alarm is false and how often an event is missed, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lumipipe.config import GroupSplit
from lumipipe.families.monitoring_scores import NOT_DETECTABLE
from lumipipe.families.pages.cases import FALSE_ALARM, KINDS, MISS, cases_of, told_normal
from lumipipe.families.pages.interface import Told, not_here
from lumipipe.families.pages.streams import stream_of
from lumipipe.language import say, say_count
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.proportions import clopper_pearson, share_between_units
from lumipipe.uncertainty.rates import poisson_rate

if TYPE_CHECKING:
    from collections.abc import Container

    from numpy.typing import NDArray

    from lumipipe.families.pages.interface import Subject

MONTH_S = 365.25 / 12 * 86_400.0
"""Seconds of a mean month."""
_UNSEEN = (NOT_DETECTABLE, "unclear")
_DAY_S, _HOUR_S = 86_400.0, 3600.0
_THOUSAND, _HUNDRED = 1000.0, 100.0


class Episodes(NamedTuple):
    """Alarms of a kind of rows, and the time in which they came."""

    alarms: int
    rows: int
    seconds: float


def rates_told(subject: Subject) -> Told:
    """False alarms a month where rows have a rate, for each 1,000 rows where not; misses.

    What was watched for less than a day is told for each hour: of a month it says too little.
    """
    family = subject.job.request.question.family
    if family == "monitoring":
        return _of_monitoring(subject)
    if "windows" in subject.outcome.tables and family != "bearing":
        return _of_classes(subject)
    return _of_cases(subject)


def _table(title: str, caption: str, rows: list[list[Any]], columns: list[str]) -> Section:
    """A section with one table of rates."""
    table = Table(
        kind="table",
        title=title,
        caption=caption,
        alt=say("One row a kind of mistake."),
        columns=[Column(label=label) for label in columns],
        rows=rows,
    )
    return Section(title=say("How often it is wrong"), figures=[table])


def episodes(subject: Subject, among: NDArray[np.bool_], alarm: NDArray[np.bool_]) -> Episodes:
    """Starts of alarms among rows; alarms in neighbouring rows are one.

    Parameters
    ----------
    subject : Subject
        The judged request.
    among, alarm : ndarray of bool, shape (row,)
        Of the family's table of rows: those that are looked at, and those in alarm.

    Returns
    -------
    Episodes
        Without seconds (NaN) where a recording has no rate.
    """
    names = subject.outcome.tables["rows"]["recording"].astype(str)
    count, rows, seconds = 0, 0, 0.0
    for number, recording in enumerate(subject.job.dataset.recordings):
        mine = among & (names == recording.id)
        if not mine.any():
            continue
        held = (alarm & mine)[names == recording.id].astype(np.int64)
        count += int((np.diff(held, prepend=0) > 0).sum())
        rows += int(mine.sum())
        rate = float(stream_of(subject, number).rate_hz[number])
        seconds += mine.sum() / rate if np.isfinite(rate) and rate > 0 else np.nan
    return Episodes(count, rows, float(seconds))


def _rate_row(what: str, found: Episodes) -> list[Any]:
    """One row of the table of rates of rows."""
    if found.seconds >= _DAY_S:
        rate = poisson_rate(found.alarms, found.seconds / MONTH_S)
        per, of = say("month"), say("{days:.3g} d", days=found.seconds / _DAY_S)
    elif found.seconds > 0:
        rate = poisson_rate(found.alarms, found.seconds / _HOUR_S)
        per, of = say("hour"), say("{hours:.3g} h", hours=found.seconds / _HOUR_S)
    else:
        rate = poisson_rate(found.alarms, found.rows / _THOUSAND)
        per, of = say("1,000 rows"), say("{rows} rows", rows=rounded(found.rows))
    value, lower, upper = rate
    return [what, found.alarms, of, Interval(value=value, lower=lower, upper=upper), per]


def _of_monitoring(subject: Subject) -> Told:
    """Starts of alarms in normal rows or in rows of which nothing is known, and missed faults."""
    rows = subject.outcome.tables["rows"]
    alarm = np.asarray(rows["t2_alarm"] | rows["spe_alarm"])
    tested = np.asarray(rows["phase"] == "test")
    event = np.asarray(rows["event"], dtype=np.bool_) & tested
    told = told_normal(subject, rows)
    kinds = (
        (say("false alarms that began in rows told to be normal"), told & ~event),
        (say("alarms that began in rows of which nothing is known"), tested & ~told & ~event),
    )
    found = [_rate_row(what, episodes(subject, mask, alarm)) for what, mask in kinds if mask.any()]
    unseen = {unit.id for unit in subject.result.units if unit.verdict in _UNSEEN}
    missed, faults = _missed_faults(rows["recording"].astype(str), event, alarm, unseen)
    if faults:
        lower, upper = clopper_pearson(missed, faults)
        share = Interval(value=missed / faults, lower=lower, upper=upper)
        of = say_count("{n} known fault", "{n} known faults", n=faults)
        found.append(
            [say("missed events: known faults that do not stand out"), missed, of, share, "1"]
        )
    section = _table(
        say("False alarms and missed events"),
        say(
            "An alarm begins where a row is in alarm and the one before is not. A fault is missed "
            "where none of its rows is in alarm, or no more of them than false alarms explain. "
            "Intervals (95%): Poisson (Garwood 1936) for rates, as if alarms came independently; "
            "Clopper and Pearson for shares of faults."
        ),
        found,
        [say("what"), say("number"), say("in"), say("rate"), say("for each")],
    )
    sentence = _first_words(found)
    if faults:
        sentence += " " + say(
            "Of {of}, {missed} did not stand out from false alarms (missed events).",
            missed=missed,
            of=of,
        )
    else:
        sentence += " " + say("No fault is known in the tested rows, so none can be missed.")
    return Told(sentence, [section])


def _first_words(rows: list[list[Any]]) -> str:
    """The first rate in words."""
    what, count, of, rate, per = rows[0]
    value, lower, upper = rounded_interval(rate.value, rate.lower, rate.upper)
    return say(
        "{what}: {count} in {of}, that is {value} for each {per} ({lower} to {upper}).",
        what=what[:1].upper() + what[1:],
        count=rounded(count),
        of=of,
        value=value,
        per=per,
        lower=lower,
        upper=upper,
    )


def _missed_faults(
    names: NDArray[Any], event: NDArray[np.bool_], alarm: NDArray[np.bool_], unseen: Container[str]
) -> tuple[int, int]:
    """Stretches of a known fault that do not stand out from false alarms, and all of them."""
    missed = faults = 0
    for name in np.unique(names[event]):
        mine = names == name
        edges = np.flatnonzero(np.diff(np.concatenate([[0], event[mine].astype(int), [0]])))
        for start, stop in edges.reshape(-1, 2):
            faults += 1
            missed += str(name) in unseen or not alarm[mine][start:stop].any()
    return missed, faults


def _of_classes(subject: Subject) -> Told:
    """Windows of each class that are missed, and windows that are falsely taken for it."""
    rows = subject.outcome.tables["windows"]
    truth, recognised = rows["truth"].astype(str), rows["recognised"].astype(str)
    units = _held_out(subject, rows["recording"])
    found = []
    for name in sorted(set(truth)):
        own, taken = truth == name, recognised == name
        missed = _share(units, own & ~taken, own)
        false = _share(units, ~own & taken, ~own)
        found.append([name, int(own.sum()), missed, false])
    section = _table(
        say("Windows that are missed and windows that are falsely recognised, by class"),
        say(
            "For each 1,000 windows of the class, and for each 1,000 windows of all others. "
            "Intervals (95%) allow for windows of one held-out group that are alike (Korn and "
            "Graubard 1998). Windows overlap and are no events, so nothing is said for a month."
        ),
        found,
        [
            say("class"),
            say("windows"),
            say("missed, of 1,000"),
            say("false alarms, of 1,000"),
        ],
    )
    worst = max(found, key=lambda row: row[2].value or 0.0)
    value, lower, upper = rounded_interval(worst[2].value, worst[2].lower, worst[2].upper)
    return Told(
        say(
            "Of 1,000 windows of class {name}, the one that is missed most, {missed} are missed "
            "({lower} to {upper}); of 1,000 windows of the others, {false} are taken for it.",
            name=worst[0],
            missed=value,
            lower=lower,
            upper=upper,
            false=rounded(worst[3].value, worst[3].lower, worst[3].upper),
        ),
        [section],
    )


def _held_out(subject: Subject, recordings: NDArray[Any]) -> NDArray[Any]:
    """What was held out together with each window: units, or the values of a label."""
    split = subject.job.request.evaluation.split
    by = split.by if isinstance(split, GroupSplit) else "unit"
    known = {one["recording"]: one for one in subject.job.known()}
    group = {
        row.id: known[row.id].get(by, row.unit) if by != "recording" else row.id
        for row in subject.job.dataset.recordings
    }
    return np.array([group[name] for name in recordings])


def _share(units: NDArray[Any], hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Interval:
    """A share for each 1,000, with its interval between units."""
    if not among.any():
        return Interval(value=None)
    names = np.unique(units[among])
    counts = np.array([[(hits & (units == n)).sum(), (among & (units == n)).sum()] for n in names])
    lower, upper, _ = share_between_units(counts[:, 0], counts[:, 1])
    value = float(counts[:, 0].sum() / counts[:, 1].sum())
    return Interval(
        value=_THOUSAND * value,
        lower=_THOUSAND * min(lower, value),
        upper=_THOUSAND * max(upper, value),
    )


def _of_cases(subject: Subject) -> Told:
    """Shares of what was judged that was missed, and that was a false alarm."""
    cases = cases_of(subject)
    if cases is None:
        return not_here(say("nothing is detected, so there is neither a false alarm nor a miss."))
    judged = _judged(subject)
    if not judged:
        return not_here(say("of nothing that was judged the truth is known."))
    rows: list[list[Any]] = []
    sentences = []
    for kind in (FALSE_ALARM, MISS):
        count, what = cases.count(KINDS.index(kind)), f"{say(kind)}: {cases.meanings[kind]}"
        share = _percent_of(count, judged)
        rows.append([what, count, judged, share])
        value, lower, upper = rounded_interval(share.value, share.lower, share.upper)
        sentences.append(
            say(
                "{what}: {count} of {judged}, {value} of 100 ({lower} to {upper}).",
                what=what[:1].upper() + what[1:],
                count=rounded(count),
                judged=rounded(judged),
                value=value,
                lower=lower,
                upper=upper,
            )
        )
    section = _table(
        say("False alarms and misses"),
        say(
            "Of 100 that were judged and of which the truth is known. How many that are a month "
            "follows from how many are judged in one. Intervals (95%): Clopper and Pearson, as if "
            "they were independent."
        ),
        rows,
        [say("what"), say("number"), say("judged"), say("of 100")],
    )
    return Told(" ".join(sentences), [section])


def _percent_of(count: int, judged: int) -> Interval:
    """A share for each 100, with its interval."""
    lower, upper = clopper_pearson(count, judged)
    return Interval(value=_HUNDRED * count / judged, lower=_HUNDRED * lower, upper=_HUNDRED * upper)


def _judged(subject: Subject) -> int:
    """What was judged and has a known truth: recordings, units or rows."""
    family, tables = subject.job.request.question.family, subject.outcome.tables
    if family == "bearing":
        known = {one["recording"]: one for one in subject.job.known()}
        truth, meaning = subject.job.score.truth, subject.job.score.meaning
        rows = tables["diagnoses"]
        return sum(  # what set the level of good order is not judged
            known[name].get(truth, "") in meaning and verdict != "reference"
            for name, verdict in zip(rows["recording"], rows["verdict"], strict=True)
        )
    if family == "remaining_life":
        rows = subject.facts.instants
        known = np.isfinite(rows["truth"]) & np.isfinite(rows["prediction"])
        return int((known & rows["inside"]).sum())
    rows = tables["rows"]
    name = next(column for column in rows if column.startswith("measured"))
    lower = name.replace("measured", "lower")
    known_rows = np.isfinite(rows[name].astype(float)) & np.isfinite(rows[lower].astype(float))
    return int((known_rows & (rows["phase"] == "test")).sum())
