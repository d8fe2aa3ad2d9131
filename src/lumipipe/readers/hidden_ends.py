"""Where an activity began and ended, hidden before its positions leave a reader.

A zone around the place itself, or a fixed time cut off, gives the place away: a circle through
the first visible points of some tracks has it in its centre [1]_. So the zone is moved by a secret
step, the same for all tracks from one place.

References
----------
.. [1] W. U. Hassan, S. Hussain and A. Bates, "Analysis of privacy protections in fitness tracking
   social networks -or- You can run, but can you hide?", USENIX Security 2018, pp. 497-512.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lumipipe.readers.privacy import secret_draws

_EARTH_M = 6_371_008.8  # mean radius R1 of GRS 80: H. Moritz, Geodetic Reference System 1980
_CELL = 20.0  # side of the cells that have a step of their own, in hidden distances
_STEP = (1.5, 2.5)  # length of the step, in hidden distances
_ROOM = (1.5, 2.5)  # by how much the radius is longer than the step, in hidden distances


class Zone(NamedTuple):
    """A circle with a place somewhere inside."""

    latitude: float
    longitude: float
    radius_m: float

    def holds(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Which points, in degrees, lie inside; bool, False where a coordinate is NaN."""
        here = metres_between(self.latitude, self.longitude, latitude, longitude)
        return np.asarray(here <= self.radius_m)


def zone_around(latitude: float, longitude: float, hidden_m: float, key: str) -> Zone:
    """The zone of a place, in which it does not lie in the centre.

    Parameters
    ----------
    latitude : float
        Of the place, in degrees.
    longitude : float
        Of the place, in degrees.
    hidden_m : float
        Metres, above 0: the place lies farther than this from the centre and from the edge.
    key : str
        Name of the secret key, see `lumipipe.readers.privacy.pseudonym`.

    Returns
    -------
    Zone
        Under one key, places within a square of 20 `hidden_m` have the same step to the centre and
        the same radius: 3 to 5 `hidden_m`.

    Raises
    ------
    InputError
        If there is no key: set the environment variable.

    Notes
    -----
    *Limits*: who knows one hidden place knows the step of its square, and who sees zones of two
    distances or two keys around one place knows more than from either. A key of its own for each
    person, and one distance for good, avoid both. Straight tracks still point to the place, and
    the mean of many first points comes nearer to it than the centre, by half.
    """
    per_degree = np.radians(1.0) * _EARTH_M
    row = np.floor(latitude * per_degree / (_CELL * hidden_m))
    parallel = np.cos(np.radians(row * _CELL * hidden_m / per_degree))
    column = np.floor(longitude * per_degree * parallel / (_CELL * hidden_m))
    direction, length, room = secret_draws(f"zone {hidden_m:g} {row:.0f} {column:.0f}", key)
    step = hidden_m * _within(_STEP, length)
    north, east = step * np.cos(2.0 * np.pi * direction), step * np.sin(2.0 * np.pi * direction)
    return Zone(
        latitude + north / per_degree,
        longitude + east / (per_degree * max(float(np.cos(np.radians(latitude))), 1e-3)),
        step + hidden_m * _within(_ROOM, room),
    )


def metres_between(
    latitude: np.ndarray | float,
    longitude: np.ndarray | float,
    other_latitude: np.ndarray,
    other_longitude: np.ndarray,
) -> np.ndarray:
    """Distance of points in degrees along a sphere; the Earth differs by up to half a percent.

    >>> float(metres_between(64.0, 27.0, np.array(64.001), np.array(27.0)).round(1))
    111.2
    """
    first, second = np.radians(latitude), np.radians(other_latitude)
    turn = np.radians(np.subtract(other_longitude, longitude))
    half = np.sin((second - first) / 2.0) ** 2
    half += np.cos(first) * np.cos(second) * np.sin(turn / 2.0) ** 2
    return np.asarray(2.0 * _EARTH_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def _within(span: tuple[float, float], draw: float) -> float:
    return span[0] + (span[1] - span[0]) * draw
