"""Latent variables and their inversion beside another library, on the reactor that it ships."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from array_api_compat import numpy as xp

from lumipipe.families.inversion import (
    Wish,
    direct_inversion,
    propose_settings,
    reachable,
)
from lumipipe.families.latent import LatentModel
from lumipipe.fold import merge_all
from lumipipe.models.pls import PlsReducer, fit_latent, importance, pair_state
from lumipipe.uncertainty.control_limits import t2_limit

INPUTS, NORMAL = 14, 50  # the last four of the 54 rows are a known fault
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ldpe() -> np.ndarray:
    spec = importlib.util.find_spec("process_improve")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("process-improve is not installed")
    file = Path(spec.submodule_search_locations[0], "datasets/multivariate/LDPE/LDPE.csv")
    return np.genfromtxt(file, delimiter=",", skip_header=1)[:, 1:]


def fitted(table: np.ndarray, components: int) -> LatentModel:
    reducer = PlsReducer(xp, INPUTS, table.shape[1] - INPUTS, 0, 1)
    batches = [
        {"x": table[part, :INPUTS], "y": table[part, INPUTS:], "number": part}
        for part in np.array_split(np.arange(len(table)), 4)
    ]
    states = [reducer.update(reducer.empty(), batch) for batch in batches]
    latent = fit_latent(pair_state(merge_all(reducer, states)), INPUTS, components)
    names = set(LatentModel.__dataclass_fields__) - {"rows"}
    return LatentModel(**{name: latent[name] for name in names}, rows=len(table))


def peer(table: np.ndarray, components: int) -> Any:
    """The model of process-improve on the same rows."""
    pandas = pytest.importorskip("pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports and its first use, not of ours
        multivariate = pytest.importorskip("process_improve.multivariate")
        frame = pandas.DataFrame(table)
        pls = multivariate.PLS(n_components=components)
        return pls.fit(frame.iloc[:, :INPUTS], frame.iloc[:, INPUTS:])


@pytest.mark.parametrize("components", [3, 6])
def test_coefficients_distances_and_importance(ldpe: np.ndarray, components: int) -> None:
    table = ldpe[:NORMAL]
    model, other = fitted(table, components), peer(table, components)
    z = (table[:, :INPUTS] - model.mean_x) / model.scale_x
    scores = z @ model.rotation
    predicted = model.mean_y + model.scale_y * (scores @ model.y_loadings.T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.asarray(other.predict(_frame(table[:, :INPUTS])))
    # Its power iterations stop at a relative change of about 1e-8.
    np.testing.assert_allclose(
        predicted / model.scale_y, expected / model.scale_y, rtol=0, atol=1e-6
    )
    t2 = (scores**2 / model.score_variance).sum(axis=1)
    np.testing.assert_allclose(t2, np.asarray(other.hotellings_t2_)[:, -1], rtol=1e-6)
    vip = np.asarray(other.vip()).ravel()
    np.testing.assert_allclose(importance(vars(model)), vip, rtol=1e-6)


def _frame(x: np.ndarray) -> Any:
    return pytest.importorskip("pandas").DataFrame(x)


@pytest.mark.parametrize("components", [5, 6, 8])
def test_direct_inversion_and_null_space(ldpe: np.ndarray, components: int) -> None:
    table = ldpe[:NORMAL]
    model, other = fitted(table, components), peer(table, components)
    wanted = table[7, INPUTS:]
    scores, basis = direct_inversion(model, dict(enumerate(wanted)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = other.invert(wanted)
    inputs = model.mean_x + model.scale_x * (model.loadings @ scores)
    expected = np.asarray(found.x_new)
    # Solving for five targets costs the condition of the loadings, up to 1e3 here.
    np.testing.assert_allclose(inputs / model.scale_x, expected / model.scale_x, rtol=0, atol=1e-4)
    assert basis.shape[1] == found.null_space_dimension == components - 5
    t2 = float((scores**2 / model.score_variance).sum())
    assert t2 == pytest.approx(found.hotellings_t2, rel=1e-4)
    # The same space, whatever its basis: signs of components may differ, so go by inputs.
    plane = np.asarray(found.null_space_basis)
    mine = model.loadings @ basis
    theirs = np.asarray(other.x_loadings_)[:, :components] @ plane
    left = theirs - mine @ np.linalg.lstsq(mine, theirs, rcond=None)[0]
    assert np.abs(left).max(initial=0.0) < 1e-5
    nearest = propose_settings(model, _wish(wanted), 0.95)
    assert nearest.t2 <= t2 * (1 + 1e-9)


def _wish(quality: np.ndarray) -> Wish:
    everywhere = np.full(INPUTS, np.inf)
    return Wish(dict(enumerate(quality)), {}, None, -everywhere, everywhere)


def test_settings_of_measured_products_reproduce_their_quality(ldpe: np.ndarray) -> None:
    """R07: run backwards from each product that was left out, by a model of the others."""
    kept, near = 0, 0
    half = _half_widths(ldpe[:NORMAL], 6)
    for row in range(NORMAL):
        model = fitted(np.delete(ldpe[:NORMAL], row, axis=0), 6)
        wanted = ldpe[row, INPUTS:]
        proposal = propose_settings(model, replace(_wish(wanted), tolerance=half), 0.95)
        z = (proposal.inputs - model.mean_x) / model.scale_x
        forward = model.mean_y + model.scale_y * (z @ model.rotation @ model.y_loadings.T)
        kept += bool((np.abs(forward - wanted) <= half * (1 + 1e-6)).all())
        near += proposal.is_near
    assert kept == NORMAL  # six latent variables reach any five qualities
    # Exchangeable products: 95 % of 50, and no fewer than a binomial tail of 1 % allows.
    assert near >= 43
    model = fitted(ldpe[:NORMAL], 6)
    assert model.rows == NORMAL
    beyond = ldpe[:NORMAL, INPUTS:].mean(0) + 6 * ldpe[:NORMAL, INPUTS:].std(0)
    far = propose_settings(model, _wish(beyond), 0.95)
    assert not far.is_near
    assert far.limit == t2_limit(NORMAL, 6, 0.05)
    faults = int(reachable(model, ldpe[NORMAL:, INPUTS:], half, 0.95).sum())
    assert faults < 4  # the products of the fault drift out of reach


def _half_widths(table: np.ndarray, components: int) -> np.ndarray:
    """90 % of the errors of left-out rows."""
    errors = []
    for row in range(len(table)):
        model = fitted(np.delete(table, row, axis=0), components)
        z = (table[row, :INPUTS] - model.mean_x) / model.scale_x
        predicted = model.mean_y + model.scale_y * (z @ model.rotation @ model.y_loadings.T)
        errors.append(np.abs(predicted - table[row, INPUTS:]))
    return np.quantile(errors, 0.9, axis=0)
