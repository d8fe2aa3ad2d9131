"""Pages of sections: escaped, self-contained, the same bytes each time."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from lumipipe.reporting.figures.declared import Chart, Column, Table
from lumipipe.reporting.page import Page, PageSection, render_page

NASTY = "<script>alert('x')</script> & \"quotes\""


def page() -> Page:
    chart = Chart(
        kind="chart",
        title=NASTY,
        caption=NASTY,
        alt=NASTY,
        x=[0.0, 1.0],
        x_label="s",
        y=[1.0, None],
    )
    table = Table(
        kind="table",
        title=NASTY,
        caption="c",
        alt="a",
        columns=[Column(label=NASTY)],
        rows=[[NASTY]],
    )
    section = PageSection(
        title=NASTY,
        facts=[(NASTY, NASTY)],
        paragraphs=[NASTY],
        figures=[chart, table, chart],
        text=f"a:\n  - {NASTY}\n",
    )
    return Page(label=NASTY, title=NASTY, lead=NASTY, sections=[section])


def test_all_text_is_escaped_and_nothing_comes_from_outside() -> None:
    html = render_page(page())
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert "http://" not in html.replace("http://www.w3.org/", "")
    assert "https://" not in html
    body = html[html.index("<main>") : html.index("</main>") + len("</main>")]
    ET.fromstring(body)  # well formed
    assert "Figure 2. " in html
    assert "Table 1. " in html
    assert "a:\n  - &lt;script" in html  # text to copy keeps its lines


def test_the_same_bytes_each_time_and_ids_once() -> None:
    html = render_page(page())
    assert html == render_page(page())
    ids = [part.partition('"')[0] for part in html.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
