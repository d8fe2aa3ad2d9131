"""Sheets of Excel and OpenDocument workbooks: .xls, .xlsx, .xlsb, .ods, by python-calamine.

Formulae give the values that the program saved with them. Nothing in a workbook is run.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.libraries import library
from lumipipe.readers.tables import ReaderOptions, Table, column_names, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_BYTES = 2**30  # a workbook is unpacked in memory


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
    rows = _rows(file, options.sheet)
    if options.header > len(rows):
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


def _rows(file: Path, sheet: str | None) -> list[list[Any]]:
    """All cells of a sheet, row by row."""
    calamine = library(file, "python_calamine", "python-calamine", "excel")
    size = file.stat().st_size
    if size > _MOST_BYTES:
        raise RecordingError(shown(file), f"has {size} bytes", "save the sheet as CSV")
    with open_binary(file) as stream:
        try:
            book = calamine.CalamineWorkbook.from_filelike(stream)
            names = list(book.sheet_names)
            if sheet is not None and sheet not in names:
                raise InputError(
                    shown(file), f"has no sheet {sheet}", f"use one of {', '.join(names)}"
                )
            found = book.get_sheet_by_name(names[0] if sheet is None else sheet)
            return list(found.to_python(skip_empty_area=False))
        except (calamine.CalamineError, OSError, IndexError) as error:
            raise RecordingError(
                shown(file), f"is damaged or no workbook ({error})", "save it again"
            ) from error


def _names(file: Path, options: Options, rows: list[list[Any]], width: int) -> list[str]:
    """Names of the columns; a column without one is passed over."""
    if options.names is None and options.header:
        found = [" ".join(str(cell).split()) for cell in rows[options.header - 1]]
        twice = {name for name in found if name and found.count(name) > 1}
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
