"""What the readings of a session stand for: how long each holds, and the runs between gaps.

The rule: a reading holds until the next one of its channel; where that comes later than a longest
time, or the instrument had stopped between them, nothing is known after the reading and nothing
is filled in. Means over such readings are means over time, however unevenly they were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config.moments import NANOSECONDS

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Held(NamedTuple):
    """The readings of one channel in one session, each array of shape (reading,)."""

    row: NDArray[np.int64]
    """Its row in the session."""
    time_ns: NDArray[np.int64]
    """When it was taken."""
    lasts_ns: NDArray[np.int64]
    """How long it holds; 0 for the last one of a run."""
    run: NDArray[np.int64]
    """Number of its run, from 0."""


class Edges(NamedTuple):
    """Whole seconds from the start of each run, each array of shape (edge,)."""

    reading: NDArray[np.int64]
    """Reading that holds from there on."""
    after_s: NDArray[np.float64]
    """Time since that reading."""
    run: NDArray[np.int64]
    """Number of the run."""


def held(
    time_ns: NDArray[np.int64],
    segment: NDArray[np.int64],
    there: NDArray[np.bool_],
    longest_s: float,
) -> Held:
    """How long each reading of a channel holds.

    Parameters
    ----------
    time_ns : ndarray of int64, shape (row,)
        Stamps, not falling.
    segment : ndarray of int64, shape (row,)
        Number of the segment between pauses and gaps; -1 for rows in none.
    there : ndarray of bool, shape (row,)
        Rows with a reading.
    longest_s : float
        Longest time that a reading holds.

    Returns
    -------
    Held
        Readings with the stamp of the next one hold for no time.

    Examples
    --------
    >>> time = np.array([0, 1, 2, 9, 10]) * NANOSECONDS
    >>> segment, there = np.zeros(5, np.int64), np.array([True, False, True, True, True])
    >>> found = held(time, segment, there, 5.0)
    >>> found.lasts_ns // NANOSECONDS, found.run
    (array([2, 0, 1, 0]), array([0, 0, 1, 1]))
    """
    row = np.flatnonzero(there & (segment >= 0))
    time, part = time_ns[row], segment[row]
    step = np.diff(time)
    goes_on = (step <= longest_s * NANOSECONDS) & (part[1:] == part[:-1])
    return _held(row, time, goes_on)


def without(readings: Held, wrong: NDArray[np.bool_]) -> Held:
    """The readings, where some that are not credible hold for no time and end their run."""
    goes_on = (np.diff(readings.run) == 0) & ~wrong[:-1]
    return _held(readings.row, readings.time_ns, goes_on)


def _held(row: NDArray[np.int64], time: NDArray[np.int64], goes_on: NDArray[np.bool_]) -> Held:
    """Readings, from which of them go on to the next."""
    lasts, run = np.zeros_like(time), np.zeros_like(row)
    lasts[:-1] = np.where(goes_on, np.diff(time), 0)
    run[1:] = np.cumsum(~goes_on)
    return Held(row, time, lasts, run)


def whole_seconds(readings: Held) -> Edges:
    """The edges of the whole seconds in each run, counted from its first reading.

    Parameters
    ----------
    readings : Held
        What `held` returned.

    Returns
    -------
    Edges
        None of a run shorter than a second; what a run has beyond its last whole second is not
        among them.

    Examples
    --------
    >>> time = np.array([0, 1500, 2600, 9000]) * 1_000_000
    >>> found = whole_seconds(held(time, np.zeros(4, np.int64), np.ones(4, np.bool_), 5.0))
    >>> found.reading, found.after_s, found.run
    (array([0, 0, 1]), array([0. , 1. , 0.5]), array([0, 0, 0]))
    """
    if not len(readings.row):
        none = np.zeros(0, dtype=np.int64)
        return Edges(none, np.zeros(0), none)
    first = np.flatnonzero(np.diff(readings.run, prepend=-1))
    last = np.append(first[1:], len(readings.run)) - 1
    seconds = (readings.time_ns[last] - readings.time_ns[first]) // NANOSECONDS
    edges = np.where(seconds > 0, seconds + 1, 0)
    run = np.repeat(np.arange(len(first)), edges)
    number = np.arange(len(run)) - np.repeat(np.cumsum(edges) - edges, edges)
    time = readings.time_ns[first][run] + number * NANOSECONDS
    reading = np.searchsorted(readings.time_ns, time, side="right") - 1
    reading = np.clip(reading, first[run], last[run])
    return Edges(reading, (time - readings.time_ns[reading]) / NANOSECONDS, run)
