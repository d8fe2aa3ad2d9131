"""A second reading of the ready terms: what a reader of their sentences expects in further cases.

The expectations were written from the sentences and rules of ``pool/terms`` and from the rules of
ODRL (what is not permitted is denied; a prohibition beats a permission), before the code that
decides was read. It disagreed in one: of a request that is commercial and has a purpose that is
not, the purpose was believed, so that data were given away for money.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lumipipe.pool.decision import Ask, Terms, decide
from lumipipe.pool.policy import load_policy

DAY = date(2026, 6, 1)
DAYS = {"expired": date(2026, 5, 31), "last-day": DAY}
VERDICTS = {"duties": "permit with duties"}

# Policies of the inputs | actor | purpose | commercial, what is published, day, an input without
# terms | verdict | last parts of all rules; of a denial none where any will do | actions
# of all duties
CASES = """
research | club | AcademicResearch | | duties | research-for-all | attribute
research | company | ServiceProvision | | deny | |
research | public-body | PublicBenefit | results=open | duties | public-benefit results | attribute
research | research | AcademicResearch | commercial | deny | not-commercial |
research | company | ResearchAndDevelopment | model=after_review | deny | |
research | research | NonCommercialResearch | model=open | duties | research-for-all model | attribute obtainConsent
research | club | PersonnelManagement | | deny | never |
club | club | CommercialResearch | | deny | not-commercial |
club | club | ServiceProvision | model=open | permit | own-use model |
club | research | AcademicResearch | data=after_review | deny | no-data |
club | public-body | PublicBenefit | model=company_only | duties | public-benefit | inform
company | company | LegalCompliance | commercial | permit | own-use |
company | research | CommercialResearch | | deny | |
company | public-body | LegalCompliance | results=after_review | deny | |
public-body | club | NonCommercialResearch | data=open | deny | |
public-body | research | NonCommercialResearch | commercial data=open | deny | |
public-body | public-body | FulfilmentOfObligation | results=open data=open model=open | duties | open-use results model data | attribute
public-body company | research | AcademicResearch | results=open | duties | open-use research results | attribute delete obtainConsent
public-body research | company | ServiceProvision | commercial | deny | not-commercial |
public-body | company | ServiceProvision | last-day | duties | open-use | attribute
public-body | company | ServiceProvision | expired | deny | |
public-body | research | AcademicResearch | and-none | deny | |
"""  # noqa: E501  # a table


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_a_second_reader_expects_the_same(case: str) -> None:
    policies, actor, purpose, more, verdict, rules, duties = (
        part.strip() for part in f"{case} ".split("|")
    )
    said = dict(word.split("=") for word in more.split() if "=" in word)
    published = tuple(what for what, level in said.items() if level in {"open", "after_review"})
    reviewed = tuple(what for what, level in said.items() if level == "after_review")
    until = next((day for word, day in DAYS.items() if word in more), None)
    inputs = [Terms(name, load_policy(name, Path(), "test"), until) for name in policies.split()]
    if "and-none" in more:
        inputs.append(Terms("one more", None))
    ask = Ask(actor, purpose, "commercial" in more, DAY, published, reviewed)
    found = decide(ask, inputs)
    assert found.verdict == VERDICTS.get(verdict, verdict)
    last = {rule.rsplit(":", 1)[-1] for rule in found.rules}
    assert not rules or last == set(rules.split())
    assert {duty.split()[0] for duty in found.duties} == set(duties.split())
