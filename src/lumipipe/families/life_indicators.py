"""The ranking of health indicators of a request: one pass over the lives, and its table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.indicator_ranking import Indicator, Measure, rank_indicators
from lumipipe.families.interface import Pass, recording_spans
from lumipipe.features import build_features, measure_features
from lumipipe.kernels.windows import window_batch
from lumipipe.language import message, say, say_count
from lumipipe.metrics.lives import IndicatorReducer, life_curve
from lumipipe.reporting.figures.declared import Chart, Column, Panel, Table
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section
from lumipipe.windows import plan_windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from lumipipe.families.interface import Block, Job
    from lumipipe.families.life_clock import LifeClock
    from lumipipe.fold import Batch, Leaf, Leaves
    from lumipipe.reporting.parts import Cell

_SEVERAL = 2  # units that a ranking needs
_COURSES = 3  # indicators whose course is drawn


def indicator_features(job: Job, clock: LifeClock) -> list[Any]:
    """The features whose numbers are ranked."""
    rates = clock.stream.rate_hz[np.isfinite(clock.stream.rate_hz)]
    rate = float(np.median(rates)) if len(rates) else 1.0
    # No measure of an indicator depends on its scale.
    channels = [replace(channel, scale=None) for channel in clock.stream.channels]
    train = job.train
    return build_features(train.indicators, channels, train.indicator_rows, rate, job.seed)


def indicator_pass(job: Job, clock: LifeClock) -> Pass:
    """Indicators over the lives of the units that teach."""
    backend, stream, length = job.backend, clock.stream, job.train.indicator_rows
    features = indicator_features(job, clock)
    # A unit that was taken away before its end has no whole life to be ranked by.
    whole = clock.trains & (clock.left_at_end == 0)
    pieces = [
        [span] if unit >= 0 and whole[unit] else []
        for span, unit in zip(recording_spans(stream), clock.unit_of_recording, strict=True)
    ]
    plan = plan_windows(
        [row.unit for row in clock.recordings], pieces, length, length, job.train.windows_per_chunk
    )
    unit = clock.unit_of_recording[plan.recording]
    first = np.searchsorted(unit, np.arange(len(clock.units)))
    steps = np.maximum(np.bincount(unit, minlength=len(clock.units)) - 1, 1)
    share = (np.arange(len(unit)) - first[unit]) / steps[unit]

    def measure(block: Block) -> Mapping[Leaf, Batch]:
        windows = window_batch(block.rows, backend.asarray(block.starts), block.length)
        start = np.searchsorted(plan.start, block.first_row + block.starts)
        rate = float(stream.rate_hz[block.recording[0]])
        value = measure_features(features, windows, rate if np.isfinite(rate) else 1.0)
        return {(): {"value": value, "life": backend.asarray(share[start])}}

    names = [name for feature in features for name in feature.names]
    return Pass(stream, plan, IndicatorReducer(backend.xp, len(names)), measure)


def ranked(job: Job, clock: LifeClock, leaves: Leaves) -> list[Indicator]:
    """The indicators, the best first."""
    names = [name for feature in indicator_features(job, clock) for name in feature.names]
    found = rank_indicators({leaf[0]: state for leaf, state in leaves.items()}, names, job.seed)
    if any(one.rank is not None for one in found):
        return found
    # Of one life only its steadiness is known; that orders the list, and gives no rank.
    return sorted(found, key=lambda one: -np.nan_to_num(one.monotonicity.value, nan=-1.0))


def indicator_section(job: Job, clock: LifeClock, leaves: Leaves, shown: int) -> Section:
    """How well each indicator tells wear, and what the first of them do over a life."""
    found = ranked(job, clock, leaves)
    constant = [one.name for one in found if one.reason == "constant"]
    rest = [one for one in found if one.reason != "constant"]
    of = (
        say("row")
        if job.train.indicator_rows == 1
        else say("window of {indicator_rows} rows", indicator_rows=job.train.indicator_rows)
    )
    paragraphs = [
        say_count(
            "From the whole lives of {n} unit, by {of}. Monotonicity: how steadily it goes one "
            "way; trendability: how alike lives look; prognosability: how alike they end. Each "
            "from 0 to 1; ranked by their sum.",
            "From the whole lives of {n} units, by {of}. Monotonicity: how steadily it goes one "
            "way; trendability: how alike lives look; prognosability: how alike they end. Each "
            "from 0 to 1; ranked by their sum.",
            n=len(leaves),
            of=of,
        )
    ]
    if len(leaves) < _SEVERAL:
        paragraphs.append(
            say(
                "Of one life only the steadiness is known: nothing is ranked, the steadiest "
                "is first."
            )
        )
    if constant:
        paragraphs.append(
            say("Constant, so without rank: {constant}.", constant=", ".join(constant))
        )
    if len(rest) > shown:
        paragraphs.append(
            say("The first {shown} of {rest} are shown.", shown=shown, rest=len(rest))
        )
    figures: list[Table | Chart] = [_measures(rest[:shown], several=len(leaves) >= _SEVERAL)]
    if rest and leaves:
        names = [name for feature in indicator_features(job, clock) for name in feature.names]
        figures.append(_courses([one.name for one in rest[:_COURSES]], names, leaves))
    return Section(title=say("Health indicators"), paragraphs=paragraphs, figures=figures)


_KINDS = {
    "monotonicity": message("monotonicity"),
    "trendability": message("trendability"),
    "prognosability": message("prognosability"),
}


def _measures(found: list[Indicator], *, several: bool) -> Table:
    """The measures of indicators; those that compare units only where there are several."""
    kinds = tuple(_KINDS)[: 3 if several else 1]
    noted = any(one.reason for one in found) and several
    return Table(
        kind="table",
        title=say("Indicators of wear"),
        caption=(
            say("With 95 % intervals where units were drawn again.")
            if several
            else say("The other measures compare units, so one life has none.")
        ),
        alt=say(
            "{kinds} of each indicator.",
            kinds=", ".join(say(_KINDS[kind]) for kind in kinds).capitalize(),
        ),
        columns=[
            *([Column(label=say("rank"))] if several else []),
            Column(label=say("indicator")),
            *(Column(label=say(_KINDS[kind])) for kind in kinds),
            *([Column(label=say("note"))] if noted else []),
        ],
        rows=[
            [
                *([one.rank] if several else []),
                one.name,
                *(_cell(getattr(one, kind)) for kind in kinds),
                *([one.reason] if noted else []),
            ]
            for one in found
        ],
    )


def _courses(shown: list[str], names: list[str], leaves: Leaves) -> Chart:
    """The mean course of indicators over a life."""
    curves = np.mean([np.asarray(life_curve(state)) for state in leaves.values()], axis=0)
    panels = []
    for name in shown:
        curve = curves[:, names.index(name)]
        low, width = float(curve.min()), float(np.ptp(curve)) or 1.0
        share = (curve - low) / width
        y = [float(value) if np.isfinite(value) else None for value in share]
        panels.append(Panel(y=y, y_label=name))
    units = (
        say("the life")
        if len(leaves) == 1
        else say("the lives of {leaves} units, on average", leaves=len(leaves))
    )
    return Chart(
        kind="chart",
        title=say("The first indicators over a life"),
        caption=say(
            "Over {units}, each on a scale from 0 (its least) to 1 (its greatest).",
            units=units,
        ),
        alt=say("Course of {shown} over a life.", shown=", ".join(shown)),
        x=np.linspace(0, 100, len(curves)).tolist(),
        x_label=say("share of the life that has passed, %"),
        panels=panels,
    )


def indicator_table(job: Job, clock: LifeClock, leaves: Leaves) -> dict[str, NDArray[Any]]:
    """One row an indicator, with all measures and their intervals."""
    found = ranked(job, clock, leaves)
    columns: dict[str, NDArray[Any]] = {
        "indicator": np.array([one.name for one in found], dtype=object),
        "rank": np.array([one.rank for one in found], dtype=object),
        "note": np.array([one.reason for one in found], dtype=object),
    }
    for name in ("monotonicity", "trendability", "prognosability"):
        measures = [getattr(one, name) for one in found]
        for end, suffix in (("value", ""), ("lower", "_lower"), ("upper", "_upper")):
            columns[name + suffix] = np.array([getattr(one, end) for one in measures])
    return columns


def _cell(measure: Measure) -> Cell:
    """A measure as a cell."""
    if not np.isfinite(measure.value):
        return None
    if not np.isfinite(measure.lower):
        return round(measure.value, 3)
    return Interval(value=measure.value, lower=measure.lower, upper=measure.upper)
