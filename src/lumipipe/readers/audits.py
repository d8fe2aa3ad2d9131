"""Records of relative accuracy audits in delimited files: which column means what.

Two layouts of the EPA are known by their headers; for any other file the caller names the
columns. What is computed from them is in `lumipipe.uncertainty.audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.readers.compressed import shown
from lumipipe.readers.delimited import proven, read
from lumipipe.readers.tables import unknown_column
from lumipipe.readers.written import decimals_written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lumipipe.readers.delimited import Options
    from lumipipe.readers.tables import Table

TEXTS = ("plant", "location", "audit", "level", "parameter")
"""Fields that name an audit, and what its monitor measures."""
MEANS = ("mean_difference", "deviation", "runs", "t_value", "reference_mean", "monitor_mean")
"""Fields of an audit with one row, in one unit; the difference is reference minus monitor."""
RESULTS = ("relative_accuracy", "confidence_coefficient", "bias_factor")
"""Fields of the figures that were filed; relative accuracy is in percent."""
RUNS = ("reference", "monitor")
"""Fields of a file with a row for each run."""
FIELDS = (*TEXTS, *MEANS, *RESULTS, *RUNS)

_EPA = {
    "FACILITY_NAME": "plant",
    "LOCATION_IDENTIFIER": "location",
    "TEST_NUM": "audit",
    "OP_LEVEL_CD": "level",
    "SYS_TYPE_CD": "parameter",
    "MEAN_DIFF": "mean_difference",
    "STND_DEV_DIFF": "deviation",
    "T_VALUE": "t_value",
    "MEAN_RATA_REF_VALUE": "reference_mean",
    "MEAN_CEM_VALUE": "monitor_mean",
    "RELATIVE_ACCURACY": "relative_accuracy",
    "CONFIDENCE_COEF": "confidence_coefficient",
    "BIAS_ADJ_FACTOR": "bias_factor",
}
_EPA_DOTTED = {
    "Facility.Name": "plant",
    "Location.ID": "location",
    "Test.Number": "audit",
    "Op.Level.Code": "level",
    "Parameter": "parameter",
    "Mean.Diff": "mean_difference",
    "Standard.Deviation.of.Difference": "deviation",
    "T.Value": "t_value",
    "Mean.RATA.Reference": "reference_mean",
    "Mean.CEM.Value": "monitor_mean",
    "Relative.Accuracy": "relative_accuracy",
    "Confidence.Coefficient": "confidence_coefficient",
    "Bias.Adjustment.Factor": "bias_factor",
}


@dataclass(frozen=True)
class AuditRows:
    """The rows of a file of audits.

    Parameters
    ----------
    place : str
        The file, for messages.
    columns : dict of str to str
        Name in the file of each field that was read.
    dialect : str
        How the file was read.
    lines : ndarray of int64, shape (row,)
        Line of each row in the file.
    texts : dict of str to ndarray of object, shape (row,)
        Text fields.
    numbers : dict of str to ndarray of float64, shape (row,)
        Number fields; NaN where there is no reading.
    decimals : dict of str to ndarray of int64, shape (row,)
        Decimals with which each number was written.
    """

    place: str
    columns: dict[str, str]
    dialect: str
    lines: NDArray[np.int64]
    texts: dict[str, NDArray[np.object_]]
    numbers: dict[str, NDArray[np.float64]]
    decimals: dict[str, NDArray[np.int64]]


def read_audits(file: Path, given: Mapping[str, str], options: Options) -> AuditRows:
    """The rows of a file of audits.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    given : mapping of str to str
        Column of each field that the caller names; goes before the layouts that are known.
    options : Options
        Whatever is known of the dialect.

    Returns
    -------
    AuditRows
        All rows, in the order of the file.

    Raises
    ------
    InputError
        If the file cannot be read, a column is not there or holds no numbers, or the columns do
        not suffice for any figure: name them.
    """
    _, dialect, _ = proven(file, options.model_copy(update={"columns": []}))
    columns = _columns(shown(file), dialect.scan.names, given)
    numbers = {field: name for field, name in columns.items() if field not in TEXTS}
    texts = {field: name for field, name in columns.items() if field in TEXTS}
    narrowed = options.for_columns(set(numbers.values()), set(texts.values()))
    (table,) = read(file, narrowed)
    _refuse_texts(table, shown(file), numbers)
    written = decimals_written(file, narrowed, numbers.values())
    rows = len(next(iter(table.columns.values())))
    return AuditRows(
        place=shown(file),
        columns=columns,
        dialect=table.attributes["dialect"],
        lines=(table.first_line or 1) + np.arange(rows, dtype=np.int64),
        texts={field: table.columns[name] for field, name in texts.items()},
        numbers={field: table.columns[name].astype(np.float64) for field, name in numbers.items()},
        decimals={field: written[name] for field, name in numbers.items()},
    )


def _columns(place: str, names: list[str], given: Mapping[str, str]) -> dict[str, str]:
    """Column of each field, from the known layouts and what the caller says."""
    for field, name in given.items():
        if field not in FIELDS:
            raise InputError(
                f"--column {field}={name}",
                f"no field is called {field}",
                f"name one of {', '.join(FIELDS)}",
            )
        if name not in names:
            raise unknown_column(place, name, names)
    known = {field: name for name, field in (_EPA | _EPA_DOTTED).items() if name in names}
    columns = known | dict(given)
    is_enough = (
        columns.keys() >= {"audit", *RUNS}
        or ("deviation" in columns and columns.keys() & {"runs", "t_value"})
        or columns.keys() >= {"mean_difference", "confidence_coefficient", "reference_mean"}
    )
    if not is_enough:
        found = ", ".join(f"{field} ({name})" for field, name in columns.items()) or "none"
        raise InputError(
            place,
            f"its columns do not suffice for any figure of an audit; found: {found}",
            "name them by --column FIELD=NAME: deviation and runs or t_value; mean_difference, "
            "confidence_coefficient and reference_mean; or audit, reference and monitor of each "
            "run",
        )
    return columns


def _refuse_texts(table: Table, place: str, numbers: Mapping[str, str]) -> None:
    """Refuse a column of text or infinite numbers that should hold numbers."""
    for field, name in numbers.items():
        column = table.columns[name]
        if column.dtype.kind not in "iuf":
            raise InputError(
                f"{place}: column {name}",
                f"{table.row_place(0)} holds {column[0]!r}, not a number, but is to be {field}",
                f"name a column of numbers by --column {field}=NAME",
            )
        if np.isinf(column).any():
            raise InputError(
                f"{place}: column {name}",
                f"{table.row_place(int(np.argmax(np.isinf(column))))} holds an infinite number",
                "mend the cell, or empty it where there is no reading",
            )
