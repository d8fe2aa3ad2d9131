"""The section of a soft sensor's report with the settings for the wanted targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.latent import latent_model
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
        title="Settings for the wanted targets",
        paragraphs=[
            (
                "The model is run backwards. What a target leaves free is the null space: along "
                "its directions, settings change and the prediction does not. Of these equal "
                "settings, the nearest to the data are proposed, or those of least cost that lie "
                "among "
                f"{confidence:.0%} of rows like the known ones. Where even the nearest lie "
                "farther out, targets may be missed by as much as their intervals allow; where "
                "that does not help, there are no supported settings."
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
                ", ".join(f"{name} {value:.6g}" for name, value in item.wanted.quality.items()),
                ", ".join(f"{name} {item.predicted[targets.index(name)]:.6g}" for name in wanted)
                if good
                else "no supported settings",
                float(f"{proposal.nearest_t2:.4g}"),
                float(f"{proposal.t2:.4g}") if good else None,
                float(f"{proposal.limit:.4g}"),
                len(proposal.directions),
            ]
        )
    return Table(
        kind="table",
        title="Wanted targets",
        caption="T² is Hotelling's distance from the middle of the training rows.",
        alt="Wanted targets with the distance of their settings from the data.",
        columns=[
            Column(label="wanted"),
            Column(label="target"),
            Column(label="predicted for the settings"),
            Column(label="T² of the nearest settings"),
            Column(label="T² of the proposed ones"),
            Column(label="limit of T²"),
            Column(label="free directions"),
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
        "the nearest to the data" if objective is None else f"the ones of least {objective.name}"
    )
    cost = ""
    if objective is not None:
        total = sum(
            weight * proposal.inputs[found.inputs.index(name)]
            for name, weight in objective.weights.items()
        )
        cost = f" They come to {total:.4g} {objective.unit} of {objective.name}."
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
        title=f"Settings for {item.wanted.id}",
        caption=(
            f"Of equal settings, {chosen_by}.{cost} A step along a direction changes no predicted "
            f"target that was asked for; up to {proposal.reach:.2g} steps from the nearest "
            "settings stay within the limit of T²."
        ),
        alt="Proposed value of each input beside the middle of the training rows.",
        columns=[
            Column(label="input"),
            Column(label="unit"),
            Column(label="setting"),
            Column(label="mean in training"),
            Column(label="standard deviation"),
            *(Column(label=f"step {n + 1}") for n in range(len(directions))),
        ],
        rows=rows,
    )
