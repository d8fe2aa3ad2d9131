"""Scores that calibrate, in a form that may leave their site: rounded numbers, in no order of rows.

A threshold is a quantile of scores of rows that a model has not seen. As it stands it is the score
of one row of one person, and sites that keep their rows cannot find it together. So each score is
rounded up to few binary digits first: the sorted numbers of several sites join to those of all
their rows, and a threshold is a number of a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DIGITS = 8
"""Binary digits that are kept after the first one: a score grows by less than 1 part in 256."""
_SIZE = np.int64(2**63 - 1)  # all bits but the sign
_DROPPED = (1 << (52 - DIGITS)) - 1  # of the 52 bits of a float64


def rounded_up(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each score, or the next number above it that `DIGITS` binary digits after the first tell.

    Parameters
    ----------
    scores : ndarray of float64, any shape
        Scores; none is NaN.

    Returns
    -------
    ndarray of float64, shape of `scores`
        Never less than the score, and above it by less than a share of 2**-8 of its size.

    Notes
    -----
    *Method*: on the bits of the number, so that each machine rounds alike. Up, so that a threshold
    holds what the exact one promises.

    Examples
    --------
    >>> rounded_up(np.array([1.0, 1.001, -1.001, 0.0, np.inf])).tolist()
    [1.0, 1.00390625, -1.0, 0.0, inf]
    """
    bits = np.ascontiguousarray(scores + 0.0, dtype=np.float64).view(np.int64)  # -0.0 is 0.0
    # A sign bit makes the number of the bits negative; there, up is towards zero.
    found = np.where(bits < 0, bits, bits + _DROPPED) & ~np.int64(_DROPPED)
    return found.view(np.float64)


def places(scores: NDArray[np.float64]) -> NDArray[np.int32]:
    """Numbers of `rounded_up` as places on their grid, rising, which no other numbers have.

    Examples
    --------
    >>> from_places(places(np.array([-2.0, 0.0, 1.5]))).tolist()
    [-2.0, 0.0, 1.5]
    """
    bits = np.ascontiguousarray(scores).view(np.int64)
    return (np.where(bits < 0, bits ^ _SIZE, bits) >> (52 - DIGITS)).astype(np.int32)


def from_places(found: NDArray[np.int32]) -> NDArray[np.float64]:
    """The numbers at places on the grid."""
    bits = found.astype(np.int64) << (52 - DIGITS)
    return np.where(bits < 0, (bits | _DROPPED) ^ _SIZE, bits).view(np.float64)


@dataclass(frozen=True)
class Scores:
    """Scores of rows that a model has not seen, by what they set the threshold of.

    Parameters
    ----------
    place : str
        What the names are below, such as the name of one of several models.
    found : dict of str to ndarray of float64, optional
        Is given the scores of each name where it is there: what a site sends.
    told : mapping of str to ndarray of float64, optional
        Scores of each name from elsewhere, which are taken instead of those that are here.

    Examples
    --------
    >>> scores = Scores()
    >>> scores("fold 0", np.array([3.0, np.nan, 1.001])).tolist()
    [1.00390625, 3.0]
    """

    place: str = ""
    found: dict[str, NDArray[np.float64]] | None = field(default=None, repr=False)
    told: Mapping[str, NDArray[np.float64]] | None = field(default=None, repr=False)

    def below(self, place: str) -> Scores:
        """The same under names that begin with `place`."""
        return replace(self, place=f"{self.place}{place}/")

    def __call__(self, name: str, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores that set a threshold: rounded up and sorted, without those that are NaN."""
        key = self.place + name
        if self.told is not None:
            return self.told.get(key, np.empty(0))
        kept = np.sort(rounded_up(scores[~np.isnan(scores)]), axis=None)
        if self.found is not None:
            assert key not in self.found, f"two thresholds are called {key}"
            self.found[key] = kept
        return kept
