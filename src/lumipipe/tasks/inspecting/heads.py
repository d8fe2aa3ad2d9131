"""Where the head of a table of cells ends, which line names the columns, which one their units.

Told from the cells of the first lines; what a request then says is in `lumipipe.readers.delimited`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from lumipipe.tasks.inspecting.meaning import HEADER_UNITS, SPELT

_DELIMITERS = (";", "\t", "|", ",")  # a comma may be a decimal mark, so it comes last
_NUMBER = re.compile(r"\s*[+-]?(\d[\d .,']*|[.,]\d+)([eE][+-]?\d+)?\s*")
NO_READING = (
    "?",
    "NA",
    "N/A",
    "n/a",
    "na",
    "null",
    "NULL",
    "None",
    "#N/A",
    "-",
    "--",
    "nan",
    "NaN",
)
"""Cells that usually mean that there was no reading."""
_MOST_LINES = 200
_MOSTLY = 0.9
_NAMED_BY_NUMBERS = 10  # columns from which rising numbers in the first line are names


class Head(NamedTuple):
    """The head of a table.

    Parameters
    ----------
    lines : int
        Lines before the first row.
    names_line : int
        The one with the names, from 1; 0 where there is none.
    names : list of str
        Names to give, where no line has exactly one for each column; empty where one has.
    units : dict of str to str
        Name of a column to its unit, where a line of the head holds units.
    empty_trailing : bool
        Whether rows end in delimiters with nothing after them.
    """

    lines: int
    names_line: int
    units: dict[str, str]
    empty_trailing: bool = False
    names: list[str] = []


def head_of_text(text: str) -> Head:
    r"""The head of a delimited text.

    Parameters
    ----------
    text : str
        Its first lines, all whole.

    Returns
    -------
    Head
        One line with names where nothing else is clear.

    Examples
    --------
    >>> head_of_text("made by X\na;b\ns;V\n1;2\n2;3\n3;4\n")
    Head(lines=3, names_line=2, units={'a': 's', 'b': 'V'}, empty_trailing=False, names=[])
    >>> head_of_text("1,2\n3,4\n").lines
    0
    """
    lines = text.splitlines()[:_MOST_LINES]
    best = max(_DELIMITERS, key=lambda sign: _evenness(lines, sign))
    return head_of(list(csv.reader(lines, delimiter=best)))


def _evenness(lines: list[str], sign: str) -> float:
    """Share of the later lines with as many of a sign as most of them have; 0 without any."""
    later = lines[len(lines) // 2 :]
    counts = Counter(line.count(sign) for line in later)
    (number, lines_with), *_ = counts.most_common(1) or [(0, 0)]
    return lines_with / max(len(later), 1) if number else 0.0


def head_of(rows: list[list[str]]) -> Head:
    """The head of a table of cells; as `head_of_text` tells it."""
    while rows and not any(cell.strip() for cell in rows[-1]):
        rows = rows[:-1]
    body = rows[len(rows) // 2 :]
    if not body:
        return Head(1, 1, {})
    width = Counter(len(row) for row in body).most_common(1)[0][0]
    numeric = [at for at in range(width) if _is_numeric(body, at)]
    trailing = width > 1 and all(not any(row[width - 1 :]) for row in body)
    if not numeric:
        return Head(1, 1, {}, trailing)
    first = next((n for n, row in enumerate(rows) if _is_row(row, width, numeric)), 1)
    if first == 0:
        named = _is_named_by_numbers(rows, numeric)
        return Head(int(named), int(named), {}, trailing)
    names_line = _names_line(rows[:first], width - trailing)
    if names_line:
        names = [cell.strip() for cell in rows[names_line - 1]]
        return Head(first, names_line, _units(rows, names_line, first, names), trailing)
    line, names = _nearest_names(rows[:first], width - trailing)
    return Head(first, 0, _units(rows, line, first, names), trailing, names)


def _nearest_names(head: list[list[str]], width: int) -> tuple[int, list[str]]:
    """Names of columns from the line that has most, c1, c2, ... where it has none, and the line."""
    best, names = 0, [f"c{number}" for number in range(1, width + 1)]
    most = 0
    for number, row in enumerate(head, start=1):
        cells = [cell.strip() for cell in row[:width]]
        told = [cell for cell in cells if cell and not _is_number(cell)]
        are_units = sum(map(_is_unit, told)) >= len(told) / 2
        if len(row) >= width and len(set(told)) == len(told) > most and not are_units:
            best, most = number, len(told)
            names = [cell or f"c{at}" for at, cell in enumerate(cells, start=1)]
    return best, names


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _told(cell: str) -> str:
    """A cell without blanks around it; empty where it means no reading."""
    text = cell.strip()
    return "" if text in NO_READING else text


def _is_numeric(body: list[list[str]], at: int) -> bool:
    """Whether a column holds numbers in most rows, and any at all."""
    told = [cell for row in body if len(row) > at and (cell := _told(row[at]))]
    return bool(told) and sum(map(_is_number, told)) >= _MOSTLY * len(told)


def _is_row(row: list[str], width: int, numeric: list[int]) -> bool:
    """Whether a line is a row: as wide, and numbers or nothing where rows have numbers."""
    if len(row) != width:
        return False
    cells = [_told(row[at]) for at in numeric]
    return sum(not cell or _is_number(cell) for cell in cells) > len(cells) / 2 and any(
        _is_number(cell) for cell in cells
    )


def _is_named_by_numbers(rows: list[list[str]], numeric: list[int]) -> bool:
    """Whether the first line has rising numbers, such as wavelengths, over many columns."""
    if len(numeric) < _NAMED_BY_NUMBERS or len(rows) < 2:  # noqa: PLR2004
        return False

    def is_rising(row: list[str]) -> bool:
        try:
            numbers = [float(row[at].replace(",", ".")) for at in numeric]
        except ValueError:
            return False
        steps = [after - before for before, after in pairwise(numbers)]
        return all(step > 0 for step in steps) or all(step < 0 for step in steps)

    return is_rising(rows[0]) and not all(is_rising(row) for row in rows[1:])


def _names_line(head: list[list[str]], width: int) -> int:
    """The line with a name for each column, nearest to the rows; 0 where there is none."""
    for number in range(len(head), 0, -1):
        cells = [cell.strip() for cell in head[number - 1]]
        while len(cells) > width and not cells[-1]:
            cells.pop()
        are_names = len(cells) == width and all(cells) and len(set(cells)) == len(cells)
        if are_names and not all(_is_unit(cell) for cell in cells):
            return number
    return 0


def _is_unit(cell: str) -> bool:
    """Whether a cell is nothing but a unit."""
    text = cell.strip().strip("[]()")
    return text in HEADER_UNITS or text.lower() in SPELT


def _units(rows: list[list[str]], names_line: int, first: int, names: list[str]) -> dict[str, str]:
    """Units in the line below the names, where most of its cells are some."""
    if not names_line or names_line >= first:
        return {}
    cells = [cell.strip() for cell in rows[names_line]]
    told = [cell for cell in cells if cell]
    if not told or sum(map(_is_unit, told)) < len(told) / 2:
        return {}
    return {
        name: cell.strip("[]()")
        for name, cell in zip(names, cells, strict=False)
        if name and cell and _is_unit(cell)
    }
