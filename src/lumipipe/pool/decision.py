"""Whether a request may be carried out: permit, deny, or permit with duties, by which rule.

What a policy may say is in `lumipipe.pool.policy`; where requests and cards come from is in
`lumipipe.tasks.deciding`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lumipipe.pool.policy import with_broader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from lumipipe.pool.policy import Action, Policy

Verdict: TypeAlias = Literal["permit", "permit with duties", "deny"]
MISSING, EXPIRED, WITHDRAWN, NOBODY = (
    f"urn:lumipipe:rule:{name}" for name in ("no-terms", "expired", "withdrawn", "nobody-gets-it")
)
"""Rules that hold whatever a policy says."""
_FOR_MONEY, _NOT = "CommercialPurpose", "NonCommercialPurpose"
NOTHING_PERMITS = "nothing-permits"
"""Last part of the name of the rule that denies what no permission is about."""


@dataclass(frozen=True)
class Ask:
    """What somebody wants to do.

    Parameters
    ----------
    actor : str
        Kind of who asks: one of `lumipipe.pool.policy.READY`.
    purpose : str
        A key of `lumipipe.pool.policy.BROADER`.
    commercial : bool
        Whether it is done for money.
    day : date
        When.
    published : tuple of str
        What others will get: data, results, model.
    reviewed : tuple of str
        What of it they get only once the owner agrees.
    """

    actor: str
    purpose: str
    commercial: bool
    day: date
    published: tuple[str, ...] = ()
    reviewed: tuple[str, ...] = ()

    @property
    def purposes(self) -> frozenset[str]:
        """The purpose, what it is a kind of, and whether that is commercial.

        What is done for money is not non-commercial, whatever it is called.
        """
        found = with_broader(self.purpose)
        if self.commercial or _FOR_MONEY in found:
            return frozenset(p for p in found if _NOT not in with_broader(p)) | {_FOR_MONEY}
        return found | {_NOT}


@dataclass(frozen=True)
class Terms:
    """The terms of one input.

    Parameters
    ----------
    source : str
        Whose terms: the request, a card or the catalogue.
    policy : Policy or None
        None where nobody has said.
    valid_until : date or None
        Last day of use.
    withdrawn : bool
        Whether its owner has taken it back.
    """

    source: str
    policy: Policy | None
    valid_until: date | None = None
    withdrawn: bool = False


@dataclass(frozen=True)
class Decision:
    """What was decided.

    Parameters
    ----------
    verdict : {"permit", "permit with duties", "deny"}
        The strictest of all inputs.
    rules : tuple of str
        Rule that denies, or the rules that permit.
    duties : tuple of str
        What has to be done, of all inputs.
    policies : tuple of str
        Policies of the inputs, which what is made from them inherits.
    valid_until : str or None
        Last day of use of what is made, the earliest of all inputs.
    source : str
        Whose terms deny; empty otherwise.
    warnings : tuple of str
        Where two places state unlike terms of one input.
    """

    verdict: Verdict
    rules: tuple[str, ...]
    duties: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    valid_until: str | None = None
    source: str = ""
    warnings: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """The decision in words, warnings first."""
        duties = f"; to do: {'; '.join(self.duties)}" if self.duties else ""
        told = f"terms of use: {self.verdict} ({', '.join(self.rules)}){duties}"
        return [*(f"terms of use: {warning}" for warning in self.warnings), told]

    def as_json(self) -> dict[str, Any]:
        """The decision as plain values."""
        return {
            "verdict": self.verdict,
            "rules": list(self.rules),
            "duties": list(self.duties),
            "policies": list(self.policies),
            "valid_until": self.valid_until,
            "warnings": list(self.warnings),
        }


def decide(ask: Ask, inputs: Sequence[Terms], warnings: Sequence[str] = ()) -> Decision:
    """The decision about a request.

    Parameters
    ----------
    ask : Ask
        What is wanted.
    inputs : sequence of Terms
        Terms of all inputs, at least one; an input with terms in two places is there twice.
    warnings : sequence of str
        To be told with it.

    Returns
    -------
    Decision
        Denied by the first input that denies; else permitted, with the duties of all.

    Notes
    -----
    *Method*: each of ``use`` of the data and ``distribute`` of what is published is looked up in
    each policy. A prohibition that fits denies; else a permission that fits permits; else nothing
    does.
    """
    rules: dict[str, None] = {}
    duties = {f"obtainConsent ({target})": None for target in ask.reviewed}
    for terms in inputs:
        denied, permitted = _of_one(ask, terms)
        if denied is not None:
            return Decision("deny", (denied,), source=terms.source, warnings=tuple(warnings))
        for rule, owed in permitted:
            rules[rule] = None
            duties |= dict.fromkeys(owed)
    days = [terms.valid_until for terms in inputs if terms.valid_until is not None]
    return Decision(
        "permit with duties" if duties else "permit",
        tuple(rules),
        tuple(sorted(duties)),
        tuple(sorted({terms.policy.uid for terms in inputs if terms.policy is not None})),
        min(days).isoformat() if days else None,
        warnings=tuple(warnings),
    )


def _of_one(ask: Ask, terms: Terms) -> tuple[str | None, list[tuple[str, list[str]]]]:
    """The rule of one input that denies, or its rules that permit with their duties."""
    if terms.policy is None:
        return MISSING, []
    if terms.withdrawn:
        return WITHDRAWN, []
    if terms.valid_until is not None and ask.day > terms.valid_until:
        return EXPIRED, []
    wanted: list[tuple[Action, str]] = [("use", "data")]
    wanted += [("distribute", target) for target in ask.published]
    permitted = []
    for action, target in wanted:
        asked = (action, target, ask.actor, ask.purposes, ask.day)
        for rule in terms.policy.prohibition:
            if rule.fits(*asked):
                return rule.uid, []
        fitting = next((rule for rule in terms.policy.permission if rule.fits(*asked)), None)
        if fitting is None:
            return f"{terms.policy.uid}:{NOTHING_PERMITS}", []
        permitted.append((fitting.uid, [f"{duty.action} ({target})" for duty in fitting.duty]))
    return None, permitted
