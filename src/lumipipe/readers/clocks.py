"""Stamps of an instrument's clock on the time of a reference: an offset, or offset and drift.

Oscillators of cheap instruments are off by tens of millionths: seconds a day. Two instruments that
saw the same events, such as knocks before, during and after a test, are brought together by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config.moments import NANOSECONDS, nanoseconds

if TYPE_CHECKING:
    from lumipipe.config import Clock


@dataclass(frozen=True)
class Alignment:
    """How far a clock was ahead of its reference: ``offset + drift * (stamp - middle)``.

    Parameters
    ----------
    middle_ns : int, ns
        Mean of the events' stamps since 1970 (UTC), by the clock itself.
    offset_s : float, s
        How far it was ahead there.
    u_offset_s : float, s
        Its standard uncertainty; NaN where none is stated.
    drift : float
        Seconds that it gains in each of its seconds.
    u_drift : float
        Its standard uncertainty; 0 where no drift was looked for.
    residual_s : float, s
        How far the event that fits worst is off; 0 without events.
    """

    middle_ns: int
    offset_s: float
    u_offset_s: float
    drift: float = 0.0
    u_drift: float = 0.0
    residual_s: float = 0.0

    def true_stamps(self, stamps: np.ndarray) -> np.ndarray:
        """Stamps by the reference.

        Parameters
        ----------
        stamps : np.ndarray, shape (row,), int64, ns
            By the clock, since 1970 (UTC).

        Returns
        -------
        np.ndarray, shape (row,), int64, ns
            Each is set back by what the clock was ahead then, rounded to a nanosecond.
        """
        ahead = np.full(len(stamps), round(self.offset_s * NANOSECONDS), dtype=np.int64)
        if self.drift:
            ahead += np.rint((stamps - self.middle_ns) * self.drift).astype(np.int64)
        return stamps - ahead

    def uncertainty_s(self, stamps: np.ndarray) -> np.ndarray:
        """Standard uncertainty in s of `true_stamps`; it grows away from the events.

        Parameters
        ----------
        stamps : np.ndarray, shape (row,), int64, ns
            By the clock, since 1970 (UTC).

        Returns
        -------
        np.ndarray, shape (row,), float64, s
            NaN where no uncertainty of the offset is stated.
        """
        away_s = (stamps - self.middle_ns) / NANOSECONDS
        u: np.ndarray = np.hypot(self.u_offset_s, self.u_drift * away_s)
        return u


def alignment(clock: Clock) -> Alignment:
    """How far a clock was ahead of its reference.

    Parameters
    ----------
    clock : Clock
        With an offset, or with three events or more.

    Returns
    -------
    Alignment
        From events by least squares: the uncertainties are those of a straight line through them,
        with the spread of the residuals on n - 2 degrees of freedom.

    Examples
    --------
    >>> from lumipipe.config import Clock
    >>> def event(here: str, reference: str) -> dict[str, str]:
    ...     return {"here": f"2026-03-02T{here}Z", "reference": f"2026-03-02T{reference}Z"}
    >>> found = alignment(Clock(reference="watch", largest_residual_s=0.1, events=[
    ...     event("08:00:01.0", "08:00:00"), event("10:00:01.5", "10:00:00"),
    ...     event("12:00:02.0", "12:00:00")]))
    >>> round(found.offset_s, 6), round(found.drift * 1e6, 1), round(found.residual_s, 6)
    (1.5, 69.4, 0.0)
    """
    if not clock.events:
        u = np.nan if clock.u_offset_s is None else clock.u_offset_s
        return Alignment(0, clock.offset_s, u)
    here = [nanoseconds(event.here) for event in clock.events]
    reference = [nanoseconds(event.reference) for event in clock.events]
    middle = sum(here) // len(here)
    away = np.array([stamp - middle for stamp in here]) / NANOSECONDS
    ahead = np.array([a - b for a, b in zip(here, reference, strict=True)]) / NANOSECONDS
    away_mean = float(away.mean())
    spread = float(np.sum((away - away_mean) ** 2))
    drift = float(np.sum((away - away_mean) * (ahead - ahead.mean())) / spread)
    offset = float(ahead.mean()) - drift * away_mean
    residual = ahead - offset - drift * away
    s = float(np.sqrt(np.sum(residual**2) / (len(here) - 2)))
    return Alignment(
        middle_ns=middle,
        offset_s=offset,
        u_offset_s=s / np.sqrt(len(here)),
        drift=drift,
        u_drift=s / np.sqrt(spread),
        residual_s=float(np.max(np.abs(residual))),
    )
