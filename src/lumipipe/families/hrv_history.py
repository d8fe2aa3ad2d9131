"""The section of a report of the family `hrv` on persons: recordings on one scale, and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.hrv_change import histories
from lumipipe.families.hrv_words import LABELS, number, percent
from lumipipe.language import say, term, translated
from lumipipe.reporting.figures.declared import Column, IntervalRow, Intervals, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.hrv_change import Changes
    from lumipipe.families.hrv_recordings import Heart
    from lumipipe.families.interface import Job


def history_section(job: Job, found: list[Heart], changes: Changes) -> Section:
    """Recordings of each person on one scale, and their changes."""
    persons, score = histories(found), job.score
    windows = (
        say("the first full window of {window_s:g} s", window_s=job.train.window_s)
        if score.compared_windows == 1
        else say(
            "the first {compared_windows} full windows of {window_s:g} s",
            compared_windows=score.compared_windows,
            window_s=job.train.window_s,
        )
    )
    text = say(
        "Recordings are compared over {windows}, since SDNN grows with the length of what "
        "it is taken from. A window is full where normal intervals fill "
        "{least_covered:.0%} of it. Each person is compared with that person's own "
        "earlier recordings only.",
        windows=windows,
        least_covered=score.least_covered,
    )
    notes = [text, *_error_words(changes)]
    if not changes.is_dated:
        notes.append(say("Not all recordings have a date; they go in the order of their names."))
    figures: list[Any] = [_figure(job, persons)] if persons else []
    if changes.changes:
        figures.append(_changes(changes))
    return Section(title=say("History of each person"), paragraphs=notes, figures=figures)


def _error_words(changes: Changes) -> list[str]:
    """Where the noise of a figure is known from."""
    words = [
        f"{say(LABELS[name])} {percent(error.value)[1:]} % ("
        + (
            say("declared")
            if np.isinf(error.degrees_of_freedom)
            else say(
                "{degrees_of_freedom:.0f} degrees of freedom",
                degrees_of_freedom=error.degrees_of_freedom,
            )
        )
        + ")"
        for name, error in changes.errors.items()
        if error.degrees_of_freedom > 0
    ]
    if not words:
        return [say("How far repeats are apart when nothing has changed is not known here.")]
    source = next(iter(changes.errors.values())).source.rstrip(".")
    return [
        say(
            "Typical error between repeats: {words}; from {source}.",
            words=", ".join(words),
            source=source,
        )
    ]


def _figure(job: Job, persons: dict[str, list[Heart]]) -> Intervals:
    """RMSSD of each recording that is compared."""
    rows = [
        IntervalRow(
            label=heart.row.id if person == heart.row.id else f"{person}: {heart.row.id}",
            value=number(heart.compared["rmssd"].value),
            lower=number(heart.compared["rmssd"].lower),
            upper=number(heart.compared["rmssd"].upper),
            count=sum(w.beats.count for w in heart.full[: job.score.compared_windows]),
        )
        for person, history in persons.items()
        for heart in history
    ]
    coverage = job.request.evaluation.interval.coverage
    return Intervals(
        kind="intervals",
        title=say("RMSSD over windows of one length"),
        caption=say(
            "{coverage:.0%} intervals of the recording itself, from the spread between its "
            "blocks of {block_s:g} s; n: normal intervals. They say nothing of other days.",
            coverage=coverage,
            block_s=job.train.block_s,
        ),
        alt=say("{rows} recordings of {persons} persons.", rows=len(rows), persons=len(persons)),
        rows=rows,
        x_label=say("RMSSD (ms)"),
    )


def _changes(changes: Changes) -> Table:
    """Each change beside the one that noise makes."""
    rows = [
        [
            change.person,
            say(LABELS[change.figure]),
            change.before,
            change.after,
            change.values[0],
            change.values[1],
            percent(change.log_ratio),
            _limits(change.detectable),
            _word(change.ratio),
        ]
        for change in changes.changes
    ]
    return Table(
        kind="table",
        title=say("Changes from one recording to the next"),
        caption=say(
            "Noise: changes between these limits happen without any cause (smallest "
            "detectable change; Weir 2005). Many changes are looked at, so that some pass by "
            "chance."
        ),
        alt=say("{rows} changes.", rows=len(rows)),
        columns=[
            Column(label=say("person")),
            Column(label=say("figure")),
            Column(label=translated(term("from"))),
            Column(label=translated(term("to"))),
            Column(label=say("before"), unit="ms"),
            Column(label=say("after"), unit="ms"),
            Column(label=say("change"), unit="%"),
            Column(label=say("noise"), unit="%"),
            Column(label=say("larger than noise")),
        ],
        rows=rows,
    )


def _limits(detectable: float) -> str:
    """Smallest detectable changes down and up in per cent, in words."""
    if not np.isfinite(detectable):
        return say("not known")
    return say(
        "{percent} to {percent_2}", percent=percent(-detectable), percent_2=percent(detectable)
    )


def _word(ratio: float) -> str:
    """Whether a change is larger than noise, in a word."""
    if not np.isfinite(ratio):
        return say("not judged")
    return say("yes") if ratio > 1.0 else say("no")
