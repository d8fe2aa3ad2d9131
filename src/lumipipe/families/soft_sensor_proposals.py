"""The section of a soft sensor's report with the settings for the wanted targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.latent import latent_model
from lumipipe.language import say
from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.families.regression_scores import RegressionScores
    from lumipipe.families.soft_sensor_settings import Found
    from lumipipe.reporting.parts import Cell

_MOST_DIRECTIONS = 3  # of equal settings in a table
_NOTHING = 1e-9  # of a standard deviation: a step that is rounding


def settings_section(score: RegressionScores, settings: Sequence[Found]) -> Section:
    """The proposed settings, and how far equal ones reach."""
    confidence = score.job.score.confidence
    return Section(
        title=say("Settings for the wanted targets"),
        paragraphs=[
            say(
                "The model is run backwards. What a target leaves free is the null space: "
                "along its directions, settings change and the prediction does not. Of "
                "these equal settings, the nearest to the data are proposed, or those of "
                "least cost that lie among {confidence:.0%} of rows like the known ones. "
                "Where even the nearest lie farther out, targets may be missed by as much "
                "as their intervals allow; where that does not help, there are no "
                "supported settings.",
                confidence=confidence,
            )
        ],
        figures=[
            _overview(score.regression.targets, settings),
            *(_table(score, item) for item in settings if not item.reason),
        ],
    )


def _overview(targets: Sequence[str], settings: Sequence[Found]) -> Table:
    """One row a wanted target."""
    rows: list[list[Cell]] = []
    for item in settings:
        proposal, good, wanted = item.proposal, not item.reason, item.wanted.quality
        rows.append(
            [
                item.wanted.id,
                ", ".join(
                    say("{name} {value:.6g}", name=name, value=value)
                    for name, value in item.wanted.quality.items()
                ),
                ", ".join(
                    say(
                        "{name} {predicted:.6g}",
                        name=name,
                        predicted=item.predicted[targets.index(name)],
                    )
                    for name in wanted
                )
                if good
                else say("no supported settings"),
                float(f"{proposal.nearest_t2:.4g}"),
                float(f"{proposal.t2:.4g}") if good else None,
                float(f"{proposal.limit:.4g}"),
                len(proposal.directions),
            ]
        )
    return Table(
        kind="table",
        title=say("Wanted targets"),
        caption=say("T² is Hotelling's distance from the middle of the training rows."),
        alt=say("Wanted targets with the distance of their settings from the data."),
        columns=[
            Column(label=say("wanted")),
            Column(label=say("target")),
            Column(label=say("predicted for the settings")),
            Column(label=say("T² of the nearest settings")),
            Column(label=say("T² of the proposed ones")),
            Column(label=say("limit of T²")),
            Column(label=say("free directions")),
        ],
        rows=rows,
    )


def _table(score: RegressionScores, item: Found) -> Table:
    """The settings of one proposal beside the ends of the equal ones."""
    found, proposal = score.regression, item.proposal
    units = score.units_of(found.inputs)
    latent = latent_model(score.model.arrays)
    scale = np.array([found.scales[name][1] for name in found.inputs])
    centre = np.array([found.scales[name][0] for name in found.inputs])
    mean, spread = centre + scale * latent.mean_x, scale * latent.spread_x
    directions = proposal.directions[:_MOST_DIRECTIONS]
    directions = np.where(np.abs(directions) > _NOTHING * spread, directions, 0.0)
    objective = item.wanted.objective
    chosen_by = (
        say("the nearest to the data")
        if objective is None
        else say("the ones of least {name}", name=objective.name)
    )
    cost = ""
    if objective is not None:
        total = sum(
            weight * proposal.inputs[found.inputs.index(name)]
            for name, weight in objective.weights.items()
        )
        cost = say(
            " They come to {total:.4g} {unit} of {name}.",
            total=total,
            unit=objective.unit,
            name=objective.name,
        )
    rows: list[list[Cell]] = [
        [
            name,
            units[n],
            *(float(f"{value:.5g}") for value in (proposal.inputs[n], mean[n], spread[n])),
            *(float(f"{direction[n]:.3g}") for direction in directions),
        ]
        for n, name in enumerate(found.inputs)
    ]
    return Table(
        kind="table",
        title=say("Settings for {id}", id=item.wanted.id),
        caption=say(
            "Of equal settings, {chosen_by}.{cost} A step along a direction changes no "
            "predicted target that was asked for; up to {reach:.2g} steps from the "
            "nearest settings stay within the limit of T².",
            chosen_by=chosen_by,
            cost=cost,
            reach=proposal.reach,
        ),
        alt=say("Proposed value of each input beside the middle of the training rows."),
        columns=[
            Column(label=say("input")),
            Column(label=say("unit")),
            Column(label=say("setting")),
            Column(label=say("mean in training")),
            Column(label=say("standard deviation")),
            *(Column(label=say("step {n}", n=n + 1)) for n in range(len(directions))),
        ],
        rows=rows,
    )
