"""What the error of a calibrated value consists of: model, reference, drift, grown spread.

The budget as a table is on the metrologist's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import say, term
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.budget import Contribution

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
        term("model"): max(0.0, spread - u**2),
        term("reference"): u**2,
        term("drift"): drift,
        term("growth of the spread"): max(0.0, whole - drift - spread),
    }
    return [
        Contribution(
            source=name,
            evaluation="B" if name == "reference" else "A",
            distribution=say("not assumed"),
            u=float(np.sqrt(variance)),
            unit=watch.unit,
            sensitivity=1.0,
            is_shared=name == "drift",
        )
        for name, variance in parts.items()
    ]


def slopes_section(watch: Watch) -> Section:
    """What the budget cannot tell apart: errors of the sensor and of the reference."""
    return Section(title=say("Sensor and reference"), paragraphs=[_both_err(watch)])


def _both_err(watch: Watch) -> str:
    """What the slope would be if sensor and reference erred alike."""
    ordinary, orthogonal = watch.slopes
    return say(
        "In the calibration, calibrated values rise by {ordinary:.3g} for each unit of "
        "the reference if only they err, and by {orthogonal:.3g} if both err alike "
        "(orthogonal regression). Between them lies the truth if the reference errs less "
        "than the sensor.",
        ordinary=ordinary,
        orthogonal=orthogonal,
    )
