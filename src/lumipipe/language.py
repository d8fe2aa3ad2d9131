"""The language of a report: each message is written in English where it is said.

`say` looks a message up in the catalogue of the current language, ``locale/LANGUAGE.po``, and
fills it in; a message that is not there stays English. English needs no catalogue. The idea is
that of gettext (GNU gettext manual, Free Software Foundation).

Programs' names (of metrics, of values of a unit, of counts) stay English in a result, and so does
what `prepare` stores of files, for its bytes must not depend on the language of a report. Where
they are written they are marked by `term`, `many` or `finding`; where a report shows one,
`translated` knows it again by its form. Words of the user are never looked up: where a name may be
one of theirs or one of programs, `translated` is told which ones are of programs, and a result
says which of its names are not.
"""

from __future__ import annotations

import re
import string
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

Language: TypeAlias = Literal["en", "fi"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
CATALOGUES = Path(__file__).parent / "locale"
TERM, MANY, FINDING, RULE, QUANTITY = "term", "many", "finding", "rule", "quantity"
"""Contexts in a catalogue: of the names that `term` and `many` mark, of what `finding` marks, of
the words of shipped tables of limits, and of the quantities that readers know."""

_NO_BREAK = "\u00a0"
_OWN = {"kind", "labels", "stage", "zone"}
"""Fields of names that hold names of programs again; other fields may hold words of the user."""
_SEAMS = "; ", ", "
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]\d+)?")
_FIELD = re.compile(r"\{(\w+)[^}]*\}")
_current: ContextVar[Language] = ContextVar("language", default="en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """All that is said inside is said in `language`."""
    before = _current.set(language)
    try:
        yield
    finally:
        _current.reset(before)


def spoken() -> Language:
    """The current language."""
    return _current.get()


def known_language(language: str) -> Language:
    """`language` where reports can be in it; English otherwise."""
    return next((known for known in LANGUAGES if known == language), "en")


def say(message: str, /, **values: object) -> str:
    r"""`message` in the current language, with its fields filled in.

    Parameters
    ----------
    message : str
        A whole sentence or label in English, with fields as `str.format` knows them. It stands
        here as text, or was marked by `message` where it stands.
    **values : object
        What is filled in; numbers are written as the language writes them.

    Returns
    -------
    str
        In English exactly what ``message.format(**values)`` gives.

    Examples
    --------
    >>> say("{share:.1%} of {count:,} windows", share=0.1234, count=12345)
    '12.3% of 12,345 windows'
    >>> with speaking("fi"):
    ...     say("{share:.1%}; {count:,}", share=0.1234, count=12345)
    '12,3\xa0%; 12\xa0345'
    """
    language = _current.get()
    if language == "en":
        return message.format(**values)
    return _NUMBERS.vformat(_translated(language, message, None), (), values)


def unfilled(message: str, /) -> str:
    """A message in the current language whose fields are filled in later."""
    language = _current.get()
    return message if language == "en" else _translated(language, message, None)


def say_count(one: str, other: str, /, n: int, **values: object) -> str:
    """The form of a message that goes with the number `n`, which is filled in as ``{n}``.

    Examples
    --------
    >>> say_count("{n} window", "{n} windows", n=2)
    '2 windows'
    """
    language = _current.get()
    chosen = one if n == 1 else other
    if language == "en":
        return chosen.format(n=n, **values)
    forms = _catalogue(language).get((None, one))
    # English and Finnish have two forms, and take them for the same numbers.
    text = forms[n != 1] if forms else chosen
    return _NUMBERS.vformat(text, (), {"n": n, **values})


def message(text: str, /) -> str:
    """`text` itself; marks it for the catalogue where it is not said on the spot."""
    return text


def term(text: str, /, **values: object) -> str:
    """`text` itself, filled in; marks a name of programs that reports show by `translated`."""
    return text.format(**values) if values else text


def many(text: str, /, **values: object) -> str:
    """`text` itself, filled in as by `term`; marks what was counted: it stands behind a number."""
    return text.format(**values) if values else text


def finding(text: str, /) -> str:
    """`text` itself; marks what is said of files and recordings, which is stored in English.

    An f-string is known by its form: its fields are called a, b, ... in the catalogue. The problem
    of a `RecordingError` needs no mark. Other findings may stand in it, alone or in a list.
    """
    return text


def translated(name: str, context: str = TERM, *, among: Collection[str] | None = None) -> str:
    """A name of programs as the report shows it; a name that is in no catalogue as it is.

    A name that was marked with fields is known by what stands around them. Behind a number, with
    `MANY`, a noun has another form than alone. What was marked as a `FINDING` may be a list.
    Of a name that is not `among` those of programs, where they are given, it is known that it is a
    word of the user, which stays as it is even where one of programs is spelt alike.

    Examples
    --------
    >>> translated("windows")
    'windows'
    >>> with speaking("fi"):
    ...     translated("time"), translated("time", among=("source", "unit"))
    ('ajan mukaan', 'time')
    """
    language = _current.get()
    if language == "en" or (among is not None and name not in among):
        return name
    known = _known(language, name, context)
    if known is None and context == FINDING:
        known = _listed(name, lambda part: translated(part, FINDING))
    return name if known is None else known


def localised(plain: str) -> str:
    r"""A number written as Python writes it, such as ``1,234.5`` or ``12%``, as people write it.

    Examples
    --------
    >>> localised("1,234.5")
    '1,234.5'
    >>> with speaking("fi"):
    ...     localised("1,234.5")
    '1\xa0234,5'
    """
    if _current.get() == "en":
        return plain
    parts = plain.replace(",", _NO_BREAK).replace(".", ",")
    return parts.replace("%", f"{_NO_BREAK}%")


def catalogue_text(language: Language) -> str:
    """The catalogue of a language as it stands in its file; what is said depends on it."""
    return (CATALOGUES / f"{language}.po").read_text(encoding="utf-8")


class _Numbers(string.Formatter):
    """Fills in as `str.format` does, but numbers as the current language writes them."""

    def format_field(self, value: object, format_spec: str) -> str:
        plain: str = super().format_field(value, format_spec)
        return localised(plain) if isinstance(value, Number) else plain


_NUMBERS = _Numbers()


def _translated(language: str, text: str, context: str | None) -> str:
    """The entry of a catalogue, or the text itself."""
    forms = _catalogue(language).get((context, text))
    return forms[0] if forms else text


def _known(language: str, name: str, context: str) -> str | None:
    """A name by itself, as a list of known ones, or by its form; None where it is not known."""
    exact = _catalogue(language).get((context, name))
    if exact:
        return exact[0]
    if context == FINDING:
        listed = _listed(name, lambda part: _known(language, part, context))
        if listed is not None:
            return listed
    for form, text in _patterns(language, context):
        found = form.fullmatch(name)
        if found is not None:
            parts = found.groupdict().items()
            return text.format(
                **{field: _shown_part(field, part, context) for field, part in parts}
            )
    return None


def _listed(text: str, known: Callable[[str], str | None]) -> str | None:
    """Findings one after another; None where it is no list, or one of them is not known."""
    for seam in filter(text.__contains__, _SEAMS):
        parts = [known(part) for part in text.split(seam)]
        if None not in parts:
            return seam.join(filter(None, parts))
    return None


def _shown_part(field: str, part: str, context: str) -> str:
    """A part of a name: a number as the language writes it, any other as it is known or is."""
    if _PLAIN_NUMBER.fullmatch(part):
        return localised(part)
    if context == FINDING:
        return translated(part, FINDING)
    return translated(part) if field in _OWN else part


@cache
def _patterns(language: str, context: str) -> Sequence[tuple[re.Pattern[str], str]]:
    """Forms of the names that have fields, with their translations; those that say most first."""
    found = []
    for (where, text), forms in _catalogue(language).items():
        if where == context and "{" in text:
            parts = [(plain, name) for plain, name, *_ in string.Formatter().parse(text)]
            form = "".join(
                re.escape(plain) + (f"(?P<{name}>.+?)" if name else "") for plain, name in parts
            )
            said = sum(len(plain) for plain, _ in parts)
            compiled = re.compile(form, re.DOTALL)
            found.append((said, compiled, _FIELD.sub(r"{\1}", forms[0])))
    return [(form, text) for _, form, text in sorted(found, key=lambda one: -one[0])]


@cache
def _catalogue(language: str) -> Mapping[tuple[str | None, str], Sequence[str]]:
    """Translations by context and English text; a text with plural has two."""
    from babel.messages.pofile import read_po  # noqa: PLC0415 - English needs no catalogue

    with (CATALOGUES / f"{language}.po").open("rb") as file:
        entries = list(read_po(file, locale=language, abort_invalid=True))
    found: dict[tuple[str | None, str], Sequence[str]] = {}
    for entry in entries:
        text = entry.id if isinstance(entry.id, str) else entry.id[0]
        forms = (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ())
        if text and all(forms):
            found[entry.context, text] = forms
    return found
