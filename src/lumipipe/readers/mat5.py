"""MATLAB files up to version 7.2, in which variables are looked up by name, ending or pattern.

MATLAB 7.3 files are HDF5: `lumipipe.readers.mat73`.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING, Annotated, BinaryIO

import numpy as np
from pydantic import Field
from scipy.io import loadmat, whosmat

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import (
    ALWAYS_BYTES,
    MOST_DEFLATED,
    MOST_RATIO,
    inflated_size,
    open_binary,
    plain_name,
    shown,
)
from lumipipe.readers.salvage import Whole
from lumipipe.readers.tables import ReaderOptions, Table, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER_BYTES = 128
_TAG_BYTES = 8  # type and length before each element
_PACKED = 15  # type of an element that is compressed
_MOST_ELEMENTS = 100_000
# Classes of variables that are loaded: a cell may hold a million others.
_NUMBERS = {"double", "single", "logical"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}


class Options(ReaderOptions):
    """Keys of a MATLAB file."""

    variables: Annotated[dict[str, str], Field(min_length=1)]
    """Column to its variable: a name, an ending such as _DE_time, or a glob such as *_DE_time."""
    scalars: dict[str, str] = {}
    """Attribute to a variable that holds one number; a key such as rpm? may find none."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a MATLAB file.

    Parameters
    ----------
    file : Path
        Version 4 to 7.2.
    options : Options
        Which variables are columns, which are attributes.

    Yields
    ------
    Table
        Columns in the number type that MATLAB had.

    Raises
    ------
    InputError
        If a variable is not found once, or the file is of version 7.3: format mat73.
    RecordingError
        If the file is truncated, or vectors differ in length.
    """
    with open_binary(file, options.most_bytes) as stream:
        _refuse_hdf5(file, stream)
        _refuse_bomb(file, stream, options.most_bytes)
        classes = _variables(file, stream)
        known = list(classes)
        wanted = {
            column: matching_variable(file, column, pattern, known)
            for column, pattern in options.variables.items()
        }
        said = {
            key.rstrip("?"): found
            for key, pattern in options.scalars.items()
            if (found := matching_scalar(file, key, pattern, known)) is not None
        }
        for name in wanted.values():
            _refuse_class(
                file, name, classes[name], _NUMBERS, finding("it is no vector of numbers")
            )
        for name in said.values():
            _refuse_class(
                file, name, classes[name], _NUMBERS | {"char"}, finding("it is no single number")
            )
        content = _load(file, stream, [*wanted.values(), *said.values()])
    columns = {column: _vector(file, name, content[name]) for column, name in wanted.items()}
    lengths = {wanted[column]: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise RecordingError(
            shown(file), f"its vectors differ in length: {listed}", "read them as two sources"
        )
    attributes = {key: _scalar(file, name, content[name]) for key, name in said.items()}
    yield Table(plain_name(file), columns, attributes, None)


def vectors(file: Path) -> tuple[dict[str, int], list[str]]:
    """Vectors of a file with their lengths, and its variables of one number or text.

    Parameters
    ----------
    file : Path
        Version 4 to 7.2.

    Returns
    -------
    tuple of dict of str to int, and list of str
        For `Options.variables` and `Options.scalars`.

    Raises
    ------
    InputError
        As `read` does.
    """
    with open_binary(file) as stream:
        _refuse_hdf5(file, stream)
        _variables(file, stream)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listed = whosmat(stream)
    kinds = _NUMBERS | {"char"}
    plain = {name: shape for name, shape, kind in listed if kind in kinds and len(shape) == 2}  # noqa: PLR2004
    numbers = {name for name, _, kind in listed if kind in _NUMBERS}
    found = {name: max(shape) for name, shape in plain.items() if name in numbers}
    long = {name: rows for name, rows in found.items() if min(plain[name]) == 1 < rows}
    return long, [name for name in plain if min(plain[name]) == 1 and name not in long]


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The variables before the one that was cut short, of a version 5 file."""
    ends = [first + length for first, _, length in _elements(io.BytesIO(content))]
    end = max((end for end in ends if end <= len(content)), default=0)
    if not end or end == len(content):
        return None
    return Whole(content[:end], end, len(content), finding("the variable after them is cut short"))


def _refuse_hdf5(file: Path, stream: BinaryIO) -> None:
    """Refuse a MATLAB 7.3 file, which is HDF5 behind a text of 512 bytes."""
    head = stream.read(520)
    stream.seek(0)
    if head.startswith((_HDF5, b"MATLAB 7.3 MAT-file")) or head[512:520] == _HDF5:
        raise InputError(
            shown(file), "is a MATLAB 7.3 file (HDF5)", "set format: mat73, or save it with -v7"
        )


def _refuse_class(file: Path, name: str, kind: str, known: set[str], problem: str) -> None:
    """Refuse a variable of another class before it is loaded."""
    if kind not in known:
        raise RecordingError(
            f"{shown(file)}: variable {name}",
            f"has class {kind}, {problem}",
            "name another variable, or save its numbers",
        )


def _refuse_bomb(file: Path, stream: BinaryIO, most_bytes: int | None) -> None:
    """Refuse variables that unpack to far more than the file's size, and too many of them."""
    held = stream.seek(0, 2)
    elements = list(islice(_elements(stream), _MOST_ELEMENTS + 1))
    if len(elements) > _MOST_ELEMENTS:
        raise RecordingError(
            shown(file), f"has more than {_MOST_ELEMENTS} variables", "check where it is from"
        )
    packed = [(at, length) for at, kind, length in elements if kind == _PACKED]
    most = max(ALWAYS_BYTES, MOST_RATIO * held) if most_bytes is None else most_bytes
    left = most
    if MOST_DEFLATED * sum(length for _, length in packed) > most:
        for at, length in packed:
            stream.seek(at)
            with suppress(zlib.error, EOFError):  # SciPy says which variable it is
                left -= inflated_size(stream, length, left)
            if left < 0:
                raise RecordingError(
                    shown(file),
                    f"its {held} bytes unpack to more than {most}, as those of bombs do",
                    "check where it is from; if you trust it, set read.most_bytes to its unpacked "
                    "size",
                )
    stream.seek(0)


def _variables(file: Path, stream: BinaryIO) -> dict[str, str]:
    """The variables in a file that is whole, by name, and their classes."""
    fault = _truncation(stream)
    stream.seek(0)
    found: dict[str, str] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unreadable objects are not asked for
            found = {name: kind for name, _, kind in whosmat(stream)}
    except Exception as error:  # noqa: BLE001 (SciPy's depends on where the damage starts)
        fault = fault or finding(f"cannot be read as a MATLAB file ({error})")
    stream.seek(0)
    if fault is not None:
        last = f"{shown(file)}: variable {list(found)[-1]}" if found else shown(file)
        raise RecordingError(last, fault, "copy the file again from its source")
    return found


def _elements(stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Of a version 5 file, where the content of each element begins, its type and its length."""
    end = stream.seek(0, 2)
    stream.seek(0)
    header = stream.read(_HEADER_BYTES)
    if 0 in header[:4]:
        return  # version 4 has no such lengths
    order = "<" if header[126:128] == b"IM" else ">"
    position = _HEADER_BYTES
    while position < end:
        stream.seek(position)
        tag = stream.read(_TAG_BYTES).ljust(_TAG_BYTES, b"\0")
        kind, length = struct.unpack(f"{order}II", tag)
        position += _TAG_BYTES
        yield position, kind, length
        position += length


def _truncation(stream: BinaryIO) -> str | None:
    """Where a version 5 file ends too early, told from the lengths before its elements."""
    end = stream.seek(0, 2)
    if end < _HEADER_BYTES + _TAG_BYTES and not _is_version_4(stream):
        return finding(f"ends at byte {end}, inside its header")
    for first, _, length in _elements(stream):
        if first + length > end:
            needed = first + length
            return finding(
                f"is truncated: it ends at byte {end}, its last variable at byte {needed}"
            )
    return None


def _is_version_4(stream: BinaryIO) -> bool:
    stream.seek(0)
    return 0 in stream.read(4)


def matching_variable(file: Path, column: str, pattern: str, known: list[str]) -> str:
    """The one variable of that name, ending or glob."""
    if pattern in known:
        return pattern
    glob = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}"
    found = [name for name in known if fnmatchcase(name, glob)]
    if len(found) != 1:
        raise InputError(
            f"{shown(file)}: variable {pattern}",
            f"{len(found)} variables match for {column}",
            f"name one of: {', '.join(found or known)}",
        )
    return found[0]


def matching_scalar(file: Path, key: str, pattern: str, known: list[str]) -> str | None:
    """Like `matching_variable`; None for an optional attribute that the file has not."""
    optional = key.endswith("?") or pattern.endswith("?")
    try:
        return matching_variable(file, key.rstrip("?"), pattern.rstrip("?"), known)
    except InputError:
        if optional:
            return None
        raise


def _load(file: Path, stream: BinaryIO, names: list[str]) -> dict[str, np.ndarray]:
    """The named variables in the number type that MATLAB had."""
    try:
        content: dict[str, np.ndarray] = loadmat(stream, variable_names=names, mat_dtype=True)
    except Exception as error:  # what SciPy raises depends on where the damage starts
        raise RecordingError(
            f"{shown(file)}: one of {', '.join(names)}",
            f"is damaged ({error})",
            "copy the file again from its source",
        ) from error
    return content


def _vector(file: Path, name: str, value: np.ndarray) -> np.ndarray:
    """A row or column vector of numbers as shape (row,), in this machine's byte order."""
    is_vector = sorted(value.shape)[:-1] == [1]  # (row, 1) or (1, row)
    if value.dtype.kind not in "iuf" or not is_vector:
        raise RecordingError(
            f"{shown(file)}: variable {name}",
            f"has shape {value.shape} and type {value.dtype}, it is no vector of numbers",
            "name a vector",
        )
    return np.ascontiguousarray(value.ravel(), dtype=value.dtype.newbyteorder("="))


def _scalar(file: Path, name: str, value: np.ndarray) -> str:
    """A variable with one number, or a text, as text."""
    if value.size != 1 or value.dtype.kind not in "biufU":
        raise RecordingError(
            f"{shown(file)}: variable {name}",
            f"has shape {value.shape}, it is no single number",
            "name a variable with one number",
        )
    return number_text(value.ravel()[0])
