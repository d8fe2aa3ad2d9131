"""The sections of a report of the family `esports`: tables and figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.esports_numbers import spoken
from lumipipe.families.pages.interface import read_by
from lumipipe.language import FINDING, message, say, translated
from lumipipe.reporting.figures.declared import (
    Bars,
    Chart,
    Column,
    IntervalRow,
    Intervals,
    Table,
)
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.esports_numbers import Latencies, Numbers, Times
    from lumipipe.families.esports_sessions import Course
    from lumipipe.families.esports_winner import Called
    from lumipipe.families.interface import Job
    from lumipipe.uncertainty.blocks import Estimate

_LEADING = re.compile(r"(\d+(?= ))? ?(.*)", re.DOTALL)  # a number at the start, and the rest
_DRAWN_SHARE = 0.99  # of the latencies: the rest is a long tail
_RIGHT = {True: message("yes"), False: message("no")}


def sections(
    job: Job,
    numbers: Numbers | None,
    times: Times | None,
    winner: Called | None,
    courses: list[Course],
) -> list[Section]:
    """All sections, in order."""
    found: list[Section] = []
    if numbers is not None:
        parts = [_actions(numbers), _minutes(numbers)]
        parts += [_latency(numbers, name) for name in numbers.events.latencies]
        found += read_by("coach", parts)
    if winner is not None:
        found.append(_winner(winner))
    if courses:
        found += read_by("coach", [_courses(courses)])
    if times is not None:
        found += read_by("coach", [_zones(times, name) for name in times.held])
    notes = [(row.id, note) for row in job.dataset.recordings for note in row.notes]
    return [*found, _notes(notes, len(job.dataset.recordings))] if notes else found


def _interval(rate: Estimate) -> Interval:
    """A rate as a cell."""
    if not rate.is_known:
        return Interval(value=rate.value if np.isfinite(rate.value) else None)
    return Interval(value=rate.value, lower=max(0.0, rate.lower), upper=rate.upper)


def _actions(numbers: Numbers) -> Section:
    """Actions a minute by recording."""
    events, others = numbers.events, numbers.events.actions
    rows: list[list[Any]] = []
    drawn = []
    for played in numbers.recordings:
        rate = _interval(numbers.rate(played))
        spread = numbers.dispersion(played)
        by_class = [_interval(numbers.rate(played, [name])).value for name in others]
        rows.append(
            [
                played.id,
                *(played.known.get(name) for name in numbers.job.score.shown),
                played.total_minutes,
                rate,
                *by_class,
                None if spread is None else float(f"{spread:.2g}"),
            ]
        )
        drawn.append(
            IntervalRow(
                label=played.id,
                value=rate.value,
                lower=rate.lower,
                upper=rate.upper,
            )
        )
    return Section(
        title=say("Actions per minute"),
        paragraphs=[
            say(
                "An action: {meaning}. Classes that count: {listed}.",
                meaning=events.meaning.rstrip("."),
                listed=_listed(others),
            ),
            say(
                "Intervals of 95% by recording leave out one stretch of {block_s:g} s in "
                "turn, so bursts that are shorter than that do not make them too narrow. "
                "Dispersion is the variance of the actions in a stretch over their mean: "
                "counts that came at random would have 1, and an interval for those would "
                "be narrower by its square root.",
                block_s=events.block_s,
            ),
        ],
        figures=[
            Intervals(
                kind="intervals",
                title=say("Actions per minute by recording"),
                caption=say("Points with intervals of 95% over stretches of time."),
                alt=say("Actions per minute of each recording."),
                rows=drawn,
                x_label=say("actions (1/min)"),
            ),
            Table(
                kind="table",
                title=say("Actions per minute by recording and class"),
                caption=say("n/a: too few full stretches of time."),
                alt=say("Rates of each recording."),
                columns=[
                    Column(label=say("recording")),
                    *(Column(label=name) for name in numbers.job.score.shown),
                    Column(label=say("length"), unit="min"),
                    Column(label=say("actions"), unit="1/min"),
                    *(Column(label=spoken(name), unit="1/min") for name in others),
                    Column(label=say("dispersion")),
                ],
                rows=rows,
            ),
        ],
    )


def _minutes(numbers: Numbers) -> Section:
    """Actions a minute in the course of the recordings."""
    length = numbers.events.block_s
    found = [item for item in numbers.by_block() if item[2]]
    rows = []
    for block, rate, persons in found:
        cell = _interval(rate)
        rows.append(
            IntervalRow(
                label=say(
                    "{block:g} to {block_2:g} min",
                    block=block * length / 60,
                    block_2=(block + 1) * length / 60,
                ),
                value=cell.value,
                lower=cell.lower,
                upper=cell.upper,
                count=persons,
            )
        )
    return Section(
        title=say("In the course of a recording"),
        paragraphs=[
            say(
                "Each stretch counts those who were still playing, as far as they were: "
                "late ones are of few persons, and of those whose games are long. "
                "Intervals of 95% are of the spread between persons; with fewer than four "
                "there is none."
            )
        ],
        figures=[
            Intervals(
                kind="intervals",
                title=say("Actions per minute by stretch of {length:g} s", length=length),
                caption=say("The number of persons stands with each stretch."),
                alt=say("Actions per minute in the course of time."),
                rows=rows,
                x_label=say("actions (1/min)"),
            )
        ],
    )


def _latency(numbers: Numbers, name: str) -> Section:
    """Distribution of a latency, and its quantiles by recording."""
    settings, every = numbers.events.latencies[name], numbers.recordings
    several = any(played.latencies[name].answered > 1 for played in every)
    figures: list[Any] = [_distribution(numbers, name)] if several else []
    figures.append(
        Table(
            kind="table",
            title=say("{name} by recording", name=spoken(name).capitalize()),
            caption=say("Intervals of 95% by ranks, as if episodes did not hang together.")
            if several
            else say("One episode at most in each recording; n/a: no answer."),
            alt=say("Latencies {spoken} of each recording.", spoken=spoken(name)),
            columns=[
                Column(label=say("recording")),
                *(Column(label=label) for label in numbers.job.score.shown),
                *(_quantile_columns() if several else [Column(label=say("latency"), unit="s")]),
            ],
            rows=[
                [
                    played.id,
                    *(played.known.get(label) for label in numbers.job.score.shown),
                    *_quantiles(played.latencies[name], several=several),
                ]
                for played in every
            ],
        )
    )
    source = translated(settings.source).rstrip(".")
    return Section(
        title=say("Latency: {spoken}", spoken=spoken(name)),
        paragraphs=[
            say(
                "{meaning}. Source of the definition: {source}.",
                meaning=settings.meaning.rstrip("."),
                source=source,
            ),
            _episode_words(numbers, name),
        ],
        figures=figures,
    )


def _quantile_columns() -> list[Column]:
    """What a recording with several episodes is told by."""
    return [
        Column(label=say("answered episodes")),
        Column(label=say("share answered"), unit="%"),
        Column(label=say("median"), unit="s"),
        Column(label=say("nine of ten within"), unit="s"),
    ]


def _quantiles(own: Latencies, *, several: bool) -> list[Any]:
    """Cells of a recording."""
    if not several:
        return [own.quantile(0.5).value]
    share = own.answered_share
    cells = [own.answered, None if share is None else float(f"{100 * share:.3g}")]
    return [*cells, own.quantile(0.5), own.quantile(0.9)]


def _episode_words(numbers: Numbers, name: str) -> str:
    """What begins, answers and ends, in words, and how fine it is."""
    settings, total = numbers.events.latencies[name], numbers.pooled(name)
    text = say(
        "An episode begins with {any_of} and ends where the next one begins; the first "
        "{any_of_2} answers it. ",
        any_of=_any_of(settings.begins),
        any_of_2=_any_of(settings.answered_by),
    )
    if settings.still_s:
        text += say(
            "It counts if the next one begins after {still_s:g} s or later: {brief} were shorter. ",
            still_s=settings.still_s,
            brief=rounded(total.brief),
        )
    text += say(
        "{answered} were answered and {silent} were not. Latencies are counted in bins of "
        "1%, so a quantile is right within 0.5%",
        answered=rounded(total.answered),
        silent=rounded(total.silent),
    )
    clock = numbers.job.asset.clock_s
    return (
        say("{text}; the clock of the events steps by {clock:.3g} s.", text=text, clock=clock)
        if clock
        else f"{text}."
    )


def _listed(names: list[str]) -> str:
    """Names in words."""
    return ", ".join(map(spoken, names))


def _any_of(names: list[str]) -> str:
    """Classes of events in words."""
    return say(" or ").join(map(spoken, names))


def _distribution(numbers: Numbers, name: str) -> Chart:
    """Share of the answered episodes that were answered by then."""
    total = numbers.pooled(name)
    share = np.cumsum(total.counts) / total.answered
    edges = np.array(total.edges)
    last = int(np.searchsorted(share, _DRAWN_SHARE))
    first = max(0, int(np.searchsorted(share, 1.0 - _DRAWN_SHARE)) - 1)
    shown = slice(first, min(last, len(edges) - 2) + 1)
    return Chart(
        kind="chart",
        title=say("Distribution of {spoken}", spoken=spoken(name)),
        caption=say(
            "Share of {answered} answered episodes that were answered by then: half by "
            "{value} s, nine of ten by {total_value} s. The last hundredth is not drawn.",
            answered=rounded(total.answered),
            value=rounded(total.quantile(0.5).value, digits=2),
            total_value=rounded(total.quantile(0.9).value, digits=2),
        ),
        alt=say("Cumulative distribution of {spoken}.", spoken=spoken(name)),
        x=edges[shown].tolist(),
        y=(100 * share[shown]).tolist(),
        x_label=f"{spoken(name)} (s)",
        y_label=say("answered by then (%)"),
    )


def _winner(winner: Called) -> Section:
    """Games, what was compared, and what was called."""
    rows: list[list[Any]] = []
    scores = winner.scores.tolist() or [None] * len(winner.games)
    right: list[Any] = list(winner.right) or [None] * len(winner.games)
    for game, score, hit in zip(winner.games, scores, right, strict=True):
        won, lost = game.players if game.first_won else game.players[::-1]
        sign = 1.0 if game.first_won else -1.0
        rows.append(
            [
                game.name,
                won.id,
                lost.id,
                *(float(np.exp(sign * item)) for item in game.difference),
                None if score is None else float(1.0 / (1.0 + np.exp(-sign * score))),
                say("n/a") if hit is None else say(_RIGHT[bool(hit)]),
            ]
        )
    return Section(
        title=say("Who wins, by early play"),
        paragraphs=[
            say(
                "Compared are {features} of both players in the first {first_s:g} s, as "
                "logarithms of ratios, by a logistic model without a constant (with half "
                "the squared length of its weights, of ratios in units of their spread, "
                "as a penalty fixed beforehand). A model of the other games called each "
                "one.",
                features=say(" and ").join(map(spoken, winner.features)),
                first_s=winner.settings.first_s,
            ),
            say(
                "The interval is Clopper and Pearson's, as if calls did not hang "
                "together. For a half-width of {half_width:g} at a share of 0.5 it takes "
                "{needed} games; {games} can be used.",
                half_width=winner.settings.half_width,
                needed=winner.needed,
                games=len(winner.games),
            ),
        ],
        figures=[
            Table(
                kind="table",
                title=say("Games"),
                caption=say(
                    "Ratios are of the winner to the loser. Held out: probability that the "
                    "model gave to who won; above 0.5 the call was right."
                ),
                alt=say("Games with what was compared and what was called."),
                columns=[
                    Column(label=say("game")),
                    Column(label=say("won")),
                    Column(label=say("lost")),
                    *(
                        Column(label=say("ratio of {spoken}", spoken=spoken(name)))
                        for name in winner.features
                    ),
                    Column(label=say("held out")),
                    Column(label=say("called right")),
                ],
                rows=rows,
            )
        ]
        if rows
        else [],
    )


def _courses(courses: list[Course]) -> Section:
    """Slopes from session to session."""
    return Section(
        title=say("From session to session"),
        paragraphs=[
            say(
                "A straight line over the sessions of each person, in their order; its "
                "slope with Student's interval of 95%. Sessions differ in more than skill."
            )
        ],
        figures=[
            Table(
                kind="table",
                title=say("Change from one session to the next"),
                caption=say("An interval that holds 0 shows no change."),
                alt=say("Slopes by person and measure."),
                columns=[
                    Column(label=say("person")),
                    Column(label=say("measure")),
                    Column(label=say("sessions")),
                    Column(label=say("first")),
                    Column(label=say("last")),
                    Column(label=say("change a session")),
                ],
                rows=[
                    [
                        course.unit,
                        course.measure,
                        len(course.values),
                        course.values[0],
                        course.values[-1],
                        course.slope,
                    ]
                    for course in courses
                ],
            )
        ],
    )


def _zones(times: Times, name: str) -> Section:
    """Minutes in the zones of a reading."""
    settings, parts, names = (
        times.folding.intensity.zones[name],
        times.held[name],
        [translated(zone) for zone in times.names(name)],
    )
    unit = times.unit_of(name)
    total = np.sum([part.minutes for part in parts], axis=0)
    unknown = sum(part.unknown_ns for part in parts) / 6e10
    return Section(
        title=say("Time in zones of {spoken}", spoken=spoken(name)),
        paragraphs=[
            (
                say(
                    "Bounds: {bounds} {unit}. Their source: {source}.",
                    bounds=", ".join(say("{bound:g}", bound=bound) for bound in settings.bounds),
                    unit=unit,
                    source=translated(settings.source).rstrip("."),
                )
                + (
                    ""
                    if settings.is_characterised
                    else say(" These are bins, not zones of intensity.")
                )
            ),
            say(
                "A reading holds until the next one, never across a pause. Where that "
                "takes longer than {longest_step_s:g} s, it is not known. Times are "
                "summed in whole nanoseconds. Without a reading: {unknown} min.",
                longest_step_s=times.folding.intensity.longest_step_s,
                unknown=rounded(unknown),
            ),
        ],
        figures=[
            Bars(
                kind="bars",
                title=say("Minutes by zone of {spoken}", spoken=spoken(name)),
                caption=say("Sum over recordings: {parts}.", parts=len(parts)),
                alt=say("Minutes in each zone."),
                labels=names,
                values=[float(minutes) for minutes in total],
                x_label=say("time (min)"),
            ),
            Table(
                kind="table",
                title=say("{name} by recording", name=spoken(name).capitalize()),
                caption=say("Quantiles are of the readings, right within 0.5%."),
                alt=say("Minutes in zones and quantiles of each recording."),
                columns=[
                    Column(label=say("recording")),
                    *(Column(label=zone, unit="min") for zone in names),
                    Column(label=say("unknown"), unit="min"),
                    Column(label=say("one in ten below"), unit=unit),
                    Column(label=say("median"), unit=unit),
                    Column(label=say("nine in ten below"), unit=unit),
                ],
                rows=[
                    [
                        part.known["recording"],
                        *part.minutes,
                        part.unknown_ns / 6e10,
                        part.tenth,
                        part.median,
                        part.ninetieth,
                    ]
                    for part in parts
                ],
            ),
        ],
    )


def _notes(notes: list[tuple[str, str]], every: int) -> Section:
    """What the files tell of themselves; notes that differ in a number alone stand once."""
    numbers: dict[str, list[int]] = {}
    recordings: dict[str, list[str]] = {}
    for recording, note in notes:
        count, rest = _LEADING.match(note).groups()  # type: ignore[union-attr]  # it matches all
        numbers.setdefault(rest, []).extend([int(count)] if count else [])
        recordings.setdefault(rest, []).append(recording)
    rows: list[list[Any]] = []
    for rest, own in recordings.items():
        counts = numbers[rest]
        note = translated(f"{max(counts)} {rest}" if counts else rest, FINDING)
        if len(counts) > 1:
            note = say("at most: {note}", note=note)
        rows.append([note, say("all") if len(own) == every else ", ".join(own)])
    return Section(
        title=say("Notes on the files"),
        paragraphs=[
            say("Equal stamps and gaps are no faults of events, which come when they come.")
        ],
        figures=[
            Table(
                kind="table",
                title=say("Notes"),
                caption=say("From the reading of the files."),
                alt=say("Notes and their recordings."),
                columns=[Column(label=say("note")), Column(label=say("recordings"))],
                rows=rows,
            )
        ],
    )
