"""The uncertainty of a predicted value: what left-out cases say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.pages.budgets import Source, Statement
from lumipipe.families.pages.certified_sources import (
    input_sources,
    reference_source,
    taught_with,
)
from lumipipe.language import say
from lumipipe.uncertainty.budget import Contribution, rounding_u
from lumipipe.uncertainty.spread import Spread, spread_of

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.regression_scores import RegressionScores


def model_sources(found: Spread, unit: str) -> list[Source]:
    """Sources of the error of a model: from case to case, and shared by a group of cases.

    Parameters
    ----------
    found : Spread
        Of cases that did not teach.
    unit : str
        Unit of the target.

    Returns
    -------
    list of Source
        The errors of the reference, with which they were found, are in both.
    """
    learnt = say(
        "{cases:,} cases that did not teach, in {groups} groups",
        cases=found.cases,
        groups=found.groups,
    )
    return [
        Source(
            say("model and reference, case to case"),
            Contribution("case to case", "A", "normal", found.independent, unit, 1.0, False),
            learnt,
        ),
        Source(
            say("model, shared by a group of cases, bias included"),
            Contribution("shared", "A", "normal", found.shared, unit, 1.0, True),
            learnt,
        ),
    ]


def prediction_statement(subject: Subject, scores: RegressionScores) -> Statement | None:
    """A predicted value of one target; None where too few cases are known."""
    inside, (name, unit) = scores.known["inside"], scores.channel
    rows = {key: column[inside] for key, column in scores.known.items()}
    error = rows["truth"] - rows["prediction"]
    found = spread_of(error, scores.clusters[inside])
    if found is None:
        return None
    sources = model_sources(found, unit)
    channel = next(
        (c for s in subject.job.request.data for c in s.channels if c.name == name), None
    )
    reference = say("reference of {name}: what all its readings share", name=name)
    request = subject.job.request
    sources += reference_source(request, name, reference, None)
    sources += input_sources(request, scores.regression.inputs, taught_with())
    resolution = None if channel is None else channel.resolution
    if resolution is not None:
        # The spread of errors has the rounding of the truths in it already.
        text = say(
            "Step of {name}: {step:g} {unit}, u = {u:.2g} {unit}; it is within the spread from "
            "case to case.",
            name=name,
            step=resolution,
            unit=unit,
            u=rounding_u(resolution),
        )
    else:
        text = say(
            "The step of {name} is not stated; data[].channels[].resolution would state it. What "
            "it adds is within the spread from case to case.",
            name=name,
        )
    half = float(scores.half_widths[-1])
    return Statement(
        name=name,
        measurand=say(
            "{name} of one case, as its reference would have measured it, where the inputs lie in "
            "the operating envelope.",
            name=name,
        ),
        unit=unit,
        equation=say(
            "y = g(x); g: model on {features} features of x ({inputs}).",
            features=scores.regression.width,
            inputs=", ".join(scores.regression.inputs[:12])
            + ", …" * (len(scores.regression.inputs) > 12),  # noqa: PLR2004 - a readable line
        ),
        value=float(np.median(rows["prediction"])),
        sources=sources,
        coverage=scores.regression.coverage,
        half_width=half if np.isfinite(half) else None,
        half_from=say("from left-out rows"),
        correlations=say(
            "Errors within a group of cases hang together; what they share stands as a source of "
            "its own. Errors of the inputs are not told apart from those of the model."
        ),
        resolution=text + " " + say("Values are printed to the digit of their uncertainty."),
        channels=(*scores.regression.inputs, name),
    )


def life_statement(subject: Subject) -> Statement | None:
    """The remaining life of one unit; None where too few units are known."""
    scores = subject.facts
    rows, unit = scores.held_out, scores.clock.life.unit
    found = spread_of(rows["truth"] - rows["prediction"], np.asarray(rows["unit"]))
    if found is None:
        return None
    finite = rows["half_width"][np.isfinite(rows["half_width"])]
    own = _step(np.asarray(rows["age"]), np.asarray(rows["unit"]))
    step = Contribution("step", "B", "rectangular", rounding_u(own), unit, 1.0, False)
    sources = model_sources(found, unit)
    sources.append(Source(say("step of the life from row to row"), step, say("the rows' stamps")))
    sources.append(
        Source(say("when a unit counts as failed"), None, say("not stated in the request"))
    )
    inputs = scores.windows[0].regression.inputs
    sources += input_sources(subject.job.request, inputs, taught_with())
    return Statement(
        name=say("life"),
        measurand=say(
            "Remaining life of one unit at one row, up to {cap:g} {unit}, where its inputs lie in "
            "the trained range.",
            cap=scores.cap,
            unit=unit,
        ),
        unit=unit,
        equation=say(
            "L = min(g(x), cap); g: ridge regression on {features} features of windows of x.",
            features=scores.windows[0].regression.width,
        ),
        value=float(np.median(rows["prediction"])),
        sources=sources,
        coverage=scores.windows[0].regression.coverage,
        half_width=float(np.median(finite)) if len(finite) else None,
        half_from=say("in the median, from whole units that were left out"),
        correlations=say(
            "Rows of one unit hang together: what they share stands as a source of its own, and a "
            "unit counts once where intervals are set."
        ),
        resolution=say(
            "Lives go in steps of {step:g} {unit}. Values are printed to the digit of their "
            "uncertainty.",
            step=own,
            unit=unit,
        ),
        channels=inputs,
    )


def _step(age: np.ndarray, unit: np.ndarray) -> float:
    """Median step of the age between rows of a unit."""
    same = np.diff(unit) == 0
    steps = np.abs(np.diff(age)[same])
    return float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
