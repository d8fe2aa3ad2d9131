"""Policies: sound JSON-LD of ODRL, and refused where they say what nobody would act on."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from lumipipe.config import Purpose
from lumipipe.errors import InputError
from lumipipe.pool.decision import Ask, Terms, decide
from lumipipe.pool.policy import BROADER, READY, load_policy

# The words of ODRL 2.2 that the policies may use: the meaning of the W3C's context, which is
# not on this machine.
ODRL = "http://www.w3.org/ns/odrl/2/"
INLINE = {
    "@vocab": ODRL,
    "uid": "@id",
    "description": "http://purl.org/dc/terms/description",
    **{key: {"@type": "@vocab"} for key in ("action", "operator", "leftOperand", "conflict")},
    **{key: {"@type": "@id"} for key in ("assignee", "target")},
}


def content(name: str) -> dict:
    text = (files("lumipipe.pool") / "terms" / f"{name}.jsonld").read_text(encoding="utf-8")
    return json.loads(text)


def test_purposes_are_those_of_requests() -> None:
    assert set(BROADER) == set(get_args(Purpose))
    assert {parent for parents in BROADER.values() for parent in parents} <= set(BROADER)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib 7 warns of itself
@pytest.mark.parametrize("name", READY)
def test_ready_policies_are_odrl(name: str) -> None:
    rdflib = pytest.importorskip("rdflib")
    ready = content(name)
    graph = rdflib.Graph()
    graph.parse(
        data=json.dumps(ready | {"@context": [INLINE, ready["@context"][1]]}), format="json-ld"
    )
    odrl = rdflib.Namespace(ODRL)
    (policy,) = graph.subjects(rdflib.RDF.type, odrl.Set)
    assert str(policy) == f"urn:lumipipe:policy:{name}"
    rules = [*graph.objects(policy, odrl.permission), *graph.objects(policy, odrl.prohibition)]
    parsed = load_policy(name, Path(), "test")
    assert {str(rule) for rule in rules} == {
        rule.uid for rule in (*parsed.permission, *parsed.prohibition)
    }
    actions = {str(action).removeprefix(ODRL) for action in graph.objects(None, odrl.action)}
    assert actions <= {"use", "distribute", "attribute", "delete", "inform", "obtainConsent"}
    purposes = {str(item) for item in graph.objects(None, odrl.rightOperand)}
    assert purposes <= {f"https://w3id.org/dpv#{purpose}" for purpose in BROADER}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"obligation": []}, "obligation: Extra inputs are not permitted"),
        ({"conflict": "perm"}, "conflict: Input should be 'prohibit'"),
        (
            {"permission": [{"uid": "u", "action": "sell", "target": "urn:lumipipe:target:data"}]},
            "action",
        ),
        ({"permission": [{"uid": "u", "action": "use", "target": "data"}]}, "no target data; use"),
        ({"@context": ["http://www.w3.org/ns/odrl.jsonld"]}, "@context does not begin with"),
    ],
)
def test_what_is_outside_the_subset_is_refused(tmp_path: Path, change: dict, said: str) -> None:
    (tmp_path / "own.jsonld").write_text(json.dumps(content("club") | change), encoding="utf-8")
    with pytest.raises(InputError, match="name one of research") as caught:
        load_policy("own.jsonld", tmp_path, "rights.policy")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (
            {"leftOperand": "purpose", "operator": "isA", "rightOperand": {"@id": "dpv:Fun"}},
            "no purpose Fun",
        ),
        (
            {"leftOperand": "purpose", "operator": "lt", "rightOperand": {"@id": "dpv:Marketing"}},
            "isA",
        ),
        (
            {
                "leftOperand": "dateTime",
                "operator": "isA",
                "rightOperand": {"@id": "dpv:Marketing"},
            },
            "lt, lteq",
        ),
        ({"leftOperand": "spatial", "operator": "eq", "rightOperand": {"@id": "x"}}, "leftOperand"),
    ],
)
def test_conditions_that_cannot_be_judged_are_refused(tmp_path: Path, condition, said) -> None:
    own = content("club")
    own["permission"][0]["constraint"] = condition
    (tmp_path / "own.jsonld").write_text(json.dumps(own), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_policy("own.jsonld", tmp_path, "rights.policy")
    assert said in str(caught.value)


@pytest.mark.parametrize("operator", ["lt", "lteq", "gt", "gteq"])
def test_an_embargo_holds_until_its_day(tmp_path: Path, operator: str) -> None:
    own = content("club")
    limit = {"@type": "xsd:date", "@value": "2026-06-02"}
    condition = {"leftOperand": "dateTime", "operator": operator, "rightOperand": limit}
    own["permission"][0]["constraint"] = [condition]
    (tmp_path / "own.jsonld").write_text(json.dumps(own), encoding="utf-8")
    policy = load_policy("own.jsonld", tmp_path, "rights.policy")
    days = [date(2026, 6, day) for day in (1, 2, 3)]
    found = [
        decide(Ask("club", "ServiceProvision", False, day), [Terms("x", policy)]).verdict
        == "permit"
        for day in days
    ]
    assert (
        found
        == {
            "lt": [True, False, False],
            "lteq": [True, True, False],
            "gt": [False, False, True],
            "gteq": [False, True, True],
        }[operator]
    )


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no policy clubb"):
        load_policy("clubb", tmp_path, "rights.policy")
    (tmp_path / "broken.jsonld").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="is no JSON"):
        load_policy("broken.jsonld", tmp_path, "rights.policy")
