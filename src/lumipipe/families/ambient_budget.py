"""What the error of a calibrated value consists of: model, reference, drift, grown spread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.reporting.figures.declared import Column, Table
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.budget import Contribution, combined, variance_shares

if TYPE_CHECKING:
    from lumipipe.families.ambient_watch import Watch


def error_budget(watch: Watch) -> list[Contribution]:
    """What the errors after the calibration consist of, in the unit of the reference.

    Returns
    -------
    list of Contribution
        The model with which the sensor was calibrated, the reference where its uncertainty is
        stated, the drift, and what the spread has grown.
    """
    rows = watch.scores.known
    error = rows["prediction"] - rows["truth"]
    whole = float(np.mean(error**2)) if len(error) else 0.0
    pairs = max(1, sum(p.pairs for p in watch.tested))
    drift = sum(p.pairs * p.bias.value**2 for p in watch.tested if p.pairs) / pairs
    spread = watch.periods[0].spread.value ** 2 if watch.periods[0].pairs else 0.0
    u = watch.job.asset.reference_u or 0.0
    parts = {
        "model": max(0.0, spread - u**2),
        "reference": u**2,
        "drift": drift,
        "growth of the spread": max(0.0, whole - drift - spread),
    }
    return [
        Contribution(
            source=name,
            evaluation="B" if name == "reference" else "A",
            distribution="not assumed",
            u=float(np.sqrt(variance)),
            unit=watch.unit,
            sensitivity=1.0,
            is_shared=name == "drift",
        )
        for name, variance in parts.items()
    ]


def budget_section(watch: Watch) -> Section:
    """The budget of a calibrated value after the calibration."""
    parts = error_budget(watch)
    shares = variance_shares(parts)
    is_stated = watch.job.asset.reference_u is not None
    meanings = {
        "model": "spread about the reference on blocks of the calibration that were left out"
        + (", less the reference's" if is_stated else ", with the reference's errors in it"),
        "reference": "stated in the request" if is_stated else "not characterised",
        "drift": "biases of the periods, root mean square; one for all rows of a period",
        "growth of the spread": "the rest: spread in the periods beyond that of the calibration",
    }
    rows: list[list[Any]] = [
        [
            part.source,
            meanings[part.source],
            part.evaluation,
            "in a period" if part.is_shared else "no",
            None if part.source == "reference" and not is_stated else part.u,
            None if part.source == "reference" and not is_stated else round(100 * share, 1),
        ]
        for part, share in zip(parts, shares, strict=True)
    ]
    rows.append(["together", "root of the sum of squares", "", "", combined(parts), 100.0])
    return Section(
        title="Budget of a calibrated value",
        paragraphs=[
            (
                "Standard uncertainties of a value after the calibration, were it left alone over "
                "the whole record. A shared part does not shrink in a mean. Uncorrelated."
            ),
            _both_err(watch),
        ],
        figures=[
            Table(
                kind="table",
                title="What the error consists of",
                caption="A: from these data; B: from other knowledge.",
                alt="Model, reference, drift and growth of the spread with their shares.",
                columns=[
                    Column(label="part"),
                    Column(label="what it is"),
                    Column(label="type"),
                    Column(label="shared"),
                    Column(label="u", unit=watch.unit),
                    Column(label="share of the variance", unit="%"),
                ],
                rows=rows,
            )
        ],
    )


def _both_err(watch: Watch) -> str:
    """What the slope would be if sensor and reference erred alike."""
    ordinary, orthogonal = watch.slopes
    return (
        f"In the calibration, calibrated values rise by {ordinary:.3g} for each unit of the "
        f"reference if only they err, and by {orthogonal:.3g} if both err alike (orthogonal "
        "regression). Between them lies the truth if the reference errs less than the sensor."
    )
