"""What the audit calculator starts from: the figures of each audit, and how exact they are.

A file has either one row for each audit, with filed means, or one for each run. What is computed
from them is in `lumipipe.tasks.rata_checks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.errors import InputError
from lumipipe.readers.audits import RESULTS, RUNS, TEXTS
from lumipipe.uncertainty.audit import means_of_runs, runs_of_t
from lumipipe.uncertainty.audit_criteria import correlation, critical_ratio, variance_ratio
from lumipipe.uncertainty.audit_ranges import Range, half_width, written_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.readers.audits import AuditRows

_MEANS = ("mean_difference", "deviation", "reference_mean", "monitor_mean")
SPREADS = ("variance_ratio", "critical_ratio", "correlation")


class Figure(NamedTuple):
    """A figure of each audit, shape (audit,), NaN where it is not known.

    Parameters
    ----------
    value : ndarray of float64
        As it was written, or computed from the runs.
    range : Range
        What it can have been before it was written.
    """

    value: NDArray[np.float64]
    range: Range


@dataclass(frozen=True)
class Inputs:
    """All audits of a file.

    Parameters
    ----------
    lines : ndarray of int64, shape (audit,)
        Line of the audit, or of its first run.
    texts : dict of str to ndarray of object, shape (audit,)
        What names it.
    runs, most_runs : ndarray of int64, shape (audit,)
        Number of runs; where the t value fits several, the least and the greatest; the greatest
        is below the least where it fits none.
    t_value : ndarray of float64, shape (audit,)
        As filed, NaN where it was not.
    means : dict of str to Figure
        `mean_difference`, `deviation`, `reference_mean`, `monitor_mean`.
    filed : dict of str to Figure
        Figures to compare with.
    spreads : dict of str to ndarray of float64, shape (audit,)
        F, its critical value and r, where the runs are known.
    left_out : int
        Runs without both readings.
    """

    lines: NDArray[np.int64]
    texts: dict[str, NDArray[np.object_]]
    runs: NDArray[np.int64]
    most_runs: NDArray[np.int64]
    t_value: NDArray[np.float64]
    means: dict[str, Figure]
    filed: dict[str, Figure]
    spreads: dict[str, NDArray[np.float64]]
    left_out: int


def inputs_of(rows: AuditRows) -> Inputs:
    """The audits of a file, with a row for each audit or for each run.

    Parameters
    ----------
    rows : AuditRows
        The file; its runs are used where it has reference and monitor of each.

    Returns
    -------
    Inputs
        In the order of the file.

    Raises
    ------
    InputError
        If a run names no audit, or two runs of one audit do not file the same figure.
    """
    if rows.columns.keys() >= {"audit", *RUNS}:
        return _from_runs(rows)
    runs, most_runs = _run_numbers(rows)
    return Inputs(
        lines=rows.lines,
        texts=rows.texts,
        runs=runs,
        most_runs=most_runs,
        t_value=_numbers(rows, "t_value"),
        means={name: _written(rows, name) for name in _MEANS},
        filed={name: _written(rows, name) for name in RESULTS},
        spreads={},
        left_out=0,
    )


def _run_numbers(rows: AuditRows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Least and greatest number of runs: as filed, else from the t value; 0 where neither is."""
    given, t = _numbers(rows, "runs"), _numbers(rows, "t_value")
    least, most = np.zeros(len(t), dtype=np.int64), np.zeros(len(t), dtype=np.int64)
    if "t_value" in rows.numbers:
        known = ~np.isnan(t)
        half = half_width(rows.decimals["t_value"][known])
        least[known], most[known] = runs_of_t(t[known], half)
    # A number of runs that is no whole number from 1 to a million is none.
    whole = (given == np.round(given)) & (given > 0) & (given < 1e6)  # noqa: PLR2004
    least[whole] = most[whole] = given[whole].astype(np.int64)
    return least, most


def _numbers(rows: AuditRows, name: str) -> NDArray[np.float64]:
    """A number field, NaN where the file does not have it."""
    if name in rows.numbers:
        return rows.numbers[name]
    return np.full(len(rows.lines), np.nan)


def _written(rows: AuditRows, name: str) -> Figure:
    """A number field and what rounding made equal to it."""
    value = _numbers(rows, name)
    return Figure(value, written_range(value, rows.decimals.get(name, 0)))


def _from_runs(rows: AuditRows) -> Inputs:
    """The audits whose runs a file holds."""
    groups = _groups(rows)
    first = np.array([group[0] for group in groups])
    is_whole = ~np.isnan(rows.numbers["reference"] + rows.numbers["monitor"])
    audits = [_Runs.of(rows, group[is_whole[group]]) for group in groups]
    count = np.array([audit.runs for audit in audits])
    return Inputs(
        lines=rows.lines[first],
        texts={name: column[first] for name, column in rows.texts.items()},
        runs=count,
        most_runs=count,
        t_value=np.full(len(groups), np.nan),
        means={name: Figure(*_ends([audit.means[name] for audit in audits])) for name in _MEANS},
        filed={name: _filed(rows, name, groups) for name in RESULTS},
        spreads={name: np.array([audit.spreads[name] for audit in audits]) for name in SPREADS},
        left_out=int(np.sum(~is_whole)),
    )


def _groups(rows: AuditRows) -> list[NDArray[np.int64]]:
    """Rows of each audit: those with the same text in all fields that name it."""
    found: dict[tuple[str, ...], list[int]] = {}
    names = [rows.texts[name] for name in TEXTS if name in rows.texts]
    for row, key in enumerate(zip(*names, strict=True)):
        if not rows.texts["audit"][row]:
            raise InputError(
                f"{rows.place}:{rows.lines[row]}",
                f"column {rows.columns['audit']} is empty, so the run belongs to no audit",
                "fill the cell, or name another column by --column audit=NAME",
            )
        found.setdefault(key, []).append(row)
    return [np.array(group, dtype=np.int64) for group in found.values()]


class _Runs(NamedTuple):
    """What the runs of one audit say: value and half-width of each mean, and the spreads."""

    runs: int
    means: dict[str, tuple[float, float]]
    spreads: dict[str, float]

    @classmethod
    def of(cls, rows: AuditRows, group: NDArray[np.int64]) -> _Runs:
        """The figures of the runs in some rows, which may be none."""
        x, y = (rows.numbers[name][group] for name in RUNS)
        x_half, y_half = (half_width(rows.decimals[name][group]) for name in RUNS)
        runs = len(group)
        if not runs:
            return cls(0, dict.fromkeys(_MEANS, (np.nan, np.nan)), dict.fromkeys(SPREADS, np.nan))
        means = means_of_runs(x, y)
        d_half = x_half + y_half
        # The deviation is the length of the centred differences over √(n - 1): errors of lengths
        # h change it by no more than their own length.
        spread_half = np.sqrt(np.sum(d_half**2) / (runs - 1)) if runs > 1 else np.nan
        half = (np.mean(d_half), spread_half, np.mean(x_half), np.mean(y_half))
        found = (variance_ratio(x, y), critical_ratio(runs), correlation(x, y))
        return cls(
            runs,
            {
                name: (float(value), float(width))
                for name, value, width in zip(_MEANS, means[1:], half, strict=True)
            },
            {name: float(value) for name, value in zip(SPREADS, found, strict=True)},
        )


def _ends(found: list[tuple[float, float]]) -> tuple[NDArray[np.float64], Range]:
    """Values and ranges from values and half-widths."""
    value, half = np.array(found, dtype=np.float64).T
    return value, Range(value - half, value + half)


def _filed(rows: AuditRows, name: str, groups: list[NDArray[np.int64]]) -> Figure:
    """The figure that the runs of each audit file; they must agree."""
    written = _written(rows, name)
    chosen = []
    for group in groups:
        values = written.value[group]
        known = group[~np.isnan(values)]
        if len(np.unique(written.value[known])) > 1:
            raise InputError(
                f"{rows.place}:{rows.lines[known[0]]}",
                f"the runs of audit {rows.texts['audit'][group[0]]} file several values of "
                f"{rows.columns[name]}",
                "give one value for each audit",
            )
        chosen.append(known[0] if len(known) else group[0])
    at = np.array(chosen)
    return Figure(written.value[at], Range(*(end[at] for end in written.range)))
