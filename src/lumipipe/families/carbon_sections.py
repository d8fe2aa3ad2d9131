"""The sections of a report of the family `carbon`: tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.carbon_check import UNIT
from lumipipe.families.carbon_filed_sections import column_section, sum_section
from lumipipe.families.carbon_rows import clock_section
from lumipipe.reporting.figures.declared import (
    Bars,
    Column,
    IntervalRow,
    Intervals,
    Table,
)
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.budget import variance_shares

if TYPE_CHECKING:
    from lumipipe.families.carbon_filed import FiledFacts
    from lumipipe.families.carbon_totals import Total, Totals
    from lumipipe.families.interface import Job


def sections(job: Job, totals: Totals, filed: FiledFacts | None) -> list[Section]:
    """All sections, in order."""
    found = [_budget(job, totals), _stated(job, totals), *_groups(job, totals)]
    if filed is not None:
        found += [column_section(job, filed), sum_section(job, totals, filed)]
    return [*found, clock_section(totals)]


def _budget(job: Job, totals: Totals) -> Section:
    """What the uncertainty of the total is made of."""
    total, unit = totals.total, job.score.unit
    shares = variance_shares(total.budget)
    rows: list[list[Any]] = [
        [
            part.source,
            part.evaluation,
            part.distribution,
            part.u,
            "share of the reading" if part.unit == "1" else part.unit,
            part.sensitivity,
            abs(part.effect),
            100 * share,
            "shared by all rows" if part.is_shared else "independent",
        ]
        for part, share in zip(total.budget, shares, strict=True)
    ]
    return Section(
        title="Uncertainty budget",
        paragraphs=[
            (
                f"Model: emission = sum over activities of amount times factor. First order (JCGM "
                f"100:2008, Eq. 10). Combined standard uncertainty u = "
                f"{rounded(total.u, digits=2)} {unit}; expanded U = "
                f"{rounded(total.expanded, digits=2)} {unit} with k = {total.k:.2f}. What is "
                "shared moves all rows together, so that its effects add before they are squared; "
                "only what is independent shrinks beside the total as rows are added."
            )
        ],
        figures=[
            Table(
                kind="table",
                title="Budget of the total",
                caption="A: from statistics of these data; B: from other knowledge. Sensitivity: "
                "change of the total for a unit of the source, over all rows.",
                alt="Sources of uncertainty with their standard uncertainty and effect.",
                columns=[
                    Column(label="source"),
                    Column(label="type"),
                    Column(label="distribution"),
                    Column(label="u of the source"),
                    Column(label="unit of u"),
                    Column(label="sensitivity", unit=f"{unit} per unit"),
                    Column(label="effect", unit=unit),
                    Column(label="share of variance", unit="%"),
                    Column(label="between rows"),
                ],
                rows=rows,
            ),
            Bars(
                kind="bars",
                title="Effect of each source on the total",
                caption="Effects add in squares to the combined standard uncertainty.",
                alt=f"Effects in {unit}.",
                labels=[part.source for part in total.budget],
                values=[abs(part.effect) for part in total.budget],
                x_label=f"effect on the total ({unit})",
            ),
        ],
    )


def _stated(job: Job, totals: Totals) -> Section:
    """Activities, meters and factors as the request states them."""
    amounts = totals.amounts(totals.total)
    train = job.train
    unchecked = [name for name, factor in train.factors.items() if factor.checked_by is None]
    notes = [f"Boundary: {job.asset.boundary.rstrip('.')}."]
    if unchecked:
        notes.append(
            f"Factor not verified: {', '.join(unchecked)}. Nobody is named who compared the value "
            "with its source."
        )
    return Section(
        title="Activities, factors and scope",
        paragraphs=notes,
        figures=[
            Table(
                kind="table",
                title="Activities",
                caption="U: expanded uncertainty of the meter, the same error in all its readings; "
                "the amount stands with it. "
                "n/a: the resolution is not stated, so it is not in the budget.",
                alt="Amount of each activity and what measured it.",
                columns=[
                    Column(label="activity"),
                    Column(label="channel"),
                    Column(label="amount"),
                    Column(label="unit"),
                    Column(label="rows with a reading"),
                    Column(label="U of the meter", unit="%"),
                    Column(label="k"),
                    Column(label="source of U"),
                    Column(label="resolution, unit of the channel"),
                ],
                rows=[
                    [
                        name,
                        activity.channel,
                        _with_meter(amounts[name][0], train.meters[activity.meter].expanded),
                        amounts[name][1],
                        totals.total.sums.counts[number],
                        100 * train.meters[activity.meter].expanded,
                        train.meters[activity.meter].k,
                        train.meters[activity.meter].source,
                        _resolution(totals, activity.channel),
                    ]
                    for number, (name, activity) in enumerate(train.activities.items())
                ],
            ),
            Table(
                kind="table",
                title="Factors",
                caption="As the request states them.",
                alt="Value, uncertainty, source, year, scope and boundary of each factor.",
                columns=[
                    Column(label="factor"),
                    Column(label="value"),
                    Column(label="U"),
                    Column(label="k"),
                    Column(label="unit"),
                    Column(label="year"),
                    Column(label="scope"),
                    Column(label="boundary"),
                    Column(label="source"),
                    Column(label="checked by"),
                ],
                rows=[
                    [
                        name,
                        factor.value,
                        factor.expanded,
                        factor.k,
                        factor.unit,
                        str(factor.year),
                        str(factor.scope),
                        factor.boundary,
                        factor.source,
                        factor.checked_by or "nobody",
                    ]
                    for name, factor in train.factors.items()
                ],
            ),
        ],
    )


def _with_meter(amount: float, expanded: float) -> Interval:
    """An amount with the expanded uncertainty of its meter."""
    half = abs(amount) * expanded
    return Interval(value=amount, lower=amount - half, upper=amount + half)


def _resolution(totals: Totals, channel: str) -> float | None:
    """Resolution of a channel, where it is stated."""
    return totals.folding.table.channels[totals.folding.number_of(channel)].resolution


def _groups(job: Job, totals: Totals) -> list[Section]:
    """A figure for each grouping; its numbers stand in the list of units."""
    names = [name for name in job.score.by if name != UNIT or len(totals.units) > 1]
    figures = [_group_figure(job, name, totals.groups(name)) for name in names]
    if not figures:
        return []
    return [
        Section(
            title="The total by group",
            paragraphs=[
                (
                    "The intervals of groups share the errors of meters and factors: they move "
                    "together, so differences between groups are surer than the groups are, and "
                    "their uncertainties add up to that of the total."
                )
            ],
            figures=figures,
        )
    ]


def _group_figure(job: Job, name: str, groups: list[Total]) -> Intervals:
    """One grouping."""
    coverage = job.request.evaluation.interval.coverage
    largest = max(groups, key=lambda group: group.emission)
    return Intervals(
        kind="intervals",
        title=f"{job.score.gas} by {name}",
        caption=f"{coverage:.0%} intervals; n: rows that count.",
        alt=f"Largest: {largest.name} with {rounded(largest.emission)} {job.score.unit}.",
        rows=[
            IntervalRow(
                label=group.name,
                value=group.emission,
                lower=group.emission - group.expanded,
                upper=group.emission + group.expanded,
                count=group.sums.rows,
            )
            for group in groups
        ],
        x_label=f"{job.score.gas} ({job.score.unit})",
    )
