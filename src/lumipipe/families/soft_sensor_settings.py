"""Settings for the wanted targets of a soft sensor, and whether the data support them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.inversion import Proposal, Wish, propose_settings, reachable
from lumipipe.families.latent import latent_model
from lumipipe.language import many, say
from lumipipe.reporting.result import Metric
from lumipipe.uncertainty.proportions import share_between_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.interface import Model
    from lumipipe.families.regression import Regression
    from lumipipe.families.regression_scores import RegressionScores

_STRETCHES = 20  # of neighbouring rows, which hang together


@dataclass(frozen=True)
class Found:
    """What was found for one wanted target.

    Parameters
    ----------
    wanted : Wanted
        What the request asks for.
    proposal : Proposal
        The nearest or cheapest settings that the model predicts the target for; its inputs are in
        the units of the channels.
    predicted : ndarray of float64, shape (target,)
        What the model predicts for them, run forward.
    half_width : ndarray of float64, shape (target,)
        Of the interval of each target.
    spe : float
        Distance of the settings from the plane of the latent variables, in units of its limit.
    reason : str
        Why the data do not support the settings; empty where they do.
    """

    wanted: Any
    proposal: Proposal
    predicted: NDArray[np.float64]
    half_width: NDArray[np.float64]
    spe: float
    reason: str


def find_settings(found: Regression, model: Model) -> list[Found]:
    """Settings for each target that the request wants, with what the data say of them."""
    return [_found(found, model, wanted) for wanted in found.job.score.inversion]


def _found(found: Regression, model: Model, wanted: Any) -> Found:
    """Settings for one target."""
    score, latent = found.job.score, latent_model(model.arrays)
    # Features of values alone are inputs about their centre, in units of their scale.
    centre, scale = np.array([found.scales[name] for name in found.inputs]).T
    channels = [found.stream.channels[found.columns[name]] for name in found.inputs]
    low, high = np.array([c.range or (-np.inf, np.inf) for c in channels]).T
    place = {name: number for number, name in enumerate(found.inputs)}
    weights = None
    if wanted.objective is not None:
        weights = np.zeros(len(place))
        for name, weight in wanted.objective.weights.items():
            weights[place[name]] = weight * scale[place[name]]
    half = np.asarray(model.arrays["final_threshold"], dtype=np.float64)
    wish = Wish(
        quality={found.targets.index(name): value for name, value in wanted.quality.items()},
        fixed={
            place[name]: (value - centre[place[name]]) / scale[place[name]]
            for name, value in wanted.fixed.items()
        },
        weights=weights,
        low=(low - centre) / scale,
        high=(high - centre) / scale,
        tolerance=np.where(np.isfinite(half), half, 0.0),
    )
    proposal = propose_settings(latent, wish, score.confidence)
    proposal = Proposal(
        **{
            **vars(proposal),
            "inputs": centre + scale * proposal.inputs,
            "directions": proposal.directions * scale,
        }
    )
    said = found.answers(model, proposal.inputs[None])
    limit = max(float(model.arrays["envelope_spe"]), np.finfo(float).tiny)
    spe = float(said["spe"][0]) / limit
    missed = _missed(wanted, found.targets, said["prediction"][0], half)
    return Found(
        wanted,
        proposal,
        said["prediction"][0],
        half,
        spe,
        missed or _too_far(proposal, spe, score.confidence),
    )


def _missed(
    wanted: Any,
    targets: Sequence[str],
    predicted: NDArray[np.float64],
    half: NDArray[np.float64],
) -> str:
    """Which target the model does not predict for any settings; empty where none."""
    for name, value in wanted.quality.items():
        number = targets.index(name)
        # Settings that were drawn nearer lie on the edge of an interval but for rounding.
        if not abs(predicted[number] - value) <= half[number] * (1 + 1e-6):
            return say(
                "The latent variables of the data do not vary so: asked for {name} "
                "{value:g} together with the rest, they come to {predicted:.4g} at best.",
                name=name,
                value=value,
                predicted=predicted[number],
            )
    return ""


def _too_far(proposal: Proposal, spe: float, confidence: float) -> str:
    """Why settings are not near enough to the data; empty where they are."""
    if not proposal.is_near:
        return say(
            "Of all settings that the model predicts it for, the nearest to the data have "
            "a T² of {nearest_t2:.1f}; {confidence:.0%} of rows like the known ones stay "
            "below {limit:.1f}.",
            nearest_t2=proposal.nearest_t2,
            confidence=confidence,
            limit=proposal.limit,
        )
    if not proposal.within_ranges:
        return say(
            "No settings near the data keep to the ranges of the channels and to the "
            "inputs that are fixed."
        )
    if spe > 1:
        return say(
            "The settings lie off the plane of the latent variables, beyond the limit of SPE."
        )
    return ""


def reproduced(scores: Sequence[RegressionScores]) -> Metric:
    """Share of tested rows whose measured targets have settings near the data.

    Each row's own model, which has not seen the row, is run backwards from its measured targets.
    """
    first = scores[0]
    arrays, score = first.model.arrays, first.job.score
    rows = first.test
    truth = np.stack([part.test["truth"] for part in scores], axis=1)
    known = np.isfinite(truth).all(axis=1)
    truth, judge = truth[known], rows["fold"][known]
    half = np.stack([part.half_widths for part in scores], axis=1)
    hits = np.zeros(len(truth), dtype=bool)
    for number in np.unique(judge):
        mine = judge == number
        latent = latent_model(arrays, int(number))
        hits[mine] = reachable(latent, truth[mine], half[number], score.confidence)
    clusters = np.arange(len(hits)) * _STRETCHES // max(1, len(hits))
    count = np.bincount(clusters)
    kept = count > 0
    lower, upper, _ = share_between_units(np.bincount(clusters, hits)[kept], count[kept])
    return Metric(
        name="reproduced",
        label=say("Tested rows whose measured targets have settings near the data (share)"),
        value=float(hits.mean()) if len(hits) else None,
        lower=lower,
        upper=upper,
        confidence=0.95,
        count=len(hits),
        of=many("rows"),
        note=say(
            "the model is run backwards from what was measured; near: T² among "
            "{confidence:.0%} of rows like the known ones",
            confidence=score.confidence,
        ),
    )
