"""What `say` gives in English and in another language."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe import language
from lumipipe.language import (
    MANY,
    localised,
    many,
    message,
    say,
    say_count,
    speaking,
    spoken,
    term,
    translated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{share:.1%} of {name}"
msgstr "{name}: {share:.1%}"

msgid "{n} window"
msgid_plural "{n} windows"
msgstr[0] "{n} ikkuna"
msgstr[1] "{n} ikkunaa"

msgid "not yet"
msgstr ""

msgctxt "term"
msgid "windows"
msgstr "ikkunat"

msgctxt "many"
msgid "windows"
msgstr "ikkunaa"

msgctxt "term"
msgid "score {name} ({unit})"
msgstr "pisteet {name} ({unit})"
"""


@pytest.fixture
def finnish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "fi.po").write_text(CATALOGUE.lstrip(), encoding="utf-8")
    monkeypatch.setattr(language, "CATALOGUES", tmp_path)
    language._catalogue.cache_clear()
    language._patterns.cache_clear()
    with speaking("fi"):
        yield
    language._catalogue.cache_clear()
    language._patterns.cache_clear()


@given(
    value=st.floats() | st.integers() | st.text(),
    spec=st.sampled_from(["", ".3g", ",", ".0%", ">9"]),
)
def test_english_is_what_format_gives(value: float | str, spec: str):
    text = f"a {{value:{spec}}} {{{{b}}}}"
    if isinstance(value, str):
        text = "a {value} {{b}}"
    assert say(text, value=value) == text.format(value=value)


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (0.1234, ".1%", "12,3\u00a0%"),
        (1234567.8, ",.1f", "1\u00a0234\u00a0567,8"),
        (np.float64(-0.5), "", "-0,5"),
        (np.int64(3), "d", "3"),
        (Decimal("1.5"), "", "1,5"),
        (1e-7, "g", "1e-07"),
        (float("nan"), ".2f", "nan"),
        ("v1.5, 20%", "", "v1.5, 20%"),
        (True, "", "True"),
    ],
)
def test_numbers_are_written_as_in_finnish_and_texts_as_they_are(
    value: object, spec: str, expected: str
):
    text = f"{{value:{spec}}}"
    with speaking("fi"):
        assert say(text, value=value) == expected


def test_a_precision_may_be_a_field():
    with speaking("fi"):
        assert say("{x:.{digits}f}", x=2.5, digits=2) == "2,50"


@pytest.mark.usefixtures("finnish")
def test_a_message_is_looked_up_and_filled_in_another_order():
    assert say("{share:.1%} of {name}", share=0.5, name="A.B") == "A.B: 50,0\u00a0%"


@pytest.mark.usefixtures("finnish")
@pytest.mark.parametrize(("n", "expected"), [(0, "0 ikkunaa"), (1, "1 ikkuna"), (2, "2 ikkunaa")])
def test_numbers_take_their_form(n: int, expected: str):
    assert say_count("{n} window", "{n} windows", n=n) == expected


@pytest.mark.usefixtures("finnish")
def test_what_is_not_translated_stays_english():
    assert say("not yet") == "not yet"
    assert say("never heard of {x:.1f}", x=1.5) == "never heard of 1,5"
    assert say_count("{n} cat", "{n} cats", n=2) == "2 cats"


@pytest.mark.usefixtures("finnish")
def test_names_of_programs_have_a_form_alone_and_one_behind_a_number():
    assert (translated("windows"), translated("windows", MANY)) == ("ikkunat", "ikkunaa")
    assert say("windows") == "windows"
    assert translated("a user's word") == "a user's word"


@pytest.mark.usefixtures("finnish")
def test_a_name_with_fields_is_known_by_its_form():
    assert term("score {name} ({unit})", name="Score", unit="m/s") == "score Score (m/s)"
    assert translated("score Score (m/s)") == "pisteet Score (m/s)"
    assert translated("a score Score (m/s)") == "a score Score (m/s)"


def test_marks_change_nothing():
    assert (message("a {b}"), term("a"), many("a")) == ("a {b}", "a", "a")


def test_a_language_holds_within_its_block_only():
    with speaking("fi"):
        assert spoken() == "fi"
        with speaking("en"):
            assert localised("1.5") == "1.5"
        assert localised("1.5") == "1,5"
    assert spoken() == "en"


def test_an_error_ends_a_language_too():
    with pytest.raises(ZeroDivisionError), speaking("fi"):
        _ = 1 / 0
    assert spoken() == "en"
