"""The dialect of a delimited text file, proven on all of its cells, never guessed.

A dialect explains a file if all rows have the same cells and every cell that is a number in
any form is one in the dialect's form. Exactly one must; otherwise the user is asked. The
parsing with the proven dialect is in `lumipipe.readers.delimited`.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.compressed import shown
from lumipipe.readers.numberforms import FORMS, NumberForm, forms_of, shapes
from lumipipe.readers.rows import Form, Scan, kinds_of, rows_of, scan_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

DELIMITERS = (",", ";", "\t", "|")
_NO_DELIMITER = "\x1f"  # a file of one column; no text file holds this sign
_PREFIX_ROWS = 500  # a dialect that these rows refute is not tried on the whole file
_NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'", _NO_DELIMITER: "none"}


@dataclass(frozen=True)
class Dialect:
    """The one dialect that explains a file."""

    scan: Scan
    form: NumberForm

    def __str__(self) -> str:
        """The dialect in words, for reports and messages."""
        return f"delimiter {_NAMES[self.scan.delimiter]}, {self.form}"

    def is_number(self, column: int, text_columns: frozenset[str]) -> bool:
        """Whether a column holds numbers (or nothing at all)."""
        if self.scan.names[column] in text_columns:
            return False
        return all(forms_of(shape) for shape in self.scan.shapes[column])


def prove(form: Form, delimiters: tuple[str, ...], forms: tuple[NumberForm, ...]) -> Dialect:
    """The only dialect among the given delimiters and number forms that explains the file.

    Parameters
    ----------
    form : Form
        The file and what was declared of it.
    delimiters : tuple of str
        The declared delimiter, or `DELIMITERS`.
    forms : tuple of NumberForm
        The forms that the declared marks leave open.

    Returns
    -------
    Dialect
        Delimiter, marks and the columns that they give.

    Raises
    ------
    InputError
        If several explain it: set the keys that the message names.
    RecordingError
        If none does: at the first row or cell that contradicts.
    """
    scans, faults = _scans(form, delimiters)
    if not scans:
        raise (faults or [_no_delimiter(form)])[0]
    found: dict[tuple[str, str | None, str | None], Dialect] = {}
    for scan in scans:
        for numbers in forms:
            if _explains(form, scan, numbers):
                _keep(found, Dialect(scan, numbers), _number_columns(form, scan).values())
    if not found:
        raise (
            faults[0]
            if faults and len(scans[0].names) == 1
            else _contradiction(form, scans[0], forms)
        )
    if len(found) > 1:
        raise InputError(
            shown(form.file),
            f"{len(found)} dialects explain every number: "
            + " | ".join(str(dialect) for dialect in found.values()),
            f"set {_open_keys(list(found))} in read",
        )
    (only,) = found.values()
    if len({numbers.thousands for numbers in forms}) > 1 and not _proves_grouping(form, only):
        raise _unproven_grouping(form, only.form)
    return only


def _proves_grouping(form: Form, dialect: Dialect) -> bool:
    """Whether a thousands mark that could be a decimal mark is told by some cell.

    A cell with both marks, or with two groups, cannot be meant otherwise; 164,573 can.
    """
    mark, decimal = dialect.form.thousands, dialect.form.decimal
    if mark not in {",", "."}:
        return True
    cells = {s for column in _number_columns(form, dialect.scan).values() for s in column}
    return any(shape.count(mark) > 1 or (mark in shape and decimal in shape) for shape in cells)


def _unproven_grouping(form: Form, numbers: NumberForm) -> InputError:
    """The error for numbers that would be a thousand times larger if a mark were misread."""
    mark = numbers.thousands or ""
    found = re.search(rf"\d{{1,3}}{re.escape(mark)}\d{{3}}(?!\d)", form.text)
    cell = found.group() if found else mark
    line = form.text.count("\n", 0, found.start()) + 1 if found else 1
    return InputError(
        f"{shown(form.file)}:{line}",
        f"{cell} is a number only if '{mark}' marks thousands, and no cell proves that",
        f"correct read.decimal or the cell, or declare read.thousands: '{mark}'",
    )


def _scans(form: Form, delimiters: tuple[str, ...]) -> tuple[list[Scan], list[InputError]]:
    """Scans of the delimiters that split all rows alike, and the faults of the others."""
    declared = len(delimiters) == 1
    present = [sign for sign in delimiters if sign in form.text]
    scans: list[Scan] = []
    faults: list[tuple[int, InputError]] = []
    for sign in present if declared and present else [*present, _NO_DELIMITER]:
        try:
            for most_rows in (_PREFIX_ROWS, None):
                scan = scan_rows(form, sign, most_rows)
                if not declared and _splits_further(scan, present):
                    break
            else:
                scans.append(scan)
        except InputError as error:
            faults.append((_first_width(form, sign), error))
    # The fault of the delimiter that makes most columns is the one that the user means.
    faults.sort(key=lambda item: -item[0])
    numeric = [scan for scan in scans if _number_columns(form, scan)]
    wide = [scan for scan in scans if len(scan.names) > 1]
    if not numeric and not wide and faults and faults[0][0] > 1:
        scans = []  # whole lines as one text column explain nothing
    return numeric or wide or scans, [fault for _, fault in faults]


def _keep(
    found: dict[tuple[str, str | None, str | None], Dialect],
    dialect: Dialect,
    columns: Iterable[set[str]],
) -> None:
    """Add a dialect, unless one that reads the same numbers is there."""
    scan, numbers = dialect.scan, dialect.form
    used = {sign for column in columns for shape in column for sign in shape}
    thousands = numbers.thousands if numbers.thousands in used else None
    if thousands != numbers.thousands:
        return  # the same dialect without a thousands mark stands for it
    decimal = numbers.decimal if numbers.decimal in used else None
    delimiter = scan.delimiter if len(scan.names) > 1 else _NO_DELIMITER
    found.setdefault((delimiter, decimal, thousands), dialect)


def _open_keys(found: list[tuple[str, str | None, str | None]]) -> str:
    """The keys in which dialects differ."""
    keys = ("delimiter", "decimal", "thousands")
    return " and ".join(
        key for at, key in enumerate(keys) if len({dialect[at] for dialect in found}) > 1
    )


def _number_columns(form: Form, scan: Scan) -> dict[str, set[str]]:
    """Shapes of the columns that hold numbers only and are not declared as text."""
    return {
        name: column
        for name, column in zip(scan.names, scan.shapes, strict=True)
        if name not in form.text_columns and kinds_of(column) == {True}
    }


def _explains(form: Form, scan: Scan, numbers: NumberForm) -> bool:
    """Whether each cell that is a number in any form is one in this form."""
    return all(
        numbers in forms_of(shape)
        for column in _number_columns(form, scan).values()
        for shape in column
    )


def _splits_further(scan: Scan, present: list[str]) -> bool:
    """Whether another delimiter cuts the one name, or a text column evenly into numbers."""
    if len(scan.names) == 1 and any(sign in scan.names[0] for sign in present):
        return True
    # Whole lines are refuted by any number among the pieces, a column among others by all.
    enough = any if len(scan.names) == 1 else all
    for column in scan.shapes:
        if not column or any(forms_of(shape) for shape in column):
            continue
        for sign in present:
            counts = {shape.count(sign) for shape in column}
            if (
                sign != scan.delimiter
                and len(counts) == 1
                and counts != {0}
                and all(
                    enough(bool(forms_of(piece.strip())) for piece in shape.split(sign))
                    for shape in column
                )
            ):
                return True
    return False


def _first_width(form: Form, delimiter: str) -> int:
    """Cells of the first row with a delimiter, however well it is quoted."""
    lines = form.text.splitlines()[form.header : form.header + 1]
    try:
        return len(next(csv.reader(lines, delimiter=delimiter), []))
    except csv.Error:
        return 0


def _no_delimiter(form: Form) -> InputError:
    """No delimiter is left that splits the file in one way."""
    return InputError(
        shown(form.file), "no delimiter explains the file", "set read.delimiter and read.header"
    )


def _contradiction(form: Form, scan: Scan, forms: tuple[NumberForm, ...]) -> RecordingError:
    """The first cell that leaves no number form that explains all cells so far."""
    left = frozenset(forms)
    columns = _number_columns(form, scan)
    for line, cells in rows_of(form, scan.delimiter):
        for name, cell in zip(scan.names, cells, strict=False):
            fitting = forms_of(next(iter(shapes([cell]))))
            if name not in columns or not fitting or cell.strip() in form.missing:
                continue
            if not left & fitting:
                marks = " or ".join(sorted(str(item) for item in left))
                return form.fault(
                    line,
                    f"column {name}: {cell!r} is no number with {marks}, as declared or as "
                    "the cells before it need",
                    "set read.decimal and read.thousands, or mend the cell",
                )
            left &= fitting
    return form.fault(form.header + 1, "no dialect explains the file", "set read.delimiter")


def forms_left(decimal: str | None, thousands: str | None) -> tuple[NumberForm, ...]:
    """Number forms that declared marks leave open; thousands "" declares that there is none."""
    return tuple(
        form
        for form in FORMS
        if decimal in (None, form.decimal)
        and (thousands is None or (thousands or None) == form.thousands)
    )
