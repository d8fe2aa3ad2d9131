"""What a report of the family `carbon` says of rows in time: gaps, duplicates, runs of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.carbon_clock import stamp_text
from lumipipe.families.carbon_folding import DUPLICATE, GAP, UNEVEN
from lumipipe.language import say
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
            title=say("Rows and time"),
            paragraphs=[say("The rows have no time stamps: gaps and duplicates cannot be seen.")],
        )
    counts = {name: rounded(count) for name, count in totals.counts().items()}
    text = say(
        "{rows_counted} of {rows} rows count, for {expected} intervals. Gaps: {gaps}, "
        "with {intervals_missing_in_gaps} intervals. Duplicate rows, of which the first "
        "counts: {duplicate_rows}. Steps that are neither one interval nor a gap: "
        "{uneven_steps}.",
        rows_counted=counts["rows counted"],
        rows=counts["rows"],
        expected=rounded(totals.expected()),
        gaps=counts["gaps"],
        intervals_missing_in_gaps=counts["intervals missing in gaps"],
        duplicate_rows=counts["duplicate rows"],
        uneven_steps=counts["uneven steps"],
    )
    between = [
        say(
            "Between {before} and {after} {missing} intervals are missing.",
            before=before,
            after=after,
            missing=missing,
        )
        for before, after, missing in totals.clock.between[:_MOST_NAMED]
    ]
    figures: list[Any] = [_gap_table(totals)] if len(totals.clock.noted.of(GAP)) else []
    for kind, title in (
        (DUPLICATE, say("Duplicate rows")),
        (UNEVEN, say("Rows after an uneven step")),
    ):
        if len(found := totals.clock.noted.of(kind)):
            figures.append(run_table(totals, found, title))
    return Section(title=say("Rows and time"), paragraphs=[text, *between], figures=figures)


def _gap_table(totals: Totals) -> Table:
    """The largest gaps within recordings."""
    found = totals.clock.noted.of(GAP)
    largest = np.argsort(-found.step_ns, kind="stable")[:_MOST_NAMED]
    return Table(
        kind="table",
        title=say("Gaps"),
        caption=say(
            "The {largest} largest of {found}. Nothing was filled in.",
            largest=len(largest),
            found=len(found),
        ),
        alt=say("{found} gaps.", found=len(found)),
        columns=[
            Column(label=say("recording")),
            Column(label=say("last stamp before")),
            Column(label=say("first stamp after")),
            Column(label=say("intervals missing")),
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
        caption=say(
            "The first {shown} of {firsts} runs of rows; rows count from 0.",
            shown=len(shown),
            firsts=len(firsts),
        ),
        alt=say("{found} rows in {firsts} runs.", found=len(found), firsts=len(firsts)),
        columns=[
            Column(label=say("recording")),
            Column(label=say("first row")),
            Column(label=say("rows")),
            Column(label=say("first stamp")),
            Column(label=say("last stamp")),
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
    return stamp_text(time_ns) if totals.folding.is_timed else say("no time")
