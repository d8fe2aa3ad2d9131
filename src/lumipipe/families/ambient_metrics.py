"""The numbers by which a calibration is judged: bands, errors, coverage, data capture."""

from __future__ import annotations

import numpy as np

from lumipipe.families.ambient_expiry import Band, has_held
from lumipipe.families.ambient_watch import Watch, words
from lumipipe.families.regression_scores import METRICS as REGRESSION_METRICS
from lumipipe.families.regression_scores import error_metrics, share_metrics
from lumipipe.families.verdicts import judged
from lumipipe.language import many, say
from lumipipe.reporting.result import Metric

METRICS = {**REGRESSION_METRICS, "capture_reference": ">=", "capture_sensor": ">="}
"""Metrics by name, and the side on which they are good."""


def all_metrics(watch: Watch) -> list[Metric]:
    """The bands first, then the calibration itself, errors, coverage and capture."""
    request, scores = watch.job.request, watch.scores
    rmse, count = watch.calibration_rmse
    left_out = watch.periods[0]
    spare = np.hypot(left_out.bias.value, left_out.spread.value)
    calibration = Metric(
        name="calibration_rmse",
        label=say(
            "Root-mean-square error of the calibration on its own rows, {unit}",
            unit=watch.unit,
        ),
        value=rmse,
        count=count,
        of=many("rows"),
        note=say(
            "{spare:.2f} {unit} on blocks of them that were left out of the fit",
            spare=spare,
            unit=watch.unit,
        ),
    )
    return [
        *(_band_metric(watch, band) for band in watch.bands),
        calibration,
        *error_metrics(request, scores, watch.unit),
        *share_metrics(request, scores, watch.coverage),
        *(judged(metric, request.evaluation.metrics) for metric in _capture(watch)),
    ]


def _band_metric(watch: Watch, band: Band) -> Metric:
    """The period that went furthest, and whether the calibration held."""
    known = [p for p in watch.tested if np.isfinite(band.of(p).value)]
    condition, held = f"<= {band.edge:g}", has_held(watch.tested, [band])
    label = say("Worst period: size of the {label}", label=band.label)
    if not known:
        return Metric(name=band.name, label=label, value=None, condition=condition, met=held)
    worst = max(known, key=lambda p: abs(band.of(p).value))
    found = band.of(worst)
    ends = sorted(abs(end) for end in (found.lower, found.upper)) if found.is_known else []
    if found.is_known and found.lower < 0 < found.upper:
        ends[0] = 0.0
    return Metric(
        name=band.name,
        label=label,
        value=abs(found.value),
        lower=ends[0] if ends else None,
        upper=ends[1] if ends else None,
        confidence=0.95 if ends else None,
        count=len(known),
        of=many("periods"),
        condition=condition,
        met=held,
        note=say(
            "period from {name}: {words}; met where each period's interval is within, not "
            "met where one is wholly outside or two values running are",
            name=watch.name(worst),
            words=words(found),
        ),
    )


def _capture(watch: Watch) -> list[Metric]:
    """Share of the tested rows that should be there with a reading, reference and sensor apart."""
    expected = sum(p.expected for p in watch.tested)
    return [
        Metric(
            name=name,
            label=say("Data capture of the {who} after the calibration (share)", who=who),
            value=min(1.0, got / expected) if expected else None,
            count=expected,
            of=many("rows"),
            note=say(
                "{got} of {expected} rows; at worst {worst:.1%} in a period",
                got=got,
                expected=expected,
                worst=worst,
            ),
        )
        for name, who, got, worst in (
            (
                "capture_reference",
                say("reference"),
                sum(p.reference for p in watch.tested),
                min((p.reference / max(1, p.expected) for p in watch.tested), default=0.0),
            ),
            (
                "capture_sensor",
                say("sensor with what corrects it"),
                sum(p.sensor for p in watch.tested),
                min((p.sensor / max(1, p.expected) for p in watch.tested), default=0.0),
            ),
        )
    ]
