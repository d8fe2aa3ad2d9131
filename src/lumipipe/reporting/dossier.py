"""The dossier of a model, laid out along Annex IV of Regulation (EU) 2024/1689.

What stands in it comes from the run (`lumipipe.tasks.dossier`). It is no declaration of
conformity; whether a product is of high risk is a question of law.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import jinja2
from pydantic import Field, model_validator

from lumipipe.language import say, spoken, term, translated
from lumipipe.reporting.parts import Part, Sentence
from lumipipe.reporting.symbols import with_symbols

MANDATORY: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        term("General description"),
        (
            term("intended purpose"),
            term("not to be used for"),
            term("provider"),
            term("version"),
            term("runs on"),
            term("how to run"),
        ),
    ),
    2: (
        term("Development"),
        (
            term("method"),
            term("settings"),
            term("data"),
            term("labels"),
            term("left out"),
            term("human oversight"),
            term("split"),
            term("leakage tests"),
            term("cybersecurity"),
        ),
    ),
    3: (
        term("Functioning and control"),
        (
            term("verdict"),
            term("accuracy"),
            term("accuracy by group"),
            term("what may go wrong"),
            term("input specification"),
        ),
    ),
    4: (term("Why these measures"), (term("conditions"), term("costs"))),
    5: (
        term("Risk management"),
        (term("checks that were run"), term("risk management of the provider")),
    ),
    6: (
        term("Changes over the life cycle"),
        (term("this model"), term("earlier models"), term("changes")),
    ),
    7: (term("Standards and rules applied"), (term("rules"),)),
    8: (term("Declaration of conformity"), (term("declaration"),)),
    9: (term("Monitoring after the start"), (term("drift"), term("coverage"))),
}
"""Number of each item of Annex IV to its title and to what must stand in it."""


class Entry(Part):
    """One statement of the dossier."""

    label: Sentence
    """What it is about."""
    text: Sentence
    """The statement."""


class Chapter(Part):
    """One item of Annex IV."""

    number: int
    """Number of the item."""
    title: Sentence
    """What it is called here."""
    entries: Annotated[list[Entry], Field(min_length=1)]
    """Its statements."""


class Dossier(Part):
    """The dossier of one model."""

    lumipipe_dossier: Literal[1] = 1
    """Version of this form."""
    request: Sentence
    """Identity of the request."""
    title: Sentence
    """Title of the request."""
    chapters: list[Chapter]
    """The items of Annex IV, in order."""

    @model_validator(mode="after")
    def _whole(self) -> Dossier:
        found = {chapter.number: {e.label for e in chapter.entries} for chapter in self.chapters}
        for number, (title, labels) in MANDATORY.items():
            for label in labels:
                if label not in found.get(number, set()):
                    raise ValueError(f"item {number}, {title}: {label} is missing; fill it in")
        return self


def dossier(request: str, title: str, entries: dict[int, dict[str, str]]) -> Dossier:
    """A dossier from statements by item and label, in the order of `MANDATORY`.

    Raises
    ------
    ValueError
        If a mandatory statement is missing or empty.
    """
    chapters = [
        Chapter(
            number=number,
            title=name,
            entries=[
                Entry(label=label, text=entries.get(number, {}).get(label, ""))
                for label in (*labels, *sorted(set(entries.get(number, {})) - set(labels)))
            ],
        )
        for number, (name, labels) in MANDATORY.items()
    ]
    return Dossier(request=request, title=title, chapters=chapters)


def render_dossier(content: Dossier) -> str:
    """The dossier in the current language as one HTML file that needs nothing from outside."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    chapters = [
        {
            "number": chapter.number,
            "title": translated(chapter.title),
            "entries": [
                {"label": translated(entry.label), "text": entry.text} for entry in chapter.entries
            ],
        }
        for chapter in content.chapters
    ]
    page = templates.get_template("dossier.html.j2").render(
        dossier=content,
        chapters=chapters,
        language=spoken(),
        label=say("model dossier"),
        heading=say("Dossier"),
        lead=say(
            "Written by the run, along Annex IV of Regulation (EU) 2024/1689. It is no "
            "declaration of conformity."
        ),
    )
    return with_symbols(page)
