"""The metrologist's page; the quantities of each family are in `statements`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.pages.budgets import budget_section, monte_carlo_words, result_words
from lumipipe.families.pages.interface import Teller, Told, not_here, not_stated
from lumipipe.families.pages.statements import statements_of
from lumipipe.families.pages.trace_graph import traceability_graph
from lumipipe.families.pages.traceability import links_of
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import percentage
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.families.pages.budgets import Statement
    from lumipipe.families.pages.interface import Subject


def _of_each(told: Callable[[Statement], str]) -> Teller:
    """A teller of one sentence of each quantity; what all have in common stands once."""

    def tell(subject: Subject) -> Told:
        found = statements_of(subject)
        if not found:
            return _nothing(subject)
        return Told(_joined(found, [told(one) for one in found]))

    return tell


def _joined(statements: list[Statement], texts: list[str]) -> str:
    """Texts of quantities with their names where they differ."""
    if len(set(texts)) == 1:
        return texts[0]
    named = zip(statements, texts, strict=True)
    return " ".join(f"{one.name}: {text}" for one, text in named if text)


def _nothing(subject: Subject) -> Told:
    """What is said where there is no quantity with an uncertainty."""
    del subject
    return not_here(say("nothing here has an uncertainty that could be stated."))


def _budget(subject: Subject) -> Told:
    """A table of each quantity."""
    found = statements_of(subject)
    if not found:
        return _nothing(subject)
    words = _joined(found, [result_words(one) for one in found])
    return Told(words, [budget_section(one) for one in found])


def _factor(statement: Statement) -> str:
    """K and the coverage probability."""
    if not statement.parts:
        return say("None: no uncertainty is stated that it could expand.")
    text = say(
        "k = {k:.2f} for a coverage probability of {coverage:.0%}, of a normal distribution.",
        k=statement.k,
        coverage=statement.coverage,
    )
    if statement.half_width is not None and statement.u > 0.0:
        text += " " + say(
            "The intervals of this report are not k times u: their half-width is {half} "
            "{half_from}, which is {ratio:.2f} times u.",
            half=statement.in_unit(say("{half:.2g}", half=statement.half_width)),
            half_from=statement.half_from,
            ratio=statement.half_width / statement.u,
        )
    return text


def _achieved(subject: Subject) -> Told:
    """Promised and achieved coverage, in all and by regime."""
    coverage = subject.result.coverage
    if coverage is None or coverage.achieved is None:
        return Told(
            say(
                "Not known: no truth is there that the intervals could be compared with, so they "
                "are as good as the stated uncertainties."
            ),
            is_answered=False,
        )
    has_notes = any(part.note for part in (coverage, *coverage.groups))
    rows: list[list[Any]] = [
        [
            name,
            Interval(value=_percent(part.achieved), **_ends(part)),
            part.count,
            part.width,
            *([part.note or "–"] if has_notes else []),
        ]
        for name, part in [
            (say("all"), coverage),
            *((group.name, group) for group in coverage.groups),
        ]
    ]
    table = Table(
        kind="table",
        title=say("Achieved coverage by regime"),
        caption=say("Promised: {nominal:.0%}.", nominal=coverage.nominal),
        alt=say("One row a regime."),
        columns=[
            Column(label=say("regime")),
            Column(label=say("achieved"), unit="%"),
            Column(label=say("cases")),
            Column(label=say("mean width"), unit=coverage.width_unit),
            *([Column(label=say("note"))] if has_notes else []),
        ],
        rows=rows,
    )
    text = say(
        "Promised {nominal:.0%}, achieved {achieved} % in {count} cases.",
        nominal=coverage.nominal,
        achieved=percentage(
            coverage.achieved, coverage.lower, coverage.upper, against=coverage.nominal
        )[0],
        count=coverage.count or 0,
    )
    if coverage.upper is not None and coverage.upper < coverage.nominal:
        text += " " + say(
            "That is less than promised: for cases like the tested ones, u and U are too small."
        )
    return Told(
        text,
        [Section(title=say("Achieved coverage by regime"), figures=[table])],
    )


def _percent(share: float | None) -> float | None:
    """A share in percent."""
    return None if share is None else 100.0 * share


def _ends(part: Any) -> dict[str, float | None]:
    """Ends of a coverage's interval in percent."""
    return {"lower": _percent(part.lower), "upper": _percent(part.upper)}


def _traceability(subject: Subject) -> Told:
    """Which certificate each channel leads to."""
    links = links_of(subject)
    heads = (
        say("source"),
        say("channel"),
        say("quantity"),
        say("unit"),
        say("sensor"),
        say("certificate"),
        say("valid until"),
        say("laboratory"),
        say("u of the certificate"),
        say("signature"),
    )
    stated = [place for place in range(len(heads)) if any(link[place] for link in links)]
    table = Table(
        kind="table",
        title=say("From quantity to certificate"),
        caption=say(
            "Each row is read from left to right; what the certificate itself rests on is written "
            "in it."
        ),
        alt=say("One row a channel."),
        columns=[Column(label=heads[place]) for place in stated],
        rows=[[link[place] or "–" for place in stated] for link in links],
    )
    drawn = traceability_graph(statements_of(subject), links)
    section = Section(title=say("Traceability to certificates"), figures=[drawn, table])
    known = sum(link.is_certified for link in links)
    if not known:
        told = not_stated(say("Certificates"), "data[].channels[].certificate")
        return Told(told.sentence, [section], is_answered=False)
    return Told(
        say("{known} of {links} channels lead to a certificate.", known=known, links=len(links)),
        [section],
    )


def _monte_carlo(subject: Subject) -> Told:
    """Settings of the draws and agreement."""
    seed = subject.job.request.evaluation.seed
    found = statements_of(subject)
    words = [monte_carlo_words(one, seed) for one in found]
    if not any(words):
        return not_here(say("no characterised source is there to draw from."))
    return Told(_joined(found, words))


METROLOGIST: dict[str, Teller] = {
    "measurand": _of_each(lambda one: one.measurand),
    "equation": _of_each(lambda one: one.equation),
    "budget": _budget,
    "coverage_factor": _of_each(_factor),
    "achieved": _achieved,
    "correlations": _of_each(lambda one: one.correlations),
    "resolution": _of_each(lambda one: one.resolution),
    "traceability": _traceability,
    "monte_carlo": _monte_carlo,
}
"""What tells each item of the page."""
