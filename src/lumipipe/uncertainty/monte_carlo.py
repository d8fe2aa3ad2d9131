"""A budget propagated by draws, and whether the linear law agrees with them.

Method: JCGM 101:2008, 5.9 (draws), 7.7 (probabilistically symmetric interval) and 8.1 (comparison
within a numerical tolerance).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.kernels.philox import normal_at, uniform_at
from lumipipe.language import term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.uncertainty.budget import Contribution

DRAWS = 200_000
"""Draws of each source."""
RECTANGULAR = term("rectangular")
_PURPOSE = 0x3C9A


@dataclass(frozen=True)
class Propagated:
    """The error of a result by draws.

    Parameters
    ----------
    draws : int
        Draws of each source.
    mean, u : float
        Mean and standard deviation of the error, in the unit of the result.
    lower, upper : float
        Ends of the probabilistically symmetric interval of the error.
    """

    draws: int
    mean: float
    u: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Agreement:
    """The linear law beside the draws.

    Parameters
    ----------
    tolerance : float
        Half a unit of the first significant digit of u: what an end may differ by.
    lower, upper : float
        By how much the ends differ.
    """

    tolerance: float
    lower: float
    upper: float

    @property
    def holds(self) -> bool:
        """Whether both ends agree within the tolerance."""
        return max(self.lower, self.upper) <= self.tolerance


def drawn(
    parts: Sequence[Contribution], seed: int, draws: int = DRAWS
) -> dict[str, NDArray[np.float64]]:
    """Errors of each source, in its own unit.

    Parameters
    ----------
    parts : sequence of Contribution
        Sources; a rectangular one is drawn as such, any other as normal.
    seed : int
        Key of the draws; they depend on it and on the place of a source.
    draws : int
        How many.

    Returns
    -------
    dict of str to ndarray of float64, shape (draw,)
        By the name of the source.
    """
    found = {}
    for place, part in enumerate(parts):
        numbers = np.arange(place * draws, (place + 1) * draws, dtype=np.int64)
        key = (seed, _PURPOSE)
        if part.distribution == RECTANGULAR:
            # From -1 to 1 the standard deviation is the root of a third.
            unit = (2.0 * uniform_at(numbers, key) - 1.0) * math.sqrt(3.0)
        else:
            unit = normal_at(numbers, key)
        found[part.source] = np.asarray(part.u * unit)
    return found


def propagate(
    parts: Sequence[Contribution],
    coverage: float,
    seed: int,
    model: Callable[[Mapping[str, NDArray[np.float64]]], NDArray[np.float64]] | None = None,
    draws: int = DRAWS,
) -> Propagated:
    """The distribution of the error of a result.

    Parameters
    ----------
    parts : sequence of Contribution
        Sources, uncorrelated.
    coverage : float
        Coverage probability of the interval.
    seed : int
        Key of the draws.
    model : callable, optional
        Error of the result from the errors of the sources; the sum of sensitivities times errors
        where absent.
    draws : int
        Draws of each source.

    Returns
    -------
    Propagated
        In the unit of the result.

    Examples
    --------
    >>> from lumipipe.uncertainty.budget import Contribution
    >>> part = Contribution("offset", "B", "rectangular", 1.0, "V", 2.0, True)
    >>> found = propagate([part], 0.95, 1)
    >>> round(found.u, 1), round(found.upper, 1)
    (2.0, 3.3)
    """
    errors = drawn(parts, seed, draws)
    if model is None:
        sums = [part.sensitivity * errors[part.source] for part in parts]
        error = np.sum(sums, axis=0) if sums else np.zeros(draws)
    else:
        error = model(errors)
    tail = (1.0 - coverage) / 2.0
    lower, upper = np.quantile(error, [tail, 1.0 - tail])
    return Propagated(draws, float(error.mean()), float(error.std()), float(lower), float(upper))


def agreement(u: float, k: float, found: Propagated) -> Agreement:
    """The interval ``± k u`` of the linear law beside that of the draws.

    Parameters
    ----------
    u, k : float
        Combined standard uncertainty by the linear law, and its coverage factor.
    found : Propagated
        By draws, for the same coverage probability.

    Returns
    -------
    Agreement
        The tolerance is that of one significant digit of `u` (JCGM 101:2008, 7.9.2).

    Examples
    --------
    >>> agreement(85.0, 2.0, Propagated(1000, 0.0, 85.0, -168.0, 171.0))
    Agreement(tolerance=5.0, lower=2.0, upper=1.0)
    """
    tolerance = 0.5 * 10.0 ** math.floor(math.log10(u)) if u > 0.0 else 0.0
    return Agreement(tolerance, abs(found.lower + k * u), abs(found.upper - k * u))
