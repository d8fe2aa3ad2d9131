"""The verb ``rata``: filed figures of relative accuracy audits, recomputed.

What is compared is in `lumipipe.tasks.rata_checks`, where it comes from in
`lumipipe.tasks.rata_inputs`, what is printed in `lumipipe.tasks.rata_told`.
"""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.readers.audits import read_audits
from lumipipe.readers.delimited import Options
from lumipipe.readers.files import file_digest
from lumipipe.reporting.spreadsheet import spreadsheet_csv
from lumipipe.store.artifact import write_table
from lumipipe.store.files import write_bytes, write_json
from lumipipe.tasks.rata_checks import TOLERANCES, checks_of
from lumipipe.tasks.rata_inputs import inputs_of
from lumipipe.tasks.rata_told import counts, shares, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lumipipe.readers.audits import AuditRows
    from lumipipe.tasks.rata_checks import Check
    from lumipipe.tasks.rata_inputs import Inputs

NAME = "audits"
_SOURCES = [
    "40 CFR part 75, Appendix A, section 7: confidence coefficient, relative accuracy, bias factor",
]
_MISSING = ["", "NaN", "nan", "NA"]


@dataclass(frozen=True)
class Asked:
    """What is to be checked, and how.

    Parameters
    ----------
    file : Path
        Delimited text with a row for each audit or for each run.
    columns : dict of str to str
        Column of each field that is not in a known layout.
    read : dict of str to str
        Keys of the reader, such as decimal, with their values as text or JSON.
    tolerances : dict of str to float
        Instead of those of `lumipipe.tasks.rata_checks`.
    out : Path or None
        Folder for the tables; nothing is written where None.
    """

    file: Path
    columns: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    tolerances: dict[str, float] = field(default_factory=dict)
    out: Path | None = None


def rata(asked: Asked, tell: Callable[[str], None]) -> int:
    """Recompute the audits of a file, tell the counts, and write the tables if asked.

    Parameters
    ----------
    asked : Asked
        File and options.
    tell : callable
        Takes the lines of the summary.

    Returns
    -------
    int
        Exit code 0: a mismatch is a finding about the file, not a fault of the run.

    Raises
    ------
    InputError
        If the file, a column or an option is wrong: mend what the line names.
    """
    tolerances = TOLERANCES | _known_tolerances(asked.tolerances)
    rows = read_audits(asked.file, asked.columns, _options(asked.read))
    # Figures of any size may be filed; what overflows is infinite and agrees with nothing.
    with np.errstate(over="ignore", invalid="ignore"):
        inputs = inputs_of(rows)
        checks = checks_of(inputs, tolerances)
    for line in told(rows, inputs, checks, tolerances):
        tell(line)
    if asked.out is not None:
        summary = _summary(asked.file, rows, inputs, checks, tolerances)
        _write(asked.out, _table(inputs, checks), summary)
        tell(f"written: {asked.out}/{NAME}.csv, {NAME}.parquet, {NAME}.json")
    return 0


def _known_tolerances(given: Mapping[str, float]) -> dict[str, float]:
    """The tolerances that were given, all of known figures and not below 0."""
    for name, value in given.items():
        if name not in TOLERANCES or not 0 <= value < np.inf:
            raise InputError(
                f"--tolerance {name}={value:g}",
                f"no figure is called {name}" if name not in TOLERANCES else "is no tolerance",
                f"give a number from 0 for one of {', '.join(TOLERANCES)}",
            )
    return dict(given)


def _options(given: Mapping[str, str]) -> Options:
    """The keys of the reader as it knows them."""
    content: dict[str, Any] = {"missing": _MISSING}
    for key, value in given.items():
        try:
            content[key] = json.loads(value)
        except ValueError:
            content[key] = value
    try:
        return Options.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else next(iter(given))
        is_unknown = first["type"] == "extra_forbidden"
        problem = f"no key is called {key}" if is_unknown else first["msg"]
        known = ", ".join(Options.model_fields)
        raise InputError(
            f"--read {key}={given.get(key, '')}",
            problem.removeprefix("Value error, "),
            f"correct it; the keys are {known}",
        ) from error


def _table(inputs: Inputs, checks: Mapping[str, Check]) -> dict[str, NDArray[Any]]:
    """A row for each audit."""
    columns: dict[str, NDArray[Any]] = {"line": inputs.lines, **inputs.texts}
    is_known = inputs.runs == inputs.most_runs
    columns["runs"] = np.where(is_known, inputs.runs, 0)
    columns |= {name: figure.value for name, figure in inputs.means.items()}
    columns |= inputs.spreads
    for name, check in checks.items():
        for part in ("filed", "computed", "lower", "upper", "status", "reason"):
            columns[f"{name}_{part}"] = getattr(check, part)
    return columns


def _summary(
    file: Path,
    rows: AuditRows,
    inputs: Inputs,
    checks: Mapping[str, Check],
    tolerances: Mapping[str, float],
) -> dict[str, Any]:
    """What was checked and what was found, for programs."""
    return {
        "file": {"name": file.name, "sha256": file_digest(file), "dialect": rows.dialect},
        "columns": rows.columns,
        "audits": len(inputs.lines),
        "runs_left_out": inputs.left_out,
        "sources": _SOURCES,
        "figures": {
            name: {
                "tolerance": tolerances[name],
                "counts": counts(check),
                "within": shares(check, tolerances[name]),
                "not_computable": check.lacking(),
                "mismatch_lines": inputs.lines[check.status == "mismatch"].tolist(),
            }
            for name, check in checks.items()
        },
    }


def _write(out: Path, table: Mapping[str, NDArray[Any]], summary: dict[str, Any]) -> None:
    """Write table and summary into a folder."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / f"{NAME}.csv", spreadsheet_csv(table))
        write_table(out / f"{NAME}.parquet", table)
        write_json(out / f"{NAME}.json", summary)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise  # the command line has a line of its own for a full disk
        raise InputError(
            str(out), f"cannot be written ({error.strerror})", "name another folder by --out"
        ) from error
