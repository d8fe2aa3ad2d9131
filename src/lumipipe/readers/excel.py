"""Sheets of Excel and OpenDocument workbooks: .xls, .xlsx, .xlsb, .ods, by python-calamine.

Formulae give the values that the program saved with them. Nothing in a workbook is run.
calamine runs in a process of its own: it ends where a sheet spans more cells than fit in memory.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.archives import refuse_archive
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.isolated import isolated
from lumipipe.readers.libraries import damage, installed, library
from lumipipe.readers.tables import ReaderOptions, Table, column_names, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_MOST_BYTES = 2**30  # a workbook is unpacked in memory
_MOST_SEEN = 200  # rows
_ALWAYS_CELLS, _CELLS_PER_BYTE = 1_000_000, 4  # a cell takes a byte or so in a workbook
_ZIP = b"PK"


class Options(ReaderOptions):
    """Keys of a workbook."""

    sheet: str | None = None
    """Name of the sheet; the first one where absent."""
    header: Annotated[int, Field(ge=0)] = 1
    """Number of the row with the names of the columns, from 1; 0 where there is none."""
    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the columns in place of those in the sheet."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a sheet.

    Parameters
    ----------
    file : Path
        A workbook.
    options : Options
        Sheet, header and names.

    Yields
    ------
    Table
        float64 where all cells of a column are numbers or empty (NaN), text elsewhere; dates
        are text such as 2018-12-31T00:15:00.

    Raises
    ------
    InputError
        If python-calamine is not installed, or the sheet or a name is not there.
    RecordingError
        If the workbook is damaged or the sheet has no rows.
    """
    installed(file, "python_calamine", "python-calamine", "excel")
    open_binary(file, options.most_bytes).close()
    yield from isolated(file, "excel", options)


def prepare(file: Path) -> None:
    """Load what reading a file needs, before memory is limited."""
    library(file, "python_calamine", "python-calamine", "excel")


def tables(file: Path, options: Options) -> Iterator[Table]:
    """As `read`, in this process.

    Parameters
    ----------
    file : Path
        A workbook.
    options : Options
        Sheet, header and names.

    Yields
    ------
    Table
        As `read` yields it.
    """
    rows = _rows(file, options)
    if rows and options.header > len(rows):
        raise InputError(
            shown(file), f"has {len(rows)} rows, header is {options.header}", "mend read.header"
        )
    cells = [row for row in rows[options.header :] if any(cell != "" for cell in row)]
    if not cells:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
    names = _names(file, options, rows, len(cells[0]))
    columns = {
        name: _column([row[number] for row in cells]) for number, name in enumerate(names) if name
    }
    yield Table(plain_name(file), columns, {}, None)


def _rows(file: Path, options: Options) -> list[list[Any]]:
    """All cells of a sheet, row by row."""
    with _workbook(file, options) as (book, size):
        names = list(book.sheet_names)
        sheet = names[0] if options.sheet is None else options.sheet
        if sheet not in names:
            raise InputError(shown(file), f"has no sheet {sheet}", f"use one of {', '.join(names)}")
        found = book.get_sheet_by_name(sheet)
        _refuse_span(file, found, size)
        return list(found.to_python(skip_empty_area=False))


@contextmanager
def _workbook(file: Path, options: Options) -> Iterator[tuple[Any, int]]:
    """A workbook that is open, and its size in bytes; what is damaged is refused."""
    calamine = library(file, "python_calamine", "python-calamine", "excel")
    with open_binary(file, options.most_bytes) as stream:
        size = stream.seek(0, 2)
        if size > _MOST_BYTES:
            raise RecordingError(shown(file), f"has {size} bytes", "save the sheet as CSV")
        _refuse_bomb(file, stream, options)
        with damage(file, finding("workbook")):
            yield calamine.CalamineWorkbook.from_filelike(stream), size


def _refuse_bomb(file: Path, stream: BinaryIO, options: Options) -> None:
    """Refuse a workbook whose archive unpacks to far more than its size."""
    stream.seek(0)
    is_archive = stream.read(2) == _ZIP
    stream.seek(0)
    if is_archive:
        refuse_archive(file, stream, options.most_bytes)


def _refuse_span(file: Path, sheet: Any, size: int) -> None:
    """Refuse a sheet with far more cells than its file can hold: one that stands far out."""
    cells = sheet.total_height * sheet.total_width
    if cells > _ALWAYS_CELLS + _CELLS_PER_BYTE * size:
        raise RecordingError(
            shown(file),
            f"its sheet spans {sheet.total_height} rows and {sheet.total_width} columns, nearly "
            "all of them empty",
            "delete the cells that stand far out",
        )


def sheets(file: Path) -> dict[str, list[list[str]]]:
    """The first cells of each sheet as text, to see what is where.

    Parameters
    ----------
    file : Path
        A workbook.

    Returns
    -------
    dict of str to list of list of str
        Name of the sheet to its first 200 rows; empty cells are empty text.

    Raises
    ------
    InputError
        As `read` does.
    """
    found = {}
    with _workbook(file, Options()) as (book, size):
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            _refuse_span(file, sheet, size)
            rows = sheet.to_python(skip_empty_area=False, nrows=_MOST_SEEN)
            found[name] = [[_text(cell) for cell in row] for row in rows]
    return found


def _names(file: Path, options: Options, rows: list[list[Any]], width: int) -> list[str]:
    """Names of the columns; a column without one is passed over."""
    if options.names is None and options.header:
        found = [" ".join(str(cell).split()) for cell in rows[options.header - 1]]
        twice = {name for name, count in Counter(found).items() if name and count > 1}
        if twice:
            raise InputError(
                shown(file), f"has two columns {min(twice)}", "name the columns in read.names"
            )
        return found
    names = column_names(options.names, width)
    if names is None:
        raise InputError(
            shown(file),
            f"has {width} columns, names has {len(options.names or [])}",
            "give one name for each column",
        )
    return names


def _column(cells: list[Any]) -> np.ndarray:
    """A column as numbers, or as text where a cell is neither number nor empty."""
    if all(cell == "" or _is_number(cell) for cell in cells):
        return np.array([np.nan if cell == "" else float(cell) for cell in cells])
    return np.array([_text(cell) for cell in cells], dtype=object)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _text(cell: Any) -> str:
    """A cell as text: dates and times in ISO form; midnight is a time, too."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    if isinstance(cell, datetime | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else number_text(cell)
