"""What a report of the family `carbon` says of rows in time: gaps, duplicates, runs of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.carbon_clock import stamp_text
from lumipipe.families.carbon_folding import DUPLICATE, GAP, UNEVEN
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.carbon_clock import Noted
    from lumipipe.families.carbon_totals import Totals

_MOST_NAMED = 12


def clock_section(totals: Totals) -> Section:
    """Gaps, duplicates, and what was captured."""
    if not totals.folding.is_timed:
        return Section(
            title="Rows and time",
            paragraphs=["The rows have no time stamps: gaps and duplicates cannot be seen."],
        )
    counts = {name: rounded(count) for name, count in totals.counts().items()}
    text = (
        f"{counts['rows counted']} of {counts['rows']} rows count, for "
        f"{rounded(totals.expected())} intervals. Gaps: {counts['gaps']}, with "
        f"{counts['intervals missing in gaps']} intervals. Duplicate rows, of which the first "
        f"counts: {counts['duplicate rows']}. Steps that are neither one interval nor a gap: "
        f"{counts['uneven steps']}."
    )
    between = [
        f"Between {before} and {after} {missing} intervals are missing."
        for before, after, missing in totals.clock.between[:_MOST_NAMED]
    ]
    figures: list[Any] = [_gap_table(totals)] if len(totals.clock.noted.of(GAP)) else []
    for kind, title in ((DUPLICATE, "Duplicate rows"), (UNEVEN, "Rows after an uneven step")):
        if len(found := totals.clock.noted.of(kind)):
            figures.append(run_table(totals, found, title))
    return Section(title="Rows and time", paragraphs=[text, *between], figures=figures)


def _gap_table(totals: Totals) -> Table:
    """The largest gaps within recordings."""
    found = totals.clock.noted.of(GAP)
    largest = np.argsort(-found.step_ns, kind="stable")[:_MOST_NAMED]
    return Table(
        kind="table",
        title="Gaps",
        caption=f"The {len(largest)} largest of {len(found)}. Nothing was filled in.",
        alt=f"{len(found)} gaps.",
        columns=[
            Column(label="recording"),
            Column(label="last stamp before"),
            Column(label="first stamp after"),
            Column(label="intervals missing"),
        ],
        rows=[
            [
                totals.job.dataset.recordings[found.recording[at]].id,
                stamp_text(int(found.time_ns[at] - found.step_ns[at])),
                stamp_text(int(found.time_ns[at])),
                round(float(found.step_ns[at]) / totals.folding.interval_ns) - 1,
            ]
            for at in largest
        ],
    )


def run_table(totals: Totals, found: Noted, title: str) -> Table:
    """Runs of neighbouring rows."""
    edges = np.flatnonzero((np.diff(found.row) != 1) | (np.diff(found.recording) != 0)) + 1
    firsts = np.concatenate([[0], edges])
    lasts = np.concatenate([edges, [len(found)]]) - 1
    shown = list(zip(firsts, lasts, strict=True))[:_MOST_NAMED]
    return Table(
        kind="table",
        title=title,
        caption=f"The first {len(shown)} of {len(firsts)} runs of rows; rows count from 0.",
        alt=f"{len(found)} rows in {len(firsts)} runs.",
        columns=[
            Column(label="recording"),
            Column(label="first row"),
            Column(label="rows"),
            Column(label="first stamp"),
            Column(label="last stamp"),
        ],
        rows=[
            [
                totals.job.dataset.recordings[found.recording[first]].id,
                int(found.row[first]),
                int(last - first + 1),
                *(_stamp(totals, int(found.time_ns[at])) for at in (first, last)),
            ]
            for first, last in shown
        ],
    )


def _stamp(totals: Totals, time_ns: int) -> str:
    """A stamp, where rows have one."""
    return stamp_text(time_ns) if totals.folding.is_timed else "no time"
