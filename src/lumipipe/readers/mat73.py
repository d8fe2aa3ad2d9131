"""MATLAB 7.3 files, by h5py: numbers, text, and structs and cells of those, under MATLAB's names.

Axes are MATLAB's. What is none of these (tables, strings, sparse, ...) is named, never guessed.
Files up to version 7.2 are `lumipipe.readers.mat5`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.containers import (
    ContainerOptions,
    Part,
    chosen,
    container_table,
    plain_column,
)
from lumipipe.readers.hdf5 import listed, members, open_hdf5, samples
from lumipipe.readers.libraries import damage
from lumipipe.readers.mat5 import matching_scalar, matching_variable
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_KIND = finding("MATLAB 7.3 file")
_MOST_VARIABLES = 100_000
_DEEPEST = 20  # structs in structs
_WIDEST = 4096  # columns of a matrix
_NUMBERS = {"double", "single", "logical"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class Options(ContainerOptions):
    """Keys of a MATLAB 7.3 file."""

    variables: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """Column to its variable: a name such as data.acc(:,1), an ending, or a glob; where absent,
    all vectors and matrices are read, those of one length as one table."""
    scalars: dict[str, str] = {}
    """Attribute to a variable with one number or a text; a key such as rpm? may find none."""


@dataclass(frozen=True)
class _Series:
    """One column of a table: a vector, or a part of a matrix."""

    item: Any
    row: int | None = None  # of a matrix with more columns than rows
    column: int | None = None  # of any other matrix
    rows: int = 0


class _Contents:
    """What a file holds, under the names that MATLAB would use."""

    def __init__(self, most_bytes: int | None) -> None:
        self.most_bytes = most_bytes
        self.series: dict[str, _Series] = {}
        self.scalars: dict[str, Any] = {}
        self.unread: list[str] = []
        self.count = 0


def read(file: Path, options: Options) -> Iterator[Table]:
    """The table of the named variables, or one table for each length of vectors.

    Parameters
    ----------
    file : Path
        Version 7.3.
    options : Options
        Which variables are columns, which are attributes.

    Yields
    ------
    Table
        Columns in MATLAB's number type. The rows of a matrix are samples where it is longer than
        wide: its columns are NAME(:,k); else its rows, as NAME(k,:), and both where it is square.
        Elements of struct arrays and cells are NAME(k).FIELD and NAME{k}, a cell of texts is a
        column of text, complex numbers are NAME.re and NAME.im. What was not read, with its
        class, is the attribute ``not_read``.

    Raises
    ------
    InputError
        If h5py is not installed, or a variable is not found once.
    RecordingError
        If the file is truncated or damaged, named vectors differ in length, or it has none.
    """
    with open_hdf5(file, options.most_bytes) as opened:
        with damage(file, _KIND):
            held = _Contents(options.most_bytes)
            for key, item in members(opened):
                if not key.startswith("#"):
                    _collect(file, held, key, item, 0)
            said = _said(file, held, options)
            parts = _parts(file, held, options)
        if not parts:
            raise RecordingError(
                shown(file),
                f"holds no vector; it has {listed([*held.scalars, *held.unread]) or 'nothing'}",
                "leave it out, or save its data as numbers",
            )
        for name, part, columns in chosen(file, options, parts):
            with damage(file, _KIND):
                loaded: dict[str, np.ndarray] = {}  # a matrix is read once for all its columns
                values = {
                    column: _values(file, held, column, part.held[column], loaded)
                    for column in columns
                }
                table = container_table(name, part, values, said)
            yield table


def _collect(file: Path, held: _Contents, name: str, item: Any, depth: int) -> None:
    """Note a variable and all that it contains."""
    held.count += 1
    if held.count > _MOST_VARIABLES or depth > _DEEPEST:
        raise ValueError("too many variables, or structs that contain themselves")
    kind = _class(item)
    if item.attrs.get("MATLAB_empty", 0):
        return
    if kind == "struct" and not hasattr(item, "shape"):
        for field, value in members(item):
            _collect_field(file, held, f"{name}.{field}", value, depth + 1)
    elif kind == "cell":
        _collect_cell(file, held, name, item, depth + 1)
    elif kind == "char" and item.ndim == 2 and item.shape[1] == 1:  # noqa: PLR2004
        held.scalars[name] = item
    elif kind in _NUMBERS:
        _collect_numbers(held, name, item)
    else:
        held.unread.append(f"{name} ({kind or 'no class'})")


def _class(item: Any) -> str:
    """MATLAB's class of a variable; sparse ones are a class of their own here."""
    said = item.attrs.get("MATLAB_class", b"")
    kind = said.decode("latin1") if isinstance(said, bytes) else str(said)
    return f"sparse {kind}" if "MATLAB_sparse" in item.attrs else kind


def _collect_field(file: Path, held: _Contents, name: str, item: Any, depth: int) -> None:
    """Note a field: of a struct, or of each element of a struct array."""
    if not hasattr(item, "shape") or "MATLAB_class" in item.attrs or item.dtype.kind != "O":
        _collect(file, held, name, item, depth)
        return
    owner, _, field = name.rpartition(".")
    for at, reference in enumerate(samples(file, item, held.most_bytes).T.reshape(-1, order="F")):
        _collect(file, held, f"{owner}({at + 1}).{field}", item.file[reference], depth)


def _collect_cell(file: Path, held: _Contents, name: str, item: Any, depth: int) -> None:
    """Note the elements of a cell array; texts alone are a column."""
    elements = [
        item.file[link] for link in samples(file, item, held.most_bytes).T.reshape(-1, order="F")
    ]
    if len(elements) == max(item.shape) > 1 and all(_is_text(element) for element in elements):
        held.series[name] = _Series(elements, rows=len(elements))
        return
    for at, element in enumerate(elements):
        _collect(file, held, f"{name}{{{at + 1}}}", element, depth)


def _is_text(item: Any) -> bool:
    return _class(item) == "char" and hasattr(item, "shape")


def _collect_numbers(held: _Contents, name: str, item: Any) -> None:
    """Note a number, a vector, or the columns of a matrix."""
    names = (".re", ".im") if item.dtype.names else ("",)
    if item.ndim != 2 or min(item.shape) > _WIDEST:  # noqa: PLR2004
        held.unread.append(f"{name} (shape {item.shape[::-1]})")
        return
    wide, long = item.shape  # of MATLAB's array, columns and rows
    if wide == long == 1:
        held.scalars[name] = item
        return
    vector = {"": _Series(item, rows=wide * long)} if 1 in (wide, long) else {}
    columns = range(wide if long >= wide > 1 else 0)
    rows = range(long if wide >= long > 1 else 0)
    found = (
        vector
        | {f"(:,{at + 1})": _Series(item, column=at, rows=long) for at in columns}
        | {f"({at + 1},:)": _Series(item, row=at, rows=wide) for at in rows}
    )
    for part in names:
        held.series |= {f"{name}{place}{part}": series for place, series in found.items()}


def _parts(file: Path, held: _Contents, options: Options) -> list[Part]:
    """The tables: of the named variables, or of all vectors by length."""
    if options.variables is None:
        by_length: dict[int, list[str]] = {}
        for name, series in held.series.items():
            by_length.setdefault(series.rows, []).append(name)
        return [
            Part(f"{rows} rows", tuple(names), {name: held.series[name] for name in names})
            for rows, names in by_length.items()
        ]
    wanted = {
        column: matching_variable(file, column, pattern, list(held.series))
        for column, pattern in options.variables.items()
        if not options.wanted or column in options.wanted
    }
    lengths = {name: held.series[name].rows for name in wanted.values()}
    if len(set(lengths.values())) > 1:
        listing = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise RecordingError(
            shown(file), f"its vectors differ in length: {listing}", "read them as two sources"
        )
    found = {column: held.series[name] for column, name in wanted.items()}
    return [Part("variables", tuple(found), found)] if found else []


def _values(
    file: Path, held: _Contents, column: str, series: _Series, loaded: dict[str, np.ndarray]
) -> np.ndarray:
    """The samples of one column."""
    if isinstance(series.item, list):
        return np.array([_characters(file, held, element) for element in series.item], dtype=object)
    if series.item.name not in loaded:
        loaded[series.item.name] = samples(file, series.item, held.most_bytes).T
    content = loaded[series.item.name]
    if series.row is not None:
        content = content[series.row]
    elif series.column is not None:
        content = content[:, series.column]
    if content.dtype.names:
        content = content["imag" if column.endswith(".im") else "real"]
    found = plain_column(content.reshape(-1))
    if found is None:
        raise ValueError(f"{column} holds {content.dtype}")
    return found


def _characters(file: Path, held: _Contents, item: Any) -> str:
    """The text of a row of characters, which MATLAB stores as UTF-16."""
    if item.attrs.get("MATLAB_empty", 0):
        return ""
    codes = samples(file, item, held.most_bytes).reshape(-1)
    return codes.astype("<u2").tobytes().decode("utf-16-le", errors="replace")


def _said(file: Path, held: _Contents, options: Options) -> dict[str, Any]:
    """Attributes: the scalars that were asked for, and what was not read."""
    said: dict[str, Any] = {}
    for key, pattern in options.scalars.items():
        name = matching_scalar(file, key, pattern, list(held.scalars))
        if name is not None:
            said[key.rstrip("?")] = _scalar(file, held, held.scalars[name])
    said["not_read"] = listed(held.unread)
    return said


def _scalar(file: Path, held: _Contents, item: Any) -> str:
    """One number or text as text."""
    if _is_text(item):
        return _characters(file, held, item)
    return number_text(samples(file, item, held.most_bytes).reshape(-1)[0])
