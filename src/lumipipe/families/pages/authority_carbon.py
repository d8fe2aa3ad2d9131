"""What an authority is told of a carbon footprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.families.pages.authority_words import nothing_filled
from lumipipe.families.pages.interface import Teller, Told, not_here
from lumipipe.language import say

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject


def _installation(subject: Subject) -> Told:
    """The boundary, and the plants inside."""
    return Told(
        say(
            "Boundary: {boundary}. Plants: {units}. Nothing is measured at an emission point: "
            "emissions are activities times factors.",
            boundary=subject.job.asset.boundary.rstrip("."),
            units=", ".join(subject.facts.units),
        )
    )


def _parameter(subject: Subject) -> Told:
    """What is counted; an amount has no reference conditions."""
    return Told(
        say(
            "{gas} in {unit}, added up over the period; an amount of mass needs no reference "
            "conditions.",
            gas=subject.job.score.gas,
            unit=subject.job.score.unit,
        )
    )


def _envelope(subject: Subject) -> Told:
    """Nothing is learnt."""
    del subject
    return not_here(say("nothing is learnt, so there is no operating envelope to leave."))


def _validation(subject: Subject) -> Told:
    """What the clock found."""
    counts = subject.facts.counts()
    return Told(
        say(
            "Rows there twice: {duplicates}; gaps: {gaps}; uneven steps: {uneven}. Meters are not "
            "checked against each other.",
            duplicates=counts["duplicate rows"],
            gaps=counts["gaps"],
            uneven=counts["uneven steps"],
        )
    )


def _statistics(subject: Subject) -> Told:
    """Audits of analysers do not apply."""
    del subject
    return not_here(say("relative accuracy, bias factor, F and r are of audits of an analyser."))


def _capture(subject: Subject) -> Told:
    """Share of the intervals with a reading."""
    totals = subject.facts
    share = totals.total.capture(len(subject.job.train.activities))
    text = (
        say("Rows have no time, so that gaps cannot be seen.")
        if share is None or not totals.folding.is_timed
        else say("{share:.1%} of the intervals of the period have a reading.", share=share)
    )
    return Told(f"{text} {nothing_filled()}")


def _interval(subject: Subject) -> Told:
    """Expanded uncertainty as a share of the total; no rule is in a table."""
    total = subject.facts.total
    coverage = subject.job.request.evaluation.interval.coverage
    share = total.relative
    text = (
        say("The total is zero, so nothing is a share of it.")
        if share is None
        else say(
            "Expanded uncertainty for {coverage:.0%}: {share:.1%} of the total.",
            coverage=coverage,
            share=share,
        )
    )
    return Told(text + " " + say("No table of rules says what is allowed, so nothing is compared."))


def _drift(subject: Subject) -> Told:
    """Nothing is learnt, so nothing drifts but meters."""
    years = sorted({factor.year for factor in subject.job.train.factors.values()})
    return Told(
        say(
            "Nothing is learnt that could drift; a drift of a meter is not seen here. Factors are "
            "for {years}.",
            years=", ".join(map(str, years)),
        )
    )


TOLD: dict[str, Teller] = {
    "installation": _installation,
    "parameter": _parameter,
    "envelope": _envelope,
    "validation": _validation,
    "statistics": _statistics,
    "capture": _capture,
    "interval": _interval,
    "drift": _drift,
}
"""What the family itself tells."""
