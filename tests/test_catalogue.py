"""Every message of the code is translated, with the same fields, and nothing else is."""

from __future__ import annotations

import ast
import string
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

from conftest import ROOT
from lumipipe.language import (
    CATALOGUES,
    FINDING,
    LANGUAGES,
    MANY,
    QUANTITY,
    RULE,
    TERM,
    _catalogue,
    finding,
    speaking,
    translated,
)
from lumipipe.readers.units import QUANTITIES
from lumipipe.reporting.words import WORDS
from lumipipe.rules.tables import load_rules, shipped_rules, told_words

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = ROOT / "src" / "lumipipe"
MARKS = {
    "say": None,
    "say_count": None,
    "message": None,
    "unfilled": None,
    "term": TERM,
    "many": MANY,
    "finding": FINDING,
}
PROBLEMS = {"RecordingError", "fault"}
"""What is called with a place and a problem, which is a finding."""
OTHERS = [language for language in LANGUAGES if language != "en"]
Message = tuple[str | None, str]


@cache
def said() -> dict[Message, str]:
    """Context and text of each message that has words, with the place of one that says it."""
    found: dict[Message, str] = {(None, text): "words.py" for text in WORDS.values()}
    found |= {(QUANTITY, name): "readers/units.py" for name in QUANTITIES}
    for name in shipped_rules():
        found |= {(RULE, text): name for row in load_rules(name).rows for text in told_words(row)}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for message in marked(node):
                found.setdefault(message, str(path.relative_to(SOURCE)))
    return {message: place for message, place in found.items() if has_words(message[1])}


def marked(node: ast.AST) -> list[Message]:
    """The messages that a call marks; a mark may stand around another one."""
    if not isinstance(node, ast.Call):
        return []
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in PROBLEMS:
        return [(FINDING, text) for problem in node.args[1:2] for text in forms(problem)]
    if name not in MARKS or not isinstance(node.func, ast.Name) or not node.args:
        return []
    text = node.args[0]
    if name == "finding":
        return [(FINDING, found) for found in forms(text)]
    while isinstance(text, ast.Call) and isinstance(text.func, ast.Name) and text.args:
        text = text.args[0]
    if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
        return []
    return [(MARKS[name], text.value)]


def forms(node: ast.expr) -> Iterator[str]:
    """The texts of an expression, fields of an f-string called a, b, ...; of a choice both."""
    if isinstance(node, ast.IfExp):
        yield from forms(node.body)
        yield from forms(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        names = iter(string.ascii_lowercase)
        parts = (
            p.value if isinstance(p, ast.Constant) else f"{{{next(names)}}}" for p in node.values
        )
        yield "".join(map(str, parts))


def has_words(text: str) -> bool:
    return any(map(str.isalpha, "".join(plain for plain, *_ in string.Formatter().parse(text))))


def fields(text: str) -> set[str]:
    return {
        f"{name}!{conversion}" for _, name, _, conversion in string.Formatter().parse(text) if name
    }


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str):
    missing = [message for message in said() if message not in _catalogue(language)]
    entries = "\n\n".join(
        (f'msgctxt "{context}"\n' if context else "") + f"msgid {text!r} # {said()[context, text]}"
        for context, text in missing
    )
    assert not missing, f"add to locale/{language}.po:\n{entries}"


@pytest.mark.parametrize("language", OTHERS)
def test_no_entry_is_stale(language: str):
    assert not set(_catalogue(language)) - set(said())


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_fields_of_their_messages(language: str):
    for (_, text), forms in _catalogue(language).items():
        for form in forms:
            counted = {"n!None"} if len(forms) > 1 else set()  # a form for one may say "one"
            assert fields(form) - counted == fields(text) - counted, text
            for edge in (0, -1):  # glued messages keep their blanks
                assert (form[edge] == " ") == (text[edge] == " "), text


@pytest.mark.parametrize("language", OTHERS)
def test_entries_stand_in_order_so_that_changes_are_small(language: str):
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        entries = [entry for entry in read_po(file, locale=language) if entry.id]
    texts = [entry.id if isinstance(entry.id, str) else entry.id[0] for entry in entries]
    assert all(before <= after for before, after in pairwise(texts))


def test_a_finding_is_known_again_by_its_form():
    place = finding(f"line {12}")
    with speaking("fi"):
        assert translated(f"{place} has no heart_rate; 2 such rows", FINDING) == (
            "rivi 12: ei arvoa sarakkeessa heart_rate; tällaisia rivejä 2"
        )
        assert translated("3 zero, 1 outside 20 to 250", FINDING) == (
            "nollia 3, alueen 20–250 ulkopuolella 1"
        )


def test_what_a_finding_quotes_of_the_user_is_not_translated():
    with speaking("fi"):
        assert translated("unit") != "unit"
        assert "unit, group" in translated("no file gives it unit, group", FINDING)
