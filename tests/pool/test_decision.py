"""The decision table: what the four ready policies say in words, case by case.

The answers were written from the ``description`` of each policy, not from its rules.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lumipipe.pool.decision import EXPIRED, MISSING, NOTHING_PERMITS, WITHDRAWN, Ask, Terms, decide
from lumipipe.pool.policy import load_policy

DAY = date(2026, 6, 1)
BEFORE, AFTER = date(2026, 5, 31), date(2026, 6, 2)
DENY, PERMIT, DUTIES = "deny", "permit", "permit with duties"
NAMES_SOURCE, ASKS, TELLS, DELETES = (
    "attribute (data)",
    "obtainConsent (results)",
    "inform (data)",
    "delete (data)",
)


# Policy; actor, purpose, commercial, published; verdict; last part of a rule; a duty or none.
TABLE = [
    # A research project's data: research by all four, not commercial; source named.
    (
        "research",
        "research",
        "AcademicResearch",
        False,
        (),
        DUTIES,
        "research-for-all",
        NAMES_SOURCE,
    ),
    (
        "research",
        "club",
        "NonCommercialResearch",
        False,
        (),
        DUTIES,
        "research-for-all",
        NAMES_SOURCE,
    ),
    (
        "research",
        "company",
        "ResearchAndDevelopment",
        False,
        (),
        DUTIES,
        "research-for-all",
        NAMES_SOURCE,
    ),
    (
        "research",
        "public-body",
        "AcademicResearch",
        False,
        (),
        DUTIES,
        "research-for-all",
        NAMES_SOURCE,
    ),
    ("research", "company", "ResearchAndDevelopment", True, (), DENY, "not-commercial", None),
    ("research", "research", "CommercialResearch", False, (), DENY, "not-commercial", None),
    ("research", "public-body", "PublicBenefit", False, (), DUTIES, "public-benefit", NAMES_SOURCE),
    ("research", "club", "PublicBenefit", False, (), DENY, NOTHING_PERMITS, None),
    ("research", "company", "PersonnelManagement", False, (), DENY, "never", None),
    (
        "research",
        "research",
        "AcademicResearch",
        False,
        ("results",),
        DUTIES,
        "results",
        "attribute (results)",
    ),
    (
        "research",
        "research",
        "AcademicResearch",
        False,
        ("model",),
        DUTIES,
        "model",
        "obtainConsent (model)",
    ),
    (
        "research",
        "company",
        "ResearchAndDevelopment",
        False,
        ("model",),
        DENY,
        NOTHING_PERMITS,
        None,
    ),
    ("research", "research", "AcademicResearch", False, ("data",), DENY, "no-data", None),
    # A club's data: its own services; researchers and public bodies tell it; never companies.
    ("club", "club", "ServiceProvision", False, (), PERMIT, "own-use", None),
    ("club", "club", "ServiceProvision", True, (), DENY, "not-commercial", None),
    ("club", "research", "AcademicResearch", False, (), DUTIES, "research", TELLS),
    ("club", "research", "CommercialResearch", False, (), DENY, "not-commercial", None),
    ("club", "public-body", "PublicBenefit", False, (), DUTIES, "public-benefit", TELLS),
    ("club", "public-body", "LegalCompliance", False, (), DENY, NOTHING_PERMITS, None),
    ("club", "company", "AcademicResearch", False, (), DENY, "no-companies", None),
    ("club", "club", "Marketing", False, (), DENY, "never", None),
    ("club", "club", "HumanResourceManagement", False, (), DENY, "never", None),
    ("club", "research", "AcademicResearch", False, ("results",), DUTIES, "results", ASKS),
    ("club", "club", "ServiceProvision", False, ("model",), PERMIT, "model", None),
    ("club", "research", "AcademicResearch", False, ("model",), DENY, NOTHING_PERMITS, None),
    ("club", "club", "ServiceProvision", False, ("data",), DENY, "no-data", None),
    # A company's data: its own use, commercial too; researchers delete; supervision.
    ("company", "company", "ServiceProvision", True, (), PERMIT, "own-use", None),
    ("company", "company", "CommercialResearch", True, (), PERMIT, "own-use", None),
    ("company", "research", "AcademicResearch", False, (), DUTIES, "research", DELETES),
    ("company", "research", "AcademicResearch", True, (), DENY, NOTHING_PERMITS, None),
    ("company", "public-body", "LegalCompliance", False, (), PERMIT, "supervision", None),
    ("company", "public-body", "PublicBenefit", False, (), DENY, NOTHING_PERMITS, None),
    ("company", "club", "ServiceProvision", False, (), DENY, NOTHING_PERMITS, None),
    ("company", "company", "PersonnelManagement", True, (), DENY, "never", None),
    ("company", "company", "ServiceProvision", True, ("results",), DUTIES, "results", ASKS),
    ("company", "public-body", "LegalCompliance", False, ("results",), DENY, NOTHING_PERMITS, None),
    ("company", "company", "ServiceProvision", True, ("data",), DENY, "no-data", None),
    # A public body's data: open, commercial too, the source named.
    ("public-body", "company", "ServiceProvision", True, (), DUTIES, "open-use", NAMES_SOURCE),
    ("public-body", "club", "ServiceProvision", False, (), DUTIES, "open-use", NAMES_SOURCE),
    ("public-body", "company", "Marketing", True, (), DENY, "never", None),
    (
        "public-body",
        "research",
        "AcademicResearch",
        False,
        ("data",),
        DUTIES,
        "data",
        "attribute (data)",
    ),
    ("public-body", "company", "ServiceProvision", True, ("data",), DENY, NOTHING_PERMITS, None),
    (
        "public-body",
        "company",
        "ServiceProvision",
        True,
        ("model",),
        DUTIES,
        "model",
        "attribute (model)",
    ),
]


def terms(name: str | None, **changes) -> Terms:
    policy = None if name is None else load_policy(name, Path(), "test")
    return Terms(f"the {name} data", policy, **changes)


@pytest.mark.parametrize(
    ("policy", "actor", "purpose", "commercial", "published", "verdict", "rule", "duty"), TABLE
)
def test_the_decision_table(
    policy, actor, purpose, commercial, published, verdict, rule, duty
) -> None:
    found = decide(Ask(actor, purpose, commercial, DAY, published), [terms(policy)])
    assert found.verdict == verdict
    assert f"urn:lumipipe:policy:{policy}:{rule}" in found.rules
    assert (duty in found.duties) if duty else not found.duties
    # Neither the day nor the owner's word helps what is denied, and each alone denies the rest.
    for changes, because in (({"valid_until": BEFORE}, EXPIRED), ({"withdrawn": True}, WITHDRAWN)):
        late = decide(Ask(actor, purpose, commercial, DAY, published), [terms(policy, **changes)])
        assert (late.verdict, late.rules) == (DENY, (because,))


def test_the_last_day_is_a_day_of_use() -> None:
    ask = Ask("club", "ServiceProvision", commercial=False, day=DAY)
    assert decide(ask, [terms("club", valid_until=DAY)]).verdict == PERMIT
    assert decide(ask, [terms("club", valid_until=AFTER)]).valid_until == AFTER.isoformat()


def test_terms_that_nobody_stated_permit_nothing() -> None:
    found = decide(Ask("research", "AcademicResearch", commercial=False, day=DAY), [terms(None)])
    assert (found.verdict, found.rules, found.source) == (DENY, (MISSING,), "the None data")


@pytest.mark.parametrize("order", [1, -1])
def test_the_strictest_input_wins_and_is_inherited(order: int) -> None:
    research = Ask("research", "AcademicResearch", commercial=False, day=DAY)
    inputs = [terms("club", valid_until=AFTER), terms("public-body"), terms("company")][::order]
    found = decide(research, inputs)
    assert found.verdict == DUTIES
    assert found.duties == (NAMES_SOURCE, DELETES, TELLS)
    assert found.policies == tuple(
        f"urn:lumipipe:policy:{n}" for n in ("club", "company", "public-body")
    )
    assert found.valid_until == AFTER.isoformat()
    denied = decide(Ask("company", "ServiceProvision", commercial=True, day=DAY), inputs)
    assert (denied.verdict, denied.source) == (DENY, "the club data")
    assert denied.rules == ("urn:lumipipe:policy:club:no-companies",)


def test_what_is_published_after_review_has_to_be_agreed_to() -> None:
    ask = Ask("company", "ServiceProvision", True, DAY, ("model",), ("model",))
    assert decide(ask, [terms("company")]).duties == ("obtainConsent (model)",)
