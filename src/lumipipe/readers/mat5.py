"""MATLAB files up to version 7.2, in which variables are looked up by name, ending or pattern.

MATLAB 7.3 files are HDF5: `lumipipe.readers.mat73`.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, BinaryIO

import numpy as np
from pydantic import Field
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.tables import ReaderOptions, Table, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER_BYTES = 128
_TAG_BYTES = 8  # type and length before each element
# What SciPy raises on a damaged file depends on the byte at which the damage starts.
_DAMAGE = (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    LookupError,
    MatReadError,
    zlib.error,
    MemoryError,
)


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
    with open_binary(file) as stream:
        _refuse_hdf5(file, stream)
        known = _variables(file, stream)
        wanted = {
            column: matching_variable(file, column, pattern, known)
            for column, pattern in options.variables.items()
        }
        said = {
            key.rstrip("?"): found
            for key, pattern in options.scalars.items()
            if (found := matching_scalar(file, key, pattern, known)) is not None
        }
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


def _refuse_hdf5(file: Path, stream: BinaryIO) -> None:
    """Refuse a MATLAB 7.3 file, which is HDF5 behind a text of 512 bytes."""
    head = stream.read(520)
    stream.seek(0)
    if head.startswith((_HDF5, b"MATLAB 7.3 MAT-file")) or head[512:520] == _HDF5:
        raise InputError(
            shown(file), "is a MATLAB 7.3 file (HDF5)", "set format: mat73, or save it with -v7"
        )


def _variables(file: Path, stream: BinaryIO) -> list[str]:
    """Names of the variables in a file that is whole."""
    fault = _truncation(stream)
    stream.seek(0)
    names: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unreadable objects are not asked for
            names = [name for name, *_ in whosmat(stream)]
    except _DAMAGE as error:
        fault = fault or f"cannot be read as a MATLAB file ({error})"
    stream.seek(0)
    if fault is not None:
        last = f"{shown(file)}: variable {names[-1]}" if names else shown(file)
        raise RecordingError(last, fault, "copy the file again from its source")
    return names


def _truncation(stream: BinaryIO) -> str | None:
    """Where a version 5 file ends too early, told from the lengths before its elements."""
    end = stream.seek(0, 2)
    stream.seek(0)
    header = stream.read(_HEADER_BYTES)
    if 0 in header[:4]:
        return None  # version 4 has no such lengths
    if end < _HEADER_BYTES + _TAG_BYTES:
        return f"ends at byte {end}, inside its header"
    order = "<" if header[126:128] == b"IM" else ">"
    position = _HEADER_BYTES
    while position < end:
        stream.seek(position)
        tag = stream.read(_TAG_BYTES)
        needed = position + _TAG_BYTES
        if len(tag) == _TAG_BYTES:
            needed += struct.unpack(f"{order}II", tag)[1]
        if needed > end:
            return f"is truncated: it ends at byte {end}, its last variable at byte {needed}"
        position = needed
    return None


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
    except _DAMAGE as error:
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
