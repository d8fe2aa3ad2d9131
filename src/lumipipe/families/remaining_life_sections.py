"""What a report shows of remaining lives: the units, the errors, and whole units calibrating."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.life_intervals import drawn_coverage, regime_names
from lumipipe.families.life_scores import known_of
from lumipipe.families.remaining_life_metrics import error_table
from lumipipe.language import say, term, translated
from lumipipe.reporting.figures.declared import (
    Chart,
    Column,
    IntervalRow,
    Intervals,
    Limit,
    Panel,
    Table,
)
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.interface import Job
    from lumipipe.families.life_scores import LifeScores
    from lumipipe.reporting.result import Unit

_MOST_CALIBRATING, _DRAWS = 30, 20
_FEWEST = 2  # units of a draw


def units_section(scores: LifeScores, units: Sequence[Unit]) -> Section:
    """The units that are nearest to their end."""
    life = scores.clock.life.unit
    name = term("remaining life, {unit}", unit=life)
    true = term("true remaining life, {unit}", unit=life)
    rows = []
    for unit in units:
        found, known = unit.values.get(name), unit.values.get(true)
        if not isinstance(found, Interval):
            continue
        label = unit.id if known is None else say("{id} (true: {known:g})", id=unit.id, known=known)
        rows.append(
            IntervalRow(label=label, value=found.value, lower=found.lower, upper=found.upper)
        )
    figure = Intervals(
        kind="intervals",
        title=say("Predicted remaining life"),
        caption=say(
            "Predicted remaining life with its interval, the shortest first; an interval "
            "that ends at {cap:g} has no upper end.",
            cap=scores.cap,
        ),
        alt=say("Predicted remaining life of the units nearest to their end."),
        rows=rows,
        x_label=translated(name),
    )
    return Section(title=say("Units nearest to their end"), figures=[figure] if rows else [])


def errors_section(scores: LifeScores, unit: str) -> Section:
    """Early and late errors, and how they go with the true life."""
    rows = known_of(scores.instants)
    order = np.lexsort((rows["number"], rows["truth"]))
    error = (rows["prediction"] - rows["truth"])[order]
    chart = Chart(
        kind="chart",
        title=say("Predicted less true life"),
        caption=say(
            "Tested units by their true life, clipped at {cap:g} {unit}, and joined by a "
            "line; above no error is late, below it early.",
            cap=scores.cap,
            unit=unit,
        ),
        alt=say("Error of each tested unit against its true remaining life."),
        x=rows["truth"][order].tolist(),
        x_label=say("true remaining life, {unit}", unit=unit),
        panels=[
            Panel(
                y=error.tolist(),
                y_label=say("error, {unit}", unit=unit),
                limits=[Limit(value=0.0, label=say("no error"), style="theoretical")],
            )
        ],
    )
    which = (
        say("Each unit is judged at one random instant of its life.")
        if scores.is_dealt
        else say("Each tested unit is judged at its last row.")
    )
    return Section(
        title=say("Errors, early and late apart"),
        paragraphs=[which],
        figures=[error_table(scores, unit), *([chart] if len(error) else [])],
    )


def coverage_section(job: Job, scores: LifeScores, unit: str) -> Section:
    """The half-widths, and what they hold when units change places."""
    edges, nominal = job.train.regime_edges, scores.windows[0].regression.coverage
    rows = scores.held_out
    units = len(np.unique(rows["unit"]))
    calibrating = min(_MOST_CALIBRATING, units // _FEWEST)
    drawn = drawn_coverage(rows, edges, scores.cap, nominal, job.seed, _DRAWS, calibrating)
    paragraphs = [
        say(
            "Each unit that teaches sets the half-widths while it is held out, by one "
            "random instant in each stretch of predicted life, so that its rows count once."
        )
    ]
    if drawn is not None and np.isfinite(drawn.coverage).all():
        paragraphs.append(
            say(
                "When {calibrating} units drawn at random calibrate and {judged} others are "
                "judged, {draws} times over, intervals that promise {nominal:.0%} hold "
                "{coverage:.1%} on average (standard deviation of a draw {std:.1%}), and are "
                "{width:.0f} {unit} wide, counted up to {cap:g}.",
                calibrating=drawn.calibrating,
                judged=drawn.judged,
                draws=_DRAWS,
                nominal=nominal,
                coverage=drawn.coverage.mean(),
                std=drawn.coverage.std(ddof=1),
                width=drawn.width.mean(),
                unit=unit,
                cap=scores.cap,
            )
        )
    return Section(
        title=say("Half-widths by unit"),
        paragraphs=paragraphs,
        figures=[
            Table(
                kind="table",
                title=say("Half-widths of the intervals"),
                caption=say(
                    "For a promise of {nominal:.0%}. Without a number: too few units were "
                    "in this state to promise anything.",
                    nominal=nominal,
                ),
                alt=say("Half-width by predicted life and length of the window."),
                columns=[
                    Column(label=say("predicted life"), unit=unit),
                    *(
                        Column(
                            label=say(
                                "window of {window_rows} rows",
                                window_rows=part.regression.settings.window_rows,
                            ),
                            unit=unit,
                        )
                        for part in scores.windows
                    ),
                ],
                rows=[
                    [name, *(_half(p.model.arrays["final_threshold"][r]) for p in scores.windows)]
                    for r, name in enumerate(regime_names(edges))
                ],
            )
        ]
        if not scores.is_dealt
        else [],
    )


def _half(width: float) -> float | None:
    """A half-width as a cell."""
    return round(float(width), 1) if np.isfinite(width) else None
