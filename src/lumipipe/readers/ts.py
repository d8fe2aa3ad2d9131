"""The ``.ts`` text layout of the UEA and UCR archives: one series a line, its class at the end.

Header lines start with @, dimensions are separated by colons, values by commas. Series with
time stamps and regression targets are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, shown
from lumipipe.readers.salvage import Whole, whole_lines
from lumipipe.readers.tables import ReaderOptions, Table, column_names, refuse_width

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Options(ReaderOptions):
    """Keys of a .ts file."""

    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the dimensions; c1 to cN where absent."""


@dataclass(frozen=True)
class _Header:
    """What the lines with @ say."""

    has_class: bool
    classes: tuple[str, ...]
    dimensions: int | None
    length: int | None
    equal_length: bool
    data_line: int


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each series of a .ts file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Names of the dimensions.

    Yields
    ------
    Table
        Columns of float64 (a ``?`` is NaN) and the attribute ``class`` where the file has one.

    Raises
    ------
    RecordingError
        If a line contradicts the header, or a value is no number.
    InputError
        If the file has time stamps or targets, or `names` does not fit.
    """
    with open_binary(file, options.most_bytes) as stream:
        text = stream.read().decode("utf-8-sig", errors="surrogateescape")
    lines = text.replace("\r\n", "\n").split("\n")
    header = _header(file, lines)
    rows = [
        (number, line.strip())
        for number, line in enumerate(lines[header.data_line :], start=header.data_line + 1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        raise RecordingError(shown(file), "has no series after @data", "fetch the file again")
    width = max(3, len(str(len(rows) - 1)))
    shape: tuple[int, int] | None = None
    for number, (line, content) in enumerate(rows):
        refuse_width(file, content.count(":") + 1)
        series, label = _series(f"{shown(file)}:{line}", content, header)
        shape = _same_shape(f"{shown(file)}:{line}", series, header, shape)
        names = column_names(options.names, len(series))
        if names is None:
            raise InputError(
                shown(file),
                f"has {len(series)} dimensions, names has {len(options.names or [])}",
                "give one name for each dimension",
            )
        said = {} if label is None else {"class": label}
        columns = dict(zip(names, series, strict=True))
        yield Table(f"{number:0{width}d}", columns, said, None)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The content up to its last whole line."""
    return whole_lines(content)


def _header(file: Path, lines: list[str]) -> _Header:
    """The keys before @data."""
    keys: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if not words[0].startswith("@"):
            raise RecordingError(
                f"{shown(file)}:{number}", "is data before @data", "fetch the file again"
            )
        key = words[0][1:].lower()
        if key == "data":
            return _checked(file, keys, number)
        keys[key] = words[1:]
    raise RecordingError(shown(file), "has no line @data", "fetch the file again")


def _checked(file: Path, keys: dict[str, list[str]], data_line: int) -> _Header:
    """The keys as a header, or a refusal of what is not read here."""
    for key in ("timestamps", "targetlabel"):
        if _is_true(keys, key):
            raise InputError(shown(file), f"has @{key}", "give a file with plain values only")
    label = keys.get("classlabel", [])
    dimensions, length = keys.get("dimensions"), keys.get("serieslength")
    if _is_true(keys, "univariate"):
        dimensions = ["1"]
    try:
        return _Header(
            has_class=_is_true(keys, "classlabel"),
            classes=tuple(label[1:]),
            dimensions=int(dimensions[0]) if dimensions else None,
            length=int(length[0]) if length else None,
            equal_length=_is_true(keys, "equallength"),
            data_line=data_line,
        )
    except (ValueError, IndexError) as error:
        raise RecordingError(
            shown(file), "@dimensions or @seriesLength has no number", "mend the header"
        ) from error


def _is_true(keys: dict[str, list[str]], key: str) -> bool:
    """Whether a key of the header says true."""
    return keys.get(key, ["false"])[:1] in (["true"], ["True"])


def _series(place: str, content: str, header: _Header) -> tuple[list[np.ndarray], str | None]:
    """Values of each dimension, and the class."""
    parts = content.split(":")
    label = parts.pop().strip() if header.has_class else None
    if label is not None and header.classes and label not in header.classes:
        raise RecordingError(
            place, f"its class {label!r} is not in the header", "mend the line or @classLabel"
        )
    return [_values(place, at, part) for at, part in enumerate(parts, start=1)], label


def _values(place: str, dimension: int, part: str) -> np.ndarray:
    """Numbers between commas or blanks; a ? is NaN."""
    values = []
    for cell in part.split("," if "," in part else None):
        try:
            values.append(np.nan if cell.strip() == "?" else float(cell))
        except ValueError as error:
            raise RecordingError(
                place, f"dimension {dimension} holds {cell!r}, not a number", "mend the value"
            ) from error
    return np.array(values, dtype=np.float64)


def _same_shape(
    place: str, series: list[np.ndarray], header: _Header, first: tuple[int, int] | None
) -> tuple[int, int]:
    """Dimensions and length of a series, checked against the header and the first series."""
    lengths = {len(values) for values in series}
    if len(lengths) != 1:
        raise RecordingError(
            place, f"its dimensions have {sorted(lengths)} values", "mend the line"
        )
    shape = (len(series), lengths.pop())
    expected = header.dimensions or (first[0] if first else shape[0])
    if shape[0] != expected:
        raise RecordingError(
            place, f"has {shape[0]} dimensions, not {expected}", "mend the line or @dimensions"
        )
    length = header.length or (first[1] if first else shape[1])
    if header.equal_length and shape[1] != length:
        raise RecordingError(
            place, f"has {shape[1]} values, not {length}", "mend the line or @equalLength"
        )
    return shape if first is None else first
