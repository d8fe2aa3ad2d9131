"""Tables of numbers between blanks, such as the Tennessee Eastman and C-MAPSS files.

Files with a delimiter, text columns or decimal commas are `lumipipe.readers.delimited`'s.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.tables import ReaderOptions, Table, column_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Options(ReaderOptions):
    """Keys of a file of numbers between blanks."""

    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the columns; c1 to cN where absent."""
    transpose: bool = False
    """Whether one line of the file is one column of the table."""
    header: Annotated[int, Field(ge=0)] = 0
    """Number of lines before the numbers, which are passed over."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a file of numbers between blanks.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; ASCII numbers with a decimal point.
    options : Options
        Names, direction and header lines.

    Yields
    ------
    Table
        Columns of float64.

    Raises
    ------
    RecordingError
        If the file is empty, a row has another length, or a cell is no number.
    InputError
        If `names` does not fit the columns.
    """
    with open_binary(file) as stream:
        lines = stream.read().decode("ascii", errors="surrogateescape").splitlines()
    lines = lines[options.header :]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
    _check_shape(file, lines, options.header)
    try:
        values = np.loadtxt(io.StringIO("\n".join(lines)), ndmin=2, comments=None)
    except (ValueError, UnicodeError) as error:
        raise _first_fault(file, lines, options.header) from error
    if options.transpose:
        values = values.T
    names = column_names(options.names, values.shape[1])
    if names is None:
        raise InputError(
            shown(file),
            f"has {values.shape[1]} columns, names has {len(options.names or [])}",
            "give one name for each column, or set transpose",
        )
    columns = {name: np.ascontiguousarray(values[:, at]) for at, name in enumerate(names)}
    first_line = None if options.transpose else options.header + 1
    yield Table(plain_name(file), columns, {}, first_line)


def _check_shape(file: Path, lines: list[str], skipped: int) -> None:
    """Refuse a blank line among the rows and a row of another length than the first."""
    count = len(lines[0].split())
    for number, line in enumerate(lines, start=skipped + 1):
        cells = len(line.split())
        if cells != count:
            raise RecordingError(
                f"{shown(file)}:{number}",
                f"the row has {cells} cells, the first has {count}",
                "mend the row, or set header to the number of lines before the numbers",
            )


def _first_fault(file: Path, lines: list[str], skipped: int) -> RecordingError:
    """The first cell that is no number."""
    for number, line in enumerate(lines, start=skipped + 1):
        for column, cell in enumerate(line.split(), start=1):
            try:
                float(cell)
            except ValueError:
                return RecordingError(
                    f"{shown(file)}:{number}",
                    f"column {column} holds {cell!a}, not a number",
                    "mend the cell, or read the file with format csv",
                )
    return RecordingError(shown(file), "holds something that is no number", "mend the file")
