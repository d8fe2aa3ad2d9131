"""How numbers may be written: decimal and thousands marks, told from the shape of a cell.

A shape is a cell with its digits made alike, so that a file of millions of cells has few of
them. Which form a whole file is in, is decided in `lumipipe.readers.dialect`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATOR = "\x1e"  # between cells that are looked at together; no text file holds it
_BLANKS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " "})
_DIGITS = str.maketrans("012345678", "9" * 9)
_PADDING = re.compile(rf"[ \t]*{SEPARATOR}[ \t]*")


class NumberForm(NamedTuple):
    """Marks of a written number."""

    decimal: str
    thousands: str | None

    def __str__(self) -> str:
        """The marks in words."""
        grouping = (
            "no thousands mark" if self.thousands is None else f"thousands '{self.thousands}'"
        )
        return f"decimal '{self.decimal}', {grouping}"


FORMS = tuple(
    NumberForm(decimal, thousands)
    for decimal in ".,"
    for thousands in (None, ",", ".", " ", "'")
    if thousands != decimal
)


def shapes(cells: Iterable[str]) -> set[str]:
    """The distinct shapes of some cells: digits as 9, a leading zero as z, no outer blanks.

    >>> sorted(shapes([" 12.5", "17.5 ", "0.25", "up"]))
    ['99.9', 'up', 'z.99']
    """
    joined = SEPARATOR + SEPARATOR.join(cells).translate(_BLANKS)
    if " " in joined or "\t" in joined:
        joined = _PADDING.sub(SEPARATOR, joined).rstrip(" \t")
    for sign in ("", "-", "+"):
        joined = joined.replace(f"{SEPARATOR}{sign}0", f"{SEPARATOR}{sign}z")
    return set(joined[1:].translate(_DIGITS).split(SEPARATOR))


@lru_cache(maxsize=2**16)
def forms_of(shape: str) -> frozenset[NumberForm]:
    """The forms in which a shape is a number; none for text.

    Grouped digits start with 1 to 9 and come in threes: 0.250 is no thousand in any form.

    >>> [str(form) for form in forms_of("9.999,99")]
    ["decimal ',', thousands '.'"]
    """
    if not shape or shape[0] not in "+-.,z9":
        return frozenset()
    return frozenset(form for form in FORMS if _pattern(form).fullmatch(shape))


def is_whole(shape: str) -> bool:
    """Whether a shape is a whole number that fits 64 bits for certain."""
    return re.fullmatch(r"[+-]?[z9]9{0,17}", shape) is not None


@lru_cache(maxsize=len(FORMS))
def _pattern(form: NumberForm) -> re.Pattern[str]:
    """Regular expression of the shapes that are numbers in a form."""
    decimal = re.escape(form.decimal)
    whole = "[z9]9*"
    if form.thousands is not None:
        whole = rf"(?:{whole}|9{{1,3}}(?:{re.escape(form.thousands)}999)+)"
    return re.compile(rf"[+-]?(?:{whole}(?:{decimal}9*)?|{decimal}9+)(?:[eE][+-]?9+)?")
