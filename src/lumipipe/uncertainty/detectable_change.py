"""How much a value must change before the change is more than measurement noise.

What a change means for a person is not said here; intervals of one value are in
`lumipipe.uncertainty.budget` and its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class TypicalError:
    """Spread of a measurement when nothing has changed.

    Parameters
    ----------
    value : float
        Standard deviation of repeats of one quantity, in its unit.
    degrees_of_freedom : float
        What it rests on; infinity where it was declared, as in a specification.
    source : str
        Where it is from: repeats, a certificate, a specification.
    """

    value: float
    degrees_of_freedom: float
    source: str


def typical_error(repeats: Sequence[Sequence[float]], source: str) -> TypicalError:
    """Spread within groups of repeats, pooled.

    Parameters
    ----------
    repeats : sequence of sequence of float
        Values of one person or machine each, between which nothing had changed, in one unit;
        groups with fewer than two values say nothing.
    source : str
        What the repeats were, in words.

    Returns
    -------
    TypicalError
        NaN with no degrees of freedom where no group has two values.

    Notes
    -----
    *Method*: root of the pooled variance within groups [1]_; of pairs it is the standard
    deviation of the differences over the root of two.

    References
    ----------
    .. [1] Hopkins, Measures of reliability in sports medicine and science, Sports Medicine 30
       (2000): "typical error".

    Examples
    --------
    >>> typical_error([[10.0, 12.0], [20.0, 20.0]], "two tests a person")
    TypicalError(value=1.0, degrees_of_freedom=2.0, source='two tests a person')
    """
    groups = [np.asarray(group, np.float64) for group in repeats if len(group) > 1]
    freedom = float(sum(len(group) - 1 for group in groups))
    if not freedom:
        return TypicalError(float("nan"), 0.0, source)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    return TypicalError(float(np.sqrt(squares / freedom)), freedom, source)


def smallest_detectable_change(error: TypicalError, confidence: float = 0.95) -> float:
    """Difference of two values that noise alone exceeds in few cases only.

    Parameters
    ----------
    error : TypicalError
        Spread of one value.
    confidence : float
        Share of differences without any true change that stay below.

    Returns
    -------
    float
        In the unit of the values; NaN where the error is not known.

    Notes
    -----
    *Method*: quantile of Student's distribution times the root of two times the typical error
    [1]_; with many degrees of freedom 2.77 typical errors at 95 %.

    References
    ----------
    .. [1] Weir, Quantifying test-retest reliability using the intraclass correlation coefficient
       and the SEM, Journal of Strength and Conditioning Research 19 (2005): "minimum difference".

    Examples
    --------
    >>> error = TypicalError(1.0, float("inf"), "specification")
    >>> round(smallest_detectable_change(error), 2)
    2.77
    """
    if not error.degrees_of_freedom > 0:
        return float("nan")
    tail = (1 + confidence) / 2
    quantile = (
        special.ndtri(tail)
        if np.isinf(error.degrees_of_freedom)
        else special.stdtrit(error.degrees_of_freedom, tail)
    )
    return float(quantile * np.sqrt(2.0) * error.value)
