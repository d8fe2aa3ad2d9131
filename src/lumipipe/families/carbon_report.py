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

_SCOPES = {1: "own sources", 2: "bought energy", 3: "others along the chain"}


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
            sentence="Nothing was learnt from these data, so nothing was held out.",
        ),
        counts=totals.counts(),
        left_out=_left_out(totals),
        not_answered=_not_answered(job, totals, filed),
        sections=sections(job, totals, filed),
        run=Run(),
    )
    return Outcome(result, {"totals": _total_table(job, totals)})


def _metrics(job: Job, totals: Totals, filed: FiledFacts | None) -> list[Metric]:
    """The total, how sure it is, how much of the period it rests on, and the filed column."""
    total, unit = totals.total, job.score.unit
    coverage = job.request.evaluation.interval.coverage
    found = [
        Metric(
            name="emission",
            label=f"{job.score.gas} in {unit}",
            value=total.emission,
            lower=total.emission - total.expanded,
            upper=total.emission + total.expanded,
            confidence=coverage,
            count=total.sums.rows,
            of="intervals",
            note=f"normal distribution, k = {total.k:.2f}; from stated uncertainties",
        ),
        Metric(
            name="relative_uncertainty",
            label="Expanded uncertainty as a share of the total",
            value=total.relative,
        ),
        Metric(
            name="data_capture",
            label="Data capture (share of the intervals with a reading)",
            value=total.capture(len(job.train.activities)),
            count=total.expected,
            of="intervals",
            note=None if totals.folding.is_timed else "rows have no time, so gaps are not seen",
        ),
    ]
    return found if filed is None else found + _filed_metrics(job, filed)


def _filed_metrics(job: Job, filed: FiledFacts) -> list[Metric]:
    """The sum of the filed values with what rounding may have done, and their step."""
    lower, upper, confidence, note = None, None, None, "no step was found, so none is allowed for"
    if filed.u_independent is not None and not filed.is_leaning:
        lower, upper = (filed.total + sign * 2.0 * filed.u_independent for sign in (-1, 1))
        confidence, note = 0.95, "rounding alone, independent from row to row"
    elif (bounds := filed.bounds()) is not None:
        lower, upper = bounds
        note = "rounding alone, at worst: it leans to one side here, so it does not average out"
    return [
        Metric(
            name="filed_total",
            label=f"Sum of the filed values in {job.score.unit}",
            value=filed.total,
            lower=lower,
            upper=upper,
            confidence=confidence,
            count=filed.rows,
            of="rows",
            note=note,
        ),
        Metric(
            name="filed_step_share",
            label="Step of the filed values as a share of their mean",
            value=filed.step_share,
            count=len(filed.values),
            of="distinct values",
        ),
    ]


def amount_words(job: Job, total: Total) -> str:
    """An emission with its expanded uncertainty, in words."""
    value = rounded_interval(
        total.emission, total.emission - total.expanded, total.emission + total.expanded
    )[0]
    return f"{value} {job.score.unit} of {job.score.gas}"


def _answer(job: Job, totals: Totals, filed: FiledFacts | None) -> str:
    """The answer in one sentence, and the flag of the filed column."""
    total, unit = totals.total, job.score.unit
    coverage = job.request.evaluation.interval.coverage
    ends = rounded_interval(
        total.emission, total.emission - total.expanded, total.emission + total.expanded
    )
    scopes = sorted({factor.scope for factor in job.train.factors.values()})
    text = (
        f"{amount_words(job, total)} ({coverage:.0%} interval {ends[1]} to {ends[2]} {unit}), "
        f"scope {', '.join(map(str, scopes))}, from {_amounts(totals)}"
    )
    capture = total.capture(len(job.train.activities))
    if capture is not None and capture < 1.0:
        text += f"; {capture:.1%} of the intervals have a reading, and the others are not filled"
    unchecked = [name for name, item in job.train.factors.items() if item.checked_by is None]
    if unchecked:
        text += f"; factor{'s' * (len(unchecked) > 1)} {' and '.join(unchecked)} not verified"
    if filed is not None and (words := flag(filed)):
        text += f". The filed column: {words}"
    return f"{text}."


def _amounts(totals: Totals) -> str:
    """The amounts of all activities, in words."""
    return " and ".join(
        f"{rounded(amount, digits=5)} {unit} of {name}"
        for name, (amount, unit) in totals.amounts(totals.total).items()
    )


def flag(filed: FiledFacts) -> str:
    """How coarse the filed values are, in words; empty where no step was found."""
    if filed.step_share is None:
        return ""
    return f"resolution {filed.step:g} {filed.unit} is {filed.step_share:.0%} of the mean"


def _would_change(job: Job, totals: Totals) -> str:
    """What would change the answer: the largest part of its variance, first."""
    budget = totals.total.budget
    shares = variance_shares(budget)
    largest = int(np.argmax(shares))
    text = (
        f"Better knowledge of {budget[largest].source}: it makes up {shares[largest]:.0%} of the "
        "variance"
    )
    text += (
        ", and as it is the same in all rows, more rows do not shrink it."
        if budget[largest].is_shared
        else "."
    )
    if not job.request.evaluation.metrics:
        text += " A condition under evaluation.metrics: without one, nothing can be supported."
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
    word = "rows only" if capture is None else "complete" if capture >= 1.0 else "incomplete"
    return Unit(
        id=group.name if kind in {"all", MONTH} else f"{kind} {group.name}",
        verdict=word,
        values={
            f"{job.score.gas} ({job.score.unit})": Interval(
                value=group.emission,
                lower=group.emission - group.expanded,
                upper=group.emission + group.expanded,
            ),
            "rows": group.sums.rows,
            "data capture (%)": None if capture is None else round(100 * capture, 3),
        },
    )


def _left_out(totals: Totals) -> list[LeftOut]:
    """Rows that were not counted."""
    counts, found = totals.counts(), []
    for name, reason in (
        ("duplicate rows", "they have the time of the row before, which is the one that counts"),
        ("rows outside the period", "the request asks for the total of a period"),
    ):
        if counts[name]:
            found.append(LeftOut(what=f"{counts[name]} {name}", reason=reason))
    return found


def _not_answered(job: Job, totals: Totals, filed: FiledFacts | None) -> list[NotAnswered]:
    """What the data cannot carry."""
    found = [*_of_intervals(job, filed), *_of_gaps(job, totals)]
    scopes = {factor.scope for factor in job.train.factors.values()}
    if missing := sorted({1, 2, 3} - scopes):
        words = " and ".join(f"scope {scope} ({_SCOPES[scope]})" for scope in missing)
        found.append(
            NotAnswered(
                question=f"How much is emitted in {words}?",
                reason="no activity of such a scope is among the channels of the request",
            )
        )
    found.append(
        NotAnswered(
            question="Does the interval hold what it promises?",
            reason="no total of this period is known from elsewhere; the interval is as good as "
            "the stated uncertainties of meters and factors",
        )
    )
    return found


def _of_intervals(job: Job, filed: FiledFacts | None) -> list[NotAnswered]:
    """Statements about single intervals, where the filed column is too coarse for them."""
    if filed is None or filed.step_share is None or filed.step_share <= job.score.largest_step:
        return []
    return [
        NotAnswered(
            question=f"How much {job.score.gas} does a single interval of "
            f"{job.train.interval_s:g} s stand for, by the filed column?",
            reason=f"{flag(filed)}, above the {job.score.largest_step:.0%} that the request "
            f"allows: {len(filed.values)} distinct values stand for "
            f"{rounded(filed.rows)} rows",
        )
    ]


def _of_gaps(job: Job, totals: Totals) -> list[NotAnswered]:
    """What was emitted while nothing was read."""
    if not totals.folding.is_timed:
        return [
            NotAnswered(
                question="Is a row missing, or there twice?", reason="the rows have no time stamps"
            )
        ]
    total = totals.total
    lacking = (total.expected or 0) - min(total.sums.counts[: len(job.train.activities)])
    if lacking <= 0:
        return []
    return [
        NotAnswered(
            question="What was emitted while there was no reading?",
            reason=f"{rounded(lacking)} of {rounded(total.expected)} intervals have none; nothing "
            "was filled in",
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
