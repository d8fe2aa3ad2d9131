"""What a report of the family `carbon` says of a filed column: resolution, factors, its sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.carbon_folding import APART
from lumipipe.families.carbon_rows import run_table
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Bars, Column, Table
from lumipipe.reporting.numbers import rounded
from lumipipe.reporting.parts import Interval
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from lumipipe.families.carbon_filed import FiledFacts
    from lumipipe.families.carbon_totals import Totals
    from lumipipe.families.interface import Job

_MOST_VALUES = 12


def column_section(job: Job, filed: FiledFacts) -> Section:
    """How coarse the filed values are, and two ways to a factor."""
    activity = job.train.activities[job.train.filed.activity]
    factor = job.train.factors[activity.factor]
    said = {"values": len(filed.values), "rows": rounded(filed.rows)}
    text = (
        say("More than {values} distinct values in {rows} rows", **said)
        if filed.others
        else say("{values} distinct values in {rows} rows", **said)
    )
    text += say("; mean {mean} {unit}", mean=rounded(filed.mean), unit=filed.unit)
    if filed.step is not None and filed.step_share is not None:
        text += say(
            "; all are multiples of {step:g} {unit}: resolution {step:g} {unit} is "
            "{step_share:.0%} of the mean",
            step=filed.step,
            unit=filed.unit,
            step_share=filed.step_share,
        )
    figures: list[Any] = [
        Bars(
            kind="bars",
            title=say("Filed values"),
            caption=say(
                "Rows with each value; the {most_values} smallest where there are more.",
                most_values=_MOST_VALUES,
            ),
            alt=text,
            labels=[
                say("{value:g} {unit}", value=value, unit=filed.unit)
                for value in filed.values[:_MOST_VALUES]
            ],
            values=[float(count) for count in filed.counts[:_MOST_VALUES]],
            x_label=say("rows (number)"),
        ),
        Table(
            kind="table",
            title=say("Ways to a factor"),
            caption=say(
                "If filed values were activity times one factor but for rounding that "
                "averages out, the first two would agree."
            ),
            alt=say("Factor by sum over sum and by the slope, beside the stated one."),
            columns=[Column(label=say("way")), Column(label=say("factor"), unit=factor.unit)],
            rows=[
                [say("sum of filed values / sum of the activity"), filed.ratio],
                [say("slope of filed values over the activity, with an intercept"), filed.slope],
                [say("stated in the request"), factor.value],
            ],
        ),
    ]
    paragraphs = [f"{text}."]
    if (apart := filed.differ()) is not None:
        paragraphs.append(
            say(
                "The two ways to a factor lie {apart:.0%} apart: sum over sum {ratio}, slope "
                "{slope} {unit}.",
                apart=abs(apart),
                ratio=rounded(filed.ratio),
                slope=rounded(filed.slope),
                unit=factor.unit,
            )
        )
    return Section(title=say("The filed column"), paragraphs=paragraphs, figures=figures)


def sum_section(job: Job, totals: Totals, filed: FiledFacts) -> Section:
    """The sum of the filed values against activity times factor."""
    unit, name = job.score.unit, job.train.filed.activity
    computed = totals.emissions(totals.total.sums)[name]
    rows: list[list[Any]] = [[say("sum of the filed values"), filed.total]]
    paragraphs = []
    if filed.u_independent is not None and filed.lean is not None:
        half = filed.u_independent
        bounds = filed.bounds()
        rows += [
            [say("standard uncertainty, were rounding independent from row to row"), half],
            [
                say("the sum with all rows rounded to one side, at worst"),
                None
                if bounds is None
                else Interval(value=filed.total, lower=bounds[0], upper=bounds[1]),
            ],
            [say("what rounding does to the sum, at the stated factor"), filed.lean],
            [
                say("rest: filed less activity times factor, less rounding"),
                filed.total - computed - filed.lean,
            ],
        ]
        paragraphs.append(_lean_words(filed, unit))
    rows.append([say("activity times factor, {name}", name=name), computed])
    found = totals.clock.noted.of(APART)
    figures: list[Any] = [
        Table(
            kind="table",
            title=say("The sum of the filed values and its rounding"),
            caption=say("The sum is allowed, its single rows are not: see Not answered."),
            alt=say("Sum of the filed values, its rounding, and activity times factor."),
            columns=[Column(label=say("what")), Column(label=say("amount"), unit=unit)],
            rows=rows,
        )
    ]
    if len(found):
        paragraphs.append(
            say(
                "{found} rows were filed further from activity times factor than rounding and "
                "the factor's expanded uncertainty allow.",
                found=len(found),
            )
        )
        figures.append(run_table(totals, found, say("Rows filed apart from activity times factor")))
    return Section(title=say("The sum of the filed values"), paragraphs=paragraphs, figures=figures)


def _lean_words(filed: FiledFacts, unit: str) -> str:
    """Whether rounding averages out, in words."""
    lean, half = rounded(filed.lean, digits=3), rounded(filed.u_independent, digits=2)
    if filed.is_leaning:
        return say(
            "Rounding does not average out here: many rows lie in the same part of a "
            "step, so at the stated factor it moves the sum by {lean} {unit}, where "
            "independent errors would give a standard uncertainty of {half} {unit}. The "
            "sum is given with the bounds of rounding to one side.",
            lean=lean,
            unit=unit,
            half=half,
        )
    return say(
        "Rounding averages out: at the stated factor it moves the sum by {lean} {unit}, "
        "and independent errors have a standard uncertainty of {half} {unit}.",
        lean=lean,
        unit=unit,
        half=half,
    )
