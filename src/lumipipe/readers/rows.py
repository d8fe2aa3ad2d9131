"""The rows of a delimited text file under one delimiter: their cells, names and shapes.

Which delimiter and marks explain the file is decided in `lumipipe.readers.dialect`.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lumipipe.errors import RecordingError
from lumipipe.readers.compressed import shown
from lumipipe.readers.numberforms import forms_of, shapes
from lumipipe.readers.tables import column_names, refuse_width, unknown_column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK_ROWS = 20_000


@dataclass(frozen=True)
class Form:
    """What is known of a delimited file before it is looked at.

    Parameters
    ----------
    file : Path
        For messages only.
    text : str
        The decoded content.
    header : int
        Lines before the first row.
    names_line : int
        Line of the header that holds the names, from 1; 0 where none does.
    names : list of str or None
        Names given in the request.
    text_columns : frozenset of str
        Columns that are text even where they look like numbers.
    missing : frozenset of str
        Cells that mean "no reading".
    empty_trailing : bool
        Whether nameless empty columns at the right end are dropped.
    wanted : frozenset of str or None
        Columns that are used; only these may not mix numbers and text. All where None.
    """

    file: Path
    text: str
    header: int
    names_line: int
    names: list[str] | None
    text_columns: frozenset[str]
    missing: frozenset[str]
    empty_trailing: bool
    wanted: frozenset[str] | None

    def fault(self, line: int, problem: str, remedy: str) -> RecordingError:
        """An error at a line of the file."""
        return RecordingError(f"{shown(self.file)}:{line}", problem, remedy)


@dataclass(frozen=True)
class Scan:
    """What one delimiter makes of a file.

    Parameters
    ----------
    delimiter : str
        The delimiter.
    names : list of str
        Name of each column.
    width : int
        Cells of the widest row, dropped empty ones included.
    rows : int
        Number of rows.
    shapes : list of set of str
        Shapes of the cells of each column, without the missing ones.
    empty : list of bool
        Whether a column has missing cells.
    """

    delimiter: str
    names: list[str]
    width: int
    rows: int
    shapes: list[set[str]]
    empty: list[bool]


def rows_of(form: Form, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row, blank lines at the end left out."""
    stream = io.StringIO(form.text, newline="")
    for _ in range(form.header):
        stream.readline()
    reader = csv.reader(stream, delimiter=delimiter, strict=True)
    blank_line = 0
    while True:
        before = form.header + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise form.fault(before + 1, f"cannot be split ({error})", "mend the line") from error
        if not cells:
            blank_line = blank_line or before + 1
            continue
        if blank_line:
            raise form.fault(blank_line, "is a blank line between rows", "remove the line")
        if form.header + reader.line_num != before + 1:
            raise form.fault(before + 1, "has a line break inside a cell", "mend the quotes")
        yield before + 1, cells


def scan_rows(form: Form, delimiter: str, most_rows: int | None) -> Scan:
    """What a delimiter makes of the first rows or all of them."""
    rows = islice(rows_of(form, delimiter), most_rows)
    first = next(rows, None)
    if first is None:
        raise RecordingError(
            shown(form.file),
            "has a header but no rows" if form.header and form.text.strip() else "is empty",
            "remove the file, or fetch it again",
        )
    refuse_width(form.file, len(first[1]))
    names = _names(form, delimiter, first[1])
    for name in sorted(form.wanted or ()):
        if name not in names:
            raise unknown_column(shown(form.file), name, names)
    found: list[set[str]] = [set() for _ in names]
    width, count = 0, 0
    chunk = [first, *islice(rows, _CHUNK_ROWS - 1)]
    while chunk:
        width = max(width, *(_checked_width(form, names, row) for row in chunk))
        for at, cells in enumerate(zip(*(cells[: len(names)] for _, cells in chunk), strict=True)):
            found[at] |= shapes(cells)
        count += len(chunk)
        chunk = list(islice(rows, _CHUNK_ROWS))
    markers = {shape for shape in shapes(form.missing) if not forms_of(shape)}
    empty = [bool(column & markers) for column in found]
    scan = Scan(delimiter, names, width, count, [column - markers for column in found], empty)
    _refuse_mixed(form, scan)
    return scan


def _checked_width(form: Form, names: list[str], row: tuple[int, list[str]]) -> int:
    """Number of cells of a row that has one for each name."""
    line, cells = row
    spare = cells[len(names) :]
    if len(cells) < len(names) or (spare and not (form.empty_trailing and not any(spare))):
        raise form.fault(
            line,
            f"the row has {len(cells)} cells, expected are {len(names)}",
            "mend the row, or set empty_trailing if rows end in delimiters",
        )
    return len(cells)


def _names(form: Form, delimiter: str, first_row: list[str]) -> list[str]:
    """Names of the columns: given, from the header, or c1 to cN."""
    count = len(first_row)
    if form.names is not None:
        if len(form.names) != count and not form.empty_trailing:
            raise form.fault(
                form.header + 1,
                f"the row has {count} cells, names has {len(form.names)}",
                "give one name for each column",
            )
        return form.names
    if not form.names_line:
        if form.empty_trailing:
            while count > 1 and not first_row[count - 1]:
                count -= 1
        return column_names(None, count) or []
    return _header_names(form, delimiter)


def _header_names(form: Form, delimiter: str) -> list[str]:
    """Names in the header, without blanks around them and none twice."""
    line = io.StringIO(form.text, newline=None).read().split("\n")[form.names_line - 1]
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise form.fault(
            form.names_line, f"cannot be split ({error})", "mend the header"
        ) from error
    names = [unicodedata.normalize("NFC", name.strip()) for name in cells]
    while form.empty_trailing and names and not names[-1]:
        names.pop()
    for at, name in enumerate(names):
        if not name or name in names[:at]:
            raise form.fault(
                form.names_line,
                f"the column name {name} stands twice" if name else f"column {at + 1} has no name",
                "mend the header, or give names in read",
            )
    return names


def _refuse_mixed(form: Form, scan: Scan) -> None:
    """Refuse a column that is used and holds both numbers and text."""
    mixed = {
        at
        for at, column in enumerate(scan.shapes)
        if scan.names[at] not in form.text_columns
        and (form.wanted is None or scan.names[at] in form.wanted)
        and len(kinds_of(column)) > 1
    }
    if not mixed:
        return
    for line, cells in rows_of(form, scan.delimiter):
        for at in sorted(mixed):
            cell = cells[at].strip()
            if cell not in form.missing and not forms_of(next(iter(shapes([cell])))):
                raise form.fault(
                    line,
                    f"column {scan.names[at]} holds {cell!r}, not a number",
                    "mend the cell, add it to read.missing, or list the column in read.text",
                )


def kinds_of(column: set[str]) -> set[bool]:
    """{True} for a column of numbers, {False} for text, both for a mixed one."""
    return {bool(forms_of(shape)) for shape in column}
