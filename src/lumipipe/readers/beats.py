"""Times between heartbeats: placed on a time axis, with breaks where beats are missing.

Which beats are normal is a family's matter; the formats that hold such lists are beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import finding
from lumipipe.readers.legs import Pause

if TYPE_CHECKING:
    from collections.abc import Sequence

MISSING = finding("missing beats")
_LATE_S = 10.0
"""A message holds up to five intervals, and records come up to some seconds apart: beats whose
sum is farther than this from the clock have lost some among them."""


def beats_from_messages(
    messages: Sequence[tuple[float, tuple[float, ...]]], pauses: Sequence[Pause]
) -> tuple[dict[str, np.ndarray], list[Pause]]:
    """Beats of messages between which only a clock of whole seconds ticks.

    Parameters
    ----------
    messages : sequence of (float, tuple of float)
        Time of the record before each message, s since 1970, and its intervals in s.
    pauses : sequence of Pause
        Of the timer.

    Returns
    -------
    tuple of dict and list of Pause
        Columns ``time`` (s since 1970, end of each interval) and ``rr`` (ms), float64; the
        pauses and the stretches in which beats are missing.

    Notes
    -----
    *Method*: a stretch starts at the clock and goes on by the sum of its intervals; where that
    is more than 10 s behind or ahead of the clock, or a pause ended, a new stretch starts.
    *Accuracy*: differences within a stretch are the instrument's; its place is good to some
    seconds.
    """
    times: list[float] = []
    intervals: list[float] = []
    gaps: list[Pause] = []
    now, ends = np.nan, sorted(pause.end_s for pause in pauses)
    for clock, values in messages:
        resumed = bool(ends) and clock >= ends[0]
        while ends and clock >= ends[0]:
            ends.pop(0)
        if np.isnan(now):
            now = clock
        elif np.isfinite(clock) and (resumed or abs(clock - now) > _LATE_S):
            if not resumed and clock > now:
                gaps.append(Pause(now, clock, MISSING))
            now = max(clock, now)
        for value in values:
            now += value
            times.append(now)
            intervals.append(1000.0 * value)
    columns = {"time": np.array(times), "rr": np.array(intervals)}
    return columns, sorted([*pauses, *gaps])


def beats_of_list(intervals_ms: np.ndarray) -> dict[str, np.ndarray]:
    """Columns ``time`` (s since the start, end of each interval) and ``rr`` (ms) of a list.

    >>> import numpy as np
    >>> beats_of_list(np.array([800.0, 1000.0]))["time"].tolist()
    [0.8, 1.8]
    """
    return {"time": np.cumsum(intervals_ms) / 1000.0, "rr": np.asarray(intervals_ms)}


def missing_beats(columns: dict[str, np.ndarray]) -> list[Pause]:
    """Steps of ``time`` that are longer than two of the intervals that they should be."""
    time, interval = columns["time"], columns["rr"] / 1000.0
    steps = np.diff(time)
    late = np.flatnonzero(steps > 2.0 * interval[1:])
    return [Pause(float(time[row]), float(time[row + 1]), MISSING) for row in late]
