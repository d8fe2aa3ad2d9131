"""Expected fault lines in an averaged envelope spectrum, and how far they stand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

BACKGROUND_HZ = 50.0
_NULL_LINES = 400
_NULL_ORDERS = (0.35, 6.5)
_NEAREST_BINS = 1.5


@dataclass(frozen=True)
class Lines:
    """How far the lines of one fault stand out.

    Parameters
    ----------
    expected_hz : float
        Fault frequency by kinematics.
    found_hz : float
        Strongest line near the first harmonic.
    harmonics : tuple of float
        Peak to background at each harmonic.
    score : float
        Geometric mean of `harmonics`: high only when all of them stand out.
    mean : float
        Arithmetic mean of `harmonics`.
    """

    expected_hz: float
    found_hz: float
    harmonics: tuple[float, ...]
    score: float
    mean: float


def find_lines(
    power: NDArray[np.float64],
    resolution_hz: float,
    expected_hz: float,
    harmonics: int,
    tolerance: float,
) -> Lines:
    """The lines of a fault in a spectrum.

    Parameters
    ----------
    power : ndarray of float64, shape (line,)
        Averaged envelope power spectrum; line k is at ``k * resolution_hz``.
    resolution_hz : float
        Distance between lines.
    expected_hz : float
        Fault frequency.
    harmonics : int
        Harmonics to look at.
    tolerance : float
        Slip and speed error, relative to the frequency.

    Returns
    -------
    Lines
        Background is the median of the power within 50 Hz of the expected line.
    """
    frequency = np.arange(len(power)) * resolution_hz
    ratios, found = [], expected_hz
    for harmonic in range(1, harmonics + 1):
        centre = harmonic * expected_hz
        distance = np.abs(frequency - centre)
        near = distance <= max(tolerance * centre, _NEAREST_BINS * resolution_hz)
        around = (distance <= BACKGROUND_HZ) & (frequency > 2 * resolution_hz)
        ratios.append(float(power[near].max() / np.median(power[around])))
        if harmonic == 1:
            found = float(frequency[near][power[near].argmax()])
    score = float(np.exp(np.mean(np.log(ratios))))
    return Lines(expected_hz, found, tuple(ratios), score, float(np.mean(ratios)))


def null_scores(
    power: NDArray[np.float64],
    resolution_hz: float,
    shaft_hz: float,
    faults: Mapping[str, float],
    harmonics: int,
    tolerance: float,
) -> NDArray[np.float64]:
    """Scores of frequencies at which no fault is expected, in the same spectrum.

    Parameters
    ----------
    power : ndarray of float64, shape (line,)
        Averaged envelope power spectrum.
    resolution_hz : float
        Distance between lines.
    shaft_hz : float
        Shaft frequency.
    faults : mapping of str to float
        Fault frequencies, in Hz.
    harmonics : int
        Harmonics to look at.
    tolerance : float
        Slip and speed error, relative to the frequency.

    Returns
    -------
    ndarray of float64, shape (order,)
        Orders of the shaft, its multiples and those of the faults left out: what the score
        does by chance in this very spectrum.
    """
    end_hz = len(power) * resolution_hz - BACKGROUND_HZ
    highest = min(_NULL_ORDERS[1], end_hz / (harmonics * (1 + tolerance) * shaft_hz))
    orders = np.linspace(_NULL_ORDERS[0], highest, _NULL_LINES)
    taken = [float(k) for k in range(1, 8)]
    taken += [k * f / shaft_hz / h for f in faults.values() for k in (1, 2, 3) for h in (1, 2, 3)]
    width = 3 * max(tolerance, _NEAREST_BINS * resolution_hz / shaft_hz)
    free = np.all(np.abs(orders[:, None] - np.array(taken)[None, :]) > width, axis=1)
    return np.array(
        [
            find_lines(power, resolution_hz, float(order) * shaft_hz, harmonics, tolerance).score
            for order in orders[free]
        ]
    )
