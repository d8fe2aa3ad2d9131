"""What an authority is told of a sensor of ambient air."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.ambient_watch import words
from lumipipe.families.interface import NOT_STATED
from lumipipe.families.pages.authority_words import nothing_filled
from lumipipe.families.pages.interface import Teller, Told, not_here, not_stated
from lumipipe.language import say, translated
from lumipipe.reporting.numbers import rounded
from lumipipe.uncertainty.audit_criteria import correlation

if TYPE_CHECKING:
    from lumipipe.families.pages.interface import Subject

_NOT_STATED = "not stated"


def _installation(subject: Subject) -> Told:
    """Where the sensor stands."""
    station = subject.job.asset.station
    if station == _NOT_STATED:
        return not_stated(say("Station"), "asset.station")
    return Told(say("Station: {station}.", station=station))


def _parameter(subject: Subject) -> Told:
    """What is measured."""
    watch, asset = subject.facts, subject.job.asset
    name, unit = watch.scores.channel
    text = say(
        "{pollutant} in {unit}, row by row ({step:g} s).",
        pollutant=asset.pollutant or name,
        unit=unit,
        step=watch.clock.step_s,
    )
    if asset.reference_conditions == _NOT_STATED:
        told = not_stated(say("Reference conditions"), "asset.reference_conditions")
        return Told(f"{text} {told.sentence}")
    more = say(
        "Reference conditions: {conditions}.",
        conditions=translated(asset.reference_conditions, among=(NOT_STATED,)),
    )
    return Told(f"{text} {more}")


def _envelope(subject: Subject) -> Told:
    """Share of the pairs outside the conditions of the calibration."""
    watch = subject.facts
    inside = [p.bias_inside for p in watch.tested if np.isfinite(p.bias_inside)]
    return Told(
        say(
            "{outside:.1%} of the tested pairs lie outside the conditions of the calibration. "
            "{biases}",
            outside=watch.outside,
            biases=_inside_words(inside, watch.unit),
        )
    )


def _inside_words(biases: list[float], unit: str) -> str:
    """The range of the biases of periods with those pairs alone that lie inside."""
    if not biases:
        return say("Of pairs inside them no bias of a period is known.")
    return say(
        "With the pairs inside alone, biases of the periods run from {least} to {most} {unit}.",
        least=rounded(min(biases), digits=2),
        most=rounded(max(biases), digits=2),
        unit=unit,
    )


def _validation(subject: Subject) -> Told:
    """Whether the calibration held."""
    gone = subject.facts.expiry
    if gone is None:
        return Told(say("Nothing shows that the calibration expired."))
    return Told(
        say(
            "The calibration holds no longer since {since}.",
            since=subject.facts.clock.moment(gone.since.start_s),
        )
    )


def _statistics(subject: Subject) -> Told:
    """Bias of the worst period, r; what belongs to emission audits is not computed."""
    watch = subject.facts
    known = watch.scores.known
    worst = max((p for p in watch.tested if p.pairs), key=lambda p: abs(p.bias.value), default=None)
    text = (
        say("No tested pair is known.")
        if worst is None
        else say(
            "Bias of the worst period, from {name}: {words}, in {pairs} pairs.",
            name=watch.name(worst),
            words=words(worst.bias, watch.unit),
            pairs=worst.pairs,
        )
    )
    if len(known["truth"]) > 2:  # noqa: PLR2004 - two points are always on a line
        r = float(correlation(known["truth"], known["prediction"]))
        text += " " + say("r = {r:.3f}, n = {n}.", r=r, n=len(known["truth"]))
    return Told(
        text
        + " "
        + say("Relative accuracy, bias factor and F are of audits of emissions, not of this.")
    )


def _capture(subject: Subject) -> Told:
    """What is missing of reference and sensor."""
    gaps = subject.facts.gaps
    told = ", ".join(
        say("{channel} {share:.1%} missing", channel=gap.channel, share=gap.share) for gap in gaps
    )
    return Told(f"{told}. {nothing_filled()}")


def _interval(subject: Subject) -> Told:
    """Relative expanded uncertainty beside what is accepted, and the objectives of a class."""
    watch, score = subject.facts, subject.job.score
    if score.level is None:
        return not_stated(say("The level that an interval would be a share of"), "score.level")
    known = [p for p in watch.tested if p.pairs and np.isfinite(p.relative.value)]
    if not known:
        return Told(say("No period has enough pairs."), is_answered=False)
    worst = max(known, key=lambda p: p.relative.value)
    return Told(
        say(
            "Expanded uncertainty (k = 2) of the worst period at {level:g} {unit}: {value:.1%} of "
            "it. What a standard asks stands under Class of the sensor, with its edition and who "
            "checked it.",
            level=score.level,
            unit=watch.unit,
            value=worst.relative.value,
        )
    )


def _drift(subject: Subject) -> Told:
    """Bias of the first and the last period."""
    watch = subject.facts
    known = [p for p in watch.tested if p.pairs]
    if not known:
        return not_here(say("no period after the calibration has a pair."))
    return Told(
        say(
            "Bias {first} in the period from {first_name}, {last} in that from {last_name}; all "
            "periods stand below.",
            first=words(known[0].bias, watch.unit),
            first_name=watch.name(known[0]),
            last=words(known[-1].bias, watch.unit),
            last_name=watch.name(known[-1]),
        )
    )


TOLD: dict[str, Teller] = {
    "installation": _installation,
    "parameter": _parameter,
    "envelope": _envelope,
    "validation": _validation,
    "statistics": _statistics,
    "capture": _capture,
    "interval": _interval,
    "drift": _drift,
}
"""What the family itself tells."""
