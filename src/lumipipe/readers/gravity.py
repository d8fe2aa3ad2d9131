"""Whether accelerations are what was declared, told by the length of gravity.

A unit is written in a document, not in the numbers: a device that sends m/s2 as g is off by 9.81,
and some devices take gravity out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.language import finding
from lumipipe.readers.units import STANDARD_GRAVITY, conversion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.config import Channel

_AXES = 3
_NEAR = 0.15  # of a length: sensors on a body are still for half of the time, to about so much
_LEAST = 0.5  # of gravity: where it is included, only what falls shows less for half of the time
_GRAVITY = {"m/s2": STANDARD_GRAVITY, "g": 1.0, "mg": 1000.0}
"""Gravity in the units that are mistaken for one another."""


def gravity_notes(channels: Sequence[Channel], values: np.ndarray) -> list[str]:
    """Notes about triples of accelerations whose length contradicts their unit or `gravity`.

    Parameters
    ----------
    channels : sequence of Channel
        Neighbours of the quantity acceleration in threes are the axes of a sensor.
    values : np.ndarray, shape (row, channel), float64, stored units
        NaN where there is no reading.

    Returns
    -------
    list of str
        One for each sensor that contradicts what is declared.

    Notes
    -----
    *Method*: the median length of the vector, in the declared unit. Near gravity it is right where
    gravity is included or nothing is said of that; near 0 it is right where it is not said to be
    included. Near what gravity is in another of the units m/s2,
    g and mg, the numbers are likely of that unit. A machine that shakes hard may have any length:
    this is a note, never a refusal.

    Examples
    --------
    >>> from lumipipe.config import Channel
    >>> axes = [Channel(name=n, quantity="acceleration", unit="m/s2") for n in "xyz"]
    >>> gravity_notes(axes, np.array([[0.0, 0.6, 0.8]]))
    ['channels x, y, z: their median length is 1 m/s2, as of gravity in g']
    """
    notes = []
    at = 0
    while at + _AXES <= len(channels):
        three = channels[at : at + _AXES]
        if any(channel.quantity != "acceleration" for channel in three):
            at += 1
            continue
        lengths = np.linalg.norm(values[:, at : at + _AXES], axis=1)
        lengths = lengths[~np.isnan(lengths)]
        if len(lengths):
            notes += _doubt(three, float(np.median(lengths)))
        at += _AXES
    return notes


def _doubt(channels: Sequence[Channel], length: float) -> list[str]:
    """The note about one sensor."""
    unit, gravity = channels[0].unit, channels[0].gravity
    names = ", ".join(channel.name for channel in channels)
    native = length / conversion("acceleration", unit, "")[0]
    if abs(length / STANDARD_GRAVITY - 1.0) < _NEAR:
        if gravity != "removed":
            return []
        note = finding(f"channels {names}: gravity is removed, but their median length is its own")
        return [note]
    for other, its_length in _GRAVITY.items():
        if abs(native / its_length - 1.0) < _NEAR:
            note = finding(
                f"channels {names}: their median length is {native:.3g} {unit}, as of gravity in "
                f"{other}"
            )
            return [note]
    if gravity == "included" and length < _LEAST * STANDARD_GRAVITY:
        note = finding(
            f"channels {names}: gravity is included, but their median length is {native:.3g} {unit}"
        )
        return [note]
    return []
