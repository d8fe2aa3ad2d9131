"""A table as HTML; the drawings of the other kinds are in the files of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from lumipipe.language import say
from lumipipe.reporting.numbers import NOT_AVAILABLE, rounded, rounded_interval
from lumipipe.reporting.parts import Interval

if TYPE_CHECKING:
    from lumipipe.reporting.figures.declared import Table
    from lumipipe.reporting.parts import Cell
    from lumipipe.reporting.words import Words

_DIGITS = 4
_SHORT = 24  # signs
_MANY = 7


def table(figure: Table, words: Words) -> str:
    """`figure` as one HTML ``table`` element, well-formed as XML."""
    numeric = [all(is_number(row[i]) for row in figure.rows) for i in range(len(figure.columns))]
    # where there are many columns, the printed page needs small type
    dense = {"class": "dense"} if len(figure.columns) > _MANY else {}
    root = ET.Element("table", {"aria-label": figure.alt, **dense})
    head = ET.SubElement(ET.SubElement(root, "thead"), "tr")
    for column, right in zip(figure.columns, numeric, strict=True):
        cell = ET.SubElement(head, "th", {"scope": "col", **_alignment(right=right)})
        cell.text = column.label
        if column.unit:
            unit = ET.SubElement(cell, "span", {"class": "unit"})
            unit.text = f" ({column.unit})"
    body = ET.SubElement(root, "tbody")
    for row in figure.rows:
        line = ET.SubElement(body, "tr")
        for value, right in zip(row, numeric, strict=True):
            look = _alignment(right=right) or _unbroken(value)
            ET.SubElement(line, "td", look).text = cell_text(value, words)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def is_number(value: Cell) -> bool:
    """Whether `value` belongs into a column of numbers; nothing does too."""
    return value is None or isinstance(value, Interval) or type(value) in (int, float)


def cell_text(value: Cell, words: Words) -> str:
    """A cell as text: numbers rounded, an interval behind its value, nothing as ``n/a``."""
    match value:
        case None:
            return say(NOT_AVAILABLE)
        case bool():
            return words["yes"] if value else words["no"]
        case int() | float():
            return rounded(value, digits=_DIGITS)
        case Interval():
            return _interval_text(value)
        case str():
            return value


def _interval_text(value: Interval) -> str:
    number, lower, upper = rounded_interval(value.value, value.lower, value.upper, digits=_DIGITS)
    if value.lower is None and value.upper is None:
        return number
    return f"{number} [{lower}, {upper}]"


def _unbroken(value: Cell) -> dict[str, str]:
    """A short text in one piece, such as a date, stays in one piece: browsers break at hyphens."""
    is_short = isinstance(value, str) and len(value) <= _SHORT and " " not in value
    return {"class": "nowrap"} if is_short else {}


def _alignment(*, right: bool) -> dict[str, str]:
    return {"class": "number"} if right else {}
