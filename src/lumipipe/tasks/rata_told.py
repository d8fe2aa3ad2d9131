"""What the audit calculator prints: counts, and where filed figures do not fit.

What is compared is in `lumipipe.tasks.rata_checks`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.tasks.rata_checks import STATUSES
from lumipipe.tasks.rata_inputs import SPREADS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumipipe.readers.audits import AuditRows
    from lumipipe.tasks.rata_checks import Check
    from lumipipe.tasks.rata_inputs import Inputs

_TITLES = {
    "relative_accuracy": "relative accuracy, %",
    "confidence_coefficient": "confidence coefficient",
    "bias_factor": "bias factor",
}
_MOST_TOLD = 10
_WITHIN = (1, 5, 20)  # tolerances


def told(
    rows: AuditRows,
    inputs: Inputs,
    checks: Mapping[str, Check],
    tolerances: Mapping[str, float],
) -> list[str]:
    """The summary for people.

    Parameters
    ----------
    rows : AuditRows
        The file.
    inputs : Inputs
        Its audits.
    checks : mapping of str to Check
        What was found of each figure.
    tolerances : mapping of str to float
        What they were compared with.

    Returns
    -------
    list of str
        Counts, then the first audits of a file of runs, then what does not fit and where. Only
        lines of the file name an audit: its text is not printed.
    """
    lines = [f"{rows.place}: {len(inputs.lines)} audits ({rows.dialect})"]
    if inputs.left_out:
        lines.append(f"{inputs.left_out} runs without reference or monitor were left out")
    lines += _counted(checks, tolerances)
    if inputs.spreads:
        lines += _told_runs(inputs, checks)
    for name, check in checks.items():
        lines += _told_cases(_TITLES[name], inputs, check)
    return lines


def _counted(checks: Mapping[str, Check], tolerances: Mapping[str, float]) -> list[str]:
    """A table of how many audits have each status, and how many are how near."""
    body = [["", *STATUSES, "tolerance", *(f"within {times}x" for times in _WITHIN)]]
    for name, check in checks.items():
        near = shares(check, tolerances[name]).values()
        body.append(
            [
                _TITLES[name],
                *(str(count) for count in counts(check).values()),
                f"{tolerances[name]:g}",
                *("n/a" if share is None else f"{100 * share:.1f} %" for share in near),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in body
    ]


def _told_runs(inputs: Inputs, checks: Mapping[str, Check]) -> list[str]:
    """What the runs of the first audits give."""
    accuracy, coefficient, factor = (checks[name].computed for name in _TITLES)
    ratio, critical, r = (inputs.spreads[name] for name in SPREADS)
    return [
        f"  line {inputs.lines[at]}: {inputs.runs[at]} runs, relative accuracy "
        f"{accuracy[at]:.4g} %, confidence coefficient {coefficient[at]:.4g}, bias factor "
        f"{factor[at]:.4f}, F {ratio[at]:.3g} (critical {critical[at]:.3g}), r {r[at]:.3f}"
        for at in range(min(len(inputs.lines), _MOST_TOLD))
    ]


def _told_cases(title: str, inputs: Inputs, check: Check) -> list[str]:
    """Why a figure could not be computed, and the first that do not fit."""
    lines = [
        f"{title}: not computable {count} times: {reason}"
        for reason, count in check.lacking().items()
    ]
    odd = np.flatnonzero(check.status == "mismatch")
    if len(odd):
        told = min(len(odd), _MOST_TOLD)
        lines.append(f"{title}: mismatches, {told} of {len(odd)}:")
    return lines + [
        f"  line {inputs.lines[at]}: filed {check.filed[at]:.6g}, computed "
        f"{check.computed[at]:.6g}, rounding allows {check.lower[at]:.6g} to "
        f"{check.upper[at]:.6g}"
        for at in odd[:_MOST_TOLD]
    ]


def counts(check: Check) -> dict[str, int]:
    """How many audits have each status."""
    return {status: int(np.sum(check.status == status)) for status in STATUSES}


def shares(check: Check, tolerance: float) -> dict[str, float | None]:
    """Share of the compared audits within some tolerances; None where none was compared."""
    distance = check.distance()
    compared = distance[~np.isnan(distance)]
    return {
        f"{times * tolerance:.6g}": float(np.mean(compared <= times * tolerance * (1 + 1e-9)))
        if len(compared)
        else None
        for times in _WITHIN
    }
