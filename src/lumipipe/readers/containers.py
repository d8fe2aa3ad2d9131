"""Files that hold several tables: which of them are read, under which names, and what they say.

Each format has a module of its own, which lists the tables of a file as `Part`. What libraries
raise is turned into one line by `lumipipe.readers.libraries`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import plain_name, shown
from lumipipe.readers.tables import ReaderOptions, Table, number_text, unknown_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

TIME = "time"
"""Name of a column with the time of each row, which a reader gives."""
_MOST_LISTED = 20  # tables in a message


class ContainerOptions(ReaderOptions):
    """Keys of a file that holds several tables."""

    table: Annotated[str, Field(min_length=1)] | None = None
    """Name or glob of the tables to read; where absent, those with all columns asked for."""
    columns: list[str] | None = None
    """Columns to read, all where absent; a request's channels, labels and time narrow it."""

    def for_columns(
        self, numbers: set[str], text: set[str], *, others: bool = False
    ) -> ReaderOptions:
        """These options, narrowed to the tables that have the columns, unless `others` are used."""
        return self if others else self.model_copy(update={"columns": sorted(numbers | text)})

    @property
    def wanted(self) -> frozenset[str]:
        """Columns that are asked for; empty where all are read."""
        return frozenset(self.columns or ())


@dataclass(frozen=True)
class Part:
    """A table of a file before its samples are read.

    Parameters
    ----------
    name : str
        Name inside the file.
    columns : tuple of str
        Names of its columns.
    held : object
        What the format's module needs to read it.
    """

    name: str
    columns: tuple[str, ...]
    held: Any


def chosen(
    file: Path, options: ContainerOptions, parts: list[Part]
) -> Iterator[tuple[str, Part, list[str]]]:
    """The tables to read.

    Parameters
    ----------
    file : Path
        For messages and names.
    options : ContainerOptions
        Table and columns that are asked for.
    parts : list of Part
        All tables of the file that have rows.

    Yields
    ------
    tuple
        Name of the table (the file's where one alone is read), the table, columns to read.

    Raises
    ------
    InputError
        If no table has the name or the columns.
    RecordingError
        If the file has no rows at all.
    """
    if not parts:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
    named = [part for part in parts if options.table is None or _is_named(part, options.table)]
    if not named:
        raise InputError(shown(file), f"has no table {options.table}", f"use one of {_list(parts)}")
    found = [part for part in named if options.wanted <= set(part.columns)]
    if not found or (options.table is not None and len(found) < len(named)):
        raise _missing(file, options.wanted, [part for part in named if part not in found])
    for part in found:
        name = plain_name(file) if len(found) == 1 else part.name
        columns = [item for item in part.columns if not options.wanted or item in options.wanted]
        yield name, part, columns


def unique(names: Iterable[str]) -> list[str]:
    """Names told apart: the second x is x#2.

    >>> unique(["x", "y", "x", "x"])
    ['x', 'y', 'x#2', 'x#3']
    """
    seen: dict[str, int] = {}
    told: list[str] = []
    for name in names:
        seen[name] = number = seen.get(name, 0) + 1
        told.append(name if number == 1 else f"{name}#{number}")
    return told


def container_table(
    name: str, part: Part, columns: dict[str, np.ndarray], said: Mapping[str, Any]
) -> Table:
    """A table with its name inside the file and what the file says about it.

    Parameters
    ----------
    name : str
        From `chosen`.
    part : Part
        The table.
    columns : dict of str to np.ndarray, shape (row,)
        Values.
    said : mapping
        Attributes; None and empty text are left out, and so are units of other columns.

    Returns
    -------
    Table
        With the attribute ``table``.

    Raises
    ------
    ValueError
        If columns differ in length: the file is damaged.
    """
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"its columns have {min(lengths)} to {max(lengths)} rows")
    attributes = {
        key: number_text(value)
        for key, value in said.items()
        if value not in (None, "") and (not key.startswith("unit:") or key[5:] in columns)
    }
    return Table(name, columns, {"table": part.name, **attributes}, None)


def rate_text(step_s: float) -> str | None:
    """Samples per second of a fixed step, as text without the noise of the division.

    >>> rate_text(1.9999999999999998e-05), rate_text(0.0)
    ('50000', None)
    """
    return f"{1.0 / step_s:.12g}" if step_s > 0.0 else None


def utc_text(time_ns: int) -> str:
    """A time since 1970 as text, without zeros at its end.

    >>> utc_text(1_481_841_321_500_000_000)
    '2016-12-15T22:35:21.5Z'
    """
    return str(np.datetime64(time_ns, "ns")).rstrip("0").rstrip(".") + "Z"


def plain_column(values: np.ndarray) -> np.ndarray | None:
    """Values as a column of a table: numbers or text in this machine's byte order.

    Parameters
    ----------
    values : np.ndarray, shape (row,)
        As a library gave it.

    Returns
    -------
    np.ndarray or None
        Booleans as 0 and 1, float16 as float32, dates as int64 in their own step; None for what
        is neither number nor text.

    Examples
    --------
    >>> plain_column(np.array([b"on", b"off"])).tolist()
    ['on', 'off']
    """
    kind = values.dtype.kind
    if kind == "b":
        return values.astype(np.uint8)
    if kind == "f" and values.dtype.itemsize == np.dtype(np.float16).itemsize:
        return values.astype(np.float32)
    if kind in "iu" or (kind == "f" and values.dtype.itemsize <= np.dtype(np.float64).itemsize):
        return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    if kind in "mM":
        return values.astype(np.int64)
    if kind in "SU" or (kind == "O" and all(isinstance(item, str | bytes) for item in values)):
        return np.array([_text(item) for item in values.tolist()], dtype=object)
    return None


def _text(item: str | bytes) -> str:
    return item.decode("utf-8", errors="replace") if isinstance(item, bytes) else item


def _is_named(part: Part, pattern: str) -> bool:
    """Whether a table's name is the pattern, or matches it as a glob."""
    return part.name == pattern or fnmatchcase(part.name, pattern)


def _list(parts: list[Part]) -> str:
    """Names of tables, for a message."""
    more = ", ..." if len(parts) > _MOST_LISTED else ""
    return ", ".join(part.name for part in parts[:_MOST_LISTED]) + more


def _missing(file: Path, wanted: frozenset[str], parts: list[Part]) -> InputError:
    """An error about the table that has most of the columns asked for."""
    nearest = max(parts, key=lambda part: len(wanted & set(part.columns)))
    lacking = min(wanted - set(nearest.columns))
    return unknown_column(f"{shown(file)}: table {nearest.name}", lacking, nearest.columns)
