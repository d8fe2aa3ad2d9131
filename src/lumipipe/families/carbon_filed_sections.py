"""What a report of the family `carbon` says of a filed column: resolution, factors, its sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.families.carbon_folding import APART
from lumipipe.families.carbon_rows import run_table
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
    text = f"{len(filed.values)} distinct values in {rounded(filed.rows)} rows"
    if filed.others:
        text = f"More than {text}"
    text += f"; mean {rounded(filed.mean)} {filed.unit}"
    if filed.step is not None and filed.step_share is not None:
        text += (
            f"; all are multiples of {filed.step:g} {filed.unit}: resolution {filed.step:g} "
            f"{filed.unit} is {filed.step_share:.0%} of the mean"
        )
    figures: list[Any] = [
        Bars(
            kind="bars",
            title="Filed values",
            caption=f"Rows with each value; the {_MOST_VALUES} smallest where there are more.",
            alt=text,
            labels=[f"{value:g} {filed.unit}" for value in filed.values[:_MOST_VALUES]],
            values=[float(count) for count in filed.counts[:_MOST_VALUES]],
            x_label="rows (number)",
        ),
        Table(
            kind="table",
            title="Ways to a factor",
            caption="If filed values were activity times one factor but for rounding that "
            "averages out, the first two would agree.",
            alt="Factor by sum over sum and by the slope, beside the stated one.",
            columns=[Column(label="way"), Column(label="factor", unit=factor.unit)],
            rows=[
                ["sum of filed values / sum of the activity", filed.ratio],
                ["slope of filed values over the activity, with an intercept", filed.slope],
                ["stated in the request", factor.value],
            ],
        ),
    ]
    paragraphs = [f"{text}."]
    if (apart := filed.differ()) is not None:
        paragraphs.append(
            f"The two ways to a factor lie {abs(apart):.0%} apart: sum over sum "
            f"{rounded(filed.ratio)}, slope {rounded(filed.slope)} {factor.unit}."
        )
    return Section(title="The filed column", paragraphs=paragraphs, figures=figures)


def sum_section(job: Job, totals: Totals, filed: FiledFacts) -> Section:
    """The sum of the filed values against activity times factor."""
    unit, name = job.score.unit, job.train.filed.activity
    computed = totals.emissions(totals.total.sums)[name]
    rows: list[list[Any]] = [["sum of the filed values", filed.total]]
    paragraphs = []
    if filed.u_independent is not None and filed.lean is not None:
        half = filed.u_independent
        bounds = filed.bounds()
        rows += [
            ["standard uncertainty, were rounding independent from row to row", half],
            [
                "the sum with all rows rounded to one side, at worst",
                None
                if bounds is None
                else Interval(value=filed.total, lower=bounds[0], upper=bounds[1]),
            ],
            ["what rounding does to the sum, at the stated factor", filed.lean],
            [
                "rest: filed less activity times factor, less rounding",
                filed.total - computed - filed.lean,
            ],
        ]
        paragraphs.append(_lean_words(filed, unit))
    rows.append([f"activity times factor, {name}", computed])
    found = totals.clock.noted.of(APART)
    figures: list[Any] = [
        Table(
            kind="table",
            title="The sum of the filed values and its rounding",
            caption="The sum is allowed, its single rows are not: see Not answered.",
            alt="Sum of the filed values, its rounding, and activity times factor.",
            columns=[Column(label="what"), Column(label="amount", unit=unit)],
            rows=rows,
        )
    ]
    if len(found):
        paragraphs.append(
            f"{len(found)} rows were filed further from activity times factor than rounding and "
            "the factor's expanded uncertainty allow."
        )
        figures.append(run_table(totals, found, "Rows filed apart from activity times factor"))
    return Section(title="The sum of the filed values", paragraphs=paragraphs, figures=figures)


def _lean_words(filed: FiledFacts, unit: str) -> str:
    """Whether rounding averages out, in words."""
    lean, half = rounded(filed.lean, digits=3), rounded(filed.u_independent, digits=2)
    if filed.is_leaning:
        return (
            f"Rounding does not average out here: many rows lie in the same part of a step, so at "
            f"the stated factor it moves the sum by {lean} {unit}, where independent errors would "
            f"give a standard uncertainty of {half} {unit}. The sum is given with the bounds of "
            "rounding to one side."
        )
    return (
        f"Rounding averages out: at the stated factor it moves the sum by {lean} {unit}, and "
        f"independent errors have a standard uncertainty of {half} {unit}."
    )
