"""From channels to their sensors and certificates: one list for the table and the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lumipipe.config import Certificate
from lumipipe.language import FINDING, QUANTITY, say, translated
from lumipipe.reporting.numbers import rounded

if TYPE_CHECKING:
    from lumipipe.config import Channel
    from lumipipe.families.pages.interface import Subject

_UNKNOWN = frozenset({"", "none", "not characterised"})


class Link(NamedTuple):
    """One channel and what it leads to."""

    source: str
    channel: str
    quantity: str
    unit: str
    sensor: str
    certificate: str
    valid: str
    laboratory: str = ""
    u: str = ""
    signature: str = ""
    """What the signature of a digital certificate says; empty of others."""

    @property
    def is_certified(self) -> bool:
        """Whether a certificate is named."""
        return _is_known(self.certificate)

    @property
    def has_sensor(self) -> bool:
        """Whether a sensor is named."""
        return _is_known(self.sensor)


def _is_known(text: str) -> bool:
    return text.lower() not in _UNKNOWN | {say("not characterised")}


def certificate_of(channel: Channel) -> tuple[str, str]:
    """Certificate of a channel and its last day, in words.

    Parameters
    ----------
    channel : Channel
        Of the request.

    Returns
    -------
    tuple of str
        The last day is empty where it is not stated.
    """
    stated = channel.certificate
    if isinstance(stated, str):
        return say("not characterised"), ""
    return stated.id, "" if stated.valid_until is None else str(stated.valid_until)


def links_of(subject: Subject) -> list[Link]:
    """All channels of the request, with their sources; equal ones once.

    Where a channel names no sensor of its own, those that the family's section states stand for
    it, such as the meters of an emission.
    """
    found: dict[Link, list[str]] = {}
    stated = _stated_sensors(subject)
    for source in subject.job.request.data:
        for channel in source.channels:
            of_all = stated.get(channel.name, [])
            sensors = stated.get((source.id, channel.name), of_all)
            for one in _filled(_link(channel), sensors):
                found.setdefault(one, []).append(source.id)
    return [link._replace(source=", ".join(ids)) for link, ids in found.items()]


def _link(channel: Channel) -> Link:
    """A channel as it is declared."""
    sensor, known = channel.sensor, channel.certificate
    name, until = certificate_of(channel)
    valid, laboratory, u, signature = until, "", "", ""
    if isinstance(known, Certificate):
        if known.valid_from is not None:
            valid = f"{known.valid_from} – {until or '…'}"
        laboratory = known.laboratory or ""
        signature = translated(known.signature or "", FINDING)
        if known.standard_u is not None:
            unit = known.unit or channel.unit
            u = f"{rounded(known.standard_u, digits=2)} {'' if unit == '1' else unit}".rstrip()
    return Link(
        "",
        channel.name,
        translated(channel.quantity, QUANTITY).replace("_", " "),
        channel.unit,
        say("not characterised") if str(sensor).lower() in _UNKNOWN else str(sensor),
        name,
        valid,
        laboratory,
        u,
        signature,
    )


def _filled(link: Link, stated: list[tuple[str, str]]) -> list[Link]:
    """The link, or one for each sensor that the family's section states of its channel."""
    if link.has_sensor or not stated:
        return [link]
    return [
        link._replace(sensor=sensor)
        if link.is_certified
        else link._replace(sensor=sensor, certificate=certificate)
        for sensor, certificate in stated
    ]


def _stated_sensors(subject: Subject) -> dict[str | tuple[str, str], list[tuple[str, str]]]:
    """Sensors that the family's own section states, with what is known of their errors.

    By channel, or by source and channel.
    """
    train, asset = subject.job.train, subject.job.asset
    found: dict[str | tuple[str, str], list[tuple[str, str]]] = {}
    for sensor in getattr(asset, "sensors", []):
        accuracy, measure = sensor.accuracy, getattr(train, sensor.measure, None)
        known = say("not characterised") if accuracy is None else accuracy.source
        told = (f"{sensor.id}, {sensor.model}, {sensor.firmware}", known)
        if measure is not None and told not in found.setdefault(measure.channel, []):
            found[measure.channel].append(told)
    meters = getattr(train, "meters", {})
    for activity in getattr(train, "activities", {}).values() if meters else ():
        told = (activity.meter, meters[activity.meter].source)
        if told not in found.setdefault(activity.channel, []):
            found[activity.channel].append(told)
    for name, recorder in getattr(asset, "recorders", {}).items():
        channels = [c.name for s in subject.job.request.data if s.id == name for c in s.channels]
        for channel in channels if _is_known(recorder.sensor) else ():
            found[name, channel] = [(recorder.sensor, say("not characterised"))]
    return found
