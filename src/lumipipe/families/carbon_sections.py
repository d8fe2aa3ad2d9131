"""The sections of a report of the family `carbon`: tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.families.carbon_check import MONTH, UNIT
from lumipipe.families.carbon_filed_sections import column_section, sum_section
from lumipipe.families.carbon_rows import clock_section
from lumipipe.families.pages.interface import read_by
from lumipipe.language import say, translated
from lumipipe.reporting.figures.declared import (
    Column,
    IntervalRow,
    Intervals,
    Table,
)
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.carbon_filed import FiledFacts
    from lumipipe.families.carbon_totals import Total, Totals
    from lumipipe.families.interface import Job


def sections(job: Job, totals: Totals, filed: FiledFacts | None) -> list[Section]:
    """All sections, in order."""
    found = [*read_by("metrologist", [_stated(job, totals)]), *_groups(job, totals)]
    if filed is not None:
        found += [column_section(job, filed), sum_section(job, totals, filed)]
    return [*found, *read_by("authority", [clock_section(totals)])]


def _stated(job: Job, totals: Totals) -> Section:
    """Activities, meters and factors as the request states them."""
    amounts = totals.amounts(totals.total)
    train = job.train
    unchecked = [name for name, factor in train.factors.items() if factor.checked_by is None]
    notes = [say("Boundary: {boundary}.", boundary=job.asset.boundary.rstrip("."))]
    if unchecked:
        notes.append(
            say(
                "Factor not verified: {unchecked}. Nobody is named who compared the value "
                "with its source.",
                unchecked=", ".join(unchecked),
            )
        )
    return Section(
        title=say("Activities, factors and scope"),
        paragraphs=notes,
        figures=[
            Table(
                kind="table",
                title=say("Activities"),
                caption=say(
                    "U: expanded uncertainty of the meter, the same error in all its "
                    "readings; the amount stands with it. n/a: the resolution is not stated, "
                    "so it is not in the budget."
                ),
                alt=say("Amount of each activity and what measured it."),
                columns=[
                    Column(label=say("activity")),
                    Column(label=say("channel")),
                    Column(label=say("amount")),
                    Column(label=say("unit")),
                    Column(label=say("rows with a reading")),
                    Column(label=say("U of the meter"), unit="%"),
                    Column(label="k"),
                    Column(label=say("source of U")),
                    Column(label=say("resolution, unit of the channel")),
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
                title=say("Factors"),
                caption=say("As the request states them."),
                alt=say("Value, uncertainty, source, year, scope and boundary of each factor."),
                columns=[
                    Column(label=say("factor")),
                    Column(label=say("value")),
                    Column(label="U"),
                    Column(label="k"),
                    Column(label=say("unit")),
                    Column(label=say("year")),
                    Column(label=say("scope")),
                    Column(label=say("boundary")),
                    Column(label=say("source")),
                    Column(label=say("checked by")),
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
                        factor.checked_by or say("nobody"),
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
            title=say("The total by group"),
            paragraphs=[
                say(
                    "The intervals of groups share the errors of meters and factors: they "
                    "move together, so differences between groups are surer than the "
                    "groups are, and their uncertainties add up to that of the total."
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
        title=say("{gas} by {name}", gas=job.score.gas, name=translated(name, among=(MONTH, UNIT))),
        caption=say("{coverage:.0%} intervals; n: rows that count.", coverage=coverage),
        alt=say(
            "Largest: {name} with {emission} {unit}.",
            name=largest.name,
            emission=rounded(largest.emission),
            unit=job.score.unit,
        ),
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
