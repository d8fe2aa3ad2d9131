"""Samples on another regular time axis: bridged where close enough, filtered where thinned.

What belongs together on one grid is `lumipipe.readers.grid`'s matter.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.language import finding

if TYPE_CHECKING:
    from lumipipe.readers.recording import Stream

RATE_TOLERANCE = 0.01
"""A source up to this share faster than the grid counts as equal to it: the band between the
two limits is that narrow."""
STOP_BAND_DB = 80.0
PASS_BAND = 0.8
"""Share of the grid's band that the low-pass leaves alone; from 1.0 on it stops."""
_LARGEST_TERM = 2000  # of a ratio of rates that is resampled as it stands
_LARGEST_DRIFT = 0.01  # samples over a whole stream, up to which such a ratio counts as exact


def times_of(stream: Stream) -> np.ndarray:
    """Time of each row in ns: the stamps, or row number / rate from the known start or 0."""
    if stream.time_ns is not None:
        return stream.time_ns
    numbers = np.arange(len(stream.values), dtype=np.float64)
    offsets: np.ndarray = np.rint(numbers * (NANOSECONDS / stream.rate_hz)).astype(np.int64)
    return offsets + (stream.start_ns or 0)


def at_times(
    times: np.ndarray, values: np.ndarray, wanted: np.ndarray, longest_gap_ns: float
) -> np.ndarray:
    """Values at other times, linear between samples that are close enough; NaN elsewhere.

    Parameters
    ----------
    times : np.ndarray, shape (row,), int64, ns
        Do not decrease. Samples with one stamp are averaged.
    values : np.ndarray, shape (row, channel), float64
        NaN where there is no reading: such a sample is not there for its channel.
    wanted : np.ndarray, shape (node,), int64, ns
        Times asked for, rising.
    longest_gap_ns : float, ns
        Longest distance of two samples that is bridged.

    Returns
    -------
    np.ndarray, shape (node, channel), float64
        NaN before the first sample, after the last one and inside longer gaps.
    """
    result = np.full((len(wanted), values.shape[1]), np.nan)
    for channel in range(values.shape[1]):
        valid = ~np.isnan(values[:, channel])
        if valid.any():
            stamps, means = _distinct(times[valid], values[valid, channel])
            result[:, channel] = _bridged(stamps, means, wanted, longest_gap_ns)
    return result


def _distinct(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rising stamps and the mean of the samples at each."""
    stamps, first, counts = np.unique(times, return_index=True, return_counts=True)
    return stamps, np.add.reduceat(values, first) / counts


def _bridged(
    stamps: np.ndarray, values: np.ndarray, wanted: np.ndarray, longest_gap_ns: float
) -> np.ndarray:
    """Linear interpolation of one channel; times are taken relative to keep them exact."""
    last = len(stamps) - 1
    before = np.clip(np.searchsorted(stamps, wanted, side="right") - 1, 0, last)
    after = np.minimum(before + 1, last)
    width = stamps[after] - stamps[before]
    ahead = wanted - stamps[before]
    share = np.where(width > 0, ahead / np.maximum(width, 1), 0.0)
    mixed = values[before] * (1.0 - share) + values[after] * share
    on_sample = ahead == 0
    inside = (ahead > 0) & (wanted <= stamps[after]) & (width <= longest_gap_ns)
    result: np.ndarray = np.where(on_sample, values[before], np.where(inside, mixed, np.nan))
    return result


def resampled(
    stream: Stream, start_ns: int, nodes: int, rate_hz: float, longest_gap_ns: float
) -> tuple[np.ndarray, str]:
    """Values of a stream on a regular grid, and how they were got.

    Parameters
    ----------
    stream : Stream
        Regular, or with a stamp for each row.
    start_ns, nodes, rate_hz : int, int, float
        Node k of the grid is at start_ns + k / rate_hz.
    longest_gap_ns : float, ns
        Longest distance of two samples that is bridged.

    Returns
    -------
    tuple of np.ndarray, shape (node, channel), float64, and str
        NaN where the source does not reach; the method for the record.

    Notes
    -----
    *Method*: at or above the source's rate linear interpolation. Below it the stream is first
    brought to a regular grid at its own rate or a little above, then each run without a gap
    is filtered with a linear-phase FIR low-pass (Kaiser window, `STOP_BAND_DB` from the
    grid's band limit on, flat to `PASS_BAND` of it), delay removed, and thinned. A line
    through a run's ends is taken out before and put back after, so that ends do not sag.
    *Accuracy*: ripple and aliases below 1e-4 of full scale for regular streams; for irregular
    ones linear interpolation adds its own error, which falls with the square of the step.
    """
    from scipy.signal import resample_poly

    if not stream.rate_hz > rate_hz * (1.0 + RATE_TOLERANCE):
        wanted = grid_times(start_ns, nodes, rate_hz)
        return _within_segments(stream, wanted, longest_gap_ns), finding("linear interpolation")
    up, down, base_hz = _ratio(stream, start_ns, rate_hz)
    base_nodes = -(-(nodes - 1) * down // up) + 1  # up to the last node or just past it
    base_times = grid_times(start_ns, base_nodes, base_hz)
    base = _within_segments(stream, base_times, longest_gap_ns)
    taps = _low_pass(up, down)
    result = np.full((nodes, base.shape[1]), np.nan)
    cuts = np.searchsorted(base_times, restarts(stream))
    for first, count in runs(~np.isnan(base).any(axis=1), cuts):
        aligned = -(-first // down) * down  # the first sample that falls on a node of the grid
        part = base[aligned : first + count]
        if not len(part):
            continue
        thinned = resample_poly(part, up, down, axis=0, window=taps, padtype="line")
        covered = min((len(part) - 1) * up // down + 1, nodes - aligned // down * up)
        result[aligned // down * up : aligned // down * up + covered] = thinned[:covered]
    return result, (
        f"from {base_hz:.6g} Hz by {up}/{down} with a linear-phase FIR low-pass of {len(taps)} "
        f"taps, {STOP_BAND_DB:g} dB from {rate_hz / 2:.6g} Hz, "
        f"flat to {PASS_BAND * rate_hz / 2:.6g} Hz"
    )


def restarts(stream: Stream) -> np.ndarray:
    """Time in ns of the first row of each segment but the first."""
    first: np.ndarray = times_of(stream)[stream.segments[1:, 0]]
    return first


def _within_segments(stream: Stream, wanted: np.ndarray, longest_gap_ns: float) -> np.ndarray:
    """Values of a stream at other times; NaN between two segments, however close they are."""
    times = times_of(stream)
    values = at_times(times, stream.values.astype(np.float64), wanted, longest_gap_ns)
    stops = times[stream.segments[1:, 0] - 1]
    part = np.searchsorted(restarts(stream), wanted, side="right")
    stop = np.concatenate([stops, times[-1:]])[part]
    values[wanted > stop] = np.nan
    return values


def grid_times(start_ns: int, nodes: int, rate_hz: float) -> np.ndarray:
    """Times of the nodes of a grid in int64 ns, each rounded for itself."""
    seconds, rest = np.divmod(np.arange(nodes, dtype=np.float64), rate_hz)
    offsets: np.ndarray = seconds.astype(np.int64) * NANOSECONDS + np.rint(
        rest * (NANOSECONDS / rate_hz)
    ).astype(np.int64)
    return offsets + start_ns


def runs(covered: np.ndarray, cuts: np.ndarray | None = None) -> np.ndarray:
    """First row and number of rows of each run of true, shape (run, 2), int64.

    A run is cut before each row in `cuts`.

    >>> import numpy as np
    >>> runs(np.array([True, True, False, True])).tolist()
    [[0, 2], [3, 1]]
    >>> runs(np.array([True, True, False, True]), np.array([1])).tolist()
    [[0, 1], [1, 1], [3, 1]]
    """
    starts_here = np.zeros(len(covered) + 1, dtype=bool)
    if cuts is not None:
        starts_here[np.minimum(cuts, len(covered))] = True
    padded = np.concatenate([[False], covered, [False]])
    starts = np.flatnonzero(padded[1:] & (~padded[:-1] | starts_here))
    ends = np.flatnonzero(padded[:-1] & (~padded[1:] | starts_here))
    return np.stack([starts, ends - starts], axis=1).astype(np.int64)


def _ratio(stream: Stream, start_ns: int, rate_hz: float) -> tuple[int, int, float]:
    """Up, down and the base rate that up / down times gives the grid's rate."""
    if stream.time_ns is None and start_ns == times_of(stream)[0]:
        exact = Fraction(rate_hz) / Fraction(stream.rate_hz)
        ratio = exact.limit_denominator(_LARGEST_TERM)
        drift = abs(float(ratio / exact) - 1.0) * len(stream.values)
        if ratio > 0 and drift < _LARGEST_DRIFT:
            return ratio.numerator, ratio.denominator, stream.rate_hz
    down = int(np.ceil(stream.rate_hz / rate_hz * (1.0 - 1e-9)))
    return 1, down, down * rate_hz


def _low_pass(up: int, down: int) -> np.ndarray:
    """Taps of the low-pass at the rate up times the source's."""
    from scipy.signal import firwin, kaiserord

    limit = 1.0 / max(up, down)
    taps, beta = kaiserord(STOP_BAND_DB, (1.0 - PASS_BAND) * limit)
    window: np.ndarray = firwin(taps | 1, 0.5 * (1.0 + PASS_BAND) * limit, window=("kaiser", beta))
    return window
