"""What sensors leave open in the figures of sessions, and which change is more than that.

Changes are those of what was measured; a person's form from day to day is not in them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from lumipipe.language import message, say, term
from lumipipe.uncertainty.budget import Contribution, combined, rounding_u
from lumipipe.uncertainty.detectable_change import TypicalError, smallest_detectable_change

if TYPE_CHECKING:
    import datetime as dt

    from lumipipe.families.certificates import Certified
    from lumipipe.families.session_load import Asset, Sensor

UNKNOWN, OPEN = message("not characterised"), message("not judged")


def sensor_of(asset: Asset, measure: str, person: str, day: dt.date | None) -> Sensor | None:
    """The sensor of a person on a day: the latest that was in use by then; None without one."""
    found = [
        item
        for item in asset.sensors
        if item.measure == measure
        and (item.persons is None or person in item.persons)
        and (item.since is None or (day is not None and item.since <= day))
    ]
    ordered = sorted(found, key=lambda item: (item.since is not None, item.since or 0))
    return ordered[-1] if ordered else None


def mean_budget(
    value: float,
    seconds: float,
    sensor: Sensor | None,
    resolution: float | None,
    certificate: Certified | None = None,
) -> list[Contribution]:
    """The budget of a mean over seconds.

    Parameters
    ----------
    value : float
        The mean.
    seconds : float
        Readings that it is the mean of, one a second.
    sensor : Sensor or None
        What measured.
    resolution : float or None
        Step of its readings, in the unit of the value.
    certificate : Certified, optional
        What certificates of the channel say, in the unit of the value; not added where the
        sensor's accuracy names one of them as its source.

    Returns
    -------
    list of Contribution
        Empty where the calibration of the sensor is not known: rounding alone is no uncertainty.

    Notes
    -----
    *Method*: the calibration error is the same in all readings and does not shrink as more are
    averaged (JCGM 100:2008, 5.2.2, F.1.2.3); rounding is taken for independent from reading to
    reading.
    """
    if not math.isfinite(value):
        return []
    accuracy, parts = None if sensor is None else sensor.accuracy, []
    if sensor is not None and accuracy is not None:
        share, name = accuracy.expanded / accuracy.k, term("calibration of {id}", id=sensor.id)
        parts.append(Contribution(name, "B", "normal", share, "1", value, True))
    if certificate is not None and not (accuracy and certificate.is_named_in(accuracy.source)):
        stated = certificate.contribution()
        parts += [] if stated is None else [stated]
    if not parts:
        return []
    if resolution is not None and seconds > 0:
        shrinks = 1.0 / math.sqrt(seconds)
        u = rounding_u(resolution)
        parts.append(Contribution(term("resolution"), "B", "rectangular", u, "", shrinks, False))
    return parts


def mean_u(
    value: float,
    seconds: float,
    sensor: Sensor | None,
    resolution: float | None,
    certificate: Certified | None = None,
) -> float | None:
    """Standard uncertainty of a mean over seconds; None where it is not characterised."""
    parts = mean_budget(value, seconds, sensor, resolution, certificate)
    return combined(parts) if parts else None


class Change(NamedTuple):
    """A change from one session to a later one."""

    value: float
    """The later value less the earlier one."""
    detectable: float | None
    """Smallest change that is more than measurement noise; None where it is not characterised."""
    words: str
    """What can be said of it."""


def change(
    before: tuple[float, Sensor | None], after: tuple[float, Sensor | None], confidence: float
) -> Change:
    """A change beside its smallest detectable change.

    Parameters
    ----------
    before, after : tuple of float and Sensor or None
        Value and what measured it.
    confidence : float
        Share of changes by noise alone that stay below the smallest detectable one.

    Returns
    -------
    Change
        With one sensor and firmware, the calibration error that both sessions share is not in it;
        with two, both of them are.
    """
    (old, first), (new, second) = before, after
    if first is None or second is None:
        return Change(new - old, None, say(OPEN))
    same = (first.id, first.model, first.firmware) == (second.id, second.model, second.firmware)
    errors = [_typical(value, sensor, same=same) for value, sensor in (before, after)]
    prefix = "" if same else say("sensor or firmware changed; ")
    if errors[0] is None or errors[1] is None:
        return Change(new - old, None, prefix + say(OPEN))
    pooled = TypicalError(
        math.sqrt(0.5 * (errors[0].value ** 2 + errors[1].value ** 2)),
        min(errors[0].degrees_of_freedom, errors[1].degrees_of_freedom),
        errors[1].source,
    )
    least = smallest_detectable_change(pooled, confidence)
    beyond = abs(new - old) > least
    words = say("more than measurement noise") if beyond else say("within measurement noise")
    return Change(new - old, least, prefix + words)


def _typical(value: float, sensor: Sensor | None, *, same: bool) -> TypicalError | None:
    """Spread of one session's value by the sensor alone; None where it is not characterised."""
    if sensor is None or sensor.repeatability is None:
        return None
    repeat = sensor.repeatability
    freedom = math.inf if repeat.degrees_of_freedom is None else repeat.degrees_of_freedom
    variance = (repeat.share * value) ** 2
    if not same:
        if sensor.accuracy is None:
            return None
        variance += (sensor.accuracy.expanded / sensor.accuracy.k * value) ** 2
    return TypicalError(math.sqrt(variance), freedom, repeat.source)
