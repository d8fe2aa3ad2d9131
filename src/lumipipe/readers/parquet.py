"""Parquet files, by pyarrow: numbers and text of the columns that are used, checksums verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.libraries import damage, refuse_size
from lumipipe.readers.pages import page_sizes
from lumipipe.readers.tables import ReaderOptions, Table, unknown_column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KIND = finding("Parquet file")
_EXACT = 2**53  # whole numbers up to this are exact in float64
_STAMPS: dict[str, Any] = {"coerce_int96_timestamp_unit": "us"}  # ns end in the year 2262


class Options(ReaderOptions):
    """Keys of a Parquet file."""

    columns: list[str] | None = None
    """Columns to read, all where absent; a request's channels, labels and time narrow it."""

    def for_columns(self, numbers: set[str], text: set[str], *, others: bool = False) -> Options:
        """These options, narrowed to the columns that are used unless `others` are."""
        return self if others else self.model_copy(update={"columns": sorted(numbers | text)})


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a Parquet file.

    Parameters
    ----------
    file : Path
        A single .parquet file.
    options : Options
        Columns.

    Yields
    ------
    Table
        In the file's number types (float16 as float32, decimals as float64, booleans as 0 and
        1). Time stamps are whole numbers since 1970, their unit the attribute ``unit:NAME``;
        stamps of the old type int96 have whole microseconds. Empty cells are NaN or empty text.
        Columns of lists and the like are named in the attribute ``not_read``.

    Raises
    ------
    InputError
        If a column is not there or holds neither numbers nor text.
    RecordingError
        If the file is truncated or damaged, or a checksum is wrong.
    """
    import pyarrow.parquet as pq

    with open_binary(file, options.most_bytes) as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        with damage(file, _KIND):
            schema = pq.ParquetFile(stream, **_STAMPS).schema_arrow
        usable, unusable = _usable(file, schema, options.columns or [])
        with damage(file, _KIND):
            opened = pq.ParquetFile(
                stream,
                **_STAMPS,
                page_checksum_verification=True,
                read_dictionary=[name for name in usable if _is_text(schema.field(name).type)],
            )
            _refuse_rows(file, opened, (stream, size), (usable, options.most_bytes))
            content = opened.read(columns=usable, use_threads=False)
            content.validate(full=True)
            columns = {name: _column(file, name, content[name]) for name in usable}
    if not content.num_rows:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")
    said = {f"unit:{name}": unit for name in usable if (unit := _unit(schema.field(name)))}
    said |= {"not_read": ", ".join(unusable)} if unusable else {}
    yield Table(plain_name(file), columns, said, None)


def _usable(file: Path, schema: Any, wanted: list[str]) -> tuple[list[str], list[str]]:
    """Names of the columns to read, and what else the file holds."""
    import pyarrow.types as kinds

    def is_usable(kind: Any) -> bool:
        plain = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_decimal)
        return any(test(kind) for test in (*plain, kinds.is_timestamp, _is_text))

    found = [field.name for field in schema if is_usable(field.type)]
    unusable = [f"{field.name} ({field.type})" for field in schema if not is_usable(field.type)]
    for name in wanted:
        if name not in schema.names:
            raise unknown_column(shown(file), name, found)
        if name not in found:
            raise InputError(
                f"{shown(file)}: column {name}",
                f"holds {schema.field(name).type}, neither numbers nor text",
                f"name another column: {', '.join(found)}",
            )
    if not found:
        raise RecordingError(
            shown(file),
            f"holds neither numbers nor text, only {', '.join(unusable) or 'nothing'}",
            "remove the file, or save its columns as numbers",
        )
    return [name for name in found if not wanted or name in wanted], unusable


def _is_text(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _refuse_rows(
    file: Path, opened: Any, content: tuple[BinaryIO, int], wanted: tuple[list[str], int | None]
) -> None:
    """Refuse what would fill the memory: a run of equal values takes no room in the file."""
    rows = opened.metadata.num_rows
    groups = [opened.metadata.row_group(at) for at in range(opened.metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != rows:
        raise ValueError("its row groups do not add up to its rows")
    (stream, size), (usable, most_bytes) = content, wanted
    claimed = rows * len(usable) * np.dtype(np.float64).itemsize
    refuse_size(file, claimed, size, packed=True, most_bytes=most_bytes)
    claimed = 0
    for chunk in (group.column(at) for group in groups for at in range(group.num_columns)):
        if chunk.path_in_schema in usable:
            first = chunk.dictionary_page_offset or chunk.data_page_offset
            first = min(first, chunk.data_page_offset)
            for page in page_sizes(stream, first, chunk.total_compressed_size):
                claimed += page
                refuse_size(file, claimed, size, packed=True, most_bytes=most_bytes)
    stream.seek(0)


def _column(file: Path, name: str, cells: Any) -> np.ndarray:
    """A column as numbers or text; empty cells are NaN or empty text."""
    import pyarrow as pa
    import pyarrow.types as kinds

    kind = cells.type
    if kinds.is_dictionary(kind):
        return _texts(cells)
    if kinds.is_boolean(kind):
        cells = cells.cast(pa.uint8())
    elif kinds.is_decimal(kind):
        cells = cells.cast(pa.float64())
    elif kinds.is_timestamp(kind):
        cells = cells.cast(pa.int64())
    elif kinds.is_float16(kind):
        cells = cells.cast(pa.float32())
    if not (cells.null_count and kinds.is_integer(cells.type)):
        return np.ascontiguousarray(cells.to_numpy())
    empty = cells.is_null().to_numpy()
    whole = cells.fill_null(0).to_numpy()
    largest = max(abs(int(whole.min())), abs(int(whole.max())))
    # Stamps may be rounded: a time axis with an empty cell is refused where it is used.
    if largest > _EXACT and not kinds.is_timestamp(kind):
        raise RecordingError(
            f"{shown(file)}: column {name}",
            f"has empty cells beside {largest}, which float64 does not hold exactly",
            "fill the empty cells, or drop the column",
        )
    return np.where(empty, np.nan, whole.astype(np.float64))


def _texts(cells: Any) -> np.ndarray:
    """Text from a dictionary: each different text is kept once in memory."""
    found = np.empty(len(cells), dtype=object)
    at = 0
    for chunk in cells.chunks:
        words = np.array([*chunk.dictionary.to_pylist(), ""], dtype=object)
        codes = chunk.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)
        found[at : at + len(chunk)] = np.where(words[codes] == None, "", words[codes])  # noqa: E711
        at += len(chunk)
    return found


def _unit(field: Any) -> str | None:
    """Unit of a column: of its time stamps, or as its metadata state it."""
    import pyarrow.types as kinds

    if kinds.is_timestamp(field.type):
        return f"{field.type.unit} since 1970"
    said = field.metadata or {}
    unit = said.get(b"unit") or said.get(b"units")
    return None if unit is None else unit.decode("utf-8", errors="replace")
