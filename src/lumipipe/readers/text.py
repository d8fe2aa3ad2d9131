"""Tables of numbers between blanks, such as the Tennessee Eastman and C-MAPSS files.

Files with a delimiter, text columns or decimal commas are `lumipipe.readers.delimited`'s.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, model_validator

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.salvage import Whole, whole_lines
from lumipipe.readers.tables import ReaderOptions, Table, column_names, refuse_width

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
    each_line: bool = False
    """Whether each line is a recording of its own: its numbers are one column, and the column
    `sample` counts them from 0."""
    block_lines: Annotated[int, Field(ge=1)] | None = None
    """Lines whose recordings share the attribute `block`, so that neighbours go together."""

    @model_validator(mode="after")
    def _lines_alone(self) -> Options:
        if self.each_line and self.transpose:
            raise ValueError("each_line and transpose exclude each other; give one of the two")
        if self.block_lines is not None and not self.each_line:
            raise ValueError("block_lines is set but each_line is not; give both or none")
        return self


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a file of numbers between blanks, or one for each of its lines.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; ASCII numbers with a decimal point.
    options : Options
        Names, direction and header lines.

    Yields
    ------
    Table
        Columns of float64. One of a line has the attribute `line`, its number from 1, and
        `block` where lines are put into blocks.

    Raises
    ------
    RecordingError
        If the file is empty, a row has another length, or a cell is no number.
    InputError
        If `names` does not fit the columns.
    """
    with open_binary(file, options.most_bytes) as stream:
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
    if options.each_line:
        yield from _each_line(file, values, options)
        return
    if options.transpose:
        values = values.T
    refuse_width(file, values.shape[1])
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


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The content up to its last whole line."""
    return whole_lines(content)


def _each_line(file: Path, values: np.ndarray, options: Options) -> Iterator[Table]:
    """One table for each line: its numbers and their places."""
    names = column_names(options.names, 1)
    if names is None:
        raise InputError(shown(file), "each line is one column", "give one name, or none")
    width, block = len(str(len(values))), options.block_lines
    for number, row in enumerate(values):
        said = {"line": f"{number + 1:0{width}d}"}
        if block is not None:
            said["block"] = f"{number // block:0{width}d}"
        columns = {names[0]: row, "sample": np.arange(len(row), dtype=np.float64)}
        yield Table(said["line"], columns, said, None)


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
