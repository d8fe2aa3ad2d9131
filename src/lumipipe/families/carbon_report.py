"""The answer of the family `carbon`: the total, its budget, and what the data cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.carbon_check import MONTH, UNIT
from lumipipe.families.carbon_filed import filed_facts
from lumipipe.families.carbon_sections import sections
from lumipipe.families.carbon_totals import Totals
from lumipipe.families.interface import Outcome, asked
from lumipipe.families.verdicts import conclude, judged
from lumipipe.language import MANY, many, message, say, term, translated
from lumipipe.reporting.numbers import rounded, rounded_interval
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import LeftOut, Metric, NotAnswered, Result, Run, Split, Unit
from lumipipe.uncertainty.budget import variance_shares

if TYPE_CHECKING:
    from typing import Any

    from lumipipe.families.carbon_filed import FiledFacts
    from lumipipe.families.carbon_totals import Total
    from lumipipe.families.interface import Job, Model
    from lumipipe.fold import Leaves
    from lumipipe.reporting.result import Severity

_SCOPES = {
    1: message("own sources"),
    2: message("bought energy"),
    3: message("others along the chain"),
}


def judge(job: Job, model: Model, leaves: Leaves) -> Outcome:
    """The answer and its tables.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What the filed column looks like.
    leaves : dict of tuple of str to State
        Sums and noted rows of each group.

    Returns
    -------
    Outcome
        The verdict is that of the conditions in ``evaluation.metrics``.
    """
    totals = Totals(job, leaves)
    filed = filed_facts(job, model, totals)
    metrics = [judged(m, job.request.evaluation.metrics) for m in _metrics(job, totals, filed)]
    result = Result(
        lumipipe_result=1,
        request=asked(job.request),
        answer=_answer(job, totals, filed),
        verdict=conclude(metrics),
        would_change=_would_change(job, totals),
        metrics=metrics,
        units=_units(job, totals),
        split=Split(
            kind="none",
            sentence=say("Nothing was learnt from these data, so nothing was held out."),
        ),
        counts=totals.counts(),
        left_out=_left_out(totals),
        not_answered=_not_answered(job, totals, filed),
        sections=sections(job, totals, filed),
        run=Run(),
    )
    return Outcome(
        result,
        {"totals": _total_table(job, totals)},
        totals,
        not_compared=say(
            "Nothing is predicted here that a mean or the last value could be held against: a sum "
            "of readings is compared with what was filed, if a column has it."
        ),
    )


def _metrics(job: Job, totals: Totals, filed: FiledFacts | None) -> list[Metric]:
    """The total, how sure it is, how much of the period it rests on, and the filed column."""
    total, unit = totals.total, job.score.unit
    coverage = job.request.evaluation.interval.coverage
    found = [
        Metric(
            name="emission",
            label=say("{gas} in {unit}", gas=job.score.gas, unit=unit),
            value=total.emission,
            lower=total.emission - total.expanded,
            upper=total.emission + total.expanded,
            confidence=coverage,
            count=total.sums.rows,
            of=many("intervals"),
            note=say("normal distribution, k = {k:.2f}; from stated uncertainties", k=total.k),
        ),
        Metric(
            name="relative_uncertainty",
            label=say("Expanded uncertainty as a share of the total"),
            value=total.relative,
        ),
        Metric(
            name="data_capture",
            label=say("Data capture (share of the intervals with a reading)"),
            value=total.capture(len(job.train.activities)),
            count=total.expected,
            of=many("intervals"),
            note=None
            if totals.folding.is_timed
            else say("rows have no time, so gaps are not seen"),
        ),
    ]
    return found if filed is None else found + _filed_metrics(job, filed)


def _filed_metrics(job: Job, filed: FiledFacts) -> list[Metric]:
    """The sum of the filed values with what rounding may have done, and their step."""
    lower, upper, confidence, note = (
        None,
        None,
        None,
        say("no step was found, so none is allowed for"),
    )
    if filed.u_independent is not None and not filed.is_leaning:
        lower, upper = (filed.total + sign * 2.0 * filed.u_independent for sign in (-1, 1))
        confidence, note = 0.95, say("rounding alone, independent from row to row")
    elif (bounds := filed.bounds()) is not None:
        lower, upper = bounds
        note = say(
            "rounding alone, at worst: it leans to one side here, so it does not average out"
        )
    return [
        Metric(
            name="filed_total",
            label=say("Sum of the filed values in {unit}", unit=job.score.unit),
            value=filed.total,
            lower=lower,
            upper=upper,
            confidence=confidence,
            count=filed.rows,
            of=many("rows"),
            note=note,
        ),
        Metric(
            name="filed_step_share",
            label=say("Step of the filed values as a share of their mean"),
            value=filed.step_share,
            count=len(filed.values),
            of=many("distinct values"),
        ),
    ]


def amount_words(job: Job, total: Total) -> str:
    """An emission with its expanded uncertainty, in words."""
    value = rounded_interval(
        total.emission, total.emission - total.expanded, total.emission + total.expanded
    )[0]
    return say("{value} {unit} of {gas}", value=value, unit=job.score.unit, gas=job.score.gas)


def _answer(job: Job, totals: Totals, filed: FiledFacts | None) -> str:
    """The answer in one sentence, and the flag of the filed column."""
    total, unit = totals.total, job.score.unit
    coverage = job.request.evaluation.interval.coverage
    ends = rounded_interval(
        total.emission, total.emission - total.expanded, total.emission + total.expanded
    )
    scopes = sorted({factor.scope for factor in job.train.factors.values()})
    text = say(
        "{amount_words} ({coverage:.0%} interval {low} to {high} {unit}), scope {scopes}, "
        "from {amounts}",
        amount_words=amount_words(job, total),
        coverage=coverage,
        low=ends[1],
        high=ends[2],
        unit=unit,
        scopes=", ".join(map(str, scopes)),
        amounts=_amounts(totals),
    )
    capture = total.capture(len(job.train.activities))
    if capture is not None and capture < 1.0:
        text += say(
            "; {capture:.1%} of the intervals have a reading, and the others are not filled",
            capture=capture,
        )
    unchecked = [name for name, item in job.train.factors.items() if item.checked_by is None]
    if unchecked:
        names = say(" and ").join(unchecked)
        text += (
            say("; factors {names} not verified", names=names)
            if len(unchecked) > 1
            else say("; factor {names} not verified", names=names)
        )
    if filed is not None and (words := flag(filed)):
        text += say(". The filed column: {words}", words=words)
    return f"{text}."


def _amounts(totals: Totals) -> str:
    """The amounts of all activities, in words."""
    return say(" and ").join(
        say("{amount} {unit} of {name}", amount=rounded(amount, digits=5), unit=unit, name=name)
        for name, (amount, unit) in totals.amounts(totals.total).items()
    )


def flag(filed: FiledFacts) -> str:
    """How coarse the filed values are, in words; empty where no step was found."""
    if filed.step_share is None:
        return ""
    return say(
        "resolution {step:g} {unit} is {step_share:.0%} of the mean",
        step=filed.step,
        unit=filed.unit,
        step_share=filed.step_share,
    )


def _would_change(job: Job, totals: Totals) -> str:
    """What would change the answer: the largest part of its variance, first."""
    budget = totals.total.budget
    shares = variance_shares(budget)
    largest = int(np.argmax(shares))
    said = {"source": translated(budget[largest].source), "share": shares[largest]}
    text = (
        say(
            "Better knowledge of {source}: it makes up {share:.0%} of the variance, and as it is "
            "the same in all rows, more rows do not shrink it.",
            **said,
        )
        if budget[largest].is_shared
        else say("Better knowledge of {source}: it makes up {share:.0%} of the variance.", **said)
    )
    if not job.request.evaluation.metrics:
        text += say(" A condition under evaluation.metrics: without one, nothing can be supported.")
    return text


def _units(job: Job, totals: Totals) -> list[Unit]:
    """The answer for the whole, each plant where there are several, each month and label."""
    by = [name for name in job.score.by if name != UNIT or len(totals.units) > 1]
    found = [(totals.total, "all")]
    found += [(group, name) for name in by for group in totals.groups(name)]
    return [_unit(job, group, kind) for group, kind in found]


def _unit(job: Job, group: Total, kind: str) -> Unit:
    """One group."""
    capture = group.capture(len(job.train.activities))
    word, severity = _captured(capture)
    return Unit(
        id=group.name if kind in {"all", MONTH} else f"{kind} {group.name}",
        verdict=word,
        severity=severity,
        is_total=kind == "all",
        users_names=[f"{job.score.gas} ({job.score.unit})"],
        values={
            f"{job.score.gas} ({job.score.unit})": Interval(
                value=group.emission,
                lower=group.emission - group.expanded,
                upper=group.emission + group.expanded,
            ),
            term("rows"): group.sums.rows,
            term("data capture (%)"): None if capture is None else round(100 * capture, 3),
        },
    )


def _captured(share: float | None) -> tuple[str, Severity]:
    """The word on a group of whose intervals this share has rows."""
    if share is None:
        return term("rows only"), "neither"
    return (term("complete"), "good") if share >= 1.0 else (term("incomplete"), "bad")


def _left_out(totals: Totals) -> list[LeftOut]:
    """Rows that were not counted."""
    counts, found = totals.counts(), []
    for name, reason in (
        (
            "duplicate rows",
            say("they have the time of the row before, which is the one that counts"),
        ),
        ("rows outside the period", say("the request asks for the total of a period")),
    ):
        if counts[name]:
            what = f"{counts[name]} {translated(name, MANY)}"
            found.append(LeftOut(what=what, reason=reason))
    return found


def _not_answered(job: Job, totals: Totals, filed: FiledFacts | None) -> list[NotAnswered]:
    """What the data cannot carry."""
    found = [*_of_intervals(job, filed), *_of_gaps(job, totals)]
    scopes = {factor.scope for factor in job.train.factors.values()}
    if missing := sorted({1, 2, 3} - scopes):
        words = say(" and ").join(
            say("scope {scope} ({scopes})", scope=scope, scopes=say(_SCOPES[scope]))
            for scope in missing
        )
        found.append(
            NotAnswered(
                question=say("How much is emitted in {words}?", words=words),
                reason=say("no activity of such a scope is among the channels of the request"),
            )
        )
    found.append(
        NotAnswered(
            question=say("Does the interval hold what it promises?"),
            reason=say(
                "no total of this period is known from elsewhere; the interval is as good as "
                "the stated uncertainties of meters and factors"
            ),
        )
    )
    return found


def _of_intervals(job: Job, filed: FiledFacts | None) -> list[NotAnswered]:
    """Statements about single intervals, where the filed column is too coarse for them."""
    if filed is None or filed.step_share is None or filed.step_share <= job.score.largest_step:
        return []
    return [
        NotAnswered(
            question=say(
                "How much {gas} does a single interval of {interval_s:g} s stand for, by the "
                "filed column?",
                gas=job.score.gas,
                interval_s=job.train.interval_s,
            ),
            reason=say(
                "{flag}, above the {largest_step:.0%} that the request allows: {values} "
                "distinct values stand for {rows} rows",
                flag=flag(filed),
                largest_step=job.score.largest_step,
                values=len(filed.values),
                rows=rounded(filed.rows),
            ),
        )
    ]


def _of_gaps(job: Job, totals: Totals) -> list[NotAnswered]:
    """What was emitted while nothing was read."""
    if not totals.folding.is_timed:
        return [
            NotAnswered(
                question=say("Is a row missing, or there twice?"),
                reason=say("the rows have no time stamps"),
            )
        ]
    total = totals.total
    lacking = (total.expected or 0) - min(total.sums.counts[: len(job.train.activities)])
    if lacking <= 0:
        return []
    return [
        NotAnswered(
            question=say("What was emitted while there was no reading?"),
            reason=say(
                "{lacking} of {expected} intervals have none; nothing was filled in",
                lacking=rounded(lacking),
                expected=rounded(total.expected),
            ),
        )
    ]


def _total_table(job: Job, totals: Totals) -> dict[str, Any]:
    """One row a group that the total is shown by, and one for the whole."""
    groups = [("total", totals.total)]
    groups += [(name, group) for name in job.score.by for group in totals.groups(name)]
    columns: dict[str, Any] = {
        "by": np.array([by for by, _ in groups], dtype=object),
        "group": np.array([group.name for _, group in groups], dtype=object),
        "rows": np.array([group.sums.rows for _, group in groups], dtype=np.int64),
        "emission": np.array([group.emission for _, group in groups]),
        "u": np.array([group.u for _, group in groups]),
        "k": np.array([group.k for _, group in groups]),
    }
    for number, name in enumerate(job.train.activities):
        columns[f"amount of {name}"] = np.array(
            [float(group.sums.sums[number]) for _, group in groups]
        )
    return columns
