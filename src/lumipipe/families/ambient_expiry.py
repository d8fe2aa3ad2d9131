"""Since when a calibration has expired: what is accepted of a period, and the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lumipipe.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.families.ambient_periods import Period
    from lumipipe.uncertainty.blocks import Estimate

Place = Literal["within", "undecided", "beyond", "outside", "unknown"]


@dataclass(frozen=True)
class Band:
    """What is accepted of one statistic of a period.

    Parameters
    ----------
    name : str
        ``largest_bias`` or ``relative_uncertainty``.
    noun, unit : str
        The statistic in words, and its unit; empty for a plain number.
    edge : float
        Largest accepted size.
    of : callable of Period
        The statistic.
    """

    name: str
    noun: str
    unit: str
    edge: float
    of: Callable[[Period], Estimate]

    @property
    def label(self) -> str:
        """The statistic of a period with its unit."""
        return f"{self.noun}, {self.unit}" if self.unit else self.noun

    @property
    def accepted(self) -> str:
        """What is accepted, in words."""
        sign = "\u00b1" if self.name == "largest_bias" else ""
        return say("{sign}{edge:g} {unit}", sign=sign, edge=self.edge, unit=self.unit).rstrip()

    def place(self, period: Period) -> Place:
        """Where a period lies against the band.

        Returns
        -------
        str
            ``within`` or ``outside`` where the whole interval is; ``undecided`` and ``beyond``
            where it crosses an edge and the value is within or not; ``unknown`` without one.
        """
        found = self.of(period)
        if not found.is_known:
            return "unknown"
        if found.lower > self.edge or found.upper < -self.edge:
            return "outside"
        if -self.edge <= found.lower and found.upper <= self.edge:
            return "within"
        return "beyond" if abs(found.value) > self.edge else "undecided"


@dataclass(frozen=True)
class Expiry:
    """That a calibration has expired.

    Parameters
    ----------
    band : Band
        What was left.
    since, found : Period
        The period with whose begin it expired, and the one at whose end that was known.
    """

    band: Band
    since: Period
    found: Period


def expiry(periods: Sequence[Period], bands: Sequence[Band]) -> Expiry | None:
    """Since when a calibration has expired.

    Parameters
    ----------
    periods : sequence of Period
        Those after the calibration, in order.
    bands : sequence of Band
        What is accepted.

    Returns
    -------
    Expiry or None
        The first, by when it was known; None where no band was left.

    Notes
    -----
    *Method*: a calibration has expired when the whole interval of a period is outside a band,
    or when the value has been outside in two periods running. So a bias that stays outside is
    told no later than with the second period, even if each interval alone reaches into the band,
    and one period of bad luck is not an expiry. Periods without an interval are passed over.
    """
    found = [first for band in bands if (first := _left(periods, band)) is not None]
    return min(found, key=lambda one: one.found.number, default=None)


def _left(periods: Sequence[Period], band: Band) -> Expiry | None:
    """The first expiry by one band."""
    before: Period | None = None  # the last period, if its value was beyond the band
    for period in periods:
        place = band.place(period)
        if place == "outside" or (place == "beyond" and before is not None):
            return Expiry(band, before or period, period)
        if place != "unknown":
            before = period if place == "beyond" else None
    return None


def has_held(periods: Sequence[Period], bands: Sequence[Band]) -> bool | None:
    """Whether a calibration held: None where a period is undecided or not known."""
    if expiry(periods, bands) is not None:
        return False
    places = {band.place(period) for band in bands for period in periods}
    return True if places == {"within"} else None
