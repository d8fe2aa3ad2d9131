"""The answer of the family `esports`: rates, latencies, times, and what they do not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.baseline import NOTHING_PREDICTED, against_coin
from lumipipe.families.esports_check import KNOWN, LATENCY, RATE, WIDTH, WINNER
from lumipipe.families.esports_numbers import numbers_of, spoken
from lumipipe.families.esports_sections import sections
from lumipipe.families.esports_sessions import courses
from lumipipe.families.esports_winner import FEWEST_GAMES, called
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.verdicts import allowed, conclude, judged, undecided_sentence
from lumipipe.language import many, say, say_count, term, translated
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Split, Unit

if TYPE_CHECKING:
    from lumipipe.families.esports_numbers import Held, Numbers, Played, Times
    from lumipipe.families.esports_sessions import Course
    from lumipipe.families.esports_winner import Called
    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Comparison, Verdict
    from lumipipe.uncertainty.blocks import Estimate


@dataclass(frozen=True)
class Found:
    """All that was found.

    Parameters
    ----------
    job : Job
        The request and its data.
    numbers : Numbers or None
        Of events.
    times : Times or None
        Of readings.
    winner : Called or None
        Who wins, where that was asked.
    courses : list of Course
        From session to session, where that was asked and can be told.
    """

    job: Job
    numbers: Numbers | None
    times: Times | None
    winner: Called | None
    courses: list[Course]


def judge(job: Job, leaves: dict[str, Leaves]) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    leaves : dict of str to Leaves
        The folded passes.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    numbers, times = numbers_of(job, leaves)
    asks = job.score
    winner = None if numbers is None or asks.winner is None else called(numbers, asks.winner)
    runs = [] if numbers is None or asks.sessions is None else courses(numbers, asks.sessions)
    found = Found(job, numbers, times, winner, runs)
    metrics = [judged(m, job.request.evaluation.metrics) for m in _metrics(found)]
    leakage = [] if winner is None else winner.leakage()
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(found),
        verdict=_verdict(found, allowed(conclude(metrics), leakage)),
        would_change=_would_change(found, metrics),
        metrics=metrics,
        units=_units(found),
        split=_split(winner),
        leakage=leakage,
        counts=_counts(found),
        left_out=_left_out(found),
        not_answered=_not_answered(found),
        sections=sections(job, numbers, times, winner, runs),
        run=Run(),
    )
    compared = tuple(_compared(winner))
    without = "" if compared else say(NOTHING_PREDICTED)
    return Outcome(result, _tables(found), compared=compared, not_compared=without)


def _compared(winner: Called | None) -> list[Comparison]:
    """Calls of winners beside a coin; counts and minutes are beside nothing."""
    if winner is None or not len(winner.scores):
        return []
    label = say("Winner called by the first {first_s:g} s", first_s=winner.settings.first_s)
    return against_coin(WINNER, label, sum(winner.right), len(winner.games))


def _verdict(found: Found, verdict: Verdict) -> Verdict:
    """The verdict, but no intensity is supported by bounds that mean nothing for the person."""
    bare = found.times is not None and found.times.uncharacterised
    return "inconclusive" if bare and verdict == "supported" else verdict


def _metrics(found: Found) -> list[Metric]:
    """The numbers that a request can put conditions on."""
    metrics: list[Metric] = []
    if (numbers := found.numbers) is not None:
        metrics.append(_rate_metric(numbers))
        metrics += [_latency_metric(numbers, name) for name in numbers.events.latencies]
    if found.winner is not None and len(found.winner.scores):
        metrics += _winner_metrics(found.winner)
    if found.times is not None:
        metrics.append(
            Metric(
                name=KNOWN,
                label=say("Share of the time outside pauses with a reading"),
                value=found.times.known_share(),
                count=len(next(iter(found.times.held.values()))),
                of=many("recordings"),
            )
        )
    return metrics


def _rate_metric(numbers: Numbers) -> Metric:
    """Actions a minute of all."""
    rate, persons = numbers.between_persons(), len(numbers.persons)
    return Metric(
        name=RATE,
        label=say("Actions per minute"),
        **_ends(rate),
        confidence=0.95 if rate.is_known else None,
        count=persons,
        of=many("persons"),
        note=say("spread between persons")
        if rate.is_known
        else say("too few persons for an interval"),
    )


def _ends(rate: Estimate) -> dict[str, float | None]:
    """Value and interval of a rate; rates are not negative."""
    return {
        "value": rate.value if np.isfinite(rate.value) else None,
        "lower": max(0.0, rate.lower) if rate.is_known else None,
        "upper": rate.upper if rate.is_known else None,
    }


def _latency_metric(numbers: Numbers, name: str) -> Metric:
    """Median of a latency of all."""
    median = numbers.median_between_persons(name)
    return Metric(
        name=f"{LATENCY}{name}",
        label=say("Median of {spoken} (s)", spoken=spoken(name)),
        value=median.value,
        lower=median.lower,
        upper=median.upper,
        confidence=None if median.lower is None else 0.95,
        count=numbers.pooled(name).answered,
        of=many("answered episodes"),
        note=say("{persons} persons, drawn again", persons=len(numbers.persons)),
    )


def _winner_metrics(winner: Called) -> list[Metric]:
    """How often the winner was called, and how sure that is."""
    right, games = sum(winner.right), len(winner.games)
    lower, upper = winner.interval
    return [
        Metric(
            name=WINNER,
            label=say("Winner called by the first {first_s:g} s", first_s=winner.settings.first_s),
            value=right / games,
            lower=lower,
            upper=upper,
            confidence=0.95,
            count=games,
            of=many("games"),
            note=say("each game held out"),
        ),
        Metric(
            name=WIDTH,
            label=say("Half-width of that interval"),
            value=winner.half_width,
            count=games,
            of=many("games"),
            note=say(
                "{needed} games make it {half_width:g} at a share of 0.5",
                needed=winner.needed,
                half_width=winner.settings.half_width,
            ),
        ),
    ]


def _answer(found: Found) -> str:
    """The answer in one sentence for each thing that was asked."""
    words = []
    if (numbers := found.numbers) is not None:
        words.append(_events_words(numbers))
    if found.winner is not None:
        words.append(_winner_words(found.winner))
    if found.times is not None:
        words += [_times_words(found.times, name) for name in found.times.held]
    return " ".join(words)


def _events_words(numbers: Numbers) -> str:
    """Rate and latencies."""
    rate = _ends(numbers.between_persons())
    value, lower, upper = rounded_interval(rate["value"], rate["lower"], rate["upper"])
    text = say(
        "{persons} persons in {recordings} recordings: {value} ",
        persons=len(numbers.persons),
        recordings=len(numbers.recordings),
        value=value,
    )
    text += say("actions per minute")
    if rate["lower"] is not None:
        text += say(" (95% interval {lower} to {upper} over persons)", lower=lower, upper=upper)
    for name in numbers.events.latencies:
        median = numbers.median_between_persons(name)
        if median.value is not None:
            ends = rounded_interval(median.value, median.lower, median.upper)
            text += say("; median {spoken} {ends} s", spoken=spoken(name), ends=ends[0])
            text += (
                say(" ({ends} to {ends_2} s)", ends=ends[1], ends_2=ends[2])
                if median.lower is not None
                else ""
            )
    return f"{text}."


def _winner_words(winner: Called) -> str:
    """What early play tells of the winner."""
    games, first = len(winner.games), say("{first_s:g}", first_s=winner.settings.first_s)
    if games < FEWEST_GAMES:
        return say(
            "Nothing is said of winners, for {games} games can be used, not {fewest_games}.",
            games=games,
            fewest_games=FEWEST_GAMES,
        )
    right, (lower, upper) = sum(winner.right), winner.interval
    text = say(
        "By the first {first} s the winner of {right} of {games} games was called right "
        "(95% interval {lower:.2f} to {upper:.2f})",
        first=first,
        right=right,
        games=games,
        lower=lower,
        upper=upper,
    )
    if lower <= 0.5 <= upper:  # noqa: PLR2004 - a coin
        text += say(": no better and no worse than a coin, as far as these games tell")
    return say(
        "{text}; {needed} games would make it ± {half_width:g}.",
        text=text,
        needed=winner.needed,
        half_width=winner.settings.half_width,
    )


def _times_words(times: Times, name: str) -> str:
    """Minutes in the zones of a reading."""
    held = times.held[name]
    total = np.sum([part.minutes for part in held], axis=0)
    zones = ", ".join(
        say("{zone}: {minutes:.1f} min", minutes=float(minutes), zone=translated(zone))
        for zone, minutes in zip(times.names(name), total, strict=True)
    )
    text = say_count(
        "{name} of {n} recording ({zones})",
        "{name} of {n} recordings ({zones})",
        n=len(held),
        name=spoken(name).capitalize(),
        zones=zones,
    )
    if name in times.uncharacterised:
        text += say("; the bounds are not characterised, so these are no intensities")
    return f"{text}."


def _would_change(found: Found, metrics: list[Metric]) -> str:
    """What would change the answer."""
    if found.winner is not None and (games := len(found.winner.games)) < found.winner.needed:
        return say(
            "More games: {games} can be used, and {needed} are needed for a half-width of "
            "{half_width:g} at a share of 0.5.",
            games=games,
            needed=found.winner.needed,
            half_width=found.winner.settings.half_width,
        )
    if words := undecided_sentence(metrics):
        return words
    if not found.job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    if found.times is not None and found.times.uncharacterised:
        return say(
            "Bounds that mean something for this person: write where they are from, such "
            "as a test, as source of {listed}.",
            listed=_listed(found.times.uncharacterised),
        )
    if found.times is not None:
        return say("Other bounds of the zones: they decide which minute is in which.")
    return say("More persons: the intervals are those of the spread between persons.")


def _listed(names: list[str]) -> str:
    """Names in words."""
    return ", ".join(map(spoken, names))


def _units(found: Found) -> list[Unit]:
    """One entry a recording."""
    units: dict[str, Unit] = {}
    if (numbers := found.numbers) is not None:
        named = any(played.id != played.unit for played in numbers.recordings)
        for played in numbers.recordings:
            person = {term("person"): played.unit} if named else {}
            values = {**person, **_event_values(numbers, played)}
            units[played.id] = Unit(id=played.id, verdict=term("described"), values=values)
    if (times := found.times) is not None:
        for name, parts in times.held.items():
            for part in parts:
                own = part.known["recording"]
                old = units.get(own, Unit(id=own, verdict=term("described")))
                values = {**old.values, **_time_values(times, name, part)}
                units[own] = old.model_copy(update={"values": values})
    return [units[key] for key in sorted(units)]


def _event_values(numbers: Numbers, played: Played) -> dict[str, Any]:
    """What the events of a recording say."""
    values: dict[str, Any] = {
        term("actions per minute"): Interval(**_ends(numbers.rate(played))),
    }
    for name, latency in played.latencies.items():
        values[term("median {spoken} (s)", spoken=spoken(name))] = latency.quantile(0.5)
    return values


def _time_values(times: Times, name: str, part: Held) -> dict[str, Any]:
    """Minutes of a recording in zones."""
    return {
        term("{spoken}: {zone} (min)", spoken=spoken(name), zone=zone): minutes
        for zone, minutes in zip(times.names(name), part.minutes, strict=True)
    }


def _split(winner: Called | None) -> Split:
    """What was held out."""
    if winner is None:
        return Split(
            kind="none",
            sentence=say("Nothing was learnt from these data, so nothing was held out."),
        )
    return Split(
        kind="group",
        sentence=say(
            "Counts and times are of all data. For the question who wins, each game was held "
            "out with both its players; nothing else was learnt."
        ),
    )


def _counts(found: Found) -> dict[str, int]:
    """How many of what."""
    counts: dict[str, int] = {}
    if (numbers := found.numbers) is not None:
        counts = {
            many("recordings"): len(numbers.recordings),
            many("persons"): len(numbers.persons),
        }
        counts[many("actions")] = int(sum(numbers.actions(p).sum() for p in numbers.recordings))
        for name in numbers.events.latencies:
            counts[many("answered episodes of {spoken}", spoken=spoken(name))] = numbers.pooled(
                name
            ).answered
    if found.winner is not None:
        counts[many("games of the question who wins")] = len(found.winner.games)
    if found.times is not None:
        for name, parts in found.times.held.items():
            counts[many("recordings with {spoken}", spoken=spoken(name))] = len(parts)
    return counts


def _left_out(found: Found) -> list[LeftOut]:
    """What was not used."""
    left_out = [] if found.winner is None else list(found.winner.left_out)
    if (numbers := found.numbers) is not None:
        for name in numbers.events.latencies:
            brief = numbers.pooled(name).brief
            still = numbers.events.latencies[name].still_s
            if brief:
                left_out.append(
                    LeftOut(
                        what=say(
                            "{brief} episodes of {spoken}",
                            brief=rounded(brief),
                            spoken=spoken(name),
                        ),
                        reason=say("the next one began within {still:g} s", still=still),
                    )
                )
    return left_out


def _not_answered(found: Found) -> list[NotAnswered]:
    """What the data cannot carry."""
    open_ones: list[NotAnswered] = []
    if (numbers := found.numbers) is not None:
        open_ones += _of_events(found, numbers)
    if found.times is not None:
        open_ones += _of_readings(found.times)
    return open_ones


def _of_events(found: Found, numbers: Numbers) -> list[NotAnswered]:
    """What events do not tell."""
    said = []
    if numbers.events.latencies:
        said.append(
            NotAnswered(
                question=say("How fast does a person react?"),
                reason=say(
                    "events tell when something reached the record, not when it was seen or "
                    "understood; each latency is what its definition says and no more"
                ),
            )
        )
    said.append(
        NotAnswered(
            question=say("How many of the actions had an effect?"),
            reason=say(
                "the record holds what was done, not what came of it: repeated and idle "
                "actions count like others"
            ),
        )
    )
    sessions = found.job.score.sessions
    if not found.courses:
        most = max((len(own) for own in numbers.persons.values()), default=0)
        fewest = 0 if sessions is None else sessions.fewest
        said.append(
            NotAnswered(
                question=say("Does a person get better from session to session?"),
                reason=say("score.sessions was not asked for")
                if sessions is None
                else say(
                    "no person has {fewest} sessions; the most are {most}",
                    fewest=fewest,
                    most=most,
                ),
            )
        )
    winner = found.winner
    if winner is not None and (len(winner.games) < FEWEST_GAMES or winner.interval[0] <= 0.5):  # noqa: PLR2004
        said.append(
            NotAnswered(
                question=say("Is the winner told by what is played early?"),
                reason=say(
                    "{games} games can be used, which leaves it open whether a call is better "
                    "than a coin's; {needed} games would make the interval ± {half_width:g}",
                    games=len(winner.games),
                    needed=winner.needed,
                    half_width=winner.settings.half_width,
                ),
            )
        )
    return said


def _of_readings(times: Times) -> list[NotAnswered]:
    """What readings do not tell."""
    said = [
        NotAnswered(
            question=say("How intense was it, by {spoken}?", spoken=spoken(name)),
            reason=say(
                "the bounds of its zones are not characterised: no test of this person is known"
            ),
        )
        for name in times.uncharacterised
    ]
    if all(times.quantity_of(name) != "heart_rate" for name in times.held):
        said.append(
            NotAnswered(
                question=say("How hard did the heart work?"),
                reason=say("no heart rate is among the readings of the request"),
            )
        )
    return said or [
        NotAnswered(
            question=say("What did the effort do to the person?"),
            reason=say("time in zones is a dose, not an effect"),
        )
    ]


def _tables(found: Found) -> dict[str, dict[str, np.ndarray]]:
    """Numbers of recordings, counts of blocks, and times in zones."""
    tables: dict[str, dict[str, np.ndarray]] = {}
    if (numbers := found.numbers) is not None:
        tables = {"recordings": _recording_table(numbers), "blocks": _block_table(numbers)}
    if found.times is not None:
        tables["zones"] = _zone_table(found.times)
    return tables


def _recording_table(numbers: Numbers) -> dict[str, np.ndarray]:
    """One row a recording."""
    every = numbers.recordings
    rates = [numbers.rate(played) for played in every]
    columns = {
        "recording": np.array([p.id for p in every], dtype=object),
        "person": np.array([p.unit for p in every], dtype=object),
        "minutes": np.array([p.total_minutes for p in every]),
        "actions_per_minute": np.array([rate.value for rate in rates]),
        "lower": np.array([rate.lower for rate in rates]),
        "upper": np.array([rate.upper for rate in rates]),
    }
    for name in numbers.events.latencies:
        own = [played.latencies[name] for played in every]
        medians = [item.quantile(0.5) for item in own]
        columns[f"{name}_answered"] = np.array([item.answered for item in own], dtype=np.int64)
        columns[f"{name}_silent"] = np.array([item.silent for item in own], dtype=np.int64)
        columns[f"{name}_median_s"] = np.array(
            [np.nan if m.value is None else m.value for m in medians]
        )
    return columns


def _block_table(numbers: Numbers) -> dict[str, np.ndarray]:
    """One row for each block of each recording."""
    parts = [(p, block) for p in numbers.recordings for block in np.flatnonzero(p.minutes)]
    columns = {
        "recording": np.array([p.id for p, _ in parts], dtype=object),
        "block": np.array([block for _, block in parts], dtype=np.int64),
        "minutes": np.array([p.minutes[block] for p, block in parts]),
    }
    for number, name in enumerate(numbers.classes):
        columns[name] = np.array([p.counts[block, number] for p, block in parts], dtype=np.int64)
    return columns


def _zone_table(times: Times) -> dict[str, np.ndarray]:
    """One row for each zone of each reading of each recording."""
    rows = [
        (part.known["recording"], name, zone, int(ns) / 1e9)
        for name, parts in times.held.items()
        for part in parts
        for zone, ns in zip(
            [*times.names(name), "unknown"], [*part.zone_ns, part.unknown_ns], strict=True
        )
    ]
    recording, reading, zone, seconds = zip(*rows, strict=True)
    return {
        "recording": np.array(recording, dtype=object),
        "reading": np.array(reading, dtype=object),
        "zone": np.array(zone, dtype=object),
        "seconds": np.array(seconds),
    }
