"""The readers' pages of an answer: which there are, and what stands on each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.errors import InputError
from lumipipe.families.pages.authority import AUTHORITY
from lumipipe.families.pages.coach import COACH
from lumipipe.families.pages.engineer import ENGINEER
from lumipipe.families.pages.interface import Subject, Teller, Told, read_by
from lumipipe.families.pages.items import ITEMS, LEADS
from lumipipe.families.pages.metrologist import METROLOGIST
from lumipipe.language import say
from lumipipe.reporting.result import PageItem, ReaderPage

if TYPE_CHECKING:
    from lumipipe.config import Request
    from lumipipe.families.interface import Job, Model, Outcome
    from lumipipe.reporting.result import Reader, Section

TELLERS: dict[Reader, dict[str, Teller]] = {
    "engineer": ENGINEER,
    "coach": COACH,
    "metrologist": METROLOGIST,
    "authority": AUTHORITY,
}
"""What tells the items of each page."""
READERS: dict[str, tuple[Reader, ...]] = {
    "activity": ("engineer", "coach"),
    "ambient": ("metrologist", "authority"),
    "bearing": ("engineer",),
    "carbon": ("metrologist", "authority"),
    "emission": ("metrologist", "authority"),
    "esports": ("coach",),
    "hrv": ("coach", "metrologist"),
    "monitoring": ("engineer",),
    "recipe": ("engineer", "metrologist"),
    "remaining_life": ("engineer", "metrologist"),
    "session_load": ("coach", "engineer", "metrologist"),
    "soft_sensor": ("engineer", "metrologist"),
    "technique": ("coach", "engineer"),
}
"""Readers that each family has a page for, in the order of the report."""


def readers_of(request: Request) -> tuple[Reader, ...]:
    """The pages of a request: those of its family that it asks for.

    Raises
    ------
    InputError
        If it asks for a page that its family does not have.
    """
    family = request.question.family
    there = READERS.get(family, ())
    if family == "activity" and request.rights.personal_data == "none":
        there = tuple(reader for reader in there if reader != "coach")
    asked = request.report.readers
    if asked is None:
        return there
    for reader in asked:
        if reader not in there:
            raise InputError(
                "report.readers",
                f"{family} has no page for {reader} here",
                f"use {', '.join(there)}, or leave readers out",
            )
    return tuple(reader for reader in there if reader in asked)


def with_pages(job: Job, model: Model, outcome: Outcome) -> Outcome:
    """The outcome with the pages of its readers.

    Parameters
    ----------
    job : Job
        The request and its data.
    model : Model
        What was trained.
    outcome : Outcome
        What the family found.

    Returns
    -------
    Outcome
        Sections of a reader without a page stay where they were.
    """
    subject = Subject(job, model, outcome)
    pages: list[ReaderPage] = []
    added: list[Section] = []
    for reader in readers_of(job.request):
        told = {name: teller(subject) for name, teller in TELLERS[reader].items()}
        pages.append(_page(reader, told))
        for one in told.values():
            added += read_by(reader, one.sections)
    result = outcome.result
    result = result.model_copy(update={"pages": pages, "sections": [*added, *result.sections]})
    return replace(outcome, result=result)


def _page(reader: Reader, told: dict[str, Told]) -> ReaderPage:
    """The head of a page."""
    items = [
        PageItem(
            name=name,
            label=say(label),
            sentence=told[name].sentence,
            is_answered=told[name].is_answered,
        )
        for name, label in ITEMS[reader].items()
    ]
    return ReaderPage(reader=reader, lead=say(LEADS[reader]), items=items)
