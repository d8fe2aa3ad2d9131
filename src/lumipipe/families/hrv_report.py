"""The answer of the family `hrv`: figures of each recording, refusals, and changes of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.hrv_change import Changes, find_changes, histories
from lumipipe.families.hrv_figures import COMPARED
from lumipipe.families.hrv_folding import KINDS
from lumipipe.families.hrv_recordings import hearts
from lumipipe.families.hrv_sections import sections
from lumipipe.families.hrv_tables import recording_table, window_table
from lumipipe.families.hrv_words import LABELS, cell, change_words, listed, number
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.verdicts import conclude, judged, undecided_sentence
from lumipipe.language import many, say, say_count, term, translated
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Split, Unit
from lumipipe.reporting.shown import shown_condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.hrv_recordings import Heart
    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity


def judge(job: Job, blocks: Leaves, histograms: Leaves) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    blocks, histograms : dict of tuple of str to State
        The folded passes.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    found = hearts(job, blocks, histograms)
    changes = find_changes(job, found)
    metrics = [judged(m, job.request.evaluation.metrics) for m in _metrics(job, found, changes)]
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(job, found, changes),
        verdict=conclude(metrics),
        would_change=_would_change(job, metrics),
        metrics=metrics,
        units=[_unit(job, heart) for heart in found],
        split=Split(
            kind="none",
            sentence=say("Nothing was learnt from these data, so nothing was held out."),
        ),
        counts=_counts(found),
        left_out=_left_out(job, found),
        not_answered=_not_answered(job, found, changes),
        sections=sections(job, found, changes),
        run=Run(),
    )
    tables = {"recordings": recording_table(found), "windows": window_table(found)}
    without = say("No truth is known of these recordings that another way could be nearer to.")
    return Outcome(result, tables, found, not_compared=without)


def _answered(found: Sequence[Heart]) -> list[Heart]:
    """Recordings that are not refused."""
    return [heart for heart in found if not heart.is_refused]


def _half_widths(answered: Sequence[Heart]) -> dict[str, float]:
    """Half the interval of RMSSD as a share of it, of each recording that has one."""
    found = {heart.row.id: heart.figures["rmssd"].half_width for heart in answered}
    return {name: width for name, width in found.items() if np.isfinite(width)}


def _metrics(job: Job, found: list[Heart], changes: Changes) -> list[Metric]:
    """What the verdict may rest on, and, of a single recording, its figures."""
    answered, score = _answered(found), job.score
    intervals = sum(heart.beats.intervals for heart in found)
    normal = sum(heart.beats.count for heart in found)
    widths = _half_widths(answered)
    short = [heart.row.id for heart in answered if heart.row.id not in widths]
    coverage = job.request.evaluation.interval.coverage
    metrics = [
        Metric(
            name="answered_share",
            label=say("Share of the recordings that are not refused"),
            value=len(answered) / len(found),
            count=len(found),
            of=many("recordings"),
            note=say(
                "refused above {most_artefacts:.1%} of excluded intervals",
                most_artefacts=score.most_artefacts,
            ),
        ),
        Metric(
            name="artefact_share",
            label=say("Share of the intervals that are excluded, in all recordings"),
            value=1.0 - normal / intervals if intervals else None,
            count=intervals,
            of=many("intervals"),
        ),
        Metric(
            name="rmssd_half_width",
            label=say(
                "Widest {coverage:.0%} interval of RMSSD, half of it as a share of RMSSD",
                coverage=coverage,
            ),
            value=max(widths.values()) if widths and not short else None,
            count=len(widths),
            of=many("recordings with an interval"),
            note=say("without an interval: {listed}", listed=listed(short)) if short else None,
        ),
    ]
    if (largest := changes.largest) is not None:
        metrics.append(
            Metric(
                name="change_ratio",
                label=say("Largest change of a person, in smallest detectable changes"),
                value=largest.ratio,
                count=len(changes.changes),
                of=many("changes"),
                note=say(
                    "{labels} of {person}, {before} to {after}",
                    labels=say(LABELS[largest.figure]),
                    person=largest.person,
                    before=largest.before,
                    after=largest.after,
                ),
            )
        )
    return metrics + (_of_one(job, answered[0]) if len(answered) == len(found) == 1 else [])


def _of_one(job: Job, heart: Heart) -> list[Metric]:
    """The figures of the only recording."""
    return [
        Metric(
            name=name,
            label=say(
                "{labels} in ms, over {minutes}", labels=say(LABELS[name]), minutes=_minutes(heart)
            ),
            value=number(figure.value),
            lower=number(figure.lower),
            upper=number(figure.upper),
            confidence=job.request.evaluation.interval.coverage,
            count=heart.beats.count,
            of=many("normal intervals"),
        )
        for name, figure in heart.figures.items()
    ]


def _minutes(heart: Heart) -> str:
    """The time that normal intervals fill, in words."""
    return say("{seconds:.1f} min", seconds=heart.beats.seconds / 60.0)


def _answer(job: Job, found: list[Heart], changes: Changes) -> str:
    """The answer in two sentences."""
    answered = _answered(found)
    if not answered:
        return say("No recording is answered: too many of their intervals are excluded.")
    if len(found) == 1:
        text = _answer_of_one(job, answered[0])
    else:
        text = say(
            "{answered} of {found} recordings are answered",
            answered=len(answered),
            found=len(found),
        )
        widths = _half_widths(answered)
        if widths:
            widest, name = max((width, name) for name, width in widths.items())
            text += say(
                ", {widths} of them with an interval; the widest is ± {widest:.0%} of "
                "RMSSD ({name})",
                widths=len(widths),
                widest=widest,
                name=name,
            )
    if refused := [heart for heart in found if heart.is_refused]:
        text += say(
            "; refused: {listed}",
            listed=listed([f"{h.row.id} ({_excluded(h)})" for h in refused]),
        )
    return f"{text}. {_changed(changes)}"


def _answer_of_one(job: Job, heart: Heart) -> str:
    """The figures of the only recording in words."""
    coverage = job.request.evaluation.interval.coverage
    words = []
    for name in COMPARED:
        figure = heart.figures[name]
        if np.isfinite(figure.lower):
            ends = rounded_interval(figure.value, figure.lower, figure.upper)
            words.append(
                say(
                    "{labels} {value} ms ({coverage:.0%} interval {low} to {high})",
                    labels=say(LABELS[name]),
                    value=ends[0],
                    coverage=coverage,
                    low=ends[1],
                    high=ends[2],
                )
            )
        else:
            words.append(
                say(
                    "{labels} {value} ms",
                    labels=say(LABELS[name]),
                    value=rounded(number(figure.value)),
                )
            )
    beats = heart.beats
    return say(
        "{words} over {minutes}, from {count} of {intervals} intervals ({excluded})",
        words=", ".join(words),
        minutes=_minutes(heart),
        count=beats.count,
        intervals=beats.intervals,
        excluded=_excluded(heart),
    )


def _excluded(heart: Heart) -> str:
    """The share of excluded intervals in words."""
    return say("{excluded_share:.1%} excluded", excluded_share=heart.beats.excluded_share)


def _changed(changes: Changes) -> str:
    """What is said of changes."""
    if (largest := changes.largest) is None:
        return say("No change of a person is judged.")
    beyond = [change for change in changes.changes if change.ratio > 1.0]
    if not beyond:
        return say(
            "None of {changes} changes is larger than noise alone makes.",
            changes=len(changes.changes),
        )
    return say(
        "{beyond} of {changes} changes are larger than noise alone makes; the largest: "
        "{change_words}.",
        beyond=len(beyond),
        changes=len(changes.changes),
        change_words=change_words(largest),
    )


def _would_change(job: Job, metrics: Sequence[Metric]) -> str:
    """What would change the answer."""
    if not job.request.evaluation.metrics:
        return say("A condition under evaluation.metrics: without one, nothing can be supported.")
    missed = [metric for metric in metrics if metric.met is False]
    if missed:
        return say(
            "{label}: {condition} is not met.",
            label=missed[0].label,
            condition=shown_condition(missed[0].condition or ""),
        )
    asked = [metric for metric in metrics if metric.condition is not None]
    open_ = [metric for metric in asked if metric.value is None]
    if open_ or len(asked) < len(job.request.evaluation.metrics):
        what = open_[0].label if open_ else say("a change that can be judged")
        return say("Longer recordings, or more of them: there is no value for: {what}.", what=what)
    return undecided_sentence(metrics) or say(
        "Other limits of what is excluded, or a shorter interval asked for."
    )


def _unit(job: Job, heart: Heart) -> Unit:
    """The answer for one recording."""
    beats, values = heart.beats, dict[str, Any]()
    if not heart.is_refused:
        values |= {
            term("{labels} (ms)", labels=LABELS[name]): cell(heart.figures[name])
            for name in COMPARED
        }
        values[term("mean heart rate (1/min)")] = number(beats.heart_rate)
    values |= {
        term("normal intervals"): beats.count,
        term("excluded (%)"): 100.0 * beats.excluded_share,
        term("length (min)"): beats.seconds / 60.0,
        term("full windows of {seconds} s", seconds=f"{job.train.window_s:g}"): len(heart.full),
    }
    severity: Severity = "neither"
    if heart.is_refused:
        verdict, severity = term("refused"), "bad"
    elif np.isfinite(heart.figures["rmssd"].lower):
        verdict, severity = term("answered"), "good"
    else:
        verdict = term("no interval")
    return Unit(id=heart.row.id, verdict=verdict, severity=severity, values=values)


def _counts(found: Sequence[Heart]) -> dict[str, int]:
    """What came in, and what became of it."""
    kinds = np.sum([heart.beats.kinds for heart in found], axis=0).tolist()
    return {
        many("persons"): len({heart.row.unit for heart in found}),
        many("recordings"): len(found),
        many("recordings refused"): len(found) - len(_answered(found)),
        many("intervals"): sum(kinds),
        **{
            many("intervals: {kind}", kind=n): count
            for n, count in zip(KINDS, kinds, strict=True)
            if count
        },
    }


def _left_out(job: Job, found: Sequence[Heart]) -> list[LeftOut]:
    """Recordings that are refused."""
    return [
        LeftOut(
            what=heart.row.id,
            reason=say(
                "{excluded_share:.1%} of its {intervals} intervals are excluded "
                "({kind_words}), above the {most_artefacts:.1%} allowed",
                excluded_share=heart.beats.excluded_share,
                intervals=heart.beats.intervals,
                kind_words=_kind_words(heart),
                most_artefacts=job.score.most_artefacts,
            ),
            is_recording=True,
        )
        for heart in found
        if heart.is_refused
    ]


def _kind_words(heart: Heart) -> str:
    """Why intervals were excluded, with counts."""
    kinds = zip(KINDS[1:], heart.beats.kinds[1:], strict=True)
    told = (f"{translated(name)}: {count}" for name, count in kinds if count)
    return ", ".join(told) or say("it has none")


def _not_answered(job: Job, found: list[Heart], changes: Changes) -> list[NotAnswered]:
    """What the data, or this family, cannot carry."""
    pairs = [
        (
            say("How variable is the heart rate in {id}?", id=heart.row.id),
            say(
                "{excluded_share:.1%} of its intervals are excluded, above the "
                "{most_artefacts:.1%} allowed",
                excluded_share=heart.beats.excluded_share,
                most_artefacts=job.score.most_artefacts,
            ),
        )
        for heart in found
        if heart.is_refused
    ]
    pairs += _about_change(job, found, changes)
    if unknown := sorted({h.row.source for h in found} - _characterised(job)):
        pairs.append(
            (
                say("How far are the recorded times of beats from the true ones?"),
                say(
                    "the recorder is not characterised in {listed}; its error is in no "
                    "interval here",
                    listed=listed(unknown),
                ),
            )
        )
    pairs += [
        (
            say("What share of the variability lies in which band of frequencies?"),
            say(
                "frequencies need a fit or a grid for each whole recording; here only "
                "sums over intervals are made, which merge"
            ),
        ),
        (
            say("Is somebody healthy, rested or fit?"),
            say("the figures describe intervals between beats; nothing else is known here"),
        ),
    ]
    return [NotAnswered(question=question, reason=reason) for question, reason in pairs]


def _characterised(job: Job) -> set[str]:
    """Sources of which somebody says how good the recorder is."""
    recorders = job.asset.recorders.items()
    return {name for name, item in recorders if item.sensor != "not characterised"}


def _about_change(job: Job, found: list[Heart], changes: Changes) -> list[tuple[str, str]]:
    """Why changes are not judged, and which recordings have no part in them."""
    pairs = []
    persons = histories(found)
    count = job.score.compared_windows
    window = say_count(
        "{n} full window of {window_s:g} s",
        "{n} full windows of {window_s:g} s",
        n=count,
        window_s=job.train.window_s,
    )
    if short := [heart.row.id for heart in _answered(found) if not heart.compared]:
        pairs.append(
            (
                say(
                    "How does a recording compare with others: {listed}?",
                    listed=listed(short),
                ),
                say(
                    "it has not {window}; figures of unlike lengths are not compared",
                    window=window,
                ),
            )
        )
    if not any(len(history) > 1 for history in persons.values()):
        pairs.append(
            (
                say("Has anything changed for a person?"),
                say(
                    "nobody has two recordings with {window}, and persons are not compared",
                    window=window,
                ),
            )
        )
    elif changes.largest is None:
        reason = (
            say("score.typical_error is not given")
            if job.score.typical_error is None
            else say("no person has two repeats")
        )
        pairs.append(
            (
                say("Is a change larger than noise?"),
                say("the noise is not known: {reason}", reason=reason),
            )
        )
    return pairs
