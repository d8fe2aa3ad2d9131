"""What the objectives of a class say of a record; the limits are a table of `lumipipe.rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.language import say
from lumipipe.rules.tables import NOT_VERIFIED, Rule
from lumipipe.uncertainty.blocks import Estimate

if TYPE_CHECKING:
    from lumipipe.families.ambient_watch import Watch

UNCERTAINTY, CAPTURE = "relative expanded uncertainty", "data capture"
"""Quantities of rules that a record can be held against."""


class Objective(NamedTuple):
    """One row of the table, and what was found."""

    rule: Rule
    found: Estimate | None
    statement: str
    is_answered: bool


def objectives(watch: Watch) -> list[Objective]:
    """The rows of the request's table of limits, each with what the record says of it."""
    table = watch.job.rules
    return [_objective(watch, rule) for rule in table.rows] if table is not None else []


def _objective(watch: Watch, rule: Rule) -> Objective:
    """One row; the period that is furthest from its limit counts."""
    found = _found(watch, rule)
    numbers = {name: limit for name, limit in rule.limits.items() if not isinstance(limit, str)}
    if not numbers:
        return Objective(rule, found, say("no number of its limit is entered in the table"), False)
    if found is None:
        return Objective(rule, found, say("this record does not tell the quantity"), False)
    says = [_against(found, name, limit) for name, limit in numbers.items()]
    is_met = False if False in says else True if all(says) else None
    words = {True: say("met"), False: say("not met"), None: say("not decided")}[is_met]
    if not rule.is_verified:
        words += f", {say(NOT_VERIFIED)}"
    return Objective(rule, found, words, rule.is_verified and is_met is not None)


def _found(watch: Watch, rule: Rule) -> Estimate | None:
    """What the record says of the quantity of a rule, in per cent or as a share."""
    factor = 100.0 if rule.unit == "%" else 1.0
    if rule.quantity == UNCERTAINTY:
        known = [p.relative for p in watch.tested if np.isfinite(p.relative.value)]
        worst = max(known, key=lambda one: one.value, default=None)
    elif rule.quantity == CAPTURE:
        shares = [min(1.0, p.sensor / p.expected) for p in watch.tested if p.expected]
        worst = Estimate(min(shares), 0.0, min(shares), min(shares)) if shares else None
    else:
        return None
    if worst is None:
        return None
    numbers = (worst.value, worst.u, worst.lower, worst.upper)
    return Estimate(*(factor * number for number in numbers))


def _against(found: Estimate, name: str, limit: float) -> bool | None:
    """Whether an estimate keeps a limit: ``least`` from above, any other from below."""
    lower, upper = (found.lower, found.upper) if found.is_known else (found.value, found.value)
    if name == "least":
        return True if lower >= limit else False if upper < limit else None
    return True if upper <= limit else False if lower > limit else None
