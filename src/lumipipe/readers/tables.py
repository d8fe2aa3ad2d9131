"""What every reader gives: tables of named columns, before anything knows what they mean.

The readers themselves are one module each beside this one; what turns a table into a
recording is in `lumipipe.readers.recording`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import Field

from lumipipe.config import Settings
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


_MOST_LISTED = 40  # columns in a message
_MOST_COLUMNS = 100_000  # of a table: a column takes memory and time however short it is


@dataclass(frozen=True)
class Table:
    """Columns of equal length that one instrument wrote in one go.

    Parameters
    ----------
    name : str
        Name of the table: the file's plain name, or a series' number inside the file.
    columns : dict of str to np.ndarray, shape (row,)
        Numbers (integers, float32, float64) or text (str in object arrays).
    attributes : dict of str to str
        What the file says about the whole table.
    first_line : int or None
        Line of the first row in a text file, from 1; None in a binary one.
    origin : np.ndarray or None, shape (row,), int64
        Where each row stands in the file, from 0; as they are where None.
    breaks : dict of int to str
        Row before which the instrument had stopped, to the cause, such as a timer pause: no
        window holds such a row and the one before it, however close their stamps are.
    notes : tuple of str
        What a reader of the report should know.
    alias : str or None
        What the record of a run calls the file, where its name may tell of persons.
    """

    name: str
    columns: dict[str, np.ndarray]
    attributes: dict[str, str]
    first_line: int | None
    origin: np.ndarray | None = None
    breaks: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    alias: str | None = None

    def row_place(self, row: int) -> str:
        """``line N`` of a row in a text file, ``row N`` (from 0) in a binary one."""
        row = row if self.origin is None else int(self.origin[row])
        line = self.first_line
        return finding(f"row {row}" if line is None else f"line {line + row}")


class ReaderOptions(Settings):
    """Keys of the section `read` of a source that all readers have; each has its own beside."""

    salvage: bool = False
    """Whether a damaged file is read as far as it is whole; its recordings are then marked with
    how much that was, and why no more."""
    most_bytes: Annotated[int, Field(ge=1)] | None = None
    """Bytes to which a compressed file, or compressed content, may unpack; where absent 64 MiB,
    or 100 times the compressed size if that is more."""

    def for_columns(
        self,
        numbers: set[str],  # noqa: ARG002
        text: set[str],  # noqa: ARG002
        *,
        others: bool = False,  # noqa: ARG002
    ) -> ReaderOptions:
        """These options, narrowed to columns used as numbers and as text unless `others` are."""
        return self

    def beside(self, file: Path) -> list[Path]:  # noqa: ARG002
        """Other files that decide what this one means; empty for most formats."""
        return []

    def placed(self, file: Path) -> ReaderOptions:  # noqa: ARG002
        """These options for a copy of a file in another folder."""
        return self

    @property
    def needs_digest(self) -> bool:
        """Whether the file may only be opened after its declared digest was checked."""
        return False


def alone(file: Path) -> list[Path]:
    """The files whose bytes decide what a file gives: that file only."""
    return [file]


class Reader(NamedTuple):
    """A file format: its settings and the function that opens it.

    ``read(file, options)`` yields one `Table` for each recording in the file; ``parts(file)``
    names the files that it looks into.
    """

    Options: type[ReaderOptions]
    read: Callable[[Path, Any], Iterator[Table]]
    parts: Callable[[Path], list[Path]] = alone


def column_names(names: list[str] | None, count: int) -> list[str] | None:
    """`names`, or c1 to cN where none are given; None where their number is not `count`."""
    if names is None:
        return [f"c{number}" for number in range(1, count + 1)]
    return names if len(names) == count else None


def refuse_width(file: Path, count: int) -> None:
    """Refuse a table with more columns than any instrument writes."""
    if count > _MOST_COLUMNS:
        raise RecordingError(
            shown(file),
            f"has {count} columns, more than any instrument writes",
            "check where it is from; transpose it if its rows are channels",
        )


def unknown_column(place: str, name: str, known: Iterable[str]) -> InputError:
    """An error that names the nearest of the columns that are there, and lists them."""
    names = list(known)
    near = [item for item in names if item.casefold() == name.casefold()]
    near = near or difflib.get_close_matches(name, names, n=1)
    listed = ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")
    guess = f"did you mean {near[0]}? " if near else ""
    return InputError(place, f"has no column {name}", f"{guess}its columns: {listed}")


def number_text(value: object) -> str:
    """A label or attribute as text: whole numbers without a decimal point.

    >>> number_text(1.0), number_text(2), number_text("left")
    ('1', '2', 'left')
    """
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.15g}"
    return str(value)
