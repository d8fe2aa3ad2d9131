"""The quantities of each family, with what their uncertainty rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.ambient_budget import error_budget
from lumipipe.families.pages.budgets import Source, Statement
from lumipipe.families.pages.certified_sources import (
    added_source,
    input_sources,
    left_source,
    reference_source,
    taught_with,
)
from lumipipe.families.pages.predicted import life_statement, prediction_statement
from lumipipe.families.session_uncertainty import mean_budget
from lumipipe.language import say, translated
from lumipipe.uncertainty.budget import Contribution

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from lumipipe.families.certificates import Certified
    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.session_load import Sensor


def statements_of(subject: Subject) -> list[Statement]:
    """The quantities of the subject's family; empty where nothing has an uncertainty."""
    makers: dict[str, Callable[[Subject], list[Statement]]] = {
        "ambient": _of_ambient,
        "carbon": _of_carbon,
        "emission": _of_emission,
        "hrv": _of_hrv,
        "recipe": _of_predictions,
        "remaining_life": _of_life,
        "session_load": _of_sessions,
        "soft_sensor": _of_predictions,
    }
    maker = makers.get(subject.job.request.question.family)
    return [] if maker is None else maker(subject)


def _as_stated(text: str) -> str:
    """Words of the user as they are; those that stand for none in the language of the report."""
    return say("not stated") if text == "not stated" else text


def _of_predictions(subject: Subject) -> list[Statement]:
    """One for each target of a regression."""
    found = [prediction_statement(subject, scores) for scores in subject.facts]
    return [one for one in found if one is not None]


def _of_life(subject: Subject) -> list[Statement]:
    """The remaining life of a unit."""
    if subject.facts is None:
        return []
    found = life_statement(subject)
    return [] if found is None else [found]


def _of_carbon(subject: Subject) -> list[Statement]:
    """The total emission."""
    totals = subject.facts
    total, job, train = totals.total, subject.job, subject.job.train
    known = {f"meter {name}": (meter.source, "") for name, meter in train.meters.items()}
    known |= {f"factor {name}": (factor.source, "") for name, factor in train.factors.items()}
    known |= {
        f"certificate of {name}": (one.known_from, one.valid)
        for name, one in totals.certified.items()
    }
    step = (say("the step of the channel"), "")
    sources = [Source(part.source, part, *known.get(part.source, step)) for part in total.budget]
    channels = {item.name: item for item in totals.folding.table.channels}
    used = sorted({activity.channel for activity in train.activities.values()})
    added = {part.source for part in total.budget}
    sources += [
        left_source(one, say("the meter's source names it, and nothing is counted twice"))
        for name, one in sorted(totals.certified.items())
        if f"certificate of {name}" not in added
    ]
    stepless = [name for name in used if channels[name].resolution is None]
    sources += [
        Source(say("resolution of {name}", name=name), None, say("not stated")) for name in stepless
    ]
    emissions = totals.emissions(total.sums)

    def model(errors: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """The error of the total, with the products of meters and factors."""
        count = len(next(iter(errors.values())))
        sum_ = np.zeros(count)
        for name, activity in train.activities.items():
            factor = train.factors[activity.factor]
            meter = 1.0 + errors[f"meter {activity.meter}"]
            times = 1.0 + errors[f"factor {activity.factor}"] / factor.value
            sum_ += emissions[name] * (meter * times - 1.0)
            if f"certificate of {activity.channel}" in errors:
                each = totals.per_reading(name, total.sums)
                sum_ += each * errors[f"certificate of {activity.channel}"] * meter * times
        for part in total.budget:
            if part.source.startswith("resolution of "):
                sum_ += part.sensitivity * errors[part.source]
        return sum_

    steps = [
        say("{name}: {step:g} {unit}", name=n, step=channels[n].resolution, unit=channels[n].unit)
        for n in used
        if channels[n].resolution is not None
    ]
    return [
        Statement(
            name=job.score.gas,
            measurand=say(
                "{gas} of the activities {names} within the boundary: {boundary}.",
                gas=job.score.gas,
                names=", ".join(train.activities),
                boundary=job.asset.boundary.rstrip("."),
            ),
            unit=job.score.unit,
            equation=say(
                "E = Σ a · f over the activities; a: amount by the meter, f: emission factor."
            ),
            value=total.emission,
            sources=sources,
            coverage=job.request.evaluation.interval.coverage,
            correlations=say(
                "Meters and factors are taken as uncorrelated; one meter, and one factor, is the "
                "same error in all rows and activities that use it."
            ),
            resolution=say("Steps of the readings: {steps}.", steps=", ".join(steps))
            if steps
            else say(
                "No step of a reading is stated; data[].channels[].resolution would state it."
            ),
            model=model,
            channels=used,
        )
    ]


def _of_emission(subject: Subject) -> list[Statement]:
    """An average of the emission."""
    monitor, job = subject.facts, subject.job
    parts, (name, unit) = monitor.parts, monitor.hours.scores.channel
    if parts is None:
        return []
    rows = monitor.average_rows
    learnt = say("{averages} averages of left-out rows", averages=parts.averages)
    root = rows**-0.5
    sources = [
        Source(
            say("model, row to row"),
            Contribution("row to row", "A", "normal", parts.independent, unit, root, False),
            learnt,
        ),
        Source(
            say("model, shared by the rows of an average"),
            Contribution("model", "A", "normal", parts.shared, unit, 1.0, True),
            learnt,
        ),
    ]
    reference = say("reference method: {method}", method=job.asset.reference.method)
    request, stated = job.request, job.asset.reference.u
    own = None
    if stated is not None:
        own = Contribution("reference", "B", "normal", stated, unit, 1.0, True)
    sources += reference_source(request, name, reference, own, "asset.reference.u")
    inputs = monitor.hours.scores.regression.inputs
    sources += input_sources(request, inputs, taught_with())
    given = monitor.averages.predicted[monitor.given]
    half = float(parts.factor * parts.u(rows, reference=True)[0])
    return [
        Statement(
            name=name,
            measurand=say(
                "Mean {pollutant} over {rows} valid rows (emission point: {point}; reference "
                "conditions: {conditions}).",
                pollutant=job.asset.pollutant,
                rows=rows,
                point=_as_stated(job.asset.emission_point),
                conditions=_as_stated(job.asset.reference_conditions),
            ),
            unit=unit,
            equation=say(
                "c = (1/n) Σ g(x); g: regression on features of the inputs x ({inputs}), n: valid "
                "rows.",
                inputs=", ".join(monitor.hours.scores.regression.inputs),
            ),
            value=float(np.median(given)) if len(given) else None,
            sources=sources,
            coverage=job.request.evaluation.interval.coverage,
            half_width=half if np.isfinite(half) else None,
            half_from=say("from left-out averages"),
            correlations=say(
                "Residuals of neighbouring rows correlate by {correlation:.2f}; what an average's "
                "rows share stands as a source of its own, so that the root of n alone is not "
                "trusted.",
                correlation=parts.correlation,
            ),
            resolution=_resolution(subject, [name]),
            channels=(*inputs, name),
        )
    ]


def _resolution(subject: Subject, names: list[str], *, has_u: bool = True) -> str:
    """Steps of channels in a sentence, and how values are rounded."""
    steps = {
        channel.name: channel
        for source in subject.job.request.data
        for channel in source.channels
        if channel.name in names
    }
    told = [
        say("{name}: {step:g} {unit}", name=name, step=channel.resolution, unit=channel.unit)
        for name, channel in steps.items()
        if channel.resolution is not None
    ]
    text = (
        say("Steps of the readings: {steps}.", steps=", ".join(told))
        if told
        else say(
            "The step of {names} is not stated; data[].channels[].resolution would state it. What "
            "it adds is within the spread that was found.",
            names=", ".join(names),
        )
    )
    digits = (
        say("Values are printed to the digit of their uncertainty.")
        if has_u
        else say("Where no uncertainty is stated, four digits at most are printed.")
    )
    return f"{text} {digits}"


def _of_ambient(subject: Subject) -> list[Statement]:
    """A calibrated value."""
    watch = subject.facts
    name = watch.scores.channel[0]
    words = {
        "model": (say("calibration model"), say("blocks of the calibration that were left out")),
        "drift": (say("drift"), say("biases of the periods")),
        "growth of the spread": (say("growth of the spread"), say("errors of the periods")),
    }
    request, stated = subject.job.request, subject.job.asset.reference_u
    sources = []
    for part in error_budget(watch):
        if part.source == "reference":
            own = None if stated is None else part
            sources += reference_source(request, name, say("reference"), own, "asset.reference_u")
        else:
            label, known = words[part.source]
            sources.append(Source(label, part, known))
    sources += input_sources(request, watch.scores.regression.inputs, taught_with())
    rows = watch.scores.known
    half = watch.scores.half_widths[-1]
    return [
        Statement(
            name=name,
            measurand=say(
                "{name} at the place of the sensor {sensor}, as the reference would have read it.",
                name=name,
                sensor=subject.job.train.sensor,
            ),
            unit=watch.unit,
            equation=say(
                "c = g(x); g: ridge regression on features of x ({inputs}), calibrated once beside "
                "the reference.",
                inputs=", ".join(watch.scores.regression.inputs),
            ),
            value=float(np.mean(rows["prediction"])) if len(rows["prediction"]) else None,
            sources=sources,
            coverage=subject.job.request.evaluation.interval.coverage,
            half_width=float(half) if np.isfinite(half) else None,
            half_from=say("from left-out rows of the calibration"),
            correlations=say(
                "Parts are uncorrelated by construction; drift is one error for all rows of a "
                "period."
            ),
            resolution=_resolution(subject, [name, subject.job.train.sensor]),
            channels=(*watch.scores.regression.inputs, name),
        )
    ]


def _of_hrv(subject: Subject) -> list[Statement]:
    """RMSSD of the first recording that has an interval."""
    hearts = [h for h in subject.facts if not h.is_refused]
    hearts = [h for h in hearts if np.isfinite(h.figures["rmssd"].u)]
    if not hearts:
        return []
    heart, job = hearts[0], subject.job
    figure = heart.figures["rmssd"]
    recorder = job.asset.recorders.get(heart.row.source)
    between = Contribution("blocks", "A", "normal", figure.u, "ms", 1.0, False)
    learnt = say("jackknife over blocks of {block:g} s", block=job.train.block_s)
    sources = [Source(say("spread between blocks"), between, learnt)]
    label = say("resolution of the recorder")
    if figure.u_resolution is None:
        sources.append(Source(label, None, say("not stated: asset.recorders")))
    else:
        part = Contribution("resolution", "B", "normal", figure.u_resolution, "ms", 1.0, True)
        sources.append(Source(label, part, say("declared step")))
    known = recorder is not None and recorder.sensor != "not characterised"
    told = recorder.sensor if known else say("not characterised")
    sources.append(Source(say("sensor"), None, told))
    beats = [c.name for s in job.request.data if s.id == heart.row.source for c in s.channels]
    cancels = say("an error that all intervals share cancels in their differences")
    sources += input_sources(job.request, beats, cancels)
    step = None if recorder is None else recorder.resolution_ms
    return [
        Statement(
            name="RMSSD",
            measurand=say(
                "RMSSD of {recording}: root mean square of successive differences of normal "
                "intervals, over its normal time.",
                recording=heart.row.id,
            ),
            unit="ms",
            equation="RMSSD = √(Σ (NNᵢ₊₁ \N{MINUS SIGN} NNᵢ)² / n)",
            value=figure.value,
            sources=sources,
            coverage=job.request.evaluation.interval.coverage,
            half_width=(figure.upper - figure.lower) / 2.0,
            half_from=say("from Student's t and the logarithm of the figure"),
            correlations=say(
                "Neighbouring differences share an interval and hang together; blocks are left out "
                "whole, so that this is in their spread."
            ),
            resolution=say("No step of the times of beats is stated.")
            if step is None
            else say("Times of beats are multiples of {step:g} ms.", step=step),
            channels=beats,
        )
    ]


def _of_sessions(subject: Subject) -> list[Statement]:
    """The mean of the first measure over the longest session."""
    persons = subject.facts
    measure = next(iter(persons.work.measures))
    items = [i for i in persons.sessions if np.isfinite(i.facts[f"{measure}_mean"])]
    if not items:
        return []
    item = max(items, key=lambda one: one.facts[f"{measure}_s"])
    value, seconds = item.facts[f"{measure}_mean"], item.facts[f"{measure}_s"]
    sensor = persons.sensor(item, measure)
    channel = persons.work.measures[measure].channel
    resolution = next(
        (c.resolution for c in persons.work.table.channels if c.name == channel), None
    )
    unit = {"power": "W", "speed": "m/s", "heart_rate": "1/min"}[measure]
    known = persons.certified(measure)
    parts = mean_budget(value, seconds, sensor, resolution, known)
    sources = [_session_source(part, sensor, known) for part in parts]
    if known is not None and not any(part.source.startswith("certificate") for part in parts):
        once = say("the accuracy of the sensor stands for it, and nothing is counted twice")
        sources.append(left_source(known, once))
    if persons.work.channels[measure][2]:
        cancels = say("an error that all distances share cancels in a speed")
        sources += input_sources(subject.job.request, [channel], cancels)
    if not parts:
        sources.append(
            Source(say("calibration of the sensor"), None, say("not stated: asset.sensors"))
        )
    if resolution is None:
        sources.append(Source(say("resolution"), None, say("not stated")))
    return [
        Statement(
            name=measure.replace("_", " "),
            measurand=say(
                "Mean {measure} over session {session}, over the time with a reading.",
                measure=measure.replace("_", " "),
                session=item.row.id,
            ),
            unit=unit,
            equation=say("m = Σ x Δt / Σ Δt; x: readings, Δt: time that each stands for."),
            value=value,
            sources=sources,
            coverage=subject.job.score.confidence,
            correlations=say(
                "The calibration error is one for all readings of a sensor, and is not averaged "
                "out; roundings are taken as independent."
            ),
            resolution=_resolution(subject, [channel], has_u=bool(parts)),
            channels=(channel,),
        )
    ]


def _session_source(part: Contribution, sensor: Sensor | None, known: Certified | None) -> Source:
    """A source of the mean of a session."""
    if known is not None and part.source.startswith("certificate"):
        return added_source(known, part)
    accuracy = None if sensor is None else sensor.accuracy
    told = accuracy.source if part.is_shared and accuracy is not None else say("its step")
    return Source(translated(part.source), part, told)
