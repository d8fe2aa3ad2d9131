"""Terms of use as machines read them: a subset of ODRL 2.2 with purposes of DPV, as JSON-LD.

The subset. A policy has ``uid``, permissions and prohibitions; all that is not permitted is
denied, and a prohibition beats a permission (``"conflict": "prohibit"``). A rule has a ``uid``, an
``action`` (``use``, ``distribute``), a ``target`` (data, results, model), the kinds of ``assignee``
that it is about (all where absent), constraints that all have to hold, and, of a permission,
duties. A constraint is about ``purpose`` (``isA``, ``isAnyOf``, ``isNoneOf``) or ``dateTime``
(``lt``, ``lteq``, ``gt``, ``gteq``). Any other key or word is refused rather than passed over. How
a request is decided is in `lumipipe.pool.decision`.

References: R. Iannella, S. Villata (eds.), "ODRL Information Model 2.2", W3C Recommendation 2018;
H. J. Pandit et al., "Data Privacy Vocabulary (DPV), version 2", 2024.
"""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from lumipipe.config import Actor, Settings
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY: tuple[str, ...] = get_args(Actor)
"""Policies that come with lumipipe, each for data of such an owner."""
ACTOR, TARGET = "urn:lumipipe:actor:", "urn:lumipipe:target:"
_DPV = "dpv:"
_CONTEXT = ["http://www.w3.org/ns/odrl.jsonld", {"dpv": "https://w3id.org/dpv#"}]
BROADER: dict[str, tuple[str, ...]] = {
    "AcademicResearch": ("ResearchAndDevelopment",),
    "CommercialPurpose": (),
    "CommercialResearch": ("ResearchAndDevelopment", "CommercialPurpose"),
    "FulfilmentOfObligation": (),
    "HumanResourceManagement": (),
    "LegalCompliance": ("FulfilmentOfObligation",),
    "Marketing": (),
    "NonCommercialPurpose": (),
    "NonCommercialResearch": ("ResearchAndDevelopment", "NonCommercialPurpose"),
    "PersonnelManagement": ("HumanResourceManagement",),
    "PublicBenefit": (),
    "ResearchAndDevelopment": (),
    "ServiceProvision": (),
}
"""Purposes of DPV in `lumipipe.config.Purpose`, each with those that it is a kind of."""

_LD = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
Action: TypeAlias = Literal["use", "distribute"]


def with_broader(purpose: str) -> frozenset[str]:
    """A purpose and all that it is a kind of.

    >>> sorted(with_broader("LegalCompliance"))
    ['FulfilmentOfObligation', 'LegalCompliance']
    """
    found = {purpose}
    for parent in BROADER[purpose]:
        found |= with_broader(parent)
    return frozenset(found)


def _several(value: Any) -> Any:
    """One item or a list of them, as a list."""
    return value if isinstance(value, list) else [value]


class Reference(Settings):
    """An IRI in JSON-LD."""

    model_config = _LD
    iri: str = Field(alias="@id")


class Constraint(Settings):
    """A condition of a rule."""

    model_config = _LD
    left: Literal["purpose", "dateTime"] = Field(alias="leftOperand")
    operator: Literal["isA", "isAnyOf", "isNoneOf", "lt", "lteq", "gt", "gteq"]
    right: list[Reference] | dict[str, str] = Field(alias="rightOperand")

    @field_validator("right", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict) and set(value) == {"@id"} else value

    @model_validator(mode="after")
    def _fits(self) -> Constraint:
        if self.left == "dateTime":
            if self.operator.startswith("is") or isinstance(self.right, list):
                raise ValueError("a dateTime is compared with one date by lt, lteq, gt or gteq")
            if set(self.right) != {"@type", "@value"} or self.right["@type"] != "xsd:date":
                raise ValueError('write the date as {"@type": "xsd:date", "@value": "2027-12-31"}')
            date.fromisoformat(self.right["@value"])
        elif not self.operator.startswith("is") or isinstance(self.right, dict):
            raise ValueError("a purpose is compared with purposes by isA, isAnyOf or isNoneOf")
        elif unknown := self.purposes - set(BROADER):
            raise ValueError(f"no purpose {min(unknown)}; use {', '.join(BROADER)} of dpv:")
        return self

    @property
    def purposes(self) -> set[str]:
        """Purposes that are compared with, by their names in DPV."""
        assert isinstance(self.right, list)
        return {item.iri.removeprefix(_DPV) for item in self.right}

    def holds(self, purposes: frozenset[str], day: date) -> bool:
        """Whether the condition holds for purposes, broader ones included, on a day."""
        if isinstance(self.right, list):
            return bool(self.purposes & purposes) != (self.operator == "isNoneOf")
        limit = date.fromisoformat(self.right["@value"])
        compared = {"lt": day < limit, "lteq": day <= limit, "gt": day > limit}
        return compared.get(self.operator, day >= limit)


class Duty(Settings):
    """What has to be done by who makes use of a permission."""

    model_config = _LD
    action: Literal["attribute", "delete", "inform", "obtainConsent"]


class Rule(Settings):
    """A permission or a prohibition."""

    model_config = _LD
    uid: str
    action: Action
    target: str
    assignee: list[str] = []
    constraint: list[Constraint] = []
    duty: list[Duty] = []

    _lists = field_validator("assignee", "constraint", "duty", mode="before")(_several)

    @model_validator(mode="after")
    def _known(self) -> Rule:
        known = {"assignee": [ACTOR + name for name in READY]}
        known["target"] = [TARGET + name for name in ("data", "results", "model")]
        for key, given in (("assignee", self.assignee), ("target", [self.target])):
            if unknown := sorted(set(given) - set(known[key])):
                raise ValueError(f"no {key} {unknown[0]}; use {', '.join(known[key])}")
        return self

    def fits(
        self, action: Action, target: str, actor: str, purposes: frozenset[str], day: date
    ) -> bool:
        """Whether the rule is about an action with a target, for an actor's purposes on a day."""
        return (
            (self.action, self.target) == (action, TARGET + target)
            and (not self.assignee or ACTOR + actor in self.assignee)
            and all(condition.holds(purposes, day) for condition in self.constraint)
        )


class Policy(Settings):
    """Terms of use of a dataset."""

    model_config = _LD
    context: list[Any] = Field(alias="@context")
    kind: Literal["Set", "Offer", "Agreement"] = Field(alias="@type")
    uid: str
    conflict: Literal["prohibit"]
    description: str = ""
    permission: list[Rule] = []
    prohibition: list[Rule] = []

    @model_validator(mode="after")
    def _sound(self) -> Policy:
        if self.context[:2] != _CONTEXT:
            raise ValueError(f"@context does not begin with {json.dumps(_CONTEXT)}; take that")
        for rule in self.prohibition:
            if rule.duty:
                raise ValueError(f"{rule.uid}: a prohibition has no duty; take it out")
        return self


def load_policy(where: str, base: Path, place: str) -> Policy:
    """A policy that comes with lumipipe, or one in a file.

    Parameters
    ----------
    where : str
        One of `READY`, or the path of a JSON-LD file.
    base : Path
        Folder that relative paths begin at.
    place : str
        Where it was asked for, for messages.

    Returns
    -------
    Policy
        The terms.

    Raises
    ------
    InputError
        If there is no such policy, or it says what is outside the subset; name one that is ready.

    Examples
    --------
    >>> from pathlib import Path
    >>> load_policy("club", Path(), "rights.policy").uid
    'urn:lumipipe:policy:club'
    """
    source = (
        files("lumipipe.pool") / "terms" / f"{where}.jsonld" if where in READY else base / where
    )
    remedy = f"name one of {', '.join(READY)}, or a JSON-LD file of this subset of ODRL"
    try:
        content: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))
        return Policy.model_validate(content)
    except OSError as error:
        raise InputError(place, f"no policy {where}", remedy) from error
    except ValidationError as error:
        first = error.errors()[0]
        keys = ".".join(map(str, first["loc"]))
        problem = f"policy {where}: {keys}: {first['msg'].removeprefix('Value error, ')}"
        raise InputError(place, problem, remedy) from error
    except ValueError as error:
        raise InputError(place, f"policy {where} is no JSON ({error})", remedy) from error
