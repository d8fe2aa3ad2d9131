"""What a run knows for the dossier of its model; its form is `lumipipe.reporting.dossier`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lumipipe.config import NOT_CHARACTERISED
from lumipipe.language import QUANTITY, message, say, translated
from lumipipe.reporting.dossier import Dossier, dossier
from lumipipe.reporting.numbers import percentage, rounded_interval
from lumipipe.reporting.shown import shown_condition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Channel, Request, Source
    from lumipipe.reporting.result import Result
    from lumipipe.tasks.request import Loaded
    from lumipipe.tasks.stages import Stage

_VERDICTS = {
    "supported": message("supported"),
    "not_supported": message("not supported"),
    "inconclusive": message("inconclusive"),
}
_STATUSES = {
    "none": message("none"),
    "found": message("found"),
    "by_design": message("by design"),
    "not_tested": message("not tested"),
}
_SILENT = message("Left to the provider: the request says nothing.")


def dossier_of(loaded: Loaded, stages: dict[str, Stage], result: Result) -> Dossier:
    """The dossier of a run.

    Parameters
    ----------
    loaded : Loaded
        The request.
    stages : dict of str to Stage
        The plan, with the digests of what each stage depends on.
    result : Result
        The answer, with the record of the run.

    Returns
    -------
    Dossier
        With a statement for each mandatory label.
    """
    request = loaded.request
    entries = {
        1: _general(loaded, result),
        2: _development(loaded, result),
        3: _functioning(request, result),
        4: _measures(request, result),
        5: _risks(request, result),
        6: _changes(request, stages),
        7: {"rules": _lines(result.rules) or say("No rule of a standard was applied.")},
        8: {
            "declaration": say(
                "Left to the provider of a product: lumipipe declares no conformity, and "
                "whether a product is of high risk is a question of law."
            )
        },
        9: _monitoring(result),
    }
    return dossier(request.id, request.title, entries)


def _general(loaded: Loaded, result: Result) -> dict[str, str]:
    """Item 1."""
    request, run = loaded.request, result.run
    question = request.question
    return {
        "intended purpose": say(
            "{decision} (one answer is about {unit_of_decision})",
            decision=question.decision,
            unit_of_decision=question.unit_of_decision,
        ),
        "not to be used for": _lines(question.not_to_be_used_for),
        "provider": say("Owner of the data: {owner}", owner=request.rights.owner),
        "version": _lines(f"{name} {version}" for name, version in sorted(run.versions.items())),
        "runs on": say(
            "{backend} on {device}, {ranks} rank(s)",
            backend=run.backend,
            device=run.device and translated(run.device),
            ranks=run.ranks,
        ),
        "how to run": say("lumipipe run request.yaml (the request stands beside this file)"),
    }


def _development(loaded: Loaded, result: Result) -> dict[str, str]:
    """Item 2."""
    request = loaded.request
    settings = {"train": loaded.train, "score": loaded.score, "asset": loaded.asset}
    return {
        "method": say(
            "Analysis {family}: {title}",
            family=request.question.family,
            title=say(loaded.family.title),
        ),
        "settings": _lines(
            f"{name}: {json.dumps(part.model_dump(mode='json'), ensure_ascii=False)}"
            for name, part in settings.items()
        ),
        "data": _lines(_source(source, result) for source in request.data),
        "labels": _lines(
            f"{source.id}.{name}: {label.meaning}"
            for source in request.data
            for name, label in source.labels.items()
        )
        or say("The request declares no labels."),
        "left out": _lines(f"{item.what}: {item.reason}" for item in result.left_out)
        or say("Nothing was left out."),
        "human oversight": request.dossier.oversight or say(_SILENT),
        "split": result.split.sentence
        + (
            say(" Reason given: {because}", because=result.split.because)
            if result.split.because
            else ""
        ),
        "leakage tests": _lines(
            f"{test.label}: {say(_STATUSES[test.status])}. {test.sentence}"
            for test in result.leakage
        )
        or say("No leakage test was run."),
        "cybersecurity": say(
            "Each input is known by its SHA-256, no input is run as a program, what "
            "promises or unpacks to far more than it holds is refused, and the report "
            "loads nothing from outside."
        ),
    }


def _source(source: Source, result: Result) -> str:
    """A source with the digests of its files."""
    prefix = f"{source.id}: "
    digests = {n: d for n, d in result.run.digests.items() if n.startswith(prefix)}
    shown = ", ".join(f"{n.removeprefix(prefix)} {d[:16]}" for n, d in sorted(digests.items())[:5])
    more = say(" and {digests} more files", digests=len(digests) - 5) if len(digests) > 5 else ""  # noqa: PLR2004
    licence = source.licence or say("not stated")
    return say(
        "{id}: {channels} channels, licence {licence}; {shown}{more}",
        id=source.id,
        channels=len(source.channels),
        licence=licence,
        shown=shown,
        more=more,
    )


def _functioning(request: Request, result: Result) -> dict[str, str]:
    """Item 3."""
    coverage = result.coverage
    return {
        "verdict": f"{say(_VERDICTS[result.verdict])}: {result.answer}",
        "accuracy": _lines(_metric(result, number) for number in range(len(result.metrics)))
        or say("No measure of accuracy was computed."),
        "accuracy by group": _lines(
            say(
                "{name}: {achieved} % of {count} intervals or sets held",
                name=group.name,
                achieved=percentage(group.achieved, group.lower, group.upper)[0],
                count=group.count,
            )
            for group in (coverage.groups if coverage else [])
        )
        or say("No groups were told apart."),
        "what may go wrong": _lines(
            f"{item.question} {item.reason}" for item in result.not_answered
        )
        or (result.not_answered_reason or say("Nothing was left open.")),
        "input specification": _lines(
            f"{source.id}.{channel.name}: {_channel(channel)}"
            for source in request.data
            for channel in source.channels
        ),
    }


def _channel(channel: Channel) -> str:
    """A channel in words."""
    span = (
        ""
        if channel.range is None
        else say(
            ", {range:g} to {channel_range:g}",
            range=channel.range[0],
            channel_range=channel.range[1],
        )
    )
    sensor = say(
        ", sensor {sensor}, certificate {certificate}",
        sensor=translated(channel.sensor, among=(NOT_CHARACTERISED,)),
        certificate=translated(channel.certified, among=(NOT_CHARACTERISED,)),
    )
    return say(
        "{quantity} in {unit}{span}{sensor}",
        quantity=translated(channel.quantity, QUANTITY),
        unit=channel.unit,
        span=span,
        sensor=sensor,
    )


def _metric(result: Result, number: int) -> str:
    """A metric with its interval."""
    metric = result.metrics[number]
    value, lower, upper = rounded_interval(metric.value, metric.lower, metric.upper)
    ends = (
        say(" ({lower} to {upper})", lower=lower, upper=upper) if metric.lower is not None else ""
    )
    return f"{metric.label}: {value}{ends}"


def _measures(request: Request, result: Result) -> dict[str, str]:
    """Item 4."""
    question = request.question
    costs = {
        message("a miss costs {cost:g} {currency}"): question.cost_of_miss,
        message("a false alarm costs {cost:g} {currency}"): question.cost_of_false_alarm,
    }
    return {
        "conditions": _lines(
            f"{metric.label} {shown_condition(metric.condition)}"
            for metric in result.metrics
            if metric.condition
        )
        or say("The request sets no condition, so nothing can be supported."),
        "costs": _lines(
            say(told, cost=cost, currency=question.currency)
            for told, cost in costs.items()
            if cost is not None
        )
        or say("The request gives no costs."),
    }


def _risks(request: Request, result: Result) -> dict[str, str]:
    """Item 5."""
    found = [test.label for test in result.leakage if test.status == "found"]
    return {
        "checks that were run": (
            say(
                "{leakage} leakage tests, {found} with a finding",
                leakage=len(result.leakage),
                found=len(found),
            )
            + (f" ({', '.join(found)})" if found else "")
            + say(
                "; {not_answered} questions refused; a verdict of supported is withheld where "
                "a condition is open or a leak was found.",
                not_answered=len(result.not_answered),
            )
        ),
        "risk management of the provider": request.dossier.risk_management or say(_SILENT),
    }


def _changes(request: Request, stages: dict[str, Stage]) -> dict[str, str]:
    """Item 6."""
    train = stages["train"]
    others = sorted(
        manifest.stem
        for manifest in train.manifest.parent.glob("*.json")
        if manifest != train.manifest
    )
    ingredients = ", ".join(f"{name} {digest[:16]}" for name, digest in train.ingredients.items())
    return {
        "this model": say("{key}, made from {ingredients}", key=train.key, ingredients=ingredients),
        "earlier models": _lines(others) or say("None in this folder."),
        "changes": request.dossier.changes or say(_SILENT),
    }


def _monitoring(result: Result) -> dict[str, str]:
    """Item 9."""
    coverage = result.coverage
    nominal = say("{nominal:.0%}", nominal=coverage.nominal) if coverage else say("a nominal")
    return {
        "drift": say(
            "Score new data with the same request: the share of rows outside the "
            "operating envelope, or in alarm, and the errors by period show drift."
        ),
        "coverage": say(
            "Compare the achieved coverage of new data with {nominal} coverage, by group; "
            "where its interval lies below, the intervals hold no longer.",
            nominal=nominal,
        ),
    }


def _lines(parts: Iterable[str]) -> str:
    """One statement a line."""
    return "\n".join(parts)
