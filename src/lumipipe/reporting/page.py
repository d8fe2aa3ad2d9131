"""A page of sections that is no report of a run: facts, figures and text, in one HTML file.

Reports are `lumipipe.reporting.html`'s; both look alike by ``templates/report.css``.
"""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup

from lumipipe.reporting.figures.declared import Figure  # noqa: TC001 - Pydantic reads it
from lumipipe.reporting.figures.drawing import markup
from lumipipe.reporting.parts import Part, Sentence, Text
from lumipipe.reporting.symbols import with_symbols


class PageSection(Part):
    """A part of a page."""

    title: Sentence
    """Heading."""
    facts: list[tuple[Text, Text]] = []
    """Label and text of each fact."""
    paragraphs: list[Sentence] = []
    """Text, one entry a paragraph."""
    figures: list[Figure] = []
    """Figures, in order."""
    text: Text = ""
    """Text to be copied, as it is, such as a request."""


class Page(Part):
    """A page."""

    label: Sentence
    """What made it."""
    title: Sentence
    """Heading."""
    lead: Sentence
    """The page in a sentence."""
    sections: list[PageSection]
    """Its parts."""


_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render_page(page: Page) -> str:
    """The page as one HTML file that needs nothing from outside; the same bytes each time.

    Parameters
    ----------
    page : Page
        What it shows.

    Returns
    -------
    str
        HTML; all text is escaped, and each figure has its text alternative.

    Examples
    --------
    >>> section = PageSection(title="A", facts=[("size", "<b>")])
    >>> "&lt;b&gt;" in render_page(Page(label="l", title="t", lead="s", sections=[section]))
    True
    """
    numbers: dict[str, int] = {}

    def figure(item: Figure) -> dict[str, object]:
        kind = "Table" if item.kind == "table" else "Figure"
        numbers[kind] = numbers.get(kind, 0) + 1
        prefix = f"{kind[0].lower()}{numbers[kind]}"
        # Both ways to markup escape all text themselves.
        drawn = Markup(markup(item, prefix))  # noqa: S704
        return {"name": f"{kind} {numbers[kind]}", "drawn": drawn}

    return with_symbols(_templates.get_template("page.html.j2").render(page=page, figure=figure))
