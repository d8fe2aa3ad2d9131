"""Uncertainty budgets: what each source adds, apart by whether it is shared by all readings.

Method: the law of propagation of uncertainty, JCGM 100:2008, Eqs. 10 and 13 and 5.2.2. A shared
source moves all readings together, so its sensitivities add before they are squared, and more
readings do not shrink it; what is independent from reading to reading adds in squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Contribution:
    """What one source adds to the uncertainty of a result.

    Parameters
    ----------
    source : str
        Name of the source, the same wherever it is shared.
    evaluation : {"A", "B"}
        By statistics of these data, or by other knowledge.
    distribution : str
        What is assumed of its errors.
    u : float
        Standard uncertainty of the source, in `unit`.
    unit : str
        Unit of `u`.
    sensitivity : float
        Unit of the result per `unit`; the sum over all readings for a shared source.
    is_shared : bool
        Whether it is the same error in all readings.
    """

    source: str
    evaluation: Literal["A", "B"]
    distribution: str
    u: float
    unit: str
    sensitivity: float
    is_shared: bool

    @property
    def effect(self) -> float:
        """What it adds to the result, with its sign, in the unit of the result."""
        return self.sensitivity * self.u


def combined(
    parts: Sequence[Contribution], correlation: Mapping[tuple[str, str], float] | None = None
) -> float:
    """The combined standard uncertainty.

    Parameters
    ----------
    parts : sequence of Contribution
        One for each source.
    correlation : mapping of (source, source) to float, optional
        Correlation coefficients that are not zero, each pair once.

    Returns
    -------
    float
        In the unit of the result.

    Examples
    --------
    >>> a = Contribution("offset", "B", "normal", 3.0, "V", 1.0, True)
    >>> b = Contribution("noise", "A", "normal", 4.0, "V", 1.0, False)
    >>> combined([a, b]), combined([a, b], {("offset", "noise"): -1.0})
    (5.0, 1.0)
    """
    effect = {part.source: part.effect for part in parts}
    if len(effect) != len(parts):
        raise ValueError("a source stands twice; add its sensitivities first")
    variance = sum(value**2 for value in effect.values())
    for (first, second), r in (correlation or {}).items():
        variance += 2.0 * r * effect[first] * effect[second]
    return float(np.sqrt(max(0.0, variance)))


def variance_shares(parts: Sequence[Contribution]) -> list[float]:
    """The share of each source in the variance of uncorrelated sources; 0 where all are 0."""
    total = sum(part.effect**2 for part in parts)
    return [part.effect**2 / total if total > 0.0 else 0.0 for part in parts]


def summed(budgets: Sequence[Sequence[Contribution]]) -> list[Contribution]:
    """The budget of a sum of results, from theirs.

    Parameters
    ----------
    budgets : sequence of sequence of Contribution
        One for each result, such as one a month; sources of one name have one `u`.

    Returns
    -------
    list of Contribution
        Sensitivities of a shared source added, those of an independent one added in squares.

    Examples
    --------
    >>> noise = Contribution("noise", "A", "normal", 1.0, "V", 3.0, False)
    >>> other = Contribution("noise", "A", "normal", 1.0, "V", 4.0, False)
    >>> summed([[noise], [other]])[0].sensitivity
    5.0
    """
    found: dict[str, list[Contribution]] = {}
    for budget in budgets:
        for part in budget:
            found.setdefault(part.source, []).append(part)
    return [_joined(parts) for parts in found.values()]


def _joined(parts: list[Contribution]) -> Contribution:
    """One source of several results."""
    first = parts[0]
    if {(part.u, part.unit, part.is_shared) for part in parts} != {
        (first.u, first.unit, first.is_shared)
    }:
        raise ValueError(f"source {first.source} has several uncertainties; give each its own name")
    sensitivities = [part.sensitivity for part in parts]
    whole = sum(sensitivities) if first.is_shared else float(np.hypot.reduce(sensitivities))
    return Contribution(
        first.source,
        first.evaluation,
        first.distribution,
        first.u,
        first.unit,
        whole,
        first.is_shared,
    )


def coverage_factor(coverage: float) -> float:
    """The factor k with which k times u holds a share of a normal distribution.

    >>> round(coverage_factor(0.95), 2)
    1.96
    """
    return float(special.ndtri(0.5 + coverage / 2.0))


def rounding_u(step: float) -> float:
    """Standard uncertainty of rounding to a step: rectangular, JCGM 100:2008, F.2.2.1.

    >>> round(rounding_u(0.01), 6)
    0.002887
    """
    return step / float(np.sqrt(12.0))
