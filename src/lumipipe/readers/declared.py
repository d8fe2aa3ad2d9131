"""What a source declares of its time, compared with its stamps: period, gaps, certificates.

What its clock was ahead is taken off where stamps are made (`lumipipe.readers.timebase`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import Certificate
from lumipipe.config.moments import NANOSECONDS, in_words, moment, nanoseconds
from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.timebase import true_stamps

if TYPE_CHECKING:
    from lumipipe.config import Source
    from lumipipe.readers.tables import Table

OUTSIDE = "rows_outside_period"
"""Attribute of a recording of which rows lie outside the declared period: how many."""
LONG_GAPS = "long_gaps"
"""Attribute of a recording with gaps longer than the accepted ones, in words."""


def rows_in_period(
    table: Table, rows: slice, source: Source, file: str
) -> tuple[slice, dict[str, str]]:
    """Rows whose stamps lie in the period that the source declares.

    Parameters
    ----------
    table : Table
        What the reader gave, stamps in UTC.
    rows : slice
        Rows to keep, with both ends.
    source : Source
        Where it declares no period, or has no stamps of the calendar, all rows stay.
    file : str
        Name of the file for messages.

    Returns
    -------
    tuple of slice and dict of str to str
        Rows from the first to the last one inside, and the attribute `OUTSIDE` where others were.

    Raises
    ------
    RecordingError
        If no row lies in the period, or some do not and the source refuses that.
    """
    if source.period is None or not source.is_stamped:
        return rows, {}
    first, last = source.period
    stamps = true_stamps(table, rows, source, file)
    inside = np.flatnonzero((stamps >= nanoseconds(first)) & (stamps <= nanoseconds(last)))
    outside = len(stamps) - len(inside)
    period = finding(f"the period {in_words(first)} to {in_words(last)}")
    if len(inside) == 0:
        raise RecordingError(file, f"no row lies in {period}", "correct the period, or clock")
    if outside and source.outside_period == "refuse":
        raise RecordingError(
            file,
            f"{outside} of {len(stamps)} rows lie outside {period}",
            "correct the period, or set outside_period: leave_out",
        )
    # Time that goes back in between is found where stamps are read.
    kept = slice(rows.start + int(inside[0]), rows.start + int(inside[-1]) + 1)
    return kept, {OUTSIDE: str(outside)} if outside else {}


def long_gaps(
    table: Table, rows: slice, time_ns: np.ndarray | None, source: Source, file: str
) -> dict[str, str]:
    """The attribute `LONG_GAPS` of rows with gaps that are longer than the source accepts.

    Parameters
    ----------
    table : Table
        For places of rows.
    rows : slice
        Rows that are kept.
    time_ns : np.ndarray or None, shape (row,), int64, ns
        Their stamps.
    source : Source
        Its `gaps` say how long one may be, and whether a longer one is refused.
    file : str
        Name of the file for messages.

    Returns
    -------
    dict of str to str
        Empty where none is longer.

    Raises
    ------
    RecordingError
        If one is longer and longer ones are refused.
    """
    most = source.gaps.largest_accepted_s
    if most is None or time_ns is None:
        return {}
    steps = np.diff(time_ns)
    too_long = np.flatnonzero(steps > round(most * NANOSECONDS))
    if len(too_long) == 0:
        return {}
    worst = int(np.argmax(steps))
    place = table.row_place(rows.start + worst + 1)
    longest = finding(f"{steps[worst] / NANOSECONDS:g} s before {place}")
    if source.gaps.longer == "refuse":
        raise RecordingError(
            file,
            f"a gap is longer than the {most:g} s that are accepted: {longest}",
            "raise gaps.largest_accepted_s, cut with rows or period, or set gaps.longer: tell",
        )
    told = finding(f"{len(too_long)} longer than {most:g} s, the longest {longest}")
    return {LONG_GAPS: told}


def refuse_expired(time_ns: np.ndarray | None, source: Source, file: str) -> None:
    """Refuse rows that were measured while the certificate of a channel did not hold.

    Parameters
    ----------
    time_ns : np.ndarray or None, shape (row,), int64, ns
        Stamps of the rows that are kept.
    source : Source
        Its channels may have certificates with validity.
    file : str
        Name of the file for messages.

    Raises
    ------
    RecordingError
        If a certificate does not hold on the day of the first or the last row.
    """
    if time_ns is None or len(time_ns) == 0 or not source.is_stamped:
        return
    first, last = (moment(int(time_ns[at])).date() for at in (0, -1))
    for channel in source.channels:
        known = channel.certificate
        problem = known.problem_on(first, last) if isinstance(known, Certificate) else None
        if problem is not None:
            raise RecordingError(
                f"{file}: channel {channel.name}",
                problem,
                "give the certificate of that time, or a period that it holds for",
            )
