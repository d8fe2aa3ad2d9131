"""Section `rights`: whose data these are and what may be done with them."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

from pydantic import model_validator

from lumipipe.config.settings import Identifier, Settings, Text

Actor: TypeAlias = Literal["research", "club", "company", "public-body"]


Purpose: TypeAlias = Literal[
    "AcademicResearch",
    "CommercialPurpose",
    "CommercialResearch",
    "FulfilmentOfObligation",
    "HumanResourceManagement",
    "LegalCompliance",
    "Marketing",
    "NonCommercialPurpose",
    "NonCommercialResearch",
    "PersonnelManagement",
    "PublicBenefit",
    "ResearchAndDevelopment",
    "ServiceProvision",
]


Reach: TypeAlias = Literal["never", "company_only", "after_review", "open"]


class Publication(Settings):
    """Who gets what comes out: nobody, owner and asker alone, others once the owner agrees, all."""

    results: Reach = "never"
    """The answer with its tables."""
    data: Reach = "never"
    """The prepared data."""
    model: Reach = "never"
    """The model."""


class Rights(Settings):
    """Whose data these are and what may be done with them."""

    owner: Text
    """Who decides about the data."""
    personal_data: Literal["none", "pseudonymous", "personal"]
    """Whether the data come from people who could be found again."""
    licence: str | None = None
    """Licence or agreement."""
    policy: Text | None = None
    """Terms of use: research, club, company, public-body, or a JSON-LD file beside the request."""
    actor: Actor | None = None
    """Kind of who asks; the terms tell it from others."""
    purpose: Purpose | None = None
    """What it is for, by its name in the Data Privacy Vocabulary (DPV)."""
    commercial: bool = False
    """Whether it is done for money."""
    publication: Publication = Publication()
    """What others will get."""
    delete_after: date | None = None
    """Last day on which the data may be used."""
    lawful_basis: Text | None = None
    """What the use of personal data rests on, such as consent."""
    consent_register: Text | None = None
    """Where consents are kept, such as the name of a register."""
    site: Identifier | None = None
    """What is known of recordings that says whose they are: states of training merge by it first,
    as those of packets do."""
    pool: Text | None = None
    """Folder of the pool that the data belong to, beside the request: who withdrew is left out,
    decisions are recorded there, and states of training are kept so that they can be merged."""

    @model_validator(mode="after")
    def _decidable(self) -> Rights:
        if self.policy is not None or self.pool is not None:
            for name in ("policy", "actor", "purpose"):
                if getattr(self, name) is None:
                    raise ValueError(f"terms of use cannot be decided without {name}; add {name}")
        return self
