"""Rows of a budget that come from certificates: what is added, and what is not and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.families.certificates import Certified, certified, certified_channels
from lumipipe.families.pages.budgets import Source, two_digits
from lumipipe.language import say, translated
from lumipipe.uncertainty.budget import Contribution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lumipipe.config import Request

_MOST_ROWS = 6


def added_source(known: Certified, part: Contribution) -> Source:
    """A certificate whose error is in the budget."""
    return Source(translated(part.source), part, known.known_from, known.valid)


def left_source(known: Certified, why_not: str) -> Source:
    """A certificate that is named, and whose uncertainty is not added, or not stated."""
    name = say("certificate of {channel}", channel=known.channel)
    if known.u is None:
        why_not = say("it states no uncertainty")
    return Source(name, None, known.known_from, known.valid, why_not, _u(known))


def reference_source(
    request: Request, target: str, label: str, stated: Contribution | None, key: str = ""
) -> list[Source]:
    """What the readings share that a model was taught or compared with.

    Parameters
    ----------
    request : Request
        The form.
    target : str
        Channel of the reference.
    label : str
        What it is called in the budget.
    stated : Contribution or None
        What the family's own section states of it; it comes before the certificate.
    key : str
        Key of the request that would state it, where the family has one.

    Returns
    -------
    list of Source
        One, or two where a certificate is there that is not counted a second time.

    Notes
    -----
    *Method*: a bias of the reference is in all that is told by it, so that its sensitivity is 1.
    No source is counted twice (JCGM 100:2008, 4.3.10).
    """
    known = certified(request, target)
    if stated is not None:
        own = Source(label, stated, say("stated in the request"))
        return [own] if known is None else [own, left_source(known, _once(key))]
    if known is None:
        unknown = say("not stated: {key}", key=key) if key else say("not characterised")
        return [Source(label, None, unknown)]
    if known.u is None:
        silent = say("{names}: it states no uncertainty", names=known.known_from)
        return [Source(label, None, silent, known.valid)]
    part = Contribution("reference", "B", "normal", known.u, known.unit, 1.0, True)
    return [Source(label, part, known.known_from, known.valid)]


def _once(key: str) -> str:
    """Why a certificate beside a stated uncertainty is not added."""
    return say("{key} stands for it, and nothing is counted twice", key=key)


def input_sources(request: Request, names: Iterable[str], why_not: str) -> list[Source]:
    """Certificates of inputs whose errors are not propagated, each with the reason.

    Parameters
    ----------
    request : Request
        The form.
    names : iterable of str
        Channels that a model takes.
    why_not : str
        Why their errors are not added.

    Returns
    -------
    list of Source
        Those that state an uncertainty: one a channel, the last ones in one row where there are
        many.
    """
    found = certified_channels(request, names)
    shown = [left_source(one, why_not) for one in found[:_MOST_ROWS]]
    more = found[_MOST_ROWS:]
    if more:
        name = say("certificates of {count} more inputs", count=len(more))
        told = ", ".join(dict.fromkeys(one.known_from for one in more))
        shown.append(Source(name, None, told, "", why_not))
    return shown


def taught_with() -> str:
    """Why errors of inputs are not added to those of a model that was taught with them."""
    return say(
        "the model was taught with the same sensor, so that what its readings share is in the "
        "model; another sensor would add it"
    )


def _u(known: Certified) -> str:
    """The stated standard uncertainty."""
    if known.u is None:
        return ""
    return f"{two_digits(known.u)} {'' if known.unit == '1' else known.unit}".rstrip()
