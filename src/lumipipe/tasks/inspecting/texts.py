"""A text file of cells before it is read: its head, how much of it, and which dialects fit.

A dialect is proven by `lumipipe.readers.dialect`; where several fit, the user is asked with the
words to type.
"""

from __future__ import annotations

import shlex
from itertools import product
from typing import TYPE_CHECKING, Any

from lumipipe.errors import InputError
from lumipipe.readers.compressed import first_bytes, plain_name, shown
from lumipipe.readers.delimited import Options, parsed, proven
from lumipipe.readers.dialect import DELIMITERS
from lumipipe.readers.rows import kinds_of
from lumipipe.tasks.inspecting.heads import NO_READING, head_of, head_of_text
from lumipipe.tasks.inspecting.ways import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lumipipe.readers.tables import Table

WHOLE_BYTES, SAMPLE_BYTES = 32 * 2**20, 16 * 2**20
"""A larger text file is looked at up to the second number."""
_HEAD_BYTES = 2**18
_AMBIGUOUS = "dialects explain every number"


def looked_at(file: Path, name: str, given: dict[str, Any], folder: Path) -> Opened:
    """A text file, or its first part, with options that its head suggests.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz; no more than 32 MiB are unpacked.
    name : str
        csv, text or ts.
    given : dict
        The user's options.
    folder : Path
        Where a first part may be put.

    Returns
    -------
    Opened
        With what is read, and how.
    """
    raw, goes_on = first_bytes(file, WHOLE_BYTES)
    found = Opened(file, given)
    if goes_on:
        raw = raw[: raw.rfind(b"\n", 0, SAMPLE_BYTES) + 1]
        if not raw:
            raise InputError(
                shown(file),
                f"has no line that ends within {SAMPLE_BYTES >> 20} MiB",
                "check where it is from",
            )
        part_mib = len(raw) / 2**20
        found.sampled = f"large: only its first {part_mib:.0f} MiB were looked at"
        # Named as the file is, so that messages are about it.
        part = folder / file.parent.name / f"{plain_name(file)}.txt"
        part.parent.mkdir(exist_ok=True, parents=True)
        part.write_bytes(raw)
        found.file = part
    text = _decoded(raw[:_HEAD_BYTES], whole=len(raw) <= _HEAD_BYTES)
    if name == "csv":
        _choose_head(found, text)
    elif name == "text":
        _choose_names(found, text)
    return found


def _decoded(raw: bytes, *, whole: bool) -> str:
    """First lines as text, whatever their encoding; the last one may be cut and is left out."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw[: len(raw) // 2 * 2].decode("utf-16", errors="replace")
    else:
        text = raw.decode("utf-8-sig", errors="replace")
    return text if whole else text[: text.rfind("\n") + 1]


def _choose_head(found: Opened, text: str) -> None:
    """Options of a delimited file for its head, where the user gave none."""
    if {"header", "names", "names_line"} & found.read.keys():
        return
    head = head_of_text(text)
    found.units = head.units
    if head.empty_trailing:
        found.read.setdefault("empty_trailing", True)
    if head.lines != 1:
        found.read["header"] = head.lines
        if head.names_line and head.names_line != head.lines:
            found.words.append(f"names in line {head.names_line} of {head.lines} before the rows")
        elif not head.lines:
            found.words.append("no head: columns are called c1, c2, ...")
        if head.lines > 1 and head.names_line:
            found.read["names_line"] = head.names_line
        elif head.names:
            found.read["names"] = head.names
            found.words.append(f"{head.lines} lines before the rows; names are given in read.names")


def _choose_names(found: Opened, text: str) -> None:
    """Options of a file of numbers between blanks for its head."""
    if {"header", "names", "transpose"} & found.read.keys():
        return
    rows = [line.split() for line in text.splitlines()]
    rows = [row for row in rows if row]
    head = head_of(rows[:200])
    if head.lines:
        found.read["header"] = head.lines
        if head.names_line:
            found.read["names"], found.units = rows[head.names_line - 1], head.units
    if rows and len(rows[-1]) > len(rows):
        found.words.append(
            "more columns than rows: if a line is a channel, add --read transpose=true"
        )


def delimited_tables(found: Opened, given: Mapping[str, Any]) -> Iterator[Table]:
    """The one table of a delimited file, with the dialect written into the options.

    Parameters
    ----------
    found : Opened
        The file; its options and remarks are completed.
    given : mapping
        The user's options.

    Yields
    ------
    Table
        All columns; those that mix numbers and text are text.

    Raises
    ------
    InputError
        As the reader raises it; where several dialects fit, with the words to type.
    """
    options = Options.model_validate({"columns": [], **found.read})
    try:
        form, dialect, encoding = proven(found.file, options)
    except InputError as error:
        if _AMBIGUOUS in error.problem:
            raise _asked(found, error) from error
        if "read.encoding" in error.remedy:
            raise InputError(
                error.place, error.problem, "type --read encoding=cp1252, or what it is in"
            ) from error
        raise
    odd = _odd_cells(dialect.scan.shapes, options)
    if odd and "missing" not in given:
        found.read["missing"] = [*options.missing, *odd]
        found.words.append(f"cells {', '.join(odd)} were taken for no reading (read.missing)")
        options = Options.model_validate({"columns": [], **found.read})
        form, dialect, encoding = proven(found.file, options)
    table = parsed(form, dialect, encoding)
    sign, numbers = dialect.scan.delimiter, dialect.form
    if len(dialect.scan.names) > 1:
        found.read.setdefault("delimiter", sign)
    found.read.setdefault("decimal", numbers.decimal)
    if numbers.thousands is not None:
        found.read.setdefault("thousands", numbers.thousands)
    if encoding != "utf-8":
        found.read.setdefault("encoding", encoding)
    yield table


def _odd_cells(columns: list[set[str]], options: Options) -> list[str]:
    """Cells in columns of numbers that usually mean "no reading", such as ? or NA."""
    known = set(NO_READING) - set(options.missing)
    mixed = [column for column in columns if len(kinds_of(column)) > 1]
    return sorted({cell for column in mixed for cell in column & known})


def _asked(found: Opened, error: InputError) -> InputError:
    """The error about several dialects, with the options that choose each of them."""
    words = [_typed(read) for read in _dialects(found)]
    if len(words) < 2:  # noqa: PLR2004
        return error
    return InputError(error.place, "more than one dialect fits", f"type {' or '.join(words)}")


def _typed(read: Mapping[str, str]) -> str:
    """Options as they are typed."""
    return " ".join(f"--read {shlex.quote(f'{key}={value}')}" for key, value in read.items())


def _dialects(found: Opened) -> list[dict[str, str]]:
    """Delimiters and marks under which the file reads, each giving other numbers."""
    ways: dict[str, dict[str, str]] = {}
    for sign, decimal, thousands in product((*DELIMITERS, ""), ".,", ("", ",", ".", " ", "'")):
        read = {"delimiter": sign} if sign else {}
        read |= {"decimal": decimal, "thousands": thousands}
        if thousands == decimal or {**read, **found.read} != {**found.read, **read}:
            continue
        options = Options.model_validate({"columns": [], **found.read, **read})
        try:
            columns = parsed(*proven(found.file, options)).columns.values()
        except InputError:
            continue
        if any(column.dtype.kind in "if" for column in columns):
            told = {"delimiter": {"\t": r"\t"}.get(sign, sign)} if sign else {}
            told |= {"decimal": decimal} | ({"thousands": thousands} if thousands else {})
            key = ", ".join(f"{column.dtype.kind}{column[:9]}" for column in columns)
            ways.setdefault(key, told)
    return list(ways.values())
