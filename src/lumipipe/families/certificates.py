"""What certificates of calibration add to the uncertainty of an answer.

A certificate's error is the same in all readings of its channel, so that it is a shared source and
no mean shrinks it (JCGM 100:2008, 5.2.2 and F.1.2.3). Its unit and its k are dealt with in
`lumipipe.readers.certificates`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lumipipe.config import Certificate, member_name
from lumipipe.language import say, term
from lumipipe.readers.certificates import certified_u
from lumipipe.uncertainty.budget import Contribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lumipipe.config import Channel, Request


class Certified(NamedTuple):
    """What the certificates of a channel say, the channel of all its sources taken together."""

    channel: str
    """Name of the channel."""
    ids: tuple[str, ...]
    """Identities, in the order of the sources."""
    u: float | None
    """Standard uncertainty in the unit of storage: the largest of several; None where none is
    stated."""
    unit: str
    """That unit."""
    valid: str
    """Last day; empty where it is not stated."""
    laboratories: tuple[str, ...] = ()
    """Who calibrated."""

    @property
    def known_from(self) -> str:
        """Certificates and laboratories, in words."""
        names = ", ".join(self.ids)
        if len(self.ids) > 1:
            names = say("the largest of {names}, for all readings", names=names)
        return ", ".join([names, *self.laboratories])

    def is_named_in(self, text: str) -> bool:
        """Whether a text names one of the certificates: what it states is then known already.

        >>> Certified("p", ("dcc-1",), 0.1, "W", "").is_named_in("from dcc-1, 2026")
        True
        """
        return any(one in text for one in self.ids)

    def contribution(self, sensitivity: float = 1.0) -> Contribution | None:
        """What it adds: type B, normal, shared by all readings; None where no u is stated."""
        if self.u is None:
            return None
        name = term("certificate of {channel}", channel=self.channel)
        return Contribution(name, "B", "normal", self.u, self.unit, sensitivity, True)


def certified(request: Request, name: str) -> Certified | None:
    """What certificates say of a channel.

    Parameters
    ----------
    request : Request
        The form.
    name : str
        Name of the channel, or of a member of one that stands for many columns.

    Returns
    -------
    Certified or None
        None where no certificate is named. Of several, as where each plant has its meter, the
        largest uncertainty stands for all readings: more than each adds, never less.
    """
    found: dict[str, tuple[Certificate, float | None, str]] = {}
    for place, channel in _channels(request, name):
        known = channel.certificate
        if isinstance(known, Certificate) and known.id not in found:
            u, unit = certified_u(channel, place) or (None, channel.unit)
            found[known.id] = known, u, unit
    if not found:
        return None
    stated = [(u, unit) for _, u, unit in found.values() if u is not None]
    u, unit = max(stated) if stated else (None, next(iter(found.values()))[2])
    days = [str(known.valid_until) for known, _, _ in found.values() if known.valid_until]
    who = dict.fromkeys(k.laboratory for k, _, _ in found.values() if k.laboratory)
    return Certified(name, tuple(found), u, unit, min(days, default=""), tuple(who))


def certified_channels(request: Request, names: Iterable[str]) -> list[Certified]:
    """Those of the channels whose certificates state an uncertainty."""
    found = [certified(request, name) for name in dict.fromkeys(names)]
    return [one for one in found if one is not None and one.u is not None]


def reference_u(request: Request, stated: float | None, target: str) -> float | None:
    """What all readings of a reference share.

    Parameters
    ----------
    request : Request
        The form.
    stated : float or None
        Standard uncertainty that the family's section states; it comes first.
    target : str
        Channel of the reference, whose certificate tells it otherwise.

    Returns
    -------
    float or None
        In the unit of storage of the channel; None where nobody states it.
    """
    if stated is not None:
        return stated
    known = certified(request, target)
    return None if known is None else known.u


def has_stated_u(request: Request) -> bool:
    """Whether a certificate of any channel states an uncertainty."""
    known = [channel.certificate for source in request.data for channel in source.channels]
    return any(isinstance(one, Certificate) and one.standard_u is not None for one in known)


def _channels(request: Request, name: str) -> Iterator[tuple[str, Channel]]:
    """Channels of a name with their places, by source."""
    for number, source in enumerate(request.data):
        for at, channel in enumerate(source.channels):
            is_group = channel.columns is not None
            if channel.name == name or (
                is_group and name.startswith(member_name(channel.name, "")[:-1])
            ):
                yield f"data.{number}.channels.{at}", channel
