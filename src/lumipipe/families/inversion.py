"""Settings for a wanted target: a model of latent variables run backwards.

A target fixes as many directions of the latent variables as it has independent values; along the
others, the null space, settings change and the predicted target does not. Of these equal
settings, the ones nearest to the data are proposed, or the cheapest that are near enough; where
none are near enough, none are proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from lumipipe.uncertainty.control_limits import t2_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from lumipipe.families.latent import LatentModel

    Floats = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
_DECADES, _HALVINGS = 40.0, 60  # of the search for a penalty, in natural logarithms
_TOLERANCE = 1e-6  # of a standard deviation: what the search may miss a range or a limit by


@dataclass(frozen=True)
class Wish:
    """What settings are asked for.

    Parameters
    ----------
    quality : mapping of int to float
        Number of a target to its wanted value; the others are free.
    fixed : mapping of int to float
        Number of an input to the value that it has.
    weights : ndarray of float64, shape (input,), optional
        What one unit of each input costs; nearness to the data decides where absent.
    low, high : ndarray of float64, shape (input,)
        Lowest and highest value of each input.
    tolerance : ndarray of float64, shape (target,), optional
        What the prediction may miss each target by where settings that are predicted to meet all
        of them exactly lie too far from the data; nothing where absent.
    """

    quality: Mapping[int, float]
    fixed: Mapping[int, float]
    weights: Floats | None
    low: Floats
    high: Floats
    tolerance: Floats | None = None


@dataclass(frozen=True)
class Proposal:
    """Settings that a model predicts the wanted target for.

    Parameters
    ----------
    inputs : ndarray of float64, shape (input,)
        The settings.
    predicted : ndarray of float64, shape (target,)
        What the model predicts for them.
    t2 : float
        Hotelling's T² of the settings.
    nearest_t2 : float
        The lowest T² of all settings that the model predicts the target for.
    limit : float
        What T² of settings like the known ones stays below.
    directions : ndarray of float64, shape (direction, input)
        Change of settings along each direction of the null space, for a step of one in T; the
        first changes them most.
    reach : float
        How far each direction may be followed from the nearest settings before T² is at its limit.
    within_ranges : bool
        Whether the settings keep to the ranges and to the inputs that are fixed.
    """

    inputs: Floats
    predicted: Floats
    t2: float
    nearest_t2: float
    limit: float
    directions: Floats
    reach: float
    within_ranges: bool

    @property
    def is_near(self) -> bool:
        """Whether the settings lie where the model knows the data."""
        # Settings of least cost lie on the limit, but for rounding.
        return self.t2 <= self.limit * (1 + _TOLERANCE)


def direct_inversion(model: LatentModel, quality: Mapping[int, float]) -> tuple[Floats, Floats]:
    """The shortest scores for a target, and the null space.

    Parameters
    ----------
    model : LatentModel
        What predicts.
    quality : mapping of int to float
        Number of a target to its wanted value.

    Returns
    -------
    scores : ndarray of float64, shape (component,)
        Of least length among those that the model predicts the target for.
    basis : ndarray of float64, shape (component, direction)
        Orthonormal directions along which the prediction stays.

    References
    ----------
    .. [1] C. M. Jaeckle and J. F. MacGregor, "Product design through multivariate statistical
       analysis of process data", AIChE Journal 44 (1998) 1105-1118.
    .. [2] C. M. Jaeckle and J. F. MacGregor, "Industrial applications of product design through
       the inversion of latent variable models", Chemom. Intell. Lab. Syst. 50 (2000) 199-210.
    """
    rows, wanted = _equations(model, Wish(quality, {}, None, model.mean_x, model.mean_x))
    scores, basis, _ = _solved(rows, wanted)
    return scores, basis


def propose_settings(model: LatentModel, wish: Wish, confidence: float) -> Proposal:
    """The nearest settings for a target, or the cheapest that are near enough.

    Parameters
    ----------
    model : LatentModel
        What predicts.
    wish : Wish
        What is asked for.
    confidence : float
        Share of rows like the known ones whose T² stays below the limit.

    Returns
    -------
    Proposal
        On the plane of the model, so its SPE is zero. Whether the target is reached, near enough
        and within the ranges is for the reader to check: see the fields.

    Notes
    -----
    *Method*: with scores in units of their standard deviations, T² is the squared length, so the
    shortest solution is the nearest to the data, and the null space around it is a ball. A cost
    is linear in it, so the least one lies on its surface, in closed form. Where a range is
    broken, sequential least squares (SciPy's SLSQP) searches from the nearest settings.

    Several targets measured with error hardly ever fit together exactly, and solving for the
    misfit leads far away. So settings too far out are drawn nearer by a ridge penalty, as far as
    no target is missed by more than its tolerance.
    """
    deviation = np.sqrt(model.score_variance)
    limit = t2_limit(model.rows, model.components, 1 - confidence)
    nearest, basis = _nearest_scores(model, wish, limit)
    step = model.scale_x[:, None] * model.loadings * deviation  # inputs for a step of one in T
    basis = _most_effective_first(basis, step)
    room = max(0.0, limit - float(nearest @ nearest))
    start = model.mean_x + step @ nearest
    along = step @ basis
    moved = _moved(start, along, wish, room, model.scale_x)
    scores = nearest + basis @ moved
    inputs = model.mean_x + step @ scores
    slack = _TOLERANCE * model.scale_x
    fixed = [abs(inputs[n] - value) <= slack[n] for n, value in wish.fixed.items()]
    inside = (inputs >= wish.low - slack) & (inputs <= wish.high + slack)
    return Proposal(
        inputs=inputs,
        predicted=model.mean_y + model.scale_y * (model.y_loadings @ (deviation * scores)),
        t2=float(scores @ scores),
        nearest_t2=float(nearest @ nearest),
        limit=limit,
        directions=along.T,
        reach=float(np.sqrt(room)),
        within_ranges=bool(inside.all()) and all(fixed),
    )


def reachable(
    model: LatentModel, quality: Floats, tolerance: Floats, confidence: float
) -> NDArray[np.bool_]:
    """Whether there are settings near the data for each of many targets.

    Parameters
    ----------
    model : LatentModel
        What predicts.
    quality : ndarray of float64, shape (row, target)
        Wanted values.
    tolerance : ndarray of float64, shape (target,)
        What the prediction of the settings may miss them by.
    confidence : float
        As in `propose_settings`.

    Returns
    -------
    ndarray of bool, shape (row,)
        False where a target is not known.
    """
    deviation = np.sqrt(model.score_variance)
    rows = model.y_loadings * deviation
    scaled = (quality - model.mean_y) / model.scale_y
    known = np.asarray(np.isfinite(scaled).all(axis=1))
    wanted = np.where(known[:, None], scaled, 0.0).T
    own = tolerance / model.scale_y
    limit = t2_limit(model.rows, model.components, 1 - confidence)
    found = np.zeros(len(quality), dtype=bool)
    for scores in (_solved(rows, wanted)[0], _within(rows, wanted, own)):
        near = (scores**2).sum(axis=0) <= limit
        # On the edge of the tolerance but for rounding.
        met = np.abs(rows @ scores - wanted) <= own[:, None] * (1 + _TOLERANCE)
        found |= near & met.all(axis=0)
    return found & known


def _nearest_scores(model: LatentModel, wish: Wish, limit: float) -> tuple[Floats, Floats]:
    """The scores nearest to the data, in standard deviations, and the null space around them."""
    rows, wanted = _equations(model, wish)
    rows = rows * np.sqrt(model.score_variance)
    exact, basis, _ = _solved(rows, wanted)
    if wish.tolerance is None or exact @ exact <= limit:
        return exact, basis
    targets = list(wish.quality)
    count = len(targets)
    fixed, free, _ = _solved(rows[count:], wanted[count:])
    tolerance = wish.tolerance[targets] / model.scale_y[targets]
    rest = wanted[:count] - rows[:count] @ fixed
    return fixed + free @ _within(rows[:count] @ free, rest[:, None], tolerance)[:, 0], basis


def _within(rows: Floats, right: Floats, tolerance: Floats) -> Floats:
    """Short solutions (component, case) that miss no equation by more than its tolerance.

    The penalty of a ridge regression is raised as far as the tolerances allow; where none does,
    it is all but nothing.
    """
    weight = 1.0 / np.maximum(tolerance, np.finfo(np.float64).tiny ** 0.5)[:, None]
    left, strength, turned = np.linalg.svd(rows * weight, full_matrices=False)
    along = left.T @ (right * weight)
    across = right * weight - left @ along
    power = (strength**2)[:, None]
    middle = float(np.log(power.max(initial=_EPS)))
    low = np.full(right.shape[1], middle - _DECADES)
    high = np.full(right.shape[1], middle + _DECADES)
    for _ in range(_HALVINGS):
        half = (low + high) / 2
        penalty = np.exp(half)
        missed = across + left @ (penalty / (power + penalty) * along)
        fits = (np.abs(missed) <= 1).all(axis=0)
        low, high = np.where(fits, half, low), np.where(fits, high, half)
    damped = strength[:, None] / (power + np.exp(low)) * along
    return np.asarray(turned.T @ damped)


def _equations(model: LatentModel, wish: Wish) -> tuple[Floats, Floats]:
    """What scores must fulfil: rows (equation, component) and their right-hand sides."""
    targets, inputs = list(wish.quality), list(wish.fixed)
    rows = np.concatenate([model.y_loadings[targets], model.loadings[inputs]])
    quality = np.array([wish.quality[n] for n in targets])
    fixed = np.array([wish.fixed[n] for n in inputs])
    right = [
        (quality - model.mean_y[targets]) / model.scale_y[targets],
        (fixed - model.mean_x[inputs]) / model.scale_x[inputs],
    ]
    return rows, np.concatenate(right)


def _solved(rows: Floats, right: Floats) -> tuple[Floats, Floats, int]:
    """Shortest solution of least squares, orthonormal basis of the null space, and rank."""
    left, strength, turned = np.linalg.svd(rows)
    floor = max(rows.shape) * _EPS * strength.max(initial=0.0)
    rank = int((strength > floor).sum())
    solution = turned[:rank].T @ ((left[:, :rank].T @ right).T / strength[:rank]).T
    return solution, turned[rank:].T, rank


def _most_effective_first(basis: Floats, step: Floats) -> Floats:
    """The basis turned so that its first direction changes the inputs most, and so on."""
    if not basis.shape[1]:
        return basis
    spread = np.abs(step).max(axis=1, keepdims=True)
    turned = np.linalg.svd(step / np.where(spread > 0, spread, 1.0) @ basis, full_matrices=False)[2]
    found = basis @ turned.T
    # Of the two signs of a direction, the one whose largest part is positive.
    largest = found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])]
    return np.asarray(found * np.where(largest < 0, -1.0, 1.0))


def _moved(start: Floats, along: Floats, wish: Wish, room: float, scale: Floats) -> Floats:
    """How far to go along each direction of the null space from the nearest settings."""
    stay = np.zeros(along.shape[1])
    slope = along.T @ wish.weights if wish.weights is not None else stay
    steepness = float(np.linalg.norm(slope))
    best = -slope / steepness * np.sqrt(room) if steepness > 0 else stay
    reached = start + along @ best
    if not along.shape[1] or ((reached >= wish.low) & (reached <= wish.high)).all():
        return np.asarray(best)
    moves = np.asarray(np.abs(along).max(axis=1) > _TOLERANCE * scale)
    bounds = [
        (start[kept] - bound[kept], along[kept], sign * scale[kept])
        for bound, sign in ((wish.low, 1.0), (wish.high, -1.0))
        for kept in [np.flatnonzero(np.isfinite(bound) & moves)]
    ]
    return _searched(bounds, room, slope / steepness if steepness > 0 else 0.0 * slope)


def _searched(bounds: list[tuple[Floats, Floats, Floats]], room: float, slope: Floats) -> Floats:
    """The best step within ranges, given by (distance, change of it, scale), and T²."""

    def margins(v: Floats) -> Floats:
        sides = [(away + along @ v) / scale for away, along, scale in bounds]
        return np.concatenate([*sides, [room - v @ v]])

    def cost(v: Floats) -> float:
        return float(slope @ v) if slope.any() else float(v @ v)

    found = minimize(
        cost,
        np.zeros(len(slope)),
        method="SLSQP",
        constraints=[{"type": "ineq", "fun": margins}],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return np.asarray(found.x, dtype=np.float64)
