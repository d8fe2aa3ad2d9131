"""Which mixes meet a specification, with a stated probability, at the least primary material.

Candidates are the known mixes and blends of three of them, so amounts stay between known ones and
add up as they do. What lies outside the operating envelope of the data is never proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.guard import is_inside
from lumipipe.uncertainty.conformal import conformal_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.families.interface import Model
    from lumipipe.families.recipe import Specification
    from lumipipe.families.regression import Regression, Thresholds
    from lumipipe.uncertainty.scores import Scores

AMOUNT = "amount:"
"""Prefix of the scored columns with the amounts of materials."""
_BLENDED = 3  # known mixes in one blend
_PURPOSE = 0xB1E4D  # keeps these draws apart from others of the same seed
_APART = 0.25  # of a material's scale: mixes that are nearer are shown once


def mix_thresholds(specification: Specification, coverage: float) -> Thresholds:
    """How residuals (measured less predicted) give the half-width, and the margin of one side.

    Returns
    -------
    callable
        Gives float64 (2,): half-width of the two-sided interval, and what is taken off a
        prediction (or added, for a highest value) so that the property is on the good side with
        the probability that is asked for.
    """
    sign = -1.0 if specification.at_least is not None else 1.0

    def thresholds(
        scores: Scores, residual: NDArray[np.float64], number: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        del number
        column = residual[:, 0]
        half = conformal_quantile(scores("size", np.abs(column)), coverage)
        past = scores("wrong side", sign * column)
        return np.array([half, conformal_quantile(past, specification.probability)])

    return thresholds


def safe_side(
    specification: Specification, prediction: NDArray[np.float64], margin: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether predictions (row,) meet the specification with their margins (row,) taken off."""
    if specification.at_least is not None:
        return np.asarray(prediction - margin >= specification.at_least)
    highest = np.inf if specification.at_most is None else specification.at_most
    return np.asarray(prediction + margin <= highest)


def meets(specification: Specification, value: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether measured values (row,) meet the specification."""
    return safe_side(specification, value, np.zeros_like(value))


@dataclass(frozen=True)
class Proposals:
    """Mixes that meet a specification, the one with the least primary material first.

    Parameters
    ----------
    amounts : ndarray of float64, shape (mix, material)
        Amounts in the order of the request's materials.
    primary : ndarray of float64, shape (mix,)
        Primary material.
    prediction : ndarray of float64, shape (mix,)
        Property that is predicted.
    is_known : ndarray of bool, shape (mix,)
        Whether the mix is one of the known ones.
    t2, spe : ndarray of float64, shape (mix,)
        Distances from the data, in units of their limits.
    tried, outside, short : int
        Candidates, those outside the operating envelope, and those inside that do not meet it.
    """

    amounts: NDArray[np.float64]
    primary: NDArray[np.float64]
    prediction: NDArray[np.float64]
    is_known: NDArray[np.bool_]
    t2: NDArray[np.float64]
    spe: NDArray[np.float64]
    tried: int
    outside: int
    short: int


def propose(
    found: Regression, model: Model, mixes: NDArray[np.float64], materials: Sequence[str]
) -> Proposals:
    """Search the known mixes and blends of them.

    Parameters
    ----------
    found : Regression
        The regression of the request.
    model : Model
        Its arrays.
    mixes : ndarray of float64, shape (mix, material)
        The known mixes, each once.
    materials : sequence of str
        Names of the materials.

    Returns
    -------
    Proposals
        At most as many as the request shows; none where no candidate meets the specification.
    """
    job, score = found.job, found.job.score
    amounts = np.concatenate([mixes, _blends(mixes, score.candidates, job.seed)])
    inputs = np.empty((len(amounts), len(found.inputs)))
    for number, name in enumerate(found.inputs):
        known = name in score.specification.at
        at = score.specification.at[name] if known else amounts[:, materials.index(name)]
        inputs[:, number] = at
    said = found.answers(model, inputs)
    distance = {
        name: said[name] / max(float(model.arrays[f"envelope_{name}"]), np.finfo(float).tiny)
        for name in ("t2", "spe")
    }
    inside = is_inside(model.arrays, said)
    prediction = said["prediction"][:, 0]
    margin = np.full(len(prediction), model.arrays["final_threshold"][1])
    good = inside & safe_side(score.specification, prediction, margin)
    primary = amounts[:, _primary(found, materials)].sum(axis=1)
    order = np.flatnonzero(good)[np.argsort(primary[good], kind="stable")]
    scale = np.array([found.scales[name][1] for name in materials])
    chosen = _apart(amounts / scale, order, score.shown)
    return Proposals(
        amounts=amounts[chosen],
        primary=primary[chosen],
        prediction=prediction[chosen],
        is_known=chosen < len(mixes),
        t2=distance["t2"][chosen],
        spe=distance["spe"][chosen],
        tried=len(amounts),
        outside=int((~inside).sum()),
        short=int((inside & ~good).sum()),
    )


def _primary(found: Regression, materials: Sequence[str]) -> NDArray[np.bool_]:
    """Which materials are primary."""
    kinds = found.job.asset.materials
    return np.array([kinds[name].kind == "primary" for name in materials])


def _blends(mixes: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64]:
    """Blends of known mixes with shares drawn evenly from all that add up to one."""
    generator = np.random.Generator(np.random.Philox(key=[seed, _PURPOSE]))
    parents = generator.integers(0, len(mixes), size=(count, _BLENDED))
    shares = generator.dirichlet(np.ones(_BLENDED), size=count)
    return np.asarray(np.einsum("cb,cbm->cm", shares, mixes[parents]))


def _apart(scaled: NDArray[np.float64], order: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The first of `order` that differ from each other in some material."""
    chosen: list[int] = []
    for candidate in order:
        gaps = np.abs(scaled[chosen] - scaled[candidate]).max(axis=1) if chosen else np.array([1.0])
        if gaps.min() >= _APART:
            chosen.append(int(candidate))
        if len(chosen) == most:
            break
    return np.asarray(chosen, dtype=np.int64)
