"""Tables as CSV for spreadsheet programs, which take some text cells for formulas.

Tables for programs are Parquet, by `lumipipe.store.artifact`, with the text as it is.
"""

from __future__ import annotations

import csv
import io
import re
import string
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Signs that some programs do not see: a mark of the byte order, and spaces of no width.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060\0"
# Behind what another program may take for the end of a cell.
_NEXT_CELL = re.compile(r"(?<=[\s\S])([;|\t\r\n])(?=\s*[=+@\uff1d\uff0b\uff20]|\s*[-\uff0d][^\s])")


def spreadsheet_csv(columns: Mapping[str, NDArray[np.generic]]) -> bytes:
    r"""A table as CSV in UTF-8.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (row,)
        Numbers, booleans, or text as str.

    Returns
    -------
    bytes
        Commas, decimal points, CRLF; numbers to the last bit, empty where NaN.

    Examples
    --------
    >>> spreadsheet_csv({"name": np.array(["=1+1"]), "mean": np.array([-0.5])})
    b"name,mean\r\n'=1+1,-0.5\r\n"
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(harmless(name) for name in columns)
    cells = [_cells(np.asarray(column)) for column in columns.values()]
    writer.writerows(zip(*cells, strict=True))
    return stream.getvalue().encode()


def harmless(text: str) -> str:
    """Text that no spreadsheet program takes for a formula: an apostrophe before it.

    A number in a text cell that starts with a sign gets one too; a column of numbers does not.
    Where a program has another delimiter than the comma, it may cut a cell at that: what follows
    gets its apostrophe as well.

    >>> harmless("@SUM(A1)"), harmless("N03"), harmless(" =A1"), harmless("a;=A1")
    ("'@SUM(A1)", 'N03', "' =A1", "a;'=A1")
    """
    seen = text.lstrip(_UNSEEN + string.whitespace + "\u00a0").lstrip()
    is_formula = text.startswith(_FORMULA) or seen.startswith(_FORMULA)
    text = _NEXT_CELL.sub(r"\1'", text)
    return f"'{text}" if is_formula else text


def _cells(column: NDArray[np.generic]) -> list[str]:
    """The cells of a column as text."""
    if column.dtype.kind == "f":
        return ["" if np.isnan(value) else repr(value) for value in column.tolist()]
    if column.dtype.kind in "iub":
        return [str(value).lower() for value in column.tolist()]
    return [harmless(str(value)) for value in column.tolist()]
