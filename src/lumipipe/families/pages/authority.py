"""The authority's page: what only the request can say, and what each family found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.pages import authority_ambient, authority_carbon, authority_emission
from lumipipe.families.pages.interface import Teller, Told, not_stated
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.audited import LimitValue
    from lumipipe.families.pages.interface import Subject

_OF_FAMILY: dict[str, dict[str, Teller]] = {
    "emission": authority_emission.TOLD,
    "ambient": authority_ambient.TOLD,
    "carbon": authority_carbon.TOLD,
}


def _by_family(item: str) -> Teller:
    """The teller of the subject's family."""

    def tell(subject: Subject) -> Told:
        return _OF_FAMILY[subject.job.request.question.family][item](subject)

    return tell


def limit_words(limit: LimitValue, unit: str) -> str:
    """A limit value as the request states it, and who checked it."""
    checked = (
        say("checked by {name}", name=limit.checked_by)
        if limit.checked_by is not None
        else say("limits not verified")
    )
    return say(
        "Limit {value:g} {unit}, averaged over {averaging}; {source}; {checked}.",
        value=limit.value,
        unit=unit,
        averaging=limit.averaging,
        source=limit.source,
        checked=checked,
    )


def _parameter(subject: Subject) -> Told:
    """What is measured under which rule."""
    found = _by_family("parameter")(subject)
    limit = subject.job.asset.limit
    if limit is None:
        more = not_stated(say("Limit value and its averaging"), "asset.limit").sentence
    else:
        more = limit_words(limit, _unit(subject))
    return Told(f"{found.sentence} {more}", found.sections, found.is_answered)


def _unit(subject: Subject) -> str:
    """Unit of what is measured."""
    facts = subject.facts
    family = subject.job.request.question.family
    if family == "emission":
        return str(facts.hours.scores.channel[1])
    return str(facts.unit) if family == "ambient" else str(subject.job.score.unit)


def _parallel(subject: Subject) -> Told:
    """Parallel measurements as the request states them."""
    stated = subject.job.asset.parallel
    if not stated:
        own = _OF_FAMILY[subject.job.request.question.family].get("parallel")
        told = not_stated(say("Parallel measurements by a laboratory"), "asset.parallel")
        more = "" if own is None else " " + own(subject).sentence
        return Told(told.sentence + more, is_answered=bool(more))
    rows: list[list[Any]] = [
        [str(one.date), one.laboratory, one.method, one.runs, one.outcome] for one in stated
    ]
    table = Table(
        kind="table",
        title=say("Parallel measurements"),
        caption=say("As the request states them; they are not computed here."),
        alt=say("One row a measurement."),
        columns=[
            Column(label=label)
            for label in (
                say("day"),
                say("laboratory"),
                say("method"),
                say("runs"),
                say("outcome"),
            )
        ],
        rows=rows,
    )
    days = ", ".join(str(one.date) for one in stated)
    return Told(
        say("{count} are stated: {days}.", count=len(stated), days=days),
        [Section(title=say("Parallel measurements"), figures=[table])],
    )


def _drift(subject: Subject) -> Told:
    """The family's word on drift, and the day of the last audit."""
    found = _by_family("drift")(subject)
    last = subject.job.asset.last_audit
    more = (
        not_stated(say("Day of the last audit"), "asset.last_audit").sentence
        if last is None
        else say("Last audit: {last}.", last=last)
    )
    return Told(f"{found.sentence} {more}", found.sections, found.is_answered)


def _changes(subject: Subject) -> Told:
    """Changes of the model, as stated."""
    stated = subject.job.asset.model_changes
    trained = say(
        "The model of this report is the one whose digest stands in the run record. {split}",
        split=subject.result.split.sentence,
    )
    if not stated:
        told = not_stated(say("Earlier changes of the model"), "asset.model_changes")
        return Told(f"{trained} {told.sentence}")
    listed = "; ".join(f"{one.date}: {one.what}" for one in sorted(stated, key=lambda o: o.date))
    return Told(f"{trained} {listed}.")


def _retention(subject: Subject) -> Told:
    """How long raw data are kept, and whom to ask."""
    asset, rights = subject.job.asset, subject.job.request.rights
    kept = (
        not_stated(say("How long raw data are kept"), "asset.raw_data_kept").sentence
        if asset.raw_data_kept is None
        else say("Raw data: {kept}.", kept=asset.raw_data_kept.rstrip("."))
    )
    contact = (
        not_stated(say("Contact"), "asset.contact_ref").sentence
        if asset.contact_ref is None
        else say("Contact: {contact}.", contact=asset.contact_ref.rstrip("."))
    )
    owner = say("Owner of the data: {owner}.", owner=rights.owner.rstrip("."))
    if rights.delete_after is not None:
        owner += " " + say("They may be used until {day}.", day=rights.delete_after)
    return Told(f"{kept} {contact} {owner}")


AUTHORITY: dict[str, Teller] = {
    "installation": _by_family("installation"),
    "parameter": _parameter,
    "envelope": _by_family("envelope"),
    "validation": _by_family("validation"),
    "parallel": _parallel,
    "statistics": _by_family("statistics"),
    "capture": _by_family("capture"),
    "interval": _by_family("interval"),
    "drift": _drift,
    "changes": _changes,
    "retention": _retention,
}
"""What tells each item of the page."""
