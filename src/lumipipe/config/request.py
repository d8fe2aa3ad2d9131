"""The request as a whole; its sections have a module each."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lumipipe.config.compute import Compute
from lumipipe.config.evaluation import Evaluation
from lumipipe.config.prepare import Prepare
from lumipipe.config.question import Question
from lumipipe.config.requester import Approver, Requester
from lumipipe.config.rights import Rights
from lumipipe.config.settings import Identifier, Settings, Text, refuse_twice
from lumipipe.config.source import Source
from lumipipe.language import Language


class Report(Settings):
    """What the report shows."""

    most_units: Annotated[int, Field(ge=1)] = 40
    """Units of decision that get a figure of their own."""
    readers: list[Literal["engineer", "coach", "metrologist", "authority"]] | None = None
    """Readers that get a page of their own; all that the family has one for where absent."""
    bundle_until: date | None = None
    """Last day of the bundle, where `outputs` has model_bundle."""


class DossierWords(Settings):
    """What only the provider can say in the dossier of the model."""

    oversight: Text | None = None
    """Who looks at an answer before anybody acts on it, and how they can overrule it."""
    risk_management: Text | None = None
    """How risks are found, rated and lessened, or where that is written."""
    changes: Text | None = None
    """What changed since the model before."""


class Request(Settings):
    """One request: a question, its data, how it is tested, and where it runs."""

    lumipipe_request: Literal[1]
    """Version of the form."""
    id: Identifier
    """Identity of the request."""
    title: Text
    """Title of the report."""
    language: Language = "en"
    """Language of the report: English or Finnish."""
    requester: Requester | None = None
    approver: Approver | None = None
    question: Question
    data: Annotated[list[Source], Field(min_length=1)]
    """Sources of measurements."""
    asset: dict[str, Any] = {}
    """What is known about the measured object; keys are the family's."""
    rights: Rights
    evaluation: Evaluation
    prepare: Prepare = Prepare()
    train: dict[str, Any] = {}
    """Settings of the model; keys are the family's."""
    score: dict[str, Any] = {}
    """Settings of the judgement; keys are the family's."""
    report: Report = Report()
    dossier: DossierWords = DossierWords()
    compute: Compute = Compute()
    outputs: list[Text] = ["report_html", "tables_parquet", "dossier"]
    """What a run leaves beside `result.json`: names from the registry of outputs."""

    @model_validator(mode="after")
    def _border(self) -> Request:
        # The machine's file decides; a target named after LUMI is refused wherever it is read.
        if self.rights.personal_data != "none" and self.compute.target.startswith("lumi"):
            raise ValueError(
                f"compute.target {self.compute.target} with personal_data "
                f"{self.rights.personal_data}: LUMI may not handle personal data; "
                "run inside (laptop) or send statistics packets only"
            )
        return self

    @field_validator("data")
    @classmethod
    def _distinct_sources(cls, value: list[Source]) -> list[Source]:
        refuse_twice([source.id for source in value], "sources", "give each its own id")
        return value
