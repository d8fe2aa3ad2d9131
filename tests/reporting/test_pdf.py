"""The report on paper, by the Chromium of this machine."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest

from lumipipe.errors import InputError
from lumipipe.reporting import pdf
from lumipipe.reporting.html import render
from lumipipe.reporting.pdf import find_browser, printed
from lumipipe.reporting.result import Result
from lumipipe.reporting.symbols import in_symbols
from reporting.example import example

if TYPE_CHECKING:
    from pathlib import Path

    from pypdf import PageObject

has_browser = pytest.mark.skipif(
    not any(map(shutil.which, pdf._NAMES)), reason="no Chromium is here to print"
)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    html = tmp_path / "report.html"
    html.write_text(render(Result.model_validate(example())), encoding="utf-8")
    return html


@has_browser
def test_page_one_holds_what_it_must_and_the_bytes_are_the_same_again(page: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the PDF")
    content = printed(page)
    assert content == printed(page)
    read = pypdf.PdfReader(io.BytesIO(content))
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"]  # so that figures keep their text
    assert abs(float(read.pages[0].mediabox.width) - 595) < 2  # points of A4
    first = " ".join(read.pages[0].extract_text().split())
    result = Result.model_validate(example())
    for words in (
        result.request.title,
        result.request.decision,
        result.answer,
        result.split.sentence,
        "Approved by",
        "Energy and quota",
        "Left out",
        f"1 / {len(read.pages)}",
    ):
        assert " ".join(words.split()).replace("fi", "ﬁ") in first.replace("fi", "ﬁ"), words


def full() -> dict[str, object]:
    """A result with all that page 1 may hold, its lists longer than page 1 shows."""
    content = example()
    content["request"] |= {"approver": "doctoral researcher, ORCID 0000-0002-1825-0097"}
    content["comparisons"] = [
        {
            "name": "stated",
            "metric": f"recall_{number}",
            "baseline": 0.7,
            "difference": 0.2,
            "lower": 0.13,
            "upper": 0.25,
            "confidence": 0.95,
            "outcome": "better",
            "sentence": f"Compared number {number}: 0.7 stated for today; difference 0.2.",
        }
        for number in range(6)
    ]
    content["money"] = {
        "sentence": "A miss costs 12 000 EUR, a false alarm 800 EUR. " * 3,
        "tested": "On the tested rows that costs 377 EUR on average. " * 4,
        "contradiction": "Contradiction: the request acts above 0.3, its costs say above 0.06.",
    }
    content["extent"] = "30 machines or other units, 1240 recordings, 41 days of data."
    content["left_out"] = [
        {"what": f"recording {n} (synthetic)", "reason": f"the speed channel is empty {'x ' * n}"}
        for n in range(150)
    ]
    content["plan"] = {"number": 1, "sha256": "ab" * 32}
    content["deviations"] = [
        {"name": f"evaluation.metrics.m{n}", "before": "absent", "after": ">= 0.5"}
        for n in range(30)
    ]
    content["run"] |= {"content_digest": "cd" * 32}
    return content


@has_browser
def test_all_of_page_1_stands_on_one_page_and_long_lists_go_on(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the PDF")
    result = Result.model_validate(full())
    html = tmp_path / "report.html"
    html.write_text(render(result), encoding="utf-8")
    read = pypdf.PdfReader(io.BytesIO(printed(html)))
    texts = [" ".join(page.extract_text().split()) for page in read.pages]
    first, others = texts[0].replace("ﬁ", "fi"), " ".join(texts[1:]).replace("ﬁ", "fi")
    assert result.money is not None
    for words in (
        result.request.title,
        result.request.decision,
        result.answer,
        "Supported",
        result.would_change,
        "Better. Compared number 2",
        result.money.sentence,
        str(result.money.tested),
        str(result.money.contradiction),
        str(result.extent),
        result.split.sentence,
        "recording 2 (synthetic)",
        "All 150 are listed further on.",
        "safety shutdown; evaluation of personnel",
        str(result.request.approver),
        "Energy was not measured.",
        "cd" * 32,
        "evaluation.metrics.m4",
        "and 25 more, listed further on",
    ):
        assert in_symbols(" ".join(words.split())) in first, words
    for words in ("Compared number 5", "recording 149 (synthetic)", "evaluation.metrics.m29"):
        assert words not in first
        assert words in others
    links = [annotation.get_object() for annotation in read.pages[0].get("/Annots", [])]
    assert len(links) >= 3  # to the lists that go on


def long_run() -> dict[str, object]:
    """A result as monitoring gives it: text, traces, a long table, sections of two figures."""
    content = example()
    over_time = content["sections"][1]
    chart, bars = over_time["figures"]
    panel = {"y": chart["panels"][0]["y"], "y_label": "temperature, °C"}
    trace = chart | {"panels": [panel] * 3, "spans": chart["spans"][:1], "caption": "A case."}
    table = {
        "kind": "table",
        "title": "Limits",
        "caption": "The last line.",
        "alt": "Many rows.",
        "columns": [{"label": "recording"}, {"label": "limit"}],
        "rows": [[f"recording {row:02d}", row + 0.5] for row in range(30)],
    }
    lead = {"title": "Raw data", "paragraphs": ["Raw readings, as they are stored. " * 4]}
    sections = [
        lead | {"figures": [trace] * 3},
        {"title": "Control limits", "figures": [table]},
        *({"title": f"Run {number}", "figures": [chart, bars]} for number in range(5)),
    ]
    content["sections"] = [section | {"reader": "engineer"} for section in sections]
    items = [
        {"name": f"n{item}", "label": f"Item {item}", "sentence": "What was found in it. " * 8}
        for item in range(7)
    ]
    content["pages"] = [{"reader": "engineer", "lead": "What was seen.", "items": items}]
    return content


@has_browser
def test_pages_are_filled_and_nothing_is_torn_apart(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf reads the PDF")
    html = tmp_path / "report.html"
    html.write_text(render(Result.model_validate(long_run())), encoding="utf-8")
    pages = [_lines(page) for page in pypdf.PdfReader(io.BytesIO(printed(html))).pages]
    starts = [0] + [
        n for n, page in enumerate(pages) if page[0][1] in {"For the engineer", "Further results"}
    ]
    assert len(starts) == 3
    engineer = pages[starts[1] : starts[2]]
    assert len(engineer) >= 5
    # A sheet of A4 is 842 points high, its margins leave 754; what is lower is emptier.
    filled = [(799.0 - page[-1][0]) / 754.0 for page in engineer]
    assert min(filled[:-1]) > 0.66, filled
    texts = [[text for _, text in page] for page in engineer]
    rows = [[text for text in page if text.startswith("recording ")] for page in texts]
    over = [page for page, own in zip(texts, rows, strict=True) if len(own) > 1]
    assert len(over) >= 2
    assert all("limit" in " ".join(page) for page in over)  # the head, once more
    for page in texts:
        assert not page[-1].startswith(("Figure", "Table", "Run", "Control limits", "Raw data"))
        assert page[0] != "The last line."


def _lines(page: PageObject) -> list[tuple[float, str]]:
    """Lines of a page but for its number, from the top: height above the lower edge, and text."""
    found: dict[float, str] = {}

    def visit(text: str, cm: list[float], tm: list[float], *_: object) -> None:
        if text.strip():
            height = round(cm[1] * tm[4] + cm[3] * tm[5] + cm[5], 0)
            found[height] = (found.get(height, "") + text).strip()

    page.extract_text(visitor_text=visit)
    return [(at, found[at].replace("ﬁ", "fi")) for at in sorted(found, reverse=True) if at > 44]


def test_without_a_browser_it_is_one_line(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pdf.VARIABLE, "no-such-browser")
    with pytest.raises(InputError, match="names no-such-browser, no program; install Chromium"):
        printed(page)
    monkeypatch.delenv(pdf.VARIABLE)
    monkeypatch.setattr(pdf, "_NAMES", ())
    with pytest.raises(InputError, match=r"^r.yaml:7: no Chromium prints the PDF here; install"):
        find_browser("r.yaml:7")


def test_a_browser_that_prints_nothing_is_named(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\necho 'no display' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv(pdf.VARIABLE, str(broken))
    with pytest.raises(InputError, match=r"printed no PDF \(no display\)"):
        printed(page)
