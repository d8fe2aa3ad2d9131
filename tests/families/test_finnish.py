"""Each family's report in Finnish: no English but the user's, and the numbers in English.

English is a short list of words, and every word of a message that no Finnish message has, unless
it stands in the request.
"""

from __future__ import annotations

import html
import re
import string
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lumipipe.backend import choose_backend
from lumipipe.comm import SerialComm
from lumipipe.language import _catalogue
from lumipipe.tasks.report import report
from lumipipe.tasks.request import load_request
from lumipipe.tasks.shown import DOSSIER_HTML, HTML
from running import answer
from small_requests import FAMILIES, activity

if TYPE_CHECKING:
    from pathlib import Path

    from running import Done

ENGLISH = {
    "and",
    "are",
    "be",
    "between",
    "by",
    "each",
    "error",
    "first",
    "for",
    "from",
    "has",
    "have",
    "in",
    "inside",
    "is",
    "its",
    "last",
    "not",
    "of",
    "outside",
    "recording",
    "row",
    "rows",
    "share",
    "than",
    "that",
    "the",
    "this",
    "to",
    "unit",
    "was",
    "were",
    "which",
    "with",
    "within",
}
KEPT = (  # what their authors and the users wrote
    r"[0-9a-f]{16,64}|US EPA Performance|Task Force of ESC and NASPE|<code>.*",
    r"whether the test passes|one recording|power and steam of both plants|a key that was pressed",
    r"an analyser|from a light to the first key",
    r"unit (north|south)|made up|ainekset .*|(train|score|asset): .*",
    r"days until it failed|what the (beat was, by a reader|person did)|who was on duty",
    r"\b[a-z]\w*(\.\w+)+|\b\w+/[\w.]+|\b\w+_\w+",  # keys
    r"^(indicator|recording|unit|period|mix|wanted); .*",  # columns
    r"data\[\][\w.\[\]]*( \(column, since 1970\))?",
    r"\b(single|double|glide)\b|made by the test's staff|\b[ab]-of-g\d|NOx .*",
)


WORD = re.compile(r"[^\W\d_]{3,}")


@cache
def only_english() -> frozenset[str]:
    """The words of messages that no Finnish message has."""
    english, finnish = set(), set()
    for (_, text), forms in _catalogue("fi").items():
        english |= said(text)
        finnish |= set().union(*map(said, forms))
    return frozenset(english - finnish)


def said(message: str) -> set[str]:
    """The words of a message outside its fields."""
    parts = string.Formatter().parse(message)
    return set(WORD.findall(" ".join(plain for plain, *_ in parts).lower()))


def in_language(request: Path, language: str) -> Path:
    form = yaml.safe_load(request.read_text(encoding="utf-8"))
    path = request.with_name(f"{language}.yaml")
    path.write_text(yaml.safe_dump({**form, "language": language}), encoding="utf-8")
    return path


def pages(request: Path, done: Done) -> dict[str, str]:
    report(load_request(request), done.stages, SerialComm(), choose_backend("numpy"), print)
    folder = done.product("report")
    return {name: (folder / name).read_text(encoding="utf-8") for name in (HTML, DOSSIER_HTML)}


def lines(page: str) -> list[str]:
    body = re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)
    texts = re.split(r"<[^>]+>", body) + re.findall(r'aria-label="([^"]*)"', body)
    return [re.sub("|".join(KEPT), "", html.unescape(text)) for text in texts]


def facts(done: Done) -> dict[str, Any]:
    """What programs read of a result: names and numbers."""
    result = done.result
    return {
        "verdict": result.verdict,
        "metrics": [metric.model_dump(exclude={"label", "note"}) for metric in result.metrics],
        "units": [
            (unit.verdict, {k: v for k, v in unit.values.items() if not isinstance(v, str)})
            for unit in result.units
        ],
        "counts": result.counts,
        "leakage": [(test.name, test.status, test.count) for test in result.leakage],
        "coverage": result.coverage and (result.coverage.achieved, result.coverage.width),
    }


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_report_in_finnish(family: str, tmp_path: Path):
    made = FAMILIES[family](tmp_path)
    english, finnish = in_language(made, "en"), in_language(made, "fi")
    first, second = answer(english, tmp_path / "out"), answer(finnish, tmp_path / "out")
    assert facts(second) == facts(first)
    for page in pages(finnish, second).values():
        assert '<html lang="fi">' in page
        assert_finnish(page, made)


def assert_finnish(page: str, request: Path) -> None:
    """Nothing on the page is English but what the request says."""
    own = set(WORD.findall(request.read_text(encoding="utf-8").lower()))
    for line in lines(page):
        words = set(re.findall(r"[^\W\d_]+", line.lower()))
        assert not words & (ENGLISH | (only_english() - own)), line
        assert not re.search(r"(?<![\d.\w-])\d+\.\d+(?![\d.\w-])", line), line


@pytest.mark.slow
def test_why_a_recording_was_left_out_is_told_in_finnish(tmp_path: Path):
    made = activity(tmp_path, prepare={"bad_recordings": "leave_out"})
    (tmp_path / "raw" / "p0_swing_7.csv").write_text("x,y\n1,2\n3,oops\n", encoding="utf-8")
    (tmp_path / "raw" / "p1_swing_7.csv").write_text("x,y\n", encoding="utf-8")
    finnish = in_language(made, "fi")
    done = answer(finnish, tmp_path / "out")
    for page in pages(finnish, done).values():
        assert_finnish(page.replace("&#39;oops&#39;", ""), made)
    page = pages(finnish, done)[HTML]
    assert "otsikkorivi mutta ei muita rivejä" in page
    assert "ei ole luku" in page
