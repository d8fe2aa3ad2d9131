"""Delimited text files (CSV): decoded, their dialect proven, parsed by pandas.

How the dialect is proven is in `lumipipe.readers.dialect`; numbers between blanks are
`lumipipe.readers.text`'s.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.dialect import DELIMITERS, Dialect, forms_left, prove
from lumipipe.readers.numberforms import is_whole
from lumipipe.readers.rows import Form
from lumipipe.readers.salvage import Whole, whole_lines
from lumipipe.readers.tables import ReaderOptions, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np

_SINGLE_BYTE = {"cp1252", "iso8859-1", "iso8859-9", "iso8859-15"}
# In these encodings two such bytes are an accented capital and a sign: no word has them.
_UTF8_PAIR = re.compile(rb"[\xc3-\xdf][\x80-\xbf]")
_BLANK_IN_NUMBER = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9]))")


class Options(ReaderOptions):
    """Keys of a delimited text file; those of the dialect that are not given are proven."""

    dialect: Literal["prove"] = "prove"
    """How marks that are not given are found: proven on every cell of the file."""
    delimiter: Literal[",", ";", "\t", "|"] | None = None
    """Sign between cells."""
    decimal: Literal[".", ","] | None = None
    """Decimal mark."""
    thousands: Literal["", ",", ".", " ", "'"] | None = None
    """Mark between groups of three digits; empty for none, a blank for any kind of blank."""
    encoding: str | None = None
    """Encoding to use where the file is not UTF-8, such as cp1252."""
    header: Annotated[int, Field(ge=0)] = 1
    """Number of lines before the first row."""
    footer: Annotated[int, Field(ge=0)] = 0
    """Number of lines after the last row, such as totals, which are passed over."""
    names_line: Annotated[int, Field(ge=1)] | None = None
    """Line of the header that holds the names, from 1; needed where header is above 1."""
    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the columns instead of those in the file; c1 to cN without header and names."""
    missing: list[str] = ["", "NaN", "nan"]
    """Cells that mean "no reading"."""
    text: list[str] = []
    """Columns to keep as text although they hold numbers."""
    empty_trailing: bool = False
    """Whether rows end in delimiters with nothing after them."""
    columns: list[str] | None = None
    """Columns to read, all where absent; a request's channels, labels and time narrow it."""

    def for_columns(self, numbers: set[str], text: set[str], *, others: bool = False) -> Options:
        """These options, narrowed to columns used as numbers and as text unless `others` are."""
        return self.model_copy(
            update={
                "columns": self.columns if others else sorted(numbers | text),
                "text": sorted({*self.text, *text} - numbers),
            }
        )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                codecs.lookup(value)
            except LookupError as error:
                raise ValueError(f"no encoding is called {value}; write utf-8 or cp1252") from error
        return value

    @model_validator(mode="after")
    def _names_known(self) -> Options:
        if self.header > 1 and self.names is None and self.names_line is None:
            raise ValueError(
                "the header has several lines; say which holds the names with names_line"
            )
        if self.names_line is not None and self.names_line > self.header:
            raise ValueError("names_line is below the header; raise header")
        return self


def read(file: Path, options: Options) -> Iterator[Table]:
    """The one table of a delimited text file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whatever is known of the dialect.

    Yields
    ------
    Table
        Columns of int64 where all cells are whole numbers, of float64 for other numbers,
        of str for text; the dialect among the attributes.

    Raises
    ------
    InputError
        If the encoding is not the declared one or several dialects explain the file.
    RecordingError
        If the file is empty, a row has another length, or a cell contradicts its column.
    """
    yield parsed(*proven(file, options))


def parsed(form: Form, dialect: Dialect, encoding: str) -> Table:
    """The table of a file whose dialect is known; parameters are what `proven` returns."""
    columns = _parse(form, dialect)
    said = {"dialect": f"{dialect}, encoding {encoding}"}
    return Table(plain_name(form.file), columns, said, form.header + 1)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The content up to its last whole line; None where a sign has two bytes or more."""
    wide = codecs.lookup(options.encoding or "utf-8").name.startswith(("utf-16", "utf-32"))
    return None if wide else whole_lines(content)


def proven(file: Path, options: Options) -> tuple[Form, Dialect, str]:
    """The text of a file, the one dialect that explains it, and its encoding.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Whatever is known of the dialect.

    Returns
    -------
    tuple of Form, Dialect and str
        For `read`, and for whoever needs the cells as they were written.

    Raises
    ------
    InputError
        As `read` does.
    """
    with open_binary(file, options.most_bytes) as stream:
        text, encoding = _decode(file, stream.read(), options.encoding)
    text = _without_footer(text, options.footer)
    form = Form(
        file=file,
        text=text,
        header=options.header,
        names_line=options.names_line or min(options.header, 1),
        names=options.names,
        text_columns=frozenset(options.text),
        missing=frozenset(options.missing),
        empty_trailing=options.empty_trailing,
        wanted=None if options.columns is None else frozenset(options.columns),
    )
    delimiters = DELIMITERS if options.delimiter is None else (options.delimiter,)
    return form, prove(form, delimiters, forms_left(options.decimal, options.thousands)), encoding


def _without_footer(text: str, lines: int) -> str:
    """The text without its last lines; line ends after the last one are none."""
    if not lines:
        return text
    return "".join(text.rstrip("\r\n").splitlines(keepends=True)[:-lines])


def _decode(file: Path, raw: bytes, declared: str | None) -> tuple[str, str]:
    """Text and the encoding that it was in: UTF-8 with or without mark, or the declared one."""
    name = codecs.lookup(declared).name if declared else "utf-8"
    if not name.startswith(("utf-16", "utf-32")):
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if name == "utf-8":
                raise _undecodable(file, raw, error.start, "UTF-8") from error
        else:
            if "\x00" in text:
                raise _undecodable(file, raw, raw.index(b"\x00"), "text in UTF-8")
            return text, "utf-8"
        pair = _UTF8_PAIR.search(raw) if name in _SINGLE_BYTE else None
        if pair is not None:
            raise _undecodable(file, raw, pair.start(), f"{name} throughout, but UTF-8 in part")
    try:
        return raw.decode(name).removeprefix("\ufeff"), name
    except UnicodeDecodeError as error:
        raise _undecodable(file, raw, error.start, name) from error


def _undecodable(file: Path, raw: bytes, position: int, encoding: str) -> InputError:
    """An error at a byte that the encoding does not explain."""
    line = raw.count(b"\n", 0, position) + 1
    column = position - (raw.rfind(b"\n", 0, position) + 1) + 1
    return InputError(
        f"{shown(file)}:{line}",
        f"byte {column} of the line (0x{raw[position]:02x}): is not {encoding}",
        "set read.encoding to the file's, such as cp1252 or utf-16, or save it as UTF-8",
    )


def _parse(form: Form, dialect: Dialect) -> dict[str, np.ndarray]:
    """The columns, parsed by pandas with everything declared."""
    import pandas as pd

    scan = dialect.scan
    used = [at for at, name in enumerate(scan.names) if not form.wanted or name in form.wanted]
    kinds = {at: _kind(form, dialect, at) for at in used}
    text = form.text
    if dialect.form.thousands == " ":
        text = _BLANK_IN_NUMBER.sub(" ", text)
    try:
        frame = pd.read_csv(  # type: ignore[call-overload]  # stubs want literal options
            io.StringIO(_unpadded(text, scan.delimiter)),
            sep=scan.delimiter,
            header=None,
            skiprows=form.header,
            names=list(range(scan.width)),
            usecols=used,
            index_col=False,
            dtype=kinds,
            na_values={at: sorted(form.missing) for at, kind in kinds.items() if kind != "O"},
            keep_default_na=False,
            decimal=dialect.form.decimal,
            thousands=dialect.form.thousands,
            skipinitialspace=True,
            engine="c",
            **_to_the_last_bit(pd.__version__),
        )
    except (ValueError, OverflowError) as error:
        raise RecordingError(
            shown(form.file), f"cannot be parsed with {dialect} ({error})", "mend the file"
        ) from error
    if len(frame) != scan.rows:
        raise RecordingError(
            shown(form.file),
            f"{scan.rows} rows were counted but {len(frame)} parsed",
            "remove blank lines and line breaks inside cells",
        )
    return {scan.names[at]: frame[at].to_numpy() for at in used}


def _to_the_last_bit(version: str) -> dict[str, str]:
    """What makes this version of pandas read numbers to the last bit.

    From 3.1 it always does, and calls the argument deprecated.
    """
    numbers = tuple(int(number) for number in version.split(".")[:2])
    return {} if numbers >= (3, 1) else {"float_precision": "round_trip"}


def _kind(form: Form, dialect: Dialect, column: int) -> str:
    """Number type of a column, `O` for text."""
    if not dialect.is_number(column, form.text_columns):
        return "O"
    found = dialect.scan.shapes[column]
    whole = bool(found) and not dialect.scan.empty[column] and all(map(is_whole, found))
    return "int64" if whole else "float64"


def _unpadded(text: str, delimiter: str) -> str:
    """The text without blanks before a delimiter or a line's end."""
    sign = re.escape(delimiter)
    # From the first blank of a run only, and never back: a line of blanks takes linear time.
    pattern = rf"(?<! ) ++(?={sign}|\r|\n|$)"
    return re.sub(pattern, "", text) if " " in text else text
