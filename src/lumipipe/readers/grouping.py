"""Recordings that share one table, told apart by the value of a column.

What a recording is called is in `lumipipe.readers.labels`; what becomes of its rows in
`lumipipe.readers.recording`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.readers.channels import column_of
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.readers.tables import Table

_NOTHING = {"", "nan", "none"}  # cells without a name, however a reader gives them


def tables_by(
    table: Table, column: str, file: str, *, may_return: bool, prefix: str = ""
) -> Iterator[Table]:
    """One table for each value of a column, in the order in which the values first appear.

    Parameters
    ----------
    table : Table
        Rows of several recordings.
    column : str
        Column whose value names the recording of a row.
    file : str
        Name of the file for messages.
    may_return : bool
        Whether a value may come back after others: so where rows carry time stamps, which tell
        what lies between them. Without stamps, rows that were apart would count as neighbours.
    prefix : str
        What the name of each table begins with.

    Yields
    ------
    Table
        Rows of one value, in their order; the value is its name and its attribute `column`.

    Raises
    ------
    InputError
        If there is no such column: the message names the nearest.
    RecordingError
        If a row has no value, or a value comes back that may not.

    Notes
    -----
    *Cost*: one pass over the column, and a copy of the rows only where values come back; the
    tables are views.

    Examples
    --------
    >>> from lumipipe.readers.tables import Table
    >>> whole = Table("log", {"pump": np.array([7, 7, 2]), "x": np.arange(3.0)}, {}, 1)
    >>> [(part.name, part.columns["x"].tolist()) for part in tables_by(
    ...     whole, "pump", "log.csv", may_return=False)]
    [('7', [0.0, 1.0]), ('2', [2.0])]
    """
    codes, names = _codes(table, column, file)
    edges = np.flatnonzero(np.diff(codes)) + 1
    if len(edges) < len(names):  # each value is one run: their order is the rows'
        columns, origin = table.columns, np.arange(len(codes))
    elif may_return:
        origin = np.argsort(codes, kind="stable")
        columns = {name: values[origin] for name, values in table.columns.items()}
        edges = np.flatnonzero(np.diff(codes[origin])) + 1
    else:
        raise _returned(table, column, file, codes, edges, names)
    for name, first, stop in zip(names, [0, *edges], [*edges, len(codes)], strict=True):
        yield replace(
            table,
            name=f"{prefix}{name}",
            columns={key: values[first:stop] for key, values in columns.items()},
            attributes=table.attributes | {column: name},
            origin=origin[first:stop],
            breaks=_breaks_within(table.breaks, origin[first:stop]),
        )


def _breaks_within(breaks: dict[int, str], origin: np.ndarray) -> dict[int, str]:
    """Breaks before rows of the whole table as breaks before rows of a part of it."""
    rows = {int(np.searchsorted(origin, row)): why for row, why in breaks.items()}
    return {row: why for row, why in rows.items() if 0 < row < len(origin)}


def _codes(table: Table, column: str, file: str) -> tuple[np.ndarray, list[str]]:
    """Number of the value of each row, and the values as text, numbered as they appear."""
    import pandas as pd

    values: Any = column_of(table, column, file)
    codes, found = pd.factorize(values)
    names = [number_text(value).strip() for value in found.tolist()]
    nothing = [number for number, name in enumerate(names) if name.lower() in _NOTHING]
    bad = (codes < 0) | np.isin(codes, nothing)
    if bad.any():
        raise RecordingError(
            file,
            f"{table.row_place(int(np.argmax(bad)))} has no {column}; {int(bad.sum())} such rows",
            f"name the {column} of each row, or remove the rows",
        )
    return codes, names


def _returned(
    table: Table, column: str, file: str, codes: np.ndarray, edges: np.ndarray, names: list[str]
) -> RecordingError:
    """The error for the first value that comes back after others."""
    seen = {int(codes[0])}
    for row in edges.tolist():
        code = int(codes[row])
        if code in seen:
            break
        seen.add(code)
    return RecordingError(
        file,
        f"{table.row_place(row)} goes back to {column} {names[code]} after other rows",
        f"sort the rows by {column}, or declare their time stamps with time: {{kind: column}}",
    )
