"""Settings for a target: a null space that is known, ranges, costs, and what is out of reach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from array_api_compat import numpy as xp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from lumipipe.families.inversion import (
    Proposal,
    Wish,
    direct_inversion,
    propose_settings,
    reachable,
)
from lumipipe.families.latent import LatentModel
from lumipipe.models.pls import PlsReducer, fit_latent, pair_state
from lumipipe.uncertainty.control_limits import t2_limit

INPUTS = 5
EVERYWHERE = {"low": np.full(INPUTS, -np.inf), "high": np.full(INPUTS, np.inf)}


def model(x: np.ndarray, y: np.ndarray, components: int) -> LatentModel:
    reducer = PlsReducer(xp, x.shape[1], y.shape[1], 0, 1)
    state = reducer.update(reducer.empty(), {"x": x, "y": y, "number": np.arange(len(x))})
    latent = fit_latent(pair_state(state), x.shape[1], components)
    names = set(LatentModel.__dataclass_fields__) - {"rows"}
    return LatentModel(**{name: latent[name] for name in names}, rows=len(x))


def rows(seed: int = 0, count: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Three causes of five inputs; the target is the sum of the first two."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(count, 3))
    x = causes @ rng.normal(size=(3, INPUTS)) * np.arange(1, INPUTS + 1) + 10.0
    return x, (causes[:, :1] + causes[:, 1:2]) * 3.0 + 50.0


def nearest(found: LatentModel, target: float, **wish) -> Proposal:
    return propose_settings(found, made({0: target}, **wish), 0.95)


def made(quality, fixed=None, weights=None, **ranges) -> Wish:
    return Wish(quality, fixed or {}, weights, **(EVERYWHERE | ranges))


def predicted(found: LatentModel, inputs: np.ndarray) -> np.ndarray:
    z = (inputs - found.mean_x) / found.scale_x
    return found.mean_y + found.scale_y * (z @ found.rotation @ found.y_loadings.T)


def t2(found: LatentModel, inputs: np.ndarray) -> np.ndarray:
    scores = (inputs - found.mean_x) / found.scale_x @ found.rotation
    return (scores**2 / found.score_variance).sum(axis=-1)


@given(seed=st.integers(0, 30), target=st.floats(45, 55))
def test_the_forward_model_confirms_the_proposal(seed: int, target: float) -> None:
    found = model(*rows(seed), 3)
    proposal = nearest(found, target)
    # Three components of three causes: conditions of the solved systems stay below 1e4.
    np.testing.assert_allclose(predicted(found, proposal.inputs), [target], rtol=0, atol=1e-8)
    np.testing.assert_allclose(proposal.predicted, [target], rtol=0, atol=1e-8)
    np.testing.assert_allclose(t2(found, proposal.inputs), proposal.t2, rtol=1e-6, atol=1e-9)
    assert proposal.directions.shape == (2, INPUTS)


def test_the_null_space_is_that_of_the_causes() -> None:
    """Without noise, moving along it changes causes whose sum stays, which the rows confirm."""
    x, y = rows()
    found = model(x, y, 3)
    proposal = nearest(found, 52.0)
    mixing = np.linalg.lstsq(np.c_[np.ones(len(x)), x], y, rcond=None)[0][1:, 0]
    for direction in proposal.directions:
        for step in (-2.0, 3.0):
            moved = proposal.inputs + step * direction
            np.testing.assert_allclose(predicted(found, moved), [52.0], rtol=0, atol=1e-8)
            # T² grows by the square of the step.
            np.testing.assert_allclose(t2(found, moved), proposal.t2 + step**2, rtol=1e-6)
        # The regression of the rows, which knows nothing of components, says the same.
        assert abs(mixing @ direction) < 1e-8


def test_no_settings_for_the_target_are_nearer() -> None:
    found = model(*rows(), 3)
    proposal = nearest(found, 53.0)
    scores, basis = direct_inversion(found, {0: 53.0})
    rng = np.random.default_rng(1)
    others = scores + rng.normal(size=(500, 2)) @ basis.T
    distances = (others**2 / found.score_variance).sum(axis=1)
    assert distances.min() >= proposal.t2 - 1e-12
    # The shortest scores are no nearer, since scores differ in variance.
    assert (scores**2 / found.score_variance).sum() >= proposal.t2 - 1e-12


def test_a_fixed_input_keeps_its_value_and_costs_a_direction() -> None:
    found = model(*rows(), 3)
    free, fixed = nearest(found, 52.0), nearest(found, 52.0, fixed={2: 11.0})
    assert fixed.inputs[2] == pytest.approx(11.0, abs=1e-8)
    assert fixed.predicted[0] == pytest.approx(52.0, abs=1e-8)
    assert len(fixed.directions) == len(free.directions) - 1
    assert fixed.t2 > free.t2
    assert fixed.within_ranges
    # Two fixed inputs and a target that cannot all be are not passed off as possible.
    clash = nearest(found, 52.0, fixed={0: 0.0, 1: 30.0, 2: 11.0, 3: 0.0})
    assert not clash.within_ranges


def test_the_least_cost_lies_on_the_limit() -> None:
    found = model(*rows(), 3)
    weights = np.array([1.0, 0, 2.0, 0, 0])
    plain, cheap = nearest(found, 51.0), nearest(found, 51.0, weights=weights)
    assert weights @ cheap.inputs < weights @ plain.inputs
    assert cheap.t2 == pytest.approx(cheap.limit, rel=1e-9)
    assert cheap.is_near
    assert cheap.predicted[0] == pytest.approx(51.0, abs=1e-8)
    # No other settings within the limit cost less.
    angle = np.linspace(0, 2 * np.pi, 2001)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * cheap.reach
    assert (weights @ (plain.inputs + circle @ plain.directions).T).min() >= (
        weights @ cheap.inputs - 1e-9
    )


def test_ranges_are_kept_or_it_is_said_that_they_are_not() -> None:
    found = model(*rows(), 3)
    weights = np.array([1.0, 0, 0, 0, 0])
    cheap = nearest(found, 51.0, weights=weights)
    low = EVERYWHERE["low"].copy()
    low[0] = (cheap.inputs[0] + nearest(found, 51.0).inputs[0]) / 2
    kept = nearest(found, 51.0, weights=weights, low=low)
    assert kept.within_ranges
    # The range is what the cost is stopped by; SLSQP ends within 1e-6 of it.
    assert kept.inputs[0] == pytest.approx(low[0], abs=1e-4)
    assert kept.predicted[0] == pytest.approx(51.0, abs=1e-8)
    low[0] = 1e6
    assert not nearest(found, 51.0, low=low).within_ranges


def test_a_range_alone_moves_the_settings_as_little_as_it_must() -> None:
    found = model(*rows(), 3)
    plain = nearest(found, 51.0)
    high = EVERYWHERE["high"].copy()
    shift = 0.3 * plain.reach * np.linalg.norm(plain.directions[:, 1])
    high[1] = plain.inputs[1] - shift
    kept = nearest(found, 51.0, high=high)
    assert kept.within_ranges
    assert kept.inputs[1] == pytest.approx(high[1], abs=1e-4)
    # The gradient of the input in the ball gives the least step: 0.3 of the reach.
    assert kept.t2 - plain.t2 == pytest.approx((0.3 * plain.reach) ** 2, rel=1e-3)


def test_a_target_outside_the_data_has_no_near_settings() -> None:
    x, y = rows()
    found = model(x, y, 3)
    far = nearest(found, float(y.max() + 6 * y.std()))
    assert not far.is_near
    assert far.nearest_t2 > far.limit == t2_limit(80, 3, 0.05)
    assert far.reach == 0.0
    # A cost does not bring it nearer.
    assert not nearest(found, float(y.max() + 6 * y.std()), weights=np.ones(INPUTS)).is_near


def test_more_targets_than_directions_are_met_at_best() -> None:
    rng = np.random.default_rng(4)
    causes = rng.normal(size=(60, 1))
    x = causes @ rng.normal(size=(1, INPUTS)) + 0.01 * rng.normal(size=(60, INPUTS))
    y = causes @ np.array([[1.0, -2.0]])
    found = model(x, y, 1)
    together = propose_settings(found, made({0: 1.0, 1: -2.0}), 0.95)
    np.testing.assert_allclose(together.predicted, [1.0, -2.0], atol=0.02)
    apart = propose_settings(found, made({0: 1.0, 1: 2.0}), 0.95)
    assert np.abs(apart.predicted - [1.0, 2.0]).max() > 0.5


def test_reachable_says_the_same_as_proposals() -> None:
    x, y = rows()
    found = model(x, y, 3)
    wanted = np.concatenate([y[:20], [[np.nan], [80.0]]])
    said = reachable(found, wanted, np.array([0.1]), 0.95)
    one = [nearest(found, float(target)).is_near for target in wanted[:20, 0]]
    assert said.tolist() == [*one, False, False]
    assert said[:20].mean() > 0.8


def _misfit(target: np.ndarray) -> tuple[LatentModel, np.ndarray, np.ndarray]:
    """Two targets of one cause and a little of another, which errors of measurement blow up."""
    rng = np.random.default_rng(2)
    causes = rng.normal(size=(80, 3))
    x = causes @ rng.normal(size=(3, INPUTS)) + 0.05 * rng.normal(size=(80, INPUTS))
    y = causes @ np.array([[1.0, 1.0], [0.02, -0.02], [0.0, 0.0]]) + 0.05 * rng.normal(size=(80, 2))
    return model(x, y, 3), target, np.array([0.2, 0.2])


def test_targets_that_hardly_fit_together_are_met_within_their_tolerance() -> None:
    found, target, tolerance = _misfit(np.array([1.0, 1.25]))
    wish = made(dict(enumerate(target)))
    exact = propose_settings(found, wish, 0.95)
    near = propose_settings(found, replace(wish, tolerance=tolerance), 0.95)
    np.testing.assert_allclose(exact.predicted, target, rtol=0, atol=1e-8)
    assert not exact.is_near
    assert near.is_near
    assert (np.abs(near.predicted - target) <= tolerance * (1 + 1e-9)).all()
    np.testing.assert_allclose(predicted(found, near.inputs), near.predicted, rtol=0, atol=1e-8)
    # SciPy's constrained search finds no nearer settings than the best, and ours are not far off.
    rows = found.y_loadings * np.sqrt(found.score_variance) * found.scale_y[:, None]
    best = minimize(
        lambda u: u @ u,
        np.zeros(3),
        constraints={
            "type": "ineq",
            "fun": lambda u: tolerance - np.abs(found.mean_y + rows @ u - target),
        },
    ).fun
    assert best * (1 - 1e-6) <= near.t2 <= 1.5 * best
    assert reachable(found, target[None], tolerance, 0.95).tolist() == [True]
    assert reachable(found, target[None], tolerance * 1e-9, 0.95).tolist() == [False]


def test_targets_that_fit_are_met_exactly_whatever_the_tolerance() -> None:
    found, target, tolerance = _misfit(np.array([1.0, 1.0]))
    wish = replace(made(dict(enumerate(target))), tolerance=tolerance)
    np.testing.assert_allclose(
        propose_settings(found, wish, 0.95).predicted, target, rtol=0, atol=1e-8
    )


def test_a_fixed_input_stays_where_targets_give_way() -> None:
    found, target, tolerance = _misfit(np.array([1.0, 1.25]))
    value = float(found.mean_x[1] + 0.3 * found.spread_x[1])
    wish = replace(made(dict(enumerate(target)), {1: value}), tolerance=tolerance)
    proposal = propose_settings(found, wish, 0.95)
    assert proposal.inputs[1] == pytest.approx(value, abs=1e-8)
    assert proposal.within_ranges
    assert (np.abs(proposal.predicted - target) <= tolerance * (1 + 1e-9)).all()
